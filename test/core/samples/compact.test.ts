import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { avscType } from '../../../services/adapters/avro/avsc-type.ts';
import { schemaDigest } from '../../../services/adapters/avro/canonical-form.ts';
import { loadSchemas, schemasFolder } from '../../../services/adapters/avro/schema-files.ts';
import type { Durations } from '../../../services/core/canary/windows/durations.ts';
import { valueBytesMax } from '../../../services/core/markers/limits.ts';
import { compactPoints } from '../../../services/core/samples/compact.ts';
import type { ReceivedPoint } from '../../../services/core/samples/compact.ts';
import { durationsIn, waitingOf } from '../../../services/core/canary/windows/waiting-durations.ts';
import { parseSample } from '../../../services/core/samples/parse-sample.ts';
import type { Points, Sample } from '../../../services/core/samples/sample.ts';
import { upcast } from '../../../services/core/markers/upcast.ts';
import type { Body } from '../../../services/core/markers/upcast.ts';
import { pointRefusals } from '../../../services/core/telemetry/point.ts';
import type { TelemetryPoint } from '../../../services/core/telemetry/telemetry-point.ts';
import { timeless } from '../../../services/core/telemetry/telemetry-point.ts';
import { tools } from '../../support/given.ts';
import { value } from '../../support/records.ts';

type Requests = Extract<TelemetryPoint['value'], { readonly kind: 'durations' }>;
type Change = Partial<Omit<TelemetryPoint, 'value'>> & Partial<Requests>;

const point = ({
  kind: _,
  temporality,
  count,
  errors,
  durations,
  ...change
}: Change = {}): TelemetryPoint => ({
  environment: 'production',
  namespace: 'default',
  component: 'checkout',
  version: '2.0.0',
  deploymentId: null,
  instance: 'pod-1',
  target: null,
  series: 'a'.repeat(64),
  metric: 'http.server.request.duration',
  unit: 's',
  attributes: [],
  startMs: 1_000,
  timeMs: 2_000,
  ...change,
  value: {
    kind: 'durations',
    temporality: temporality ?? 'cumulative',
    count: count ?? 10,
    errors: errors ?? 0,
    durations: durations ?? null,
  },
});
const received = (change: Change = {}, receivedAt = 2_100): ReceivedPoint => ({
  point: point(change),
  receivedAt,
});
const recordsOf = (points: readonly ReceivedPoint[]): readonly Points[] =>
  compactPoints('local', points).records;

test('a refused point of whose time nobody else tells is of its own near its receipt, else of that', () => {
  const settled = (timeMs: number, receivedAt: number, isTimeUnsure?: true) => {
    const told = { kind: 'refused', temporality: 'delta', reason: 'time-missing' } as const;
    const refused: TelemetryPoint = {
      ...point({ startMs: timeMs, timeMs }),
      value: isTimeUnsure === undefined ? told : { ...told, isTimeUnsure },
    };
    const [sample] = recordsOf([{ point: refused, receivedAt }])[0]?.points ?? [];
    expect(sample).toMatchObject({ receivedAt, refused: 'time-missing', start: sample?.time });
    return sample?.time;
  };
  expect(settled(500_000, 510_000, true)).toBe(500_000);
  expect(settled(500_000, 510_001, true)).toBe(510_001);
  expect(settled(500_000, 440_000, true)).toBe(500_000);
  expect(settled(500_000, 439_999, true)).toBe(439_999);
  expect(settled(timeless, 510_001, true)).toBe(510_001);
  expect(settled(timeless, 5_000, true)).toBe(5_000);
  expect(settled(500_000, 900_000)).toBe(500_000);
});

test('points of one component are one record, in the order of their receipt, with each sender once', () => {
  const [record, ...others] = recordsOf([
    received({}, 5),
    received({ version: '1.9.4' }, 6),
    received({ timeMs: 3_000 }, 7),
  ]);
  expect(others).toStrictEqual([]);
  expect(record?.origins.map(({ version }) => version)).toStrictEqual(['2.0.0', '1.9.4']);
  expect(record?.points.map(({ origin, receivedAt }) => [origin, receivedAt])).toStrictEqual([
    [0, 5],
    [1, 6],
    [0, 7],
  ]);
});

