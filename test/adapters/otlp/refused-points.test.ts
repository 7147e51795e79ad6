import { describe, expect, test } from 'vitest';
import { METRICS_LIMITS } from '../../../services/adapters/otlp/limits.ts';
import { decodeTelemetry } from '../../../services/adapters/otlp/metrics-request.ts';
import { WantedMetrics } from '../../../services/adapters/otlp/wanted-metrics.ts';
import { unreadAttributes } from '../../../services/core/telemetry/series-sender.ts';
import type {
  DecodedTelemetry,
  Selection,
  TelemetryPoint,
} from '../../../services/core/telemetry/telemetry-point.ts';
import { timeless as noTime } from '../../../services/core/telemetry/telemetry-point.ts';
import type { OtlpMetric, OtlpPoint, OtlpRequest } from '../../support/otlp/requests.ts';
import {
  attributes,
  CHECKOUT,
  DELTA,
  exponentialHistogram,
  goodExponentialPoint,
  goodPoint,
  histogram,
  jsonOf,
  protobufOf,
  requestOf,
} from '../../support/otlp/requests.ts';

// A point whose numbers cannot be taken is no point, but there were requests: whoever judges must know.

const selection: Selection = {
  metrics: new Map([
    ['http.server.request.duration', ['retry']],
    ['process.cpu.utilization', []],
  ]),
  levels: new Set(['process.cpu.utilization']),
  targetAttributes: [],
  usualTargetAttributes: [],
  cohortAttributes: ['canary.role'],
};

const inJson = (request: unknown): DecodedTelemetry => {
  const wanted = new WantedMetrics(selection);
  const decoded = decodeTelemetry(jsonOf(request), 'application/json', wanted);
  if (!decoded.ok) throw new Error(decoded.problem.message);
  return decoded.value;
};
const inBoth = (request: OtlpRequest): DecodedTelemetry => {
  const wanted = new WantedMetrics(selection);
  const decoded = decodeTelemetry(protobufOf(request), 'application/x-protobuf', wanted);
  expect(inJson(request)).toStrictEqual(decoded.ok && decoded.value);
  return inJson(request);
};
const refusedIn = ({ points }: DecodedTelemetry): readonly TelemetryPoint[] =>
  points.filter(({ value }) => value.kind === 'refused');
const gauge = (point: object): OtlpMetric => ({
  ...{ name: 'process.cpu.utilization', unit: '1' },
  gauge: { dataPoints: [point] },
});

const [startMs, timeMs] = [1_700_000_000_000, 1_700_000_005_000];
const [good] = inBoth(requestOf([histogram([goodPoint])])).points;
if (good === undefined) throw new Error('the good point was not taken');
/** Of a request in which nothing else tells the time. */
const isTimeUnsure = true;

