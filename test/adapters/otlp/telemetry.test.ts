import { describe, expect, test } from 'vitest';
import { METRICS_LIMITS } from '../../../services/adapters/otlp/limits.ts';
import {
  decodeTelemetry,
  openTelemetryReader,
} from '../../../services/adapters/otlp/metrics-request.ts';
import { WantedMetrics } from '../../../services/adapters/otlp/wanted-metrics.ts';
import type { Durations } from '../../../services/core/canary/windows/durations.ts';
import { boundarySeconds } from '../../../services/core/canary/windows/durations.ts';
import type {
  DecodedTelemetry,
  Selection,
  TelemetryPoint,
} from '../../../services/core/telemetry/telemetry-point.ts';
import type { OtlpMetric, OtlpRequest } from '../../support/otlp/requests.ts';
import {
  attributes,
  CHECKOUT,
  DELTA,
  goodExponentialPoint,
  goodPoint,
  histogram,
  jsonOf,
  protobufOf,
  requestOf,
} from '../../support/otlp/requests.ts';

const name = 'http.server.request.duration';
const selection: Selection = {
  metrics: new Map([
    [name, ['http.route', 'retry']],
    ['http.server.duration', []],
    ['process.cpu.utilization', ['cpu.mode']],
    ['process.memory.usage', []],
  ]),
  levels: new Set(['process.cpu.utilization', 'process.memory.usage']),
  targetAttributes: ['cloud.region', 'k8s.cluster.name'],
  usualTargetAttributes: [],
  cohortAttributes: ['canary.role'],
};

/** What a request holds, after both encodings agreed on everything. */
const read = (request: OtlpRequest, of: Selection = selection): DecodedTelemetry => {
  const [binary, text] = [
    decodeTelemetry(protobufOf(request), 'application/x-protobuf', new WantedMetrics(of)),
    decodeTelemetry(jsonOf(request), 'application/json', new WantedMetrics(of)),
  ];
  expect(text).toStrictEqual(binary);
  if (!binary.ok) throw new Error(binary.problem.message);
  return binary.value;
};
const onlyPoint = (...metrics: readonly OtlpMetric[]): TelemetryPoint => {
  const { points, rejected } = read(requestOf(metrics));
  expect(rejected).toStrictEqual([]);
  const [point] = points;
  if (point === undefined || points.length > 1) throw new Error('not one point');
  return point;
};
const durationsOf = (metric: OtlpMetric): Durations | null => {
  const { value } = onlyPoint(metric);
  return value.kind === 'durations' ? value.durations : null;
};
const reasonOf = (...metrics: readonly OtlpMetric[]): string => {
  const { points, rejected } = read(requestOf(metrics));
  const isTaken = points.some(({ value }) => value.kind !== 'refused');
  return isTaken ? 'taken' : rejected.map(({ reason }) => reason).join();
};

const exponential = (change: object, unit = 's'): OtlpMetric => ({
  name,
  unit,
  exponentialHistogram: {
    aggregationTemporality: DELTA,
    dataPoints: [{ ...goodExponentialPoint, ...change }],
  },
});
const times = { startTimeUnixNano: '1700000000000000000', timeUnixNano: '1700000005000000000' };
const gauge = (point: object, unit = '1'): OtlpMetric => ({
  name: 'process.cpu.utilization',
  unit,
  gauge: { dataPoints: [{ ...times, ...point }] },
});
const sum = (point: object, change: object = {}): OtlpMetric => ({
  name: 'process.memory.usage',
  unit: 'By',
  sum: {
    aggregationTemporality: 2,
    isMonotonic: false,
    dataPoints: [{ ...times, ...point }],
    ...change,
  },
});