test('components and environments have records of their own', () => {
  const records = recordsOf([
    received(),
    received({ component: 'basket' }),
    received({ environment: 'staging' }),
    received(),
  ]);
  expect(
    records.map(({ environment, component, points }) => [environment, component, points.length]),
  ).toStrictEqual([
    ['production', 'checkout', 2],
    ['production', 'basket', 1],
    ['staging', 'checkout', 1],
  ]);
});

describe('points that fit into no sample are counted', () => {
  test.each([
    ['name-unfit', { version: '\ud800' }],
    ['name-unfit', { component: '' }],
    ['name-unfit', { instance: 'x'.repeat(257) }],
    ['number-unfit', { count: Number.MAX_SAFE_INTEGER }],
    ['number-unfit', { timeMs: 8_640_000_000_000_001 }],
  ] as const)('%s', (reason, change) => {
    const { records, rejected } = compactPoints('local', [received(change), received()]);
    expect(rejected).toMatchObject({ [reason]: 1 });
    expect(records.flatMap(({ points }) => points)).toHaveLength(1);
  });
});

describe('buckets and levels', () => {
  const bounds = [0.1, 0.5];
  const explicit = (...counts: readonly number[]): Durations => ({
    shape: 'explicit',
    bounds,
    counts,
  });
  const exponential: Durations = {
    shape: 'exponential',
    scale: 3,
    zeroCount: 2,
    offset: -7,
    counts: [1, 0, 0, 300],
  };
  const durationsOf = (record: Points | undefined): readonly (Durations | null)[] =>
    (record?.points ?? []).map((each) => {
      const waiting = waitingOf(record as Points, each);
      return waiting && durationsIn(waiting);
    });

  test('come out of a record as they went in', () => {
    const milliseconds: Durations = { ...exponential, unit: 'ms' };
    const [record] = recordsOf([
      received({ count: 9, durations: explicit(4, 0, 5) }),
      received({ count: 303, durations: exponential }),
      received({ count: 303, durations: milliseconds, unit: 'ms' }),
      received({ count: 0, durations: explicit(0, 0, 0) }),
      received({ count: 10 }),
      received({ count: 9, durations: explicit(0, 0, 9) }),
    ]);
    expect(durationsOf(record)).toStrictEqual([
      explicit(4, 0, 5),
      exponential,
      milliseconds,
      explicit(0, 0, 0),
      null,
      explicit(0, 0, 9),
    ]);
    expect(parseSample('points', record as unknown as Body).ok).toBe(true);
  });

  test('name their bounds once a record', () => {
    const anew: Durations = { ...explicit(1, 2, 3), bounds: [...bounds] } as Durations;
    const [record] = recordsOf([
      received({ count: 6, durations: explicit(1, 2, 3) }),
      received({ count: 6, durations: anew }),
      received({ count: 6, durations: { shape: 'explicit', bounds: [0.2], counts: [3, 3] } }),
      received({ count: 6, durations: explicit(3, 2, 1) }),
    ]);
    expect(record?.bounds).toStrictEqual([{ seconds: [0.1, 0.5] }, { seconds: [0.2] }]);
    expect(record?.points.map(({ durations }) => durations?.bounds)).toStrictEqual([0, 0, 1, 0]);
  });

  test('of three hundred buckets each fill a record after few points, and never too far', () => {
    const counts = Array.from({ length: 300 }, (_, index) => 1_000 + index);
    const count = counts.reduce((sum, more) => sum + more, 0);
    const durations: Durations = {
      shape: 'exponential',
      scale: 3,
      zeroCount: 0,
      offset: 0,
      counts,
    };
    const records = recordsOf(Array.from({ length: 400 }, () => received({ count, durations })));
    const sizes = records.map((record) => tools.codec.encode('points', record).bytes.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(valueBytesMax);
    expect(sizes[0]).toBeGreaterThan(valueBytesMax * 0.85);
  });

  test('a level counts no requests', () => {
    const cpu: TelemetryPoint = {
      ...point({ metric: 'process.cpu.utilization', unit: '1', startMs: 2_000 }),
      value: { kind: 'level', level: 0.25 },
    };
    const [record] = recordsOf([{ point: cpu, receivedAt: 2_100 }]);
    expect(record?.points[0]).toMatchObject({ count: 0, errors: 0, level: 0.25, durations: null });
    expect(parseSample('points', record as unknown as Body).ok).toBe(true);
  });

  test('senders that differ in an attribute or a target are not the same', () => {
    const attributes = [{ name: 'http.route', value: '/pay' }];
    const [record] = recordsOf([
      received(),
      received({ attributes }),
      received({ target: 'eu-1' }),
      received({ attributes }),
    ]);
    expect(record?.points.map(({ origin }) => origin)).toStrictEqual([0, 1, 2, 1]);
  });
});

/** A body of a published version, as it is read today. */
const readAs = (version: number, body: object): Sample => {
  const [schema] = loadSchemas(schemasFolder).filter(
    (one) => one.shape === 'points' && one.version === version,
  );
  if (schema === undefined) throw new Error('no schema');
  const bytes = avscType(schema.text).toBuffer(body);
  const decoded = value(tools.codec.decode(schemaDigest(schema.text), bytes));
  const lifted = upcast('points', decoded.schema.version, decoded.body as Body);
  return value(parseSample('points', lifted));
};
const olderOrigin = {
  ...{ namespace: 'default', version: '2.0.0', deployment: null, instance: 'pod-1' },
  ...{ metric: 'http.server.request.duration', temporality: 'delta', unit: 's' },
};
const olderPoint = {
  ...{ origin: 0, series: 'a'.repeat(64), receivedAt: 5, start: 1, time: 4, count: 3, errors: 1 },
};
const olderHead = {
  ...{ kind: 'points', audience: 'local', environment: 'production', component: 'checkout' },
};

test('points of version 1 are points without buckets, levels and attributes', () => {
  const body = { ...olderHead, origins: [olderOrigin], points: [olderPoint] };
  expect(readAs(1, body)).toStrictEqual({
    ...body,
    origins: [{ ...olderOrigin, target: null, attributes: [] }],
    points: [{ ...olderPoint, level: null, durations: null, refused: null }],
    bounds: [],
  });
});

test('points of version 2 are points of which none was refused', () => {
  const body = {
    ...olderHead,
    origins: [{ ...olderOrigin, target: 'eu', attributes: [] }],
    points: [
      {
        ...{ ...olderPoint, level: null },
        durations: { bounds: 0, scale: 0, zeroCount: 0, offset: 1, counts: Buffer.of(3) },
      },
    ],
    bounds: [{ seconds: [0.1, 0.5] }],
  };
  expect(readAs(2, body)).toMatchObject({
    ...body,
    points: body.points.map((one) => ({
      ...one,
      durations: { ...one.durations, counts: Uint8Array.of(3) },
      refused: null,
    })),
  });
});

test('a refused point is a point without numbers, and with its reason', () => {
  const refused: TelemetryPoint = {
    ...point(),
    value: { kind: 'refused', temporality: 'delta', reason: 'attributes-too-large' },
  };
  const [record] = recordsOf([{ point: refused, receivedAt: 2_100 }]);
  expect(record?.origins[0]?.temporality).toBe('delta');
  expect(record?.points).toStrictEqual([
    {
      ...{ origin: 0, series: 'a'.repeat(64), receivedAt: 2_100, start: 1_000, time: 2_000 },
      ...{ count: 0, errors: 0, level: null, durations: null, refused: 'attributes-too-large' },
    },
  ]);
});

test('a point whose durations are none keeps its requests', () => {
  const untimed = { refused: 'durations-negative', durations: null } as const;
  const asked = {
    kind: 'durations',
    temporality: 'delta',
    count: 20,
    errors: 3,
    ...untimed,
  } as const;
  const [record] = recordsOf([{ point: { ...point(), value: asked }, receivedAt: 2_100 }]);
  expect(record?.points).toMatchObject([{ count: 20, errors: 3, level: null, ...untimed }]);
  expect(parseSample('points', record as unknown as Body).ok).toBe(true);
});

test('whatever the points say, each record passes the door and the limit of a value', () => {
  const name = fc.oneof(
    fc.string({ minLength: 1, maxLength: 256, unit: 'binary' }),
    fc.constantFrom('x'.repeat(256), '\u{ffff}'.repeat(256)),
  );
  const number = fc.oneof(
    fc.nat(),
    fc.constantFrom(0, 8_640_000_000_000_000, 9_007_199_254_740_990),
  );
  const any = fc.record({
    version: fc.option(name, { nil: null }),
    deploymentId: fc.option(name, { nil: null }),
    instance: fc.option(name, { nil: null }),
    metric: name,
    namespace: name,
    unit: fc.constantFrom('s', 'ms'),
    target: fc.option(name, { nil: null }),
    attributes: fc
      .uniqueArray(name, { maxLength: 4 })
      .map((names) => names.toSorted().map((each) => ({ name: each, value: each }))),
    count: number,
    buckets: fc.oneof(
      fc.constant(null),
      fc.record({
        shape: fc.constant('explicit' as const),
        counts: fc.array(number, { minLength: 2, maxLength: 320 }),
      }),
      fc.record({
        shape: fc.constant('exponential' as const),
        counts: fc.array(number, { maxLength: 320 }),
      }),
    ),
    timeMs: fc.constantFrom(0, 2_000, 8_640_000_000_000_000),
    refused: fc.constantFrom(null, null, ...pointRefusals),
  });
  fc.assert(
    fc.property(fc.array(any, { minLength: 1, maxLength: 20 }), (changes) => {
      const points = Array.from({ length: 900 }, (_, index) => {
        const { buckets, count, refused, ...change } = changes[index % changes.length] ?? {};
        const one = received({ ...change, startMs: 0, ...countsOf(buckets ?? null, count ?? 0) });
        if (refused === null || refused === undefined) return one;
        const uncounted = { kind: 'refused', temporality: 'delta', reason: refused } as const;
        return { ...one, point: { ...one.point, value: uncounted } };
      });
      const records = recordsOf(points);
      const kept = records.reduce((sum, record) => sum + record.points.length, 0);
      const { rejected } = compactPoints('local', points);
      expect(kept + rejected['name-unfit'] + rejected['number-unfit']).toBe(points.length);
      for (const record of records) {
        expect(parseSample('points', record as unknown as Body).ok).toBe(true);
        const { bytes } = tools.codec.encode('points', record);
        expect(bytes.length).toBeLessThanOrEqual(valueBytesMax);
      }
    }),
    { numRuns: 8 },
  );
});

/** As many buckets as add up to a number, and that number. */
const countsOf = (
  buckets: { readonly shape: Durations['shape']; readonly counts: readonly number[] } | null,
  count: number,
): Change => {
  if (buckets === null) return { count, errors: count };
  let total = 0;
  const counts = buckets.counts.map((each) => {
    const fits = total + each <= 9_007_199_254_740_990 ? each : 0;
    total += fits;
    return fits;
  });
  const bounds = counts.slice(1).map((_, index) => index);
  const durations: Durations =
    buckets.shape === 'explicit'
      ? { shape: 'explicit', bounds, counts }
      : { shape: 'exponential', scale: 3, zeroCount: 0, offset: -9, counts };
  return { count: total, errors: 0, durations };
};

test('records are well filled: a thousand points of one sender are two', () => {
  expect(recordsOf(Array.from({ length: 1_000 }, () => received()))).toHaveLength(2);
});