describe('a point that was refused is there, of its series and the time of its request', () => {
  const huge = '9007199254740991';
  test.each([
    ['count-too-large', { count: huge, bucketCounts: [huge, 0, 0] }],
    ['buckets-mismatch', { count: '9' }],
    ['bounds-invalid', { explicitBounds: [0.5, 0.1] }],
    ['too-many-buckets', { bucketCounts: Array<number>(400).fill(0) }],
  ])('%s', (reason, change) => {
    const request = requestOf([histogram([goodPoint, { ...goodPoint, ...change }])]);
    const decoded = inBoth(request);
    expect(decoded.points).toStrictEqual([
      good,
      { ...good, value: { kind: 'refused', temporality: 'cumulative', reason } },
    ]);
    expect(decoded).toMatchObject({ rejected: [{ reason, count: 1 }], lost: [], dataPoints: 2 });
  });

  test('of requests that failed it says so, alone or with its metric', () => {
    const failed = attributes({ retry: 'no', 'http.response.status_code': 503 });
    const told = [
      { name: 'plimsoll.failed', value: 'yes' },
      { name: 'retry', value: 'no' },
    ];
    const point = { ...goodPoint, attributes: failed };
    const bad = { ...point, count: '9' };
    for (const metric of [histogram([bad]), histogram([point], { unit: '' })])
      expect(refusedIn(inBoth(requestOf([metric])))).toMatchObject([{ attributes: told }]);
    expect(inBoth(requestOf([histogram([point])])).points[0]?.attributes).toStrictEqual(
      told.slice(1),
    );
  });

  test.each([
    ['count-invalid', { count: '-9' }, startMs],
    ['point-malformed', { startTimeUnixNano: 'now' }, timeMs],
  ])('in JSON, %s', (reason, change, start) => {
    const points = [goodPoint, { ...goodPoint, ...change }];
    const [refused] = refusedIn(inJson(requestOf([histogram(points)])));
    expect(refused).toMatchObject({ series: good.series, startMs: start, timeMs });
    expect(refused?.value).toMatchObject({ kind: 'refused', reason });
  });

  /** Of so many durations so many are below zero. */
  const belowZero = (negative: number, count: number): OtlpPoint => ({
    ...goodExponentialPoint,
    ...{ count: String(count), scale: 0, zeroCount: 0 },
    positive: { bucketCounts: [count - negative] },
    negative: { bucketCounts: [negative - 1, 1] },
  });

  test.each([
    ['all of them', 11, 11],
    ['more than ten, and more than one in a hundred', 11, 1_099],
    ['most of a few', 6, 11],
    ['the only one', 1, 1],
    ['many', 20_000, 1_999_999],
  ])(
    'durations below zero, %s: how many requests there were is known, not how long they took',
    (_name, negative, count) => {
      const decoded = inBoth(requestOf([exponentialHistogram([belowZero(negative, count)])]));
      expect(decoded).toMatchObject({ rejected: [], lost: [], dataPoints: 1 });
      expect(decoded.points.map(({ value }) => value)).toMatchObject([
        { kind: 'durations', count, errors: 0, durations: null, refused: 'durations-negative' },
      ]);
    },
  );

  test.each([
    ['ten of twenty', 10, 20],
    ['one in a hundred', 11, 1_100],
  ])('durations below zero, %s: they are the shortest', (_name, negative, count) => {
    const decoded = inBoth(requestOf([exponentialHistogram([belowZero(negative, count)])]));
    const [value] = decoded.points.map((point) => point.value);
    expect(value).toMatchObject({ kind: 'durations', count, durations: { zeroCount: negative } });
    expect(value).not.toHaveProperty('refused');
  });

  test('a duration below zero is none of them: it is the shortest', () => {
    const change = { negative: { bucketCounts: [1] }, count: '11' };
    const points = [goodExponentialPoint, { ...goodExponentialPoint, ...change }];
    const decoded = inBoth(requestOf([exponentialHistogram(points)]));
    expect(decoded.rejected).toEqual([]);
    const [without, one] = decoded.points.map(({ value }) =>
      value.kind === 'durations' && value.durations?.shape === 'exponential'
        ? value.durations.zeroCount
        : Number.NaN,
    );
    expect(one).toBe((without ?? 0) + 1);
  });

  test.each([
    ['start-missing', { startTimeUnixNano: '0' }],
    ['start-after-time', { startTimeUnixNano: '1700000006000000000' }],
  ])('%s: it begins when it ends', (reason, change) => {
    const points = [goodPoint, { ...goodPoint, ...change }];
    const [refused] = refusedIn(inBoth(requestOf([histogram(points)])));
    expect(refused).toMatchObject({ startMs: timeMs, timeMs, value: { reason } });
  });

  test.each([
    ['start-after-time', { startTimeUnixNano: '1700000006000000000' }, 1_700_000_009_000],
    ['count-too-large', { count: '9007199254740992' }, 1_700_000_000_000],
    ['a time to come', { timeUnixNano: '1900000000000000000', count: '1' }, 1_700_000_000_000],
  ])(
    '%s: it is of the newest time of good points, as its own may be one that stays',
    (_name, change, fromMs) => {
      const stuck = { ...goodPoint, ...change };
      const newer = { ...goodPoint, timeUnixNano: '1700000009000000000' };
      const [refused] = refusedIn(inBoth(requestOf([histogram([stuck, newer])])));
      expect(refused).toMatchObject({ startMs: fromMs, timeMs: 1_700_000_009_000 });
    },
  );

  test('of deltas, too', () => {
    const request = requestOf([histogram([{ ...goodPoint, count: '9' }], { temporality: DELTA })]);
    expect(refusedIn(inBoth(request))[0]?.value).toMatchObject({ temporality: 'delta' });
  });
});