describe('buckets', () => {
  test('with explicit bounds are as they were sent, in seconds', () => {
    expect(durationsOf(histogram([goodPoint]))).toStrictEqual({
      shape: 'explicit',
      bounds: [0.1, 0.5],
      counts: [5, 3, 2],
    });
  });

  test('in milliseconds have the very bounds that seconds would have', () => {
    const sent = [5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];
    const seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    const point = {
      ...goodPoint,
      bucketCounts: sent.map(() => '0').concat('10'),
      explicitBounds: sent,
    };
    const durations = durationsOf(histogram([point], { unit: 'ms' }));
    expect(durations?.shape === 'explicit' && durations.bounds).toStrictEqual(seconds);
  });

  test('of one metric share their bounds, and others have their own', () => {
    const other = { ...goodPoint, explicitBounds: [0.2, 0.5] };
    const { points } = read(requestOf([histogram([goodPoint, goodPoint, other, goodPoint])]));
    const bounds = points.map(({ value }) =>
      value.kind === 'durations' && value.durations?.shape === 'explicit'
        ? value.durations.bounds
        : [],
    );
    expect(bounds[1]).toBe(bounds[0]);
    expect(bounds.slice(1)).toStrictEqual([
      [0.1, 0.5],
      [0.2, 0.5],
      [0.1, 0.5],
    ]);
  });

  test('whose last bound is infinite have none beyond it', () => {
    const point = {
      ...goodPoint,
      bucketCounts: ['5', '3', '1', '1'],
      explicitBounds: [0.1, 0.5, Infinity],
    };
    expect(durationsOf(histogram([point]))).toStrictEqual({
      shape: 'explicit',
      bounds: [0.1, 0.5],
      counts: [5, 3, 2],
    });
  });

  test.each([
    ['that are not told', { bucketCounts: [], explicitBounds: [] }],
    ['of which there is one', { bucketCounts: ['10'], explicitBounds: [] }],
  ])('%s are none', (_name, change) => {
    expect(durationsOf(histogram([{ ...goodPoint, ...change }]))).toBeNull();
  });

  test('of an exponential histogram begin and end with one that counts something', () => {
    const positive = { offset: -6, bucketCounts: ['0', '0', '5', '0', '4', '0'] };
    expect(durationsOf(exponential({ positive }))).toStrictEqual({
      shape: 'exponential',
      scale: 3,
      zeroCount: 1,
      offset: -4,
      counts: [5, 0, 4],
    });
  });

  test('of an exponential histogram of milliseconds are on a grid of their own', () => {
    const durations = durationsOf(exponential({}, 'ms'));
    expect(durations).toMatchObject({ shape: 'exponential', unit: 'ms', scale: 3, offset: -4 });
    // base^-4 milliseconds
    const seconds = boundarySeconds({ shape: 'exponential', unit: 'ms', scale: 3, edge: -4 });
    expect(seconds).toBeCloseTo(2 ** -0.5 / 1000, 12);
  });

  const many = (length: number): readonly string[] => Array.from({ length }, () => '1');
  test.each([
    [
      'a bound below 0',
      histogram([{ ...goodPoint, explicitBounds: [-0.1, 0.5] }]),
      'bounds-invalid',
    ],
    [
      'an infinite bound that is not the last',
      histogram([{ ...goodPoint, explicitBounds: [Infinity, 0.5] }]),
      'bounds-invalid',
    ],
    ['a scale beyond 20', exponential({ scale: 21 }), 'bounds-invalid'],
    ['a scale below -10', exponential({ scale: -11 }), 'bounds-invalid'],
    [
      'longer durations than a number can say',
      exponential({ positive: { offset: 9000, bucketCounts: ['9'] } }),
      'bounds-invalid',
    ],
    [
      'more buckets than 320',
      exponential({ count: '322', positive: { offset: 0, bucketCounts: many(321) } }),
      'too-many-buckets',
    ],
    [
      'more explicit buckets than 320',
      histogram([
        {
          ...goodPoint,
          count: '321',
          bucketCounts: many(321),
          explicitBounds: many(320).map((_, at) => at),
        },
      ]),
      'too-many-buckets',
    ],
    [
      'a hundred thousand buckets',
      exponential({ count: '100001', positive: { offset: 0, bucketCounts: many(100_000) } }),
      'too-many-buckets',
    ],
  ])('with %s are refused', (_name, metric, reason) => {
    expect(reasonOf(metric)).toBe(reason);
  });

  test('of zeros alone are as many as there are, but those at the ends do not count', () => {
    const zeros = many(500).map(() => '0');
    const positive = { offset: -500, bucketCounts: [...zeros, '9', ...zeros] };
    expect(durationsOf(exponential({ positive }))).toMatchObject({ offset: 0, counts: [9] });
  });
});

