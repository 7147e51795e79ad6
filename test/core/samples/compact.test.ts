import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { valueBytesMax } from '../../../services/core/markers/limits.ts';
import { compactPoints } from '../../../services/core/samples/compact.ts';
import type { ReceivedPoint } from '../../../services/core/samples/compact.ts';
import { parseSample } from '../../../services/core/samples/parse-sample.ts';
import type { Points } from '../../../services/core/samples/sample.ts';
import type { Body } from '../../../services/core/markers/upcast.ts';
import type { TelemetryPoint } from '../../../services/core/telemetry/telemetry-point.ts';
import { tools } from '../../support/given.ts';

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
    count: number,
    timeMs: fc.constantFrom(0, 2_000, 8_640_000_000_000_000),
  });
  fc.assert(
    fc.property(fc.array(any, { minLength: 1, maxLength: 20 }), (changes) => {
      const points = Array.from({ length: 900 }, (_, index) => {
        const change = changes[index % changes.length];
        return received({ ...change, startMs: 0, errors: change?.count ?? 0 });
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

test('records are well filled: a thousand points of one sender are two', () => {
  expect(recordsOf(Array.from({ length: 1_000 }, () => received()))).toHaveLength(2);
});
