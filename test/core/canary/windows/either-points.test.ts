import { expect, test } from 'vitest';
import {
  addEither,
  closeEitherPoints,
  isEitherTold,
  noEitherPoints,
  openEitherPoints,
} from '../../../../services/core/canary/windows/either-points.ts';
import type { EitherPointsDraft } from '../../../../services/core/canary/windows/either-points.ts';

type Point = Parameters<typeof addEither>[1];

const openedAtMs = 100_000;
const point = (change: Partial<Point>): Point => ({
  ...{ series: 'a', temporality: 'cumulative', startMs: 50_000, timeMs: 101_000, count: 7 },
  ...{ refused: null, isFailed: false },
  ...change,
});
/** Windows of five seconds with these points each; how the newest of them ends. */
const after = (...windows: readonly (readonly Point[])[]): EitherPointsDraft => {
  let points = openEitherPoints(noEitherPoints);
  for (const [index, of] of windows.entries()) {
    for (const one of of) addEither(points, one);
    points = closeEitherPoints(points, openedAtMs + (index + 1) * 5_000, openedAtMs);
    // A restart between any two.
    points = openEitherPoints(JSON.parse(JSON.stringify(points)) as typeof noEitherPoints);
  }
  return points;
};
const at = (index: number, count: number, change: Partial<Point> = {}): Point =>
  point({ timeMs: openedAtMs + index * 5_000 + 1_000, count, ...change });
const delta = { temporality: 'delta', startMs: 100_500 } as const;

test.each<[string, toldMs: number | null, windows: readonly (readonly Point[])[]]>([
  ['nobody', null, [[], []]],
  ['a counter that stays as it was before the opening', null, [[at(0, 7)], [at(1, 7)]]],
  ['a counter that goes on', 110_000, [[at(0, 7)], [at(1, 8)]]],
  ['a counter that begins anew', 110_000, [[at(0, 7)], [at(1, 2)]]],
  ['a counter of after the opening', 105_000, [[at(0, 1, { startMs: 100_500 })], [at(1, 1)]]],
  ['a delta', 105_000, [[at(0, 1, delta)], []]],
  [
    'a counter that is first heard long after the opening',
    205_000,
    [...Array.from({ length: 20 }, () => []), [at(20, 7)]],
  ],
  [
    'requests of before the opening',
    null,
    [
      [
        at(0, 7, { timeMs: 90_000 }),
        at(0, 8, { timeMs: 95_000 }),
        at(0, 1, { ...delta, timeMs: 99_000 }),
      ],
    ],
  ],
  ['a delta of nothing', null, [[at(0, 0, delta)]]],
  ['what nobody could count', 105_000, [[at(0, 0, { refused: 'count-invalid' })]]],
  [
    'a request whose duration is none',
    105_000,
    [[at(0, 1, { ...delta, refused: 'durations-negative' })]],
  ],
  ['a later window, whose point came early', 110_000, [[at(1, 1, delta)], []]],
  ['the same in another order', 110_000, [[at(1, 7), at(1, 9, { timeMs: 106_500 }), at(0, 7)], []]],
])('%s tells of requests', (_name, toldMs, windows) => {
  expect(after(...windows).toldMs).toBe(toldMs);
});

test('points of one window may come in any order, and twice', () => {
  const points = [
    at(0, 7),
    at(0, 8, { timeMs: 102_000 }),
    at(0, 3, delta),
    at(0, 7, { series: 'b' }),
  ];
  const once = after(points, [at(1, 8)]);
  expect(after(points.toReversed(), [at(1, 8)])).toStrictEqual(once);
  expect(after([...points, ...points], [at(1, 8)])).toStrictEqual(once);
});

test('who tells seldom is remembered for four limits of silence', () => {
  const { toldMs } = after([at(0, 1, delta)]);
  const ends = [105_000, 105_000 + 480_000, 105_000 + 481_000];
  expect(ends.map((endMs) => isEitherTold({ toldMs }, endMs, 120_000))).toStrictEqual([
    true,
    true,
    false,
  ]);
  expect(isEitherTold({ toldMs: null }, 105_000, 120_000)).toBe(false);
});

test('a flood of them, or of their counters, takes no more memory than it may, and tells', () => {
  const flood = Array.from({ length: 12_000 }, (_, index) => at(0, 5, { series: `${index}` }));
  const flooded = openEitherPoints(noEitherPoints);
  for (const one of flood) addEither(flooded, one);
  expect(flooded.waiting).toHaveLength(10_000);
  const closed = closeEitherPoints(flooded, 105_000, openedAtMs);
  expect(closed).toMatchObject({ toldMs: 105_000, isFull: false, waiting: [] });
  expect(Object.keys(closed.counts)).toHaveLength(2_000);
});