describe('of a metric that is refused as a whole each point is there', () => {
  const name = 'http.server.request.duration';
  const numbers = { count: 'none', bucketCounts: ['x'], explicitBounds: {}, positive: 7 };
  const exponential = (unit: string, temporality: number): OtlpMetric => ({
    ...{ name, unit },
    exponentialHistogram: { aggregationTemporality: temporality, dataPoints: [goodPoint] },
  });
  const { timeUnixNano, startTimeUnixNano, attributes: sent } = goodPoint;
  const summary: OtlpMetric = {
    ...{ name, unit: 'ms' },
    summary: {
      dataPoints: [
        {
          ...{ timeUnixNano, startTimeUnixNano, attributes: sent, count: '10', sum: 1.5 },
          quantileValues: [{ quantile: 0.5, value: 1 }],
        },
      ],
    },
  };

  /** What they say is not looked at. */
  const numbersOf = (asDouble: number): object => ({
    dataPoints: [{ timeUnixNano, startTimeUnixNano, attributes: sent, asDouble }],
  });
  const sum = (aggregationTemporality: number, isMonotonic: boolean): OtlpMetric => ({
    ...{ name, unit: 's' },
    sum: { ...numbersOf(10), aggregationTemporality, isMonotonic },
  });

  test.each([
    ['unit-unknown', 'delta', histogram([goodPoint], { unit: '', temporality: DELTA })],
    ['unit-unknown', 'cumulative', histogram([goodPoint], { unit: 'us' })],
    ['unit-unknown', 'cumulative', histogram([goodPoint], { unit: '', temporality: 0 })],
    ['temporality-unspecified', 'cumulative', histogram([goodPoint], { temporality: 0 })],
    ['unit-unknown', 'delta', exponential('', DELTA)],
    ['temporality-unspecified', 'cumulative', exponential('s', 0)],
    ['metric-type-unsupported', 'cumulative', summary],
    ['metric-type-unsupported', 'cumulative', { ...{ name, unit: 'min' }, gauge: numbersOf(10) }],
    ['metric-type-unsupported', 'cumulative', { name, unit: 's', gauge: numbersOf(-1) }],
    ['metric-type-unsupported', 'cumulative', sum(2, false)],
    ['metric-type-unsupported', 'cumulative', sum(2, true)],
    ['metric-type-unsupported', 'cumulative', sum(DELTA, true)],
    ['metric-type-unsupported', 'cumulative', sum(0, false)],
  ])('%s of %s points', (reason, temporality, metric) => {
    const decoded = inBoth(requestOf([metric]));
    const value = { kind: 'refused', temporality, reason };
    expect(decoded.points).toStrictEqual([{ ...good, value: { ...value, isTimeUnsure } }]);
    expect(decoded).toMatchObject({ rejected: [{ reason, count: 1 }], lost: [], dataPoints: 1 });
  });

  test('with the attributes that are asked for, and those of its resource', () => {
    const point = { ...goodPoint, attributes: attributes({ retry: '1', other: '2' }) };
    const resource = { ...CHECKOUT, 'canary.role': 'canary' };
    const [refused] = refusedIn(inBoth(requestOf([histogram([point], { unit: '' })], resource)));
    expect(refused?.attributes).toStrictEqual([
      { name: 'canary.role', value: 'canary' },
      { name: 'retry', value: '1' },
    ]);
  });

  test('in milliseconds where that was said', () => {
    const metric = histogram([goodPoint], { unit: 'ms', temporality: 0 });
    expect(refusedIn(inBoth(requestOf([metric])))).toMatchObject([{ unit: 'ms' }]);
  });

  test('of the newest time of its request', () => {
    const metrics = [histogram([{ ...goodPoint, timeUnixNano: '0' }, goodPoint], { unit: '' })];
    const timesIn = (request: OtlpRequest): readonly number[] =>
      refusedIn(inBoth(request)).map((point) => point.timeMs);
    expect(timesIn(requestOf([...metrics, histogram([goodPoint])]))).toEqual([timeMs, timeMs]);
    expect(timesIn(requestOf(metrics))).toEqual([noTime, timeMs]);
  });

  test('whatever its numbers are', () => {
    const decoded = inJson(requestOf([histogram([{ ...goodPoint, ...numbers }], { unit: '' })]));
    expect(refusedIn(decoded)).toMatchObject([{ value: { reason: 'unit-unknown' } }]);
  });

  test('under the reason of its attributes where those could not be read', () => {
    const plain = { retry: 'x'.repeat(METRICS_LIMITS.nameCharsMax + 1) };
    const point = { ...goodPoint, attributes: attributes(plain) };
    const decoded = inBoth(requestOf([histogram([point], { unit: '' })]));
    expect(refusedIn(decoded)).toMatchObject([{ value: { reason: 'string-too-long' } }]);
    const unshaped = { ...goodPoint, attributes: { a: 1 } };
    expect(refusedIn(inJson(requestOf([histogram([unshaped], { unit: '' })])))).toMatchObject([
      { value: { reason: 'point-malformed' } },
    ]);
  });

  test('of a scope whose attributes are too large', () => {
    const [of] = requestOf([histogram([goodPoint])]).resourceMetrics;
    const scope = {
      attributes: attributes({ a: 'x'.repeat(METRICS_LIMITS.attributesCharsMax) }),
    };
    const scopeMetrics = [{ scope, metrics: [histogram([goodPoint])] }];
    const decoded = inBoth({ resourceMetrics: [{ ...of, scopeMetrics }] });
    expect(refusedIn(decoded)).toMatchObject([
      { version: '2.0.0', value: { reason: 'attributes-too-large' } },
    ]);
  });

  test('but none that says it has nothing to say, and none of nobody', () => {
    const stale = { ...goodPoint, flags: 1 };
    const metrics = [
      histogram([stale], { unit: '' }),
      { ...summary, summary: { dataPoints: [{ timeUnixNano, flags: 1 }] } },
      { name, unit: 's', gauge: { dataPoints: [{ timeUnixNano, flags: 1 }] } },
    ];
    const decoded = inBoth(requestOf(metrics));
    expect(decoded.points).toStrictEqual([]);
    expect(decoded.rejected).toStrictEqual([
      { reason: 'metric-type-unsupported', count: 2 },
      { reason: 'unit-unknown', count: 1 },
    ]);
    expect(inBoth(requestOf([histogram([goodPoint], { unit: '' }), summary], {}))).toMatchObject({
      points: [],
      lost: [
        { reason: 'service-name-missing', count: 1, of: null },
        { reason: 'metric-type-unsupported', count: 1, of: null },
      ],
    });
  });
});