describe('a level', () => {
  test('comes from a gauge, with its unit and its time', () => {
    expect(onlyPoint(gauge({ asDouble: 0.375 }))).toMatchObject({
      metric: 'process.cpu.utilization',
      unit: '1',
      startMs: 1_700_000_005_000,
      timeMs: 1_700_000_005_000,
      value: { kind: 'level', level: 0.375 },
    });
  });

  test('comes from a sum that may fall, as a whole number too', () => {
    expect(onlyPoint(sum({ asInt: '536870912' })).value).toStrictEqual({
      kind: 'level',
      level: 536_870_912,
    });
  });

  test('needs no start', () => {
    const { startTimeUnixNano: _, ...at } = times;
    expect(
      onlyPoint({ ...gauge({}), gauge: { dataPoints: [{ ...at, asDouble: 1 }] } }).value,
    ).toStrictEqual({ kind: 'level', level: 1 });
  });

  test('of minus zero is zero', () => {
    const { value } = onlyPoint(gauge({ asDouble: -0 }));
    expect(value.kind === 'level' && Object.is(value.level, 0)).toBe(true);
  });

  test.each([
    ['NaN', gauge({ asDouble: NaN }), 'level-invalid'],
    ['an infinite value', gauge({ asDouble: Infinity }), 'level-invalid'],
    ['a negative value', gauge({ asDouble: -0.5 }), 'level-invalid'],
    ['a negative whole number', sum({ asInt: '-1' }), 'level-invalid'],
    ['a value beyond 10^18', gauge({ asDouble: 1.1e18 }), 'level-invalid'],
    ['no value', gauge({}), 'level-invalid'],
    ['the flag for no recorded value', gauge({ asDouble: 1, flags: 1 }), 'no-recorded-value'],
    ['no time', gauge({ asDouble: 1, timeUnixNano: '0' }), 'time-missing'],
    ['a unit of many words', gauge({ asDouble: 1 }, 'x'.repeat(65)), 'string-too-long'],
    ['a unit of very many words', gauge({ asDouble: 1 }, 'x'.repeat(9000)), 'string-too-long'],
    ['a sum that only grows', sum({ asInt: '1' }, { isMonotonic: true }), 'sum-monotonic'],
    ['a sum of changes', sum({ asInt: '1' }, { aggregationTemporality: 1 }), 'sum-delta'],
    [
      'a sum that does not say which',
      sum({ asInt: '1' }, { aggregationTemporality: 0 }),
      'temporality-unspecified',
    ],
  ])('of %s is refused', (_name, metric, reason) => {
    expect(reasonOf(metric)).toBe(reason);
  });
});

