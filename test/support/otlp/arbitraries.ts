import * as fc from 'fast-check';
import { histogram, type OtlpMetric, type OtlpRequest } from './requests.ts';

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
      fc.constantFrom(
        ...['http.response.status_code', 'error.type', 'rpc.grpc.status_code'],
        ...['otel.metric.overflow', 'http.route'],
      ),
      fc.string(),
    ),
    value: fc.oneof(
      fc.record({ intValue: fc.integer({ min: 0, max: 600 }) }),
      fc.constant({ stringValue: '/healthz' }),
      anyValue,
    ),
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

const level = fc.oneof(
  fc.record({ asDouble: fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.double()) }),
  fc.record({ asInt: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String) }),
  fc.constant({}),
);

const numberPoint = fc
  .tuple(
    fc.record({
      startTimeUnixNano: start,
      timeUnixNano: time,
      attributes: attributeList,
      flags: fc.constantFrom(0, 0, 0, 1),
    }),
    level,
  )
  .map(([point, value]) => ({ ...point, ...value }));

/** A gauge or a sum, also under names that usually are of durations. */
const levels: fc.Arbitrary<OtlpMetric> = fc
  .record({
    name: fc.constantFrom(
      'process.cpu.utilization',
      'process.memory.usage',
      'http.server.request.duration',
    ),
    unit: fc.oneof(fc.constantFrom('1', 'By', ''), fc.string({ maxLength: 70 })),
    gauge: fc.boolean(),
    aggregationTemporality: fc.constantFrom(2, 2, 2, 1, 0),
    isMonotonic: fc.constantFrom(false, false, true),
    dataPoints: fc.array(numberPoint, { maxLength: 4 }),
  })
  .map(({ name, unit, gauge, dataPoints, ...sum }) =>
    gauge ? { name, unit, gauge: { dataPoints } } : { name, unit, sum: { ...sum, dataPoints } },
  );

const histograms: fc.Arbitrary<OtlpMetric> = fc
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
  'cloud.region',
  'service.name',
  'deployment.environment.name',
  'deployment.environment',
  'service.version',
  'service.namespace',
  'service.instance.id',
);

/** Any request of up to three resources, with points that are taken and points that are not. */
export const anyRequest: fc.Arbitrary<OtlpRequest> = requestWith(histograms);

/** The same with gauges and sums. */
export const anyTelemetry: fc.Arbitrary<OtlpRequest> = requestWith(fc.oneof(histograms, levels));

function requestWith(metric: fc.Arbitrary<OtlpMetric>): fc.Arbitrary<OtlpRequest> {
  return fc.record({
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
}