describe('points beyond the most that a request may have', () => {
  const inBothOf = (request: OtlpRequest, pointsMax: number): DecodedTelemetry => {
    const [protobuf, json] = (
      [
        [protobufOf(request), 'application/x-protobuf'],
        [jsonOf(request), 'application/json'],
      ] as const
    ).map(([bytes, type]) => {
      const limits = { ...METRICS_LIMITS, pointsMax };
      const decoded = decodeTelemetry(bytes, type, new WantedMetrics(selection), limits);
      if (!decoded.ok) throw new Error(decoded.problem.message);
      return decoded.value;
    });
    expect(protobuf).toStrictEqual(json);
    if (json === undefined) throw new Error('unreachable');
    return json;
  };
  const value = { kind: 'refused', temporality: 'cumulative', reason: 'too-many-points' };

  test('are one refused point of each stream of requests, of whatever series, and all counted', () => {
    const three = [goodPoint, goodPoint, goodPoint];
    const metrics = [
      histogram(three),
      gauge({ timeUnixNano: goodPoint['timeUnixNano'], asDouble: 1 }),
      histogram(three, { unit: '' }),
    ];
    const cut = { ...good, series: good.series.slice(0, 32) + unreadAttributes, value };
    const decoded = inBothOf(requestOf(metrics), 2);
    expect(decoded.points).toStrictEqual([good, good, { ...cut, startMs: timeMs, attributes: [] }]);
    expect(decoded).toMatchObject({
      rejected: [{ reason: 'too-many-points', count: 5 }],
      dataPoints: 7,
    });
    const pods = ['a', 'b', 'c'].map((pod) =>
      requestOf([histogram(three)], { ...CHECKOUT, 'service.instance.id': pod }),
    );
    const ofPods = {
      resourceMetrics: pods.flatMap(({ resourceMetrics }) => resourceMetrics),
    };
    expect(refusedIn(inBothOf(ofPods, 4)).map(({ instance }) => instance)).toStrictEqual([
      'b',
      'c',
    ]);
    expect(inBothOf(ofPods, 9).rejected).toStrictEqual([]);
  });

  test('are of no more streams than a request may have points', () => {
    const metrics = Array.from({ length: 9 }, (_, index) =>
      requestOf([histogram([goodPoint])], { ...CHECKOUT, 'service.instance.id': `pod-${index}` }),
    );
    const request = {
      resourceMetrics: metrics.flatMap(({ resourceMetrics }) => resourceMetrics),
    };
    const decoded = inBothOf(request, 3);
    expect(decoded.points).toHaveLength(6);
    expect(decoded).toMatchObject({
      rejected: [{ reason: 'too-many-points', count: 6 }],
      lost: [{ reason: 'too-many-points', count: 3 }],
      dataPoints: 9,
    });
  });
});