describe('attributes', () => {
  const withAttributes = (plain: Readonly<Record<string, string | number | boolean>>): OtlpMetric =>
    histogram([{ ...goodPoint, attributes: attributes(plain) }]);

  test('that are asked for travel on as text, sorted, and no other', () => {
    const { attributes: kept } = onlyPoint(
      withAttributes({ retry: true, 'http.route': '/pay', 'http.request.method': 'GET' }),
    );
    expect(kept).toStrictEqual([
      { name: 'http.route', value: '/pay' },
      { name: 'retry', value: 'true' },
    ]);
  });

  test.each([
    [3, '3'],
    [0.5, '0.5'],
    [false, 'false'],
    ['', ''],
  ])('of value %j travel on as %j', (given, value) => {
    expect(onlyPoint(withAttributes({ retry: given })).attributes).toStrictEqual([
      { name: 'retry', value },
    ]);
  });

  test('that are lists are left out', () => {
    const list = { arrayValue: { values: [{ stringValue: 'a' }] } };
    const point = { ...goodPoint, attributes: [{ key: 'retry', value: list }] };
    expect(onlyPoint(histogram([point])).attributes).toStrictEqual([]);
  });

  test('that are longer than a name refuse the point', () => {
    expect(reasonOf(withAttributes({ retry: 'x'.repeat(257) }))).toBe('string-too-long');
    expect(reasonOf(withAttributes({ other: 'x'.repeat(257) }))).toBe('taken');
  });

  test.each([
    ['long together', 40, 'x'.repeat(200)],
    ['many', 65, 'x'],
  ])('that are %s refuse the point', (_name, howMany, text) => {
    const names = Array.from({ length: howMany }, (_, index) => `name ${index + 10}`);
    const of: Selection = { ...selection, metrics: new Map([[name, names]]) };
    const plain = Object.fromEntries(names.map((each) => [each, text]));
    expect(read(requestOf([withAttributes(plain)]), of).rejected).toStrictEqual([
      { reason: 'attributes-too-large', count: 1 },
    ]);
  });

  test('of the older HTTP metric tell of errors too', () => {
    const point = { ...goodPoint, attributes: attributes({ 'http.status_code': 503 }) };
    const metric = histogram([point], { name: 'http.server.duration', unit: 'ms' });
    expect(onlyPoint(metric).value).toMatchObject({ count: 10, errors: 10 });
  });

  test.each([
    [{ 'http.response.status_code': 200 }, 'http.response.status_code', 0],
    [{ 'http.response.status_code': '503' }, 'http.response.status_code', 10],
    [{ 'http.response.status_code': '503.0' }, 'http.response.status_code', 10],
    [{ 'http.response.status_code': '5xx' }, 'http.response.status_code', 10],
    [{ 'http.response.status_code': '2XX', 'error.type': 'x' }, 'http.response.status_code', 0],
    [{ 'http.response.status_code': 'bad', 'http.status_code': 500 }, 'http.status_code', 10],
    [{ 'rpc.grpc.status_code': 13 }, 'rpc.grpc.status_code', 10],
    [{ 'rpc.grpc.status_code': '0' }, 'rpc.grpc.status_code', 0],
    [{ 'rpc.response.status_code': 'UNAVAILABLE' }, 'rpc.response.status_code', 10],
    [{ 'rpc.response.status_code': 'unheard of', 'error.type': 'x' }, undefined, 10],
    [{ 'rpc.grpc.status_code': 17 }, undefined, 0],
    [{ 'http.response.status_code': 'bad' }, undefined, 0],
    [{ 'http.response.status_code': 0 }, undefined, 0],
    [{ 'http.response.status_code': 1000 }, undefined, 0],
    [{ status: 500 }, undefined, 0],
    [{ 'error.type': 'timeout' }, undefined, 10],
    [{ 'plimsoll.status': 'http.response.status_code' }, undefined, 0],
    [{}, undefined, 0],
  ])('%j say the status by %s, and that %i of 10 failed', (plain, by, errors) => {
    const of: Selection = { ...selection, metrics: new Map([[name, ['plimsoll.status']]]) };
    const [point] = read(requestOf([withAttributes(plain)]), of).points;
    expect(point?.attributes.map(({ value }) => value)).toEqual(by === undefined ? [] : [by]);
    expect(point?.value).toMatchObject({ count: 10, errors });
  });

  test.each([
    [{ 'http.response.status_code': 400 }, true],
    [{ 'http.response.status_code': '499' }, true],
    [{ 'http.response.status_code': '4xx', 'error.type': '401' }, true],
    [{ 'http.status_code': 404 }, true],
    [{ 'rpc.grpc.status_code': 16 }, true],
    [{ 'rpc.response.status_code': 'NotFound' }, true],
    [{ 'http.response.status_code': 399 }, false],
    [{ 'http.response.status_code': 500 }, false],
    [{ 'http.response.status_code': 200, 'http.status_code': 404 }, false],
    [{ 'rpc.grpc.status_code': 0 }, false],
    [{ 'rpc.grpc.status_code': 13 }, false],
    [{ 'error.type': '404' }, false],
    [{ 'plimsoll.client-error': '4xx' }, false],
  ])('%j say an error of the client: %s', (plain, isOne) => {
    const said = ['plimsoll.client-error'];
    const of: Selection = { ...selection, metrics: new Map([[name, said]]) };
    const [point] = read(requestOf([withAttributes(plain)]), of).points;
    expect(point?.attributes.map((kept) => kept.name)).toEqual(isOne ? said : []);
  });

  test.each([
    [{ 'otel.metric.overflow': true }, true],
    [{ 'otel.metric.overflow': 'true' }, true],
    [{ otel_metric_overflow: 'true' }, true],
    [{ 'otel.metric.overflow': true, 'http.response.status_code': 200 }, true],
    [{ 'otel.metric.overflow': false }, false],
    [{ 'otel.metric.overflow': 1 }, false],
    [{ 'plimsoll.overflow': 'yes' }, false],
    [{}, false],
  ])('%j say that the SDK had no room for them: %s', (plain, isOne) => {
    const said = ['plimsoll.overflow'];
    const of: Selection = { ...selection, metrics: new Map([[name, said]]) };
    const point = withAttributes(plain);
    const metric = { ...point, unit: '' };
    for (const each of [point, metric]) {
      const [taken] = read(requestOf([each]), of).points;
      expect(taken?.attributes.map((kept) => kept.name)).toEqual(isOne ? said : []);
    }
  });

  test.each([
    [{ 'http.route': '/healthz' }, true],
    [{ 'http.route': '/healthz/', 'http.request.method': 'GET' }, true],
    [{ 'http.route': 'Health', 'http.method': 'HEAD' }, true],
    [{ 'http.route': '/metrics', 'http.response.status_code': 503 }, true],
    [{ 'http.route': '/shop/actuator/health/readiness' }, true],
    [{ 'http.route': '/-/ready' }, true],
    [{ 'rpc.service': 'grpc.health.v1.Health', 'rpc.method': 'Check' }, true],
    [{ 'rpc.method': 'grpc.health.v1.Health/Watch' }, true],
    [{ 'rpc.method': '/grpc.health.v1.Health/Check' }, true],
    [{ 'http.route': '/metrics', 'http.request.method': 'POST' }, false],
    [{ 'http.route': '/metrics/daily' }, false],
    [{ 'http.route': '/insurance/health' }, false],
    [{ 'http.route': '/live' }, false],
    [{ 'rpc.service': 'shop.Cart', 'rpc.method': 'Check' }, false],
    [{ 'rpc.method': 'shop.Health/Check' }, false],
    [{ 'url.path': '/healthz' }, false],
    [{ 'plimsoll.probe': 'yes' }, false],
    [{}, false],
  ])('%j say that they are of probes: %s', (plain, isOne) => {
    const said = ['plimsoll.probe'];
    const of: Selection = { ...selection, metrics: new Map([[name, said]]) };
    const [point] = read(requestOf([withAttributes(plain)]), of).points;
    expect(point?.attributes.map((kept) => kept.name)).toEqual(isOne ? said : []);
  });

  test('of the sender name its target: the first that it has', () => {
    const from = (extra: object): string | null =>
      read(requestOf([histogram([goodPoint])], { ...CHECKOUT, ...extra })).points[0]?.target ??
      null;
    expect(from({})).toBeNull();
    expect(from({ 'k8s.cluster.name': 'blue' })).toBe('blue');
    expect(from({ 'k8s.cluster.name': 'blue', 'cloud.region': 'eu-1' })).toBe('eu-1');
  });

  describe('name a target that no policy asks for', () => {
    const usual: Selection = {
      ...selection,
      targetAttributes: [],
      usualTargetAttributes: ['cloud.region', 'k8s.cluster.name'],
    };
    const from = (region: string, of: Selection): unknown => {
      const sender = { ...CHECKOUT, 'cloud.region': region };
      const request = jsonOf(requestOf([histogram([goodPoint])], sender));
      const decoded = decodeTelemetry(request, 'application/json', new WantedMetrics(of));
      if (!decoded.ok) throw new Error(decoded.problem.message);
      const { points, rejected } = decoded.value;
      return points.length === 0 ? rejected.map(({ reason }) => reason).join() : points[0]?.target;
    };

    test('where it is a name', () => {
      expect(from('eu-1', usual)).toBe('eu-1');
      expect(from('x'.repeat(256), usual)).toHaveLength(256);
    });

    test('where it is none, and are taken as if they named none', () => {
      expect(from('x'.repeat(257), usual)).toBeNull();
      expect(from('x'.repeat(257), selection)).toBe('string-too-long');
    });

    test('beside one that some policy asks for, and not in its place', () => {
      const zones: Selection = {
        ...{ ...usual, targetAttributes: ['availability.zone'] },
        cohortAttributes: ['role', 'host.arch'],
      };
      const of = (sender: object): unknown => {
        const [point] = read(
          requestOf([histogram([goodPoint])], { ...CHECKOUT, ...sender }),
          zones,
        ).points;
        return [point?.target, point?.attributes.map((one) => `${one.name} ${one.value}`)];
      };
      const inEurope = { 'cloud.region': 'eu-1', role: 'x', 'host.arch': 'arm' };
      const kept = ['host.arch arm', 'plimsoll.target eu-1', 'role x'];
      expect(of({ ...inEurope, 'availability.zone': 'a' })).toEqual(['a', kept]);
      expect(of(inEurope)).toEqual([null, kept]);
      expect(of({ 'availability.zone': 'a' })).toEqual(['a', []]);
      expect(of({ 'cloud.region': 'x'.repeat(257) })).toEqual([null, []]);
    });
  });
});

