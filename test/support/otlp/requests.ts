import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type { OtlpContentType } from '../../../services/ports/otlp.ts';

/**
 * OTLP requests in their JSON form. 64-bit integers may be text or number, as the standard says,
 * and a test may put anything in their place.
 */
export type OtlpAttribute = { readonly key: string; readonly value: object };
export type OtlpPoint = Readonly<Record<string, unknown>>;
export type OtlpMetric = Readonly<Record<string, unknown>>;
export type OtlpScopeMetrics = { readonly scope?: object; readonly metrics: readonly OtlpMetric[] };
export type OtlpResourceMetrics = {
  readonly resource?: { readonly attributes: readonly OtlpAttribute[] };
  readonly scopeMetrics: readonly OtlpScopeMetrics[];
};
export type OtlpRequest = { readonly resourceMetrics: readonly OtlpResourceMetrics[] };

const { root } = protobuf.parse(readFileSync(new URL('./metrics.proto', import.meta.url), 'utf8'));

export const requestType: protobuf.Type = root.lookupType('otlp.ExportMetricsServiceRequest');
export const responseType: protobuf.Type = root.lookupType('otlp.ExportMetricsServiceResponse');

/** The request in protobuf, as protobufjs encodes it. */
export const protobufOf = (request: OtlpRequest): Uint8Array =>
  requestType.encode(requestType.fromObject(request)).finish();

/** The request in JSON; numbers that JSON cannot say become text, as protobuf's JSON has them. */
export const jsonOf = (request: unknown): Uint8Array =>
  Buffer.from(
    JSON.stringify(request, (_key, value: unknown) =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
    ),
  );

/** Both encodings of a request. */
export const encoders: readonly (readonly [
  OtlpContentType,
  (request: OtlpRequest) => Uint8Array,
])[] = [
  ['application/x-protobuf', protobufOf],
  ['application/json', jsonOf],
];

/** Attributes from plain values: text, whole numbers as int, other numbers as double, booleans. */
export const attributes = (
  plain: Readonly<Record<string, string | number | boolean>>,
): readonly OtlpAttribute[] =>
  Object.entries(plain).map(([key, value]) => ({ key, value: anyValue(value) }));

const anyValue = (value: string | number | boolean): object => {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
};

export const CHECKOUT: Readonly<Record<string, string>> = {
  'service.name': 'checkout',
  'service.version': '2.0.0',
  'deployment.environment.name': 'production',
};

/** One explicit point: 10 requests in three buckets, answered with 200. */
export const goodPoint: OtlpPoint = {
  startTimeUnixNano: '1700000000000000000',
  timeUnixNano: '1700000005000000000',
  count: '10',
  sum: 1.5,
  bucketCounts: ['5', '3', '2'],
  explicitBounds: [0.1, 0.5],
  attributes: attributes({ 'http.request.method': 'GET', 'http.response.status_code': 200 }),
};

/** One exponential point: 10 requests, one of them zero. */
export const goodExponentialPoint: OtlpPoint = {
  startTimeUnixNano: '1700000000000000000',
  timeUnixNano: '1700000005000000000',
  count: '10',
  sum: 1.5,
  scale: 3,
  zeroCount: '1',
  positive: { offset: -4, bucketCounts: ['5', '0', '4'] },
  attributes: attributes({ 'http.request.method': 'GET', 'http.response.status_code': 200 }),
};

export const DELTA = 1;
export const CUMULATIVE = 2;

export const histogram = (
  points: readonly unknown[],
  changes: { readonly name?: string; readonly unit?: string; readonly temporality?: unknown } = {},
): OtlpMetric => ({
  name: changes.name ?? 'http.server.request.duration',
  unit: changes.unit ?? 's',
  histogram: {
    aggregationTemporality: 'temporality' in changes ? changes.temporality : CUMULATIVE,
    dataPoints: points,
  },
});

export const exponentialHistogram = (points: readonly unknown[]): OtlpMetric => ({
  name: 'http.server.request.duration',
  unit: 's',
  exponentialHistogram: { aggregationTemporality: DELTA, dataPoints: points },
});

/** A request of one resource (checkout 2.0.0 in production unless said otherwise) and one scope. */
export const requestOf = (
  metrics: readonly OtlpMetric[],
  resource: Readonly<Record<string, string | number>> = CHECKOUT,
): OtlpRequest => ({
  resourceMetrics: [
    {
      resource: { attributes: attributes(resource) },
      scopeMetrics: [{ scope: { name: 'http', version: '1.0.0' }, metrics }],
    },
  ],
});

const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** A request as a busy service sends it: `points` series of http.server.request.duration. */
export const busyRequest = (points: number): OtlpRequest => {
  const methods = ['GET', 'POST', 'PUT', 'DELETE'];
  const statuses = [200, 201, 404, 500, 503];
  const series = Array.from({ length: points }, (_, index) => {
    const bucketCounts = Array.from(
      { length: BOUNDS.length + 1 },
      (__, at) => (index * 7 + at) % 50,
    );
    const count = bucketCounts.reduce((total, bucket) => total + bucket, 0);
    return {
      startTimeUnixNano: '1700000000123456789',
      timeUnixNano: '1700000060123456789',
      count: String(count),
      sum: count * 0.03,
      min: 0.001,
      max: 4.2,
      bucketCounts: bucketCounts.map(String),
      explicitBounds: BOUNDS,
      attributes: attributes({
        'http.request.method': methods[index % methods.length] ?? 'GET',
        'http.response.status_code': statuses[index % statuses.length] ?? 200,
        'http.route': `/shops/{shop}/orders/${index}`,
        'url.scheme': 'https',
        'network.protocol.version': '1.1',
      }),
    };
  });
  return requestOf([histogram(series)], {
    ...CHECKOUT,
    'service.instance.id': '5d0f4a3e-8f0c-4e55-9d7c-0a4c3c1c7a10',
    'telemetry.sdk.language': 'nodejs',
    'host.name': 'node-17',
  });
};
