import { expect, test } from 'vitest';
import type { Cohort } from '../../../../services/core/canary/windows/cohorts.ts';
import {
  areSendersShared,
  areSparse,
  closeSparseExports,
  noSparseExports,
} from '../../../../services/core/canary/windows/sparse-exports.ts';
import type { SparseExports } from '../../../../services/core/canary/windows/sparse-exports.ts';

type Counted = Parameters<typeof closeSparseExports>[2];
type Sent = Counted[number]['point'];

const openedAtMs = 100_000;
const [windowMs, windowsKept] = [5_000, 24];

const counted = (sender: string, timeMs: number, count: number, change: Partial<Sent> = {}) => ({
  point: {
    ...{ cohort: 'canary' as Cohort, sender, instance: sender, name: 'http', unit: 's' },
    ...{ series: sender, temporality: 'cumulative' as const, startMs: 50_000, timeMs },
    ...{ delayMs: 0, judgedAs: [], count, errors: 0, level: 0, durations: null },
    ...change,
  },
  added: { count, errors: 0, durations: null },
});

/** So many windows, of what is sent in each. */
const after = (
  windows: number,
  sentIn: (window: number, atMs: number) => Counted,
  kept = windowsKept,
): SparseExports => {
  let exports = noSparseExports;
  for (let window = 0; window < windows; window += 1) {
    const sent = sentIn(window, openedAtMs + window * windowMs + 1_000);
    const due = sent.map(({ point }) => point);
    exports = closeSparseExports(exports, due, sent, windowMs, kept, openedAtMs);
    // A restart between any two.
    exports = JSON.parse(JSON.stringify(exports)) as SparseExports;
  }
  return exports;
};
/** One that exports every so many windows, all that it had since. */
const every =
  (windows: number, sender: string, change: Partial<Sent> = {}) =>
  (window: number, atMs: number): Counted =>
    window % windows === 0 ? [counted(sender, atMs, 10 * windows, change)] : [];
const [often, seldom] = [every(1, 'a'), every(2, 'b')];
const delta = (atMs: number, windows: number): Partial<Sent> => ({
  temporality: 'delta',
  startMs: atMs - windows * windowMs,
});

test.each<[string, boolean, (window: number, atMs: number) => Counted]>([
  ['nobody sends', false, () => []],
  ['exports are as long as windows', false, often],
  ['exports are twice as long', true, seldom],
  ['exports are twelve times as long', true, every(12, 'b')],
  [
    'exports are shorter',
    false,
    (_, atMs) => [counted('a', atMs, 5), counted('a', atMs + 2_500, 5)],
  ],
  [
    'an export is late by less than half a window',
    false,
    (window, atMs) => often(window, atMs + (window % 2) * 2_000),
  ],
  [
    'one of three exports half as often',
    true,
    (...at) => [...often(...at), ...every(1, 'c')(...at), ...seldom(...at)],
  ],
  [
    'one of three exports half as often, and has next to nothing',
    false,
    (window, atMs) => [
      ...often(window, atMs),
      ...(window % 2 === 0 ? [counted('b', atMs, 1)] : []),
    ],
  ],
  [
    'one export of twenty is lost, and made up for',
    false,
    (window, atMs) => (window % 20 === 9 ? [] : [counted('a', atMs, window % 20 === 10 ? 20 : 10)]),
  ],
  [
    'two exports of five are',
    true,
    (window, atMs) =>
      window % 5 === 1 || window % 5 === 3 ? [] : [counted('a', atMs, window % 5 === 0 ? 10 : 20)],
  ],
  [
    'exports are twice as long, and meters are read one after the other',
    true,
    (...at) => [...seldom(...at), ...every(2, 'b', { series: 'other' })(at[0], at[1] - 1)],
  ],
  [
    'deltas are of two windows, and meters are read one after the other',
    true,
    (window, atMs) =>
      window % 2 === 0
        ? [
            counted('b', atMs - 1, 20, { ...delta(atMs, 2), series: 'other' }),
            counted('b', atMs, 20, delta(atMs, 2)),
          ]
        : [],
  ],
  [
    'deltas are of two windows',
    true,
    (window, atMs) => (window % 2 === 0 ? [counted('b', atMs, 20, delta(atMs, 2))] : []),
  ],
  [
    'a sender of deltas is idle now and then',
    false,
    (window, atMs) => (window % 3 === 0 ? [counted('b', atMs, 10, delta(atMs, 1))] : []),
  ],
  [
    'a rare series of deltas says how long it was silent, beside one that does not',
    false,
    (window, atMs) => [
      counted('b', atMs, 10, delta(atMs, 1)),
      ...(window % 6 === 5 ? [counted('b', atMs, 1, { ...delta(atMs, 6), series: 'rare' })] : []),
    ],
  ],
  [
    'deltas keep the start of their process',
    false,
    (_, atMs) => [counted('b', atMs, 10, { temporality: 'delta', startMs: openedAtMs - 60_000 })],
  ],
  [
    'deltas keep a start of after the opening',
    false,
    (window, atMs) =>
      window === 0
        ? []
        : [counted('b', atMs, 10, { temporality: 'delta', startMs: openedAtMs + windowMs })],
  ],
])('exports are sparser than windows where %s: %s', (_name, isSparse, sentIn) => {
  expect(areSparse(after(60, sentIn))).toBe(isSparse);
});

