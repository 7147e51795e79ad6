import { describe, expect, test } from 'vitest';
import { takeWindow } from '../../../../services/core/canary/windows/cohort-windows.ts';
import type {
  PendingPoint,
  WindowTaken,
} from '../../../../services/core/canary/windows/cohort-windows.ts';
import { noBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import type { Bases } from '../../../../services/core/canary/windows/stream-bases.ts';
import { asOneSender, noTwins, twinsIn } from '../../../../services/core/canary/windows/twins.ts';
import { metrics, openedAtMs, requests, windowMs } from '../../../support/canary/pending-points.ts';

const temporalities = ['cumulative', 'delta'] as const;
const familyOf = (digit: string): string => digit.repeat(32);
const [sidecar, daemon, ofNobody] = ['a', 'b', '0'].map(familyOf) as [string, string, string];
const [found, failed] = [familyOf('1'), familyOf('2')];

/** What one path tells of the export with that number; by series, how many requests came in each export so far. */
type Export = Partial<Omit<PendingPoint, 'durations'>> & { readonly counts?: readonly number[] };
const told = (
  family: string,
  temporality: (typeof temporalities)[number],
  index: number,
  { counts = [40, 2], ...change }: Export = {},
): readonly PendingPoint[] =>
  counts.map((count, series) => {
    const timeMs = openedAtMs + index * windowMs + 1_000;
    return requests({
      series: family + [found, failed][series],
      temporality,
      startMs: temporality === 'delta' ? timeMs - 1_000 : openedAtMs + 10,
      timeMs,
      count: temporality === 'delta' ? count : count * (index + 1),
      ...change,
    });
  });

/** Window by window, with a snapshot between them. */
const takenOf = (
  windows: readonly (readonly PendingPoint[])[],
  before: Bases = noBases,
): readonly WindowTaken[] => {
  let bases = before;
  return windows.map((points) => {
    const taken = takeWindow(metrics, bases, points, openedAtMs);
    bases = JSON.parse(JSON.stringify(taken.bases)) as Bases;
    return taken;
  });
};
const requestsIn = (taken: readonly WindowTaken[]): readonly number[] =>
  taken.map(({ counted }) => counted.reduce((sum, { added }) => sum + added.count, 0));
const unheardIn = (taken: readonly WindowTaken[]): readonly boolean[] =>
  taken.map(({ isUnheard }) => isUnheard);
const exports = (indexes: number): readonly number[] =>
  Array.from({ length: indexes }, (_, at) => at);

describe.each(temporalities)('%s: one server whose exports come by two paths', (temporality) => {
  const of = (family: string, index: number, change: Export = {}): readonly PendingPoint[] =>
    told(family, temporality, index, change);
  const both = (index: number, change: Export = {}): readonly PendingPoint[] => [
    ...of(sidecar, index, change),
    ...of(daemon, index, change),
  ];

  test('is counted once, after three exports as one that is known', () => {
    const taken = takenOf(exports(5).map((index) => both(index)));
    expect(requestsIn(taken)).toStrictEqual([42, 42, 42, 42, 42]);
    expect(unheardIn(taken)).toStrictEqual([true, true, true, false, false]);
    expect(taken.map(({ excluded }) => excluded.duplicate)).toStrictEqual([0, 0, 0, 2, 2]);
    expect(taken[0]?.excluded['start-shared']).toBe(2);
  });

  test('is so in whatever order its points come', () => {
    const orders = [both, (index: number) => both(index).toReversed()].map((order) =>
      takenOf(exports(5).map((index) => order(index))),
    );
    expect(orders[0]?.at(-1)?.bases).toStrictEqual(orders[1]?.at(-1)?.bases);
  });

  test('is heard by the one where the other loses an export', () => {
    const taken = takenOf([
      ...exports(4).map((index) => both(index)),
      of(sidecar, 4),
      of(daemon, 5),
      both(6),
    ]);
    expect(requestsIn(taken)).toStrictEqual(Array.from({ length: 7 }, () => 42));
    expect(unheardIn(taken).slice(3)).toStrictEqual([false, false, false, false]);
  });

  test('is known by the first of three paths', () => {
    const third = familyOf('c');
    const taken = takenOf(exports(4).map((index) => [...both(index), ...of(third, index)]));
    expect(requestsIn(taken)).toStrictEqual([42, 42, 42, 42]);
    expect(taken.at(-1)?.bases.twins.of).toStrictEqual({ [daemon]: sidecar, [third]: sidecar });
  });

  test('is doubted for longer where it has few requests', () => {
    const taken = takenOf(exports(8).map((index) => both(index, { counts: [5] })));
    expect(unheardIn(taken).indexOf(false)).toBe(6);
  });

  test('holds what passes where the paths say different things later', () => {
    const taken = takenOf([
      ...exports(4).map((index) => both(index)),
      [...of(sidecar, 4), ...of(daemon, 4, { counts: [41, 2] })],
    ]);
    expect(unheardIn(taken).slice(3)).toStrictEqual([false, true]);
  });

  test('no pod without a service.instance.id, nor what may be of several, is one', () => {
    for (const [family, instance] of [
      [daemon, null],
      [ofNobody, 'pod'],
    ] as const) {
      const windows = exports(4).map((index) => [
        ...of(family, index, { instance }),
        ...of(sidecar, index, { instance }),
      ]);
      expect(requestsIn(takenOf(windows))).toStrictEqual([84, 84, 84, 84]);
    }
  });

  test.each<[string, Partial<PendingPoint>]>([
    ['start', { startMs: openedAtMs + 7 }],
    ['sender', { sender: 'other' }],
    ['metric', { name: 'rpc.server.call.duration' }],
    ['unit', { unit: 'ms' }],
  ])('another %s is another server', (_what, change) => {
    const windows = exports(4).map((index) => [
      ...of(sidecar, index),
      ...of(daemon, index, change),
    ]);
    const taken = takenOf(windows);
    expect(unheardIn(taken)).toStrictEqual([false, false, false, false]);
    expect(taken.at(-1)?.bases.twins).toStrictEqual(noTwins);
  });

  test('workers of one name that counted the same once are two for good', () => {
    const counts = [[40], [40], [41], [40], [40], [40], [40]];
    const soFar = (index: number): readonly number[] =>
      temporality === 'delta'
        ? (counts[index] ?? [])
        : [counts.slice(0, index + 1).reduce((sum, [count = 0]) => sum + count, 0) / (index + 1)];
    const taken = takenOf(
      counts.map((_, index) => [
        ...of(sidecar, index, { counts: [40] }),
        ...of(daemon, index, { counts: soFar(index) }),
      ]),
    );
    expect(unheardIn(taken)).toStrictEqual([true, true, false, false, false, false, false]);
    expect(requestsIn(taken)).toStrictEqual([40, 40, 81, 80, 80, 80, 80]);
  });
});

describe('of counters', () => {
  test('nothing is doubted while they are at zero', () => {
    const points = [...told(sidecar, 'cumulative', 0, { counts: [0] })];
    const twin = told(daemon, 'cumulative', 0, { counts: [0] });
    expect(takenOf([[...points, ...twin]])[0]?.isUnheard).toBe(false);
  });

  test('that stand still nothing is known', () => {
    const change = { counts: [1], count: 500 };
    const windows = exports(6).map((index) => [
      ...told(sidecar, 'cumulative', index, change),
      ...told(daemon, 'cumulative', index, change),
    ]);
    expect(takenOf(windows).at(-1)?.bases.twins.of).toStrictEqual({});
  });
});

test('beyond so many pairs they stay doubted, and nothing more is remembered', () => {
  const suspected = Object.fromEntries(
    exports(5_000).map((pair) => [`pair ${pair}`, { times: 0, count: 0 }]),
  );
  const points = [...told(sidecar, 'delta', 0), ...told(daemon, 'delta', 0)];
  const { doubtful, twins } = twinsIn({ suspected, of: {} }, points);
  expect(doubtful.size).toBe(2);
  expect(twins).toStrictEqual({ suspected, of: {} });
});

test('points are told as those of the first of a row of twins', () => {
  const third = familyOf('c');
  const of = { [third]: daemon, [daemon]: sidecar };
  const [point] = told(third, 'delta', 0);
  if (point === undefined) throw new Error('an export has points');
  const [one] = asOneSender({ suspected: {}, of }, [point]);
  expect(one).toStrictEqual({ ...point, series: sidecar + found });
  const others = told(familyOf('d'), 'delta', 0);
  expect(asOneSender({ suspected: {}, of }, others)).toStrictEqual(others);
});
