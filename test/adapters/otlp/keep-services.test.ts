import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keepServices } from '../../../services/adapters/otlp/keep-services.ts';
import { decodeMetricsRequest } from '../../../services/adapters/otlp/metrics-request.ts';
import type { DecodedMetrics } from '../../../services/core/telemetry/point.ts';
import type { KeptServices } from '../../../services/ports/otlp.ts';
import { anyRequest } from '../../support/otlp/arbitraries.ts';
import type { OtlpRequest, OtlpResourceMetrics } from '../../support/otlp/requests.ts';
import {
  encoders,
  attributes,
  goodPoint,
  histogram,
  jsonOf,
  protobufOf,
  requestOf,
} from '../../support/otlp/requests.ts';
import { value } from '../../support/records.ts';

const [protobuf, json] = ['application/x-protobuf', 'application/json'] as const;
const of = (
  resource: Readonly<Record<string, string | number>>,
  points = 1,
): OtlpResourceMetrics[] => [
  ...requestOf([histogram(Array.from({ length: points }, () => goodPoint))], resource)
    .resourceMetrics,
];
const ofService = (name: string, points = 1): OtlpResourceMetrics[] =>
  of({ 'service.name': name }, points);
const together = (...resources: readonly OtlpResourceMetrics[][]): OtlpRequest => ({
  resourceMetrics: resources.flat(),
});
const shopAlone = (service: string | null): boolean => service === 'shop';

describe.each(encoders)('%s', (contentType, encode) => {
  const keep = (request: OtlpRequest, maySend = shopAlone): KeptServices =>
    value(keepServices('metrics', encode(request), contentType, maySend));
  const decode = (bytes: Uint8Array | null): DecodedMetrics =>
    value(decodeMetricsRequest(bytes ?? encode({ resourceMetrics: [] }), contentType));
  const componentsIn = (bytes: Uint8Array | null): readonly string[] =>
    decode(bytes).points.map(({ component }) => component);

  test('of services that may be sent alone stays as it came', () => {
    const bytes = encode(together(ofService('shop'), ofService('shop', 2)));
    const kept = value(keepServices('metrics', bytes, contentType, shopAlone));
    expect(kept.bytes).toBe(bytes);
    expect(kept.left).toBe(0);
  });

  test('loses what is of others, counted by data point', () => {
    const kept = keep(together(ofService('cart', 3), ofService('shop', 2), ofService('pay')));
    expect(componentsIn(kept.bytes)).toEqual(['shop', 'shop']);
    expect(kept.left).toBe(4);
  });

  test('of others alone is nothing', () => {
    expect(keep(together(ofService('cart', 3)))).toEqual({ bytes: null, left: 3 });
    expect(keep(together(of({ 'host.name': 'h' })))).toEqual({ bytes: null, left: 1 });
  });

  test('of nothing stays nothing', () => {
    expect(keep({ resourceMetrics: [] }).left).toBe(0);
  });

  test('that breaks off is refused', () => {
    const bytes = encode(together(ofService('shop')));
    const broken = bytes.subarray(0, bytes.length - 3);
    expect(keepServices('metrics', broken, contentType, shopAlone)).toMatchObject({
      ok: false,
      problem: { code: 'otlp-malformed' },
    });
  });

  test.each<[string, readonly object[]]>([
    ['named twice, at last as another', attributes({ 'service.name': 'shop' })],
    ['named once', []],
  ])('is of the service that the judge sees: %s', (_name, before) => {
    const request: OtlpRequest = {
      resourceMetrics: ofService('cart').map((one) => ({
        ...one,
        resource: {
          attributes: [...before, ...(one.resource?.attributes ?? [])] as never,
        },
      })),
    };
    expect(componentsIn(encode(request))).toEqual(['cart']);
    expect(keep(request)).toEqual({ bytes: null, left: 1 });
    expect(keep(request, (service) => service === 'cart').left).toBe(0);
  });

  test('whatever was sent, what is left is what the judge would have seen of those services', () => {
    const names = fc.constantFrom('shop', 'cart', '');
    const services = fc.array(names, { minLength: 1, maxLength: 5 });
    let lefts = 0;
    fc.assert(
      fc.property(anyRequest, services, (sent, named) => {
        const request: OtlpRequest = {
          resourceMetrics: named.flatMap((name) =>
            sent.resourceMetrics.map((one) => ({
              ...one,
              resource: { attributes: attributes({ 'service.name': name }) },
            })),
          ),
        };
        const { bytes, left } = keep(request);
        const whole = decode(encode(request));
        const kept = decode(bytes);
        expect(kept.points).toEqual(whole.points.filter(({ component }) => component === 'shop'));
        expect(left).toBeGreaterThanOrEqual(whole.dataPoints - kept.dataPoints);
        if (left > 0) lefts += 1;
      }),
      { numRuns: 100 },
    );
    expect(lefts).toBeGreaterThan(10);
  });
});