describe('names that no record can hold hide nobody', () => {
  const [long, half] = ['x'.repeat(257), 'a\ud800'];

  test('half a character, which JSON can name, becomes a whole one', () => {
    const point = { ...goodPoint, attributes: attributes({ retry: half }) };
    const sender = { ...CHECKOUT, 'service.instance.id': half };
    const [read] = inJson(requestOf([histogram([point])], sender)).points;
    expect(read).toMatchObject({
      instance: 'a\ufffd',
      attributes: [{ name: 'retry', value: 'a\ufffd' }],
    });
  });

  test('a pod with too long a name has a digest of it, and too long a version is none', () => {
    const of = (name: string, value: string): TelemetryPoint | undefined =>
      inBoth(requestOf([histogram([goodPoint])], { ...CHECKOUT, [name]: value })).points[0];
    const [one, other] = [of('service.instance.id', long), of('service.instance.id', `${long}x`)];
    expect(one?.instance).toMatch(/^[0-9a-f]{32}$/);
    expect(one?.instance).not.toBe(other?.instance);
    expect(of('service.version', long)?.version).toBeNull();
    expect(of('deployment.id', long)?.deploymentId).toBeNull();
  });
});

describe('without a time of its own', () => {
  const later = { ...goodPoint, timeUnixNano: '1700000009000000000' };
  const timeless = { ...goodPoint, timeUnixNano: '0' };

  test('it is of the newest time of its request, of whatever metric that is', () => {
    const decoded = inBoth(
      requestOf([
        histogram([timeless, goodPoint, later]),
        gauge({ timeUnixNano: '1700000008000000000', asDouble: 1 }),
      ]),
    );
    expect(refusedIn(decoded)).toMatchObject([
      { series: good.series, startMs: timeMs + 4_000, timeMs: timeMs + 4_000 },
    ]);
    expect(decoded).toMatchObject({ rejected: [{ reason: 'time-missing', count: 1 }], lost: [] });
  });

  test('and of the time of its receipt where the request tells none', () => {
    const decoded = inBoth(requestOf([histogram([timeless, timeless])]));
    const value = {
      ...{ kind: 'refused', temporality: 'cumulative', reason: 'time-missing' },
      isTimeUnsure,
    };
    const refused = { ...good, startMs: noTime, timeMs: noTime, value };
    expect(decoded).toStrictEqual({
      points: [refused, refused],
      rejected: [{ reason: 'time-missing', count: 2 }],
      lost: [],
      dataPoints: 2,
    });
  });

  test.each(['-5', 'NaN', ''])('in JSON, of a time of %j', (timeUnixNano) => {
    const decoded = inJson(requestOf([histogram([{ ...goodPoint, timeUnixNano }])]));
    expect(refusedIn(decoded)).toMatchObject([{ startMs: noTime, timeMs: noTime }]);
    expect(decoded.lost).toStrictEqual([]);
  });
});