test('attributes of the sender by which cohorts are told apart travel with its points', () => {
  const point = {
    ...goodPoint,
    attributes: attributes({ 'http.route': '/pay', 'canary.role': 'x' }),
  };
  const of = (extra: Readonly<Record<string, string | number>>): unknown =>
    read(requestOf([histogram([point])], { ...CHECKOUT, ...extra })).points[0]?.attributes;
  expect(of({ 'canary.role': 'baseline' })).toStrictEqual([
    { name: 'canary.role', value: 'baseline' },
    { name: 'http.route', value: '/pay' },
  ]);
  // What only a point says of itself is none of its sender's.
  expect(of({})).toStrictEqual([{ name: 'http.route', value: '/pay' }]);
  expect(of({ 'canary.role': 'x'.repeat(METRICS_LIMITS.nameCharsMax + 1) })).toBeUndefined();
});

test('the same attributes of two metrics are to each what it asked for', () => {
  const point = { ...goodPoint, attributes: attributes({ 'http.route': '/pay' }) };
  const older = histogram([point], { name: 'http.server.duration', unit: 'ms' });
  for (const order of [
    [histogram([point]), older],
    [older, histogram([point])],
  ]) {
    const kept = read(requestOf(order)).points.map((each) => [each.metric, each.attributes.length]);
    expect(Object.fromEntries(kept)).toStrictEqual({ [name]: 1, 'http.server.duration': 0 });
  }
});