describe('protobuf that says who it is in an unusual way', () => {
  const [shop, cart] = [ofService('shop'), ofService('cart')].map(([one]) => one);

  test('a resource that comes twice is both together, and the last name stands', () => {
    const merged = Buffer.concat([partOf(shop), partOf(cart)]);
    // Two fields of one ResourceMetrics, as protobuf merges them.
    const request = Buffer.concat([Buffer.from([0x0a, ...varint(merged.length)]), merged]);
    const decoded = value(decodeMetricsRequest(request, protobuf));
    expect(new Set(decoded.points.map(({ component }) => component))).toEqual(new Set(['cart']));
    expect(value(keepServices('metrics', request, protobuf, shopAlone)).bytes).toBeNull();
  });
});

describe('json that says who it is in an unusual way', () => {
  const text = (request: string): Uint8Array => Buffer.from(request);
  const metrics = JSON.stringify(ofService('x')[0]?.scopeMetrics);
  const named = (name: string): string =>
    `{"attributes":[{"key":"service.name","value":{"stringValue":"${name}"}}]}`;

  test.each<[string, string]>([
    [
      'a field twice',
      `{"resourceMetrics":[{"resource":${named('shop')},"resource":${named('cart')},"scopeMetrics":${metrics}}]}`,
    ],
    [
      'names of the .proto file',
      `{"resource_metrics":[{"resource":${named('cart')},"scope_metrics":${metrics}}]}`,
    ],
    [
      'both names of the list, of which one counts',
      `{"resource_metrics":[{"resource":${named('shop')},"scopeMetrics":${metrics}}],"resourceMetrics":[{"resource":${named('cart')},"scopeMetrics":${metrics}}]}`,
    ],
  ])('%s', (_name, request) => {
    const decoded = value(decodeMetricsRequest(text(request), json));
    expect(decoded.points.map(({ component }) => component)).toEqual(['cart']);
    expect(value(keepServices('metrics', text(request), json, shopAlone))).toEqual({
      bytes: null,
      left: 1,
    });
  });
});

test.each(['traces', 'logs'] as const)('%s are told apart as metrics are', (signal) => {
  const [list, scopes, items] = {
    traces: ['resourceSpans', 'scopeSpans', 'spans'],
    logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  }[signal] as [string, string, string];
  const resource = (name: string, count: number): object => ({
    resource: { attributes: attributes({ 'service.name': name }) },
    [scopes]: [{ [items]: Array.from({ length: count }, () => ({ traceId: '01' })) }],
  });
  const request = jsonOf({ [list]: [resource('shop', 1), resource('cart', 2)] });
  const kept = value(keepServices(signal, request, json, shopAlone));
  expect(kept.left).toBe(2);
  expect(JSON.parse(Buffer.from(kept.bytes ?? []).toString())).toEqual({
    [list]: [JSON.parse(jsonOf(resource('shop', 1)).toString())],
  });
});

/** The fields of one ResourceMetrics, without the tag and length around them. */
const partOf = (one: OtlpResourceMetrics | undefined): Uint8Array => {
  const request = protobufOf({ resourceMetrics: one === undefined ? [] : [one] });
  const headerBytes = 1 + varint(request.length).length;
  return request.subarray(headerBytes);
};

const varint = (length: number): readonly number[] =>
  length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
