import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeMetricsRequest,
  openMetricsReader,
} from '../../../services/adapters/otlp/metrics-request.ts';
import type { DecodedMetrics } from '../../../services/core/telemetry/point.ts';
import {
  busyRequest,
  exponentialHistogram,
  goodExponentialPoint,
  goodPoint,
  histogram,
  jsonOf,
  type OtlpMetric,
  type OtlpRequest,
  protobufOf,
  requestOf,
} from '../../support/otlp/requests.ts';

const PROTOBUF = 'application/x-protobuf';

const valueOf = (decoded: ReturnType<typeof decodeMetricsRequest>): DecodedMetrics => {
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.problem));
  return decoded.value;
};

/** Mostly what a service sends, now and then anything a 64-bit field can hold. */
const uint64 = (usual: fc.Arbitrary<bigint>): fc.Arbitrary<string> =>
  fc
    .oneof(
      { weight: 40, arbitrary: usual },
      { weight: 1, arbitrary: fc.bigInt(0n, 2n ** 64n - 1n) },
    )
    .map(String);
const start = uint64(fc.bigInt(1_700_000_000_000_000_000n, 1_700_000_100_000_000_000n));
const time = uint64(fc.bigInt(1_700_000_090_000_000_000n, 1_700_000_200_000_000_000n));
const smallCount = fc.bigInt(0n, 100n);
const duration = fc.oneof(
  { weight: 9, arbitrary: fc.double({ min: 0, max: 1e6, noNaN: true }) },
  fc.double(),
);

const anyValue: fc.Arbitrary<object> = fc.letrec<{ value: object; pair: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ stringValue: fc.string({ unit: 'grapheme' }) }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String) }),
    fc.record({ intValue: fc.maxSafeInteger() }),
    fc.record({ doubleValue: fc.double() }),
    fc.record({
      bytesValue: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
    }),
    fc.constant({}),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('value'), { maxLength: 3 }) }) }),
    fc.record({ kvlistValue: fc.record({ values: fc.array(tie('pair'), { maxLength: 3 }) }) }),
  ),
  pair: fc.record({ key: fc.string(), value: tie('value') }),
})).value;

const attributeList = fc.array(
  fc.record({
    key: fc.oneof(
      fc.constantFrom('http.response.status_code', 'error.type', 'rpc.grpc.status_code'),
      fc.string(),
    ),
    value: fc.oneof(fc.record({ intValue: fc.integer({ min: 0, max: 600 }) }), anyValue),
  }),
  { maxLength: 4 },
);

const explicitPoint = fc
  .tuple(
    fc.record({
      startTimeUnixNano: start,
      timeUnixNano: time,
      sum: duration,
      attributes: attributeList,
      flags: fc.constantFrom(0, 0, 0, 0, 0, 1, 2),
    }),
    fc.array(uint64(smallCount), { maxLength: 6 }),
    fc.integer({ min: -1, max: 1 }),
  )
  .chain(([point, bucketCounts, wrongBy]) => {
    const total = bucketCounts.reduce((sum, bucket) => sum + BigInt(bucket), 0n);
    return fc.record({
      point: fc.constant({ ...point, bucketCounts }),
      count: fc.constantFrom(total, total, total + 1n).map((count) => count % 2n ** 64n),
      bounds: fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), {
        minLength: Math.max(0, bucketCounts.length - 1),
        maxLength: Math.max(0, bucketCounts.length - 1 + Math.max(0, wrongBy)),
      }),
    });
  })
  .map(({ point, count, bounds }) => ({
    ...point,
    count: String(count),
    explicitBounds: bounds.toSorted((left, right) => left - right),
  }));

const exponentialPoint = fc
  .record({
    startTimeUnixNano: start,
    timeUnixNano: time,
    sum: duration,
    scale: fc.integer({ min: -10, max: 20 }),
    zeroCount: uint64(smallCount),
    positive: fc.record({
      offset: fc.integer({ min: -100, max: 100 }),
      bucketCounts: fc.array(uint64(smallCount), { maxLength: 5 }),
    }),
    attributes: attributeList,
  })
  .chain((point) => {
    const buckets = [point.zeroCount, ...point.positive.bucketCounts];
    const total = buckets.reduce((sum, bucket) => sum + BigInt(bucket), 0n);
    return fc
      .constantFrom(total, total, total + 1n)
      .map((count) => ({ ...point, count: String(count % 2n ** 64n) }));
  });

const metric: fc.Arbitrary<OtlpMetric> = fc
  .record({
    name: fc.constantFrom('http.server.request.duration', 'rpc.server.duration', 'jvm.gc.duration'),
    unit: fc.constantFrom('s', 's', 's', 'ms', 'ms', 'us', ''),
    temporality: fc.constantFrom(1, 1, 2, 2, 2, 0),
    explicit: fc.boolean(),
    explicitPoints: fc.array(explicitPoint, { maxLength: 4 }),
    exponentialPoints: fc.array(exponentialPoint, { maxLength: 4 }),
  })
  .map(({ name, unit, temporality, explicit, explicitPoints, exponentialPoints }) =>
    explicit
      ? histogram(explicitPoints, { name, unit, temporality })
      : {
          name,
          unit,
          exponentialHistogram: {
            aggregationTemporality: temporality,
            dataPoints: exponentialPoints,
          },
        },
  );

const identity = fc.constantFrom(
  'service.name',
  'deployment.environment.name',
  'deployment.environment',
  'service.version',
  'service.namespace',
  'service.instance.id',
);