test('of either cohort, and who was sparse is not for ever', () => {
  const ofBaseline = every(2, 'b', { cohort: 'baseline' });
  const until =
    (to: number) =>
    (window: number, atMs: number): Counted => [
      ...often(window, atMs),
      ...(window < to
        ? ofBaseline(window, atMs)
        : every(1, 'b', { cohort: 'baseline' })(window, atMs)),
    ];
  expect(areSparse(after(30, until(30)))).toBe(true);
  expect(areSparse(after(40, until(30)))).toBe(true);
  expect(areSparse(after(90, until(30)))).toBe(false);
});

test('a limit of silence that is shorter than the exports does not hide that they are sparse', () => {
  const shortlyKept = 4;
  for (const windows of [13, 18, 24, 37, 60])
    expect(areSparse(after(windows, every(12, 'b'), shortlyKept))).toBe(true);
});

test('who was sparse and tells of nothing any more is so no longer', () => {
  const thenNothing = (window: number, atMs: number): Counted =>
    window < 30 ? seldom(window, atMs) : [];
  expect(areSparse(after(40, thenNothing))).toBe(true);
  expect(areSparse(after(30 + windowsKept, thenNothing))).toBe(false);
});

test('points of one export may come in any order', () => {
  const sentIn = (window: number, atMs: number): Counted => [
    counted('a', atMs, 3, { series: 'x' }),
    ...seldom(window, atMs + 1),
    counted('a', atMs, 4, { series: 'y' }),
  ];
  const reversed = (window: number, atMs: number): Counted => sentIn(window, atMs).toReversed();
  expect(JSON.stringify(after(7, reversed))).toBe(JSON.stringify(after(7, sentIn)));
});

test('a flood of senders takes no more memory than it may', () => {
  const flood = Array.from({ length: 6_000 }, (_, index) => counted(`pod ${index}`, openedAtMs, 1));
  expect(Object.keys(after(1, () => flood).newest)).toHaveLength(5_000);
});

test.each<[string, boolean, string, readonly (readonly [startMs: number, timeMs: number])[]]>([
  ['one counter', false, '["default","2.0.0",null,null,"a"]', [[50_000, 400_000]]],
  ['one without an instance id', true, '["default","2.0.0",null,null,null]', [[50_000, 400_000]]],
  [
    'two counters at once',
    true,
    '["default","2.0.0",null,null,"a"]',
    [
      [50_000, 400_000],
      [52_000, 403_000],
    ],
  ],
  [
    'one that began anew',
    false,
    '["default","2.0.0",null,null,"a"]',
    [
      [50_000, 400_000],
      [401_000, 403_000],
    ],
  ],
])('several send under one name: %s', (_which, areShared, sender, streams) => {
  const one = { count: 1, errors: 0, durations: null };
  const ofSeries = {
    series: Object.fromEntries(streams.map(([start, timeMs]) => [start, { timeMs, ...one }])),
  };
  const { newest } = after(1, (_, atMs) => [counted(sender, atMs, 10)]);
  expect(areSendersShared({ newest }, { ofSeries })).toBe(areShared);
});