test('metrics that nobody asked for are stepped over', () => {
  const other = { ...gauge({ asDouble: NaN }), name: 'process.cpu.time' };
  expect(read(requestOf([other, histogram([goodPoint], { name: 'x' })]))).toStrictEqual({
    points: [],
    rejected: [],
    lost: [],
    dataPoints: 0,
  });
});

test('a reader that was asked for one selection and then another gives each what it asked for', () => {
  const reader = openTelemetryReader(METRICS_LIMITS);
  const bytes = protobufOf(
    requestOf([histogram([{ ...goodPoint, attributes: attributes({ 'http.route': '/pay' }) }])]),
  );
  const keptFor = (of: Selection): readonly unknown[] => {
    const decoded = reader(bytes, 'application/x-protobuf', of);
    return decoded.ok ? (decoded.value.points[0]?.attributes ?? []) : [];
  };
  const bare: Selection = {
    metrics: new Map([[name, []]]),
    levels: new Set(),
    targetAttributes: [],
    usualTargetAttributes: [],
    cohortAttributes: [],
  };
  expect([keptFor(selection), keptFor(bare), keptFor(selection)]).toStrictEqual([
    [{ name: 'http.route', value: '/pay' }],
    [],
    [{ name: 'http.route', value: '/pay' }],
  ]);
});