const request: fc.Arbitrary<OtlpRequest> = fc.record({
  resourceMetrics: fc.array(
    fc.record({
      resource: fc.record({
        attributes: fc
          .array(
            fc.record({
              key: fc.oneof(identity, fc.string()),
              value: fc.oneof(fc.record({ stringValue: fc.string() }), anyValue),
            }),
            { maxLength: 6 },
          )
          .map((extra) => [
            { key: 'service.name', value: { stringValue: 'checkout' } },
            { key: 'deployment.environment', value: { stringValue: 'staging' } },
            ...extra,
          ]),
      }),
      scopeMetrics: fc.array(
        fc.record({
          scope: fc.record({
            name: fc.string(),
            version: fc.string(),
            attributes: attributeList,
          }),
          metrics: fc.array(metric, { maxLength: 3 }),
        }),
        { maxLength: 2 },
      ),
    }),
    { maxLength: 3 },
  ),
});

describe('any request', () => {
  test('gives the same from protobuf and from JSON', () => {
    let taken = 0;
    fc.assert(
      fc.property(request, (sent) => {
        const decoded = decodeMetricsRequest(protobufOf(sent), PROTOBUF);
        expect(decodeMetricsRequest(jsonOf(sent), 'application/json')).toEqual(decoded);
        taken += valueOf(decoded).points.length;
      }),
      { numRuns: 300 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test('has all its points either taken or counted as rejected, and never more errors than requests', () => {
    fc.assert(
      fc.property(request, (sent) => {
        const { points, rejected, dataPoints } = valueOf(
          decodeMetricsRequest(protobufOf(sent), PROTOBUF),
        );
        expect(dataPoints).toBe(pointsIn(sent));
        const refused = rejected.reduce((total, { count }) => total + count, 0);
        expect(points.length + refused).toBe(dataPoints);
        for (const point of points) {
          expect([0, point.count]).toContain(point.errors);
          expect(Number.isSafeInteger(point.count) && point.count >= 0).toBe(true);
          expect(Number.isSafeInteger(point.startMs) && point.startMs > 0).toBe(true);
          expect(point.timeMs).toBeGreaterThanOrEqual(point.startMs);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('is read alike with a memory of other requests and without', () => {
    const read = openMetricsReader();
    fc.assert(
      fc.property(request, (sent) => {
        const bytes = protobufOf(sent);
        const fresh = decodeMetricsRequest(bytes, PROTOBUF);
        expect(read(bytes, PROTOBUF)).toEqual(fresh);
        expect(read(bytes, PROTOBUF)).toEqual(fresh);
      }),
      { numRuns: 200 },
    );
  });

  test('cut into requests of one resource each holds the same points', () => {
    fc.assert(
      fc.property(request, (sent) => {
        const whole = valueOf(decodeMetricsRequest(protobufOf(sent), PROTOBUF)).points;
        const parts = sent.resourceMetrics.flatMap((resource) => {
          const part = protobufOf({ resourceMetrics: [resource] });
          return valueOf(decodeMetricsRequest(part, PROTOBUF)).points;
        });
        expect(parts).toEqual(whole);
      }),
      { numRuns: 100 },
    );
  });
});

describe('damaged bytes', () => {
  const sound = [
    busyRequest(5),
    requestOf([histogram([goodPoint]), exponentialHistogram([goodExponentialPoint])]),
  ];

  test.each([
    ['protobuf', PROTOBUF, sound.map(protobufOf)],
    ['JSON', 'application/json', sound.map(jsonOf)],
  ] as const)('of %s end in points or a problem, never in a throw', (_name, type, bodies) => {
    const outcomes = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...bodies),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 4 }),
        fc.option(fc.nat()),
        (body, flips, cut) => {
          const damaged = Uint8Array.from(body);
          for (const [at, mask] of flips) flip(damaged, at % damaged.length, mask);
          const bytes = cut === null ? damaged : damaged.subarray(0, cut % damaged.length);
          const decoded = decodeMetricsRequest(bytes, type);
          if (decoded.ok) outcomes.taken++;
          else outcomes.refused++;
          const offset =
            (!decoded.ok && 'offset' in decoded.problem && decoded.problem.offset) || 0;
          expect(offset).toBeLessThanOrEqual(bytes.length);
        },
      ),
      { numRuns: 3000 },
    );
    expect(outcomes.taken).toBeGreaterThan(10);
    expect(outcomes.refused).toBeGreaterThan(10);
  });

  test('every cut and every single bit of a request', () => {
    const body = protobufOf(sound[1] as OtlpRequest);
    for (let length = 0; length < body.length; length++) {
      decodeMetricsRequest(body.subarray(0, length), PROTOBUF);
    }
    for (let bit = 0; bit < body.length * 8; bit++) {
      const damaged = Uint8Array.from(body);
      flip(damaged, bit >> 3, 1 << (bit & 7));
      const decoded = decodeMetricsRequest(damaged, PROTOBUF);
      expect(decoded.ok ? decoded.value.dataPoints : 0).toBeLessThanOrEqual(4);
    }
  });

  test('of no shape at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeMetricsRequest(bytes, PROTOBUF);
        decodeMetricsRequest(bytes, 'application/json');
      }),
      { numRuns: 2000 },
    );
  });

  test('that are any JSON at all', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        decodeMetricsRequest(Buffer.from(text), 'application/json');
      }),
    );
  });
});

const flip = (bytes: Uint8Array, at: number, mask: number): void => {
  bytes[at] = (bytes[at] ?? 0) ^ mask;
};

const TAKEN = ['http.server.request.duration', 'rpc.server.duration'];

const pointsIn = (sent: OtlpRequest): number =>
  sent.resourceMetrics
    .flatMap((resource) => resource.scopeMetrics)
    .flatMap((scope) => scope.metrics)
    .filter((each) => TAKEN.includes(String(each['name'])))
    .map((each) => (each['histogram'] ?? each['exponentialHistogram']) as { dataPoints: object[] })
    .reduce((total, data) => total + data.dataPoints.length, 0);