describe('with attributes that nobody could read', () => {
  test.each([
    ['string-too-long', { retry: 'x'.repeat(METRICS_LIMITS.nameCharsMax + 1) }],
    ['attributes-too-large', { a: 'x'.repeat(METRICS_LIMITS.attributesCharsMax) }],
  ])('%s: those of its resource are kept', (reason, plain) => {
    const point = { ...goodPoint, attributes: attributes({ retry: '1', ...plain }) };
    const [refused] = refusedIn(
      inBoth(requestOf([histogram([point])], { ...CHECKOUT, 'canary.role': 'canary' })),
    );
    expect(refused?.attributes).toStrictEqual([{ name: 'canary.role', value: 'canary' }]);
    expect(refused?.value).toMatchObject({ reason });
  });

  test.each([[{ ...goodPoint, attributes: { a: 1 } }], [{ ...goodPoint, bucketCounts: {} }]])(
    'in JSON, of another shape',
    (point) => {
      const [refused] = refusedIn(inJson(requestOf([histogram([point])])));
      expect(refused).toMatchObject({
        series: good.series.slice(0, 32) + unreadAttributes,
        value: { reason: 'point-malformed' },
      });
    },
  );

  test('in JSON, no object at all: of the newest time of its request', () => {
    const request = { resourceMetrics: requestOf([]).resourceMetrics };
    const [resource] = request.resourceMetrics;
    const metrics = [{ ...histogram([goodPoint]) }];
    (metrics[0] as { histogram: { dataPoints: unknown[] } }).histogram.dataPoints.push(null);
    const sent = { resourceMetrics: [{ ...resource, scopeMetrics: [{ metrics }] }] };
    expect(refusedIn(inJson(sent))).toMatchObject([{ timeMs, startMs: timeMs }]);
  });
});

describe('nothing was lost to a judge by', () => {
  test('a point that says it has nothing to say, whatever else is wrong with it', () => {
    const stale = { ...goodPoint, flags: 1, count: '9' };
    const decoded = inBoth(requestOf([histogram([stale])]));
    expect(decoded.points).toStrictEqual([]);
    expect(decoded.lost).toMatchObject([{ reason: 'no-recorded-value', count: 1 }]);
  });

  test.each([
    ['sum-monotonic', { isMonotonic: true, aggregationTemporality: 2 }],
    ['sum-delta', { aggregationTemporality: DELTA }],
    ['temporality-unspecified', {}],
  ])('a sum that tells no level: %s', (reason, of) => {
    const { timeUnixNano } = goodPoint;
    const sum = { ...of, dataPoints: [{ timeUnixNano, asDouble: 1 }] };
    const decoded = inBoth(requestOf([{ name: 'process.cpu.utilization', unit: '1', sum }]));
    expect(decoded.points).toStrictEqual([]);
    expect(decoded.lost).toMatchObject([{ reason, count: 1 }]);
  });

  test('a level that is none', () => {
    const decoded = inBoth(requestOf([gauge({ timeUnixNano: '1700000008000000000' })]));
    expect(decoded.points).toStrictEqual([]);
    expect(decoded.lost).toMatchObject([{ reason: 'level-invalid', count: 1 }]);
  });
});

test('what is lost says whose it is, as far as it is known', () => {
  const stale = histogram([{ ...goodPoint, flags: 1 }]);
  const [one] = requestOf([stale]).resourceMetrics;
  const [cart] = requestOf([stale, stale], { ...CHECKOUT, 'service.name': 'cart' }).resourceMetrics;
  const [nobody] = requestOf([stale], {}).resourceMetrics;
  if (one === undefined || cart === undefined || nobody === undefined) throw new Error('nothing');
  const environment = 'production';
  expect(inBoth({ resourceMetrics: [one, cart, nobody] })).toMatchObject({
    rejected: [
      { reason: 'no-recorded-value', count: 3 },
      { reason: 'service-name-missing', count: 1 },
    ],
    lost: [
      { reason: 'no-recorded-value', count: 1, of: { environment, component: 'checkout' } },
      { reason: 'no-recorded-value', count: 2, of: { environment, component: 'cart' } },
      { reason: 'service-name-missing', count: 1, of: null },
    ],
  });
});
