import { describe, expect, test } from 'vitest';
import type {
  PendingPoint,
  WindowTaken,
} from '../../../../services/core/canary/windows/cohort-windows.ts';
import { noAbsurdLately } from '../../../../services/core/canary/windows/absurd-durations.ts';
import { takeWindow } from '../../../../services/core/canary/windows/cohort-windows.ts';
import type { Durations } from '../../../../services/core/canary/windows/durations.ts';
import { countBeyondPlausible } from '../../../../services/core/canary/windows/durations.ts';
import { noBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import type { Bases } from '../../../../services/core/canary/windows/stream-bases.ts';
import {
  exponential,
  metrics,
  openedAtMs,
  requests,
  windowMs,
} from '../../../support/canary/pending-points.ts';

// Durations that no request can have: many of them pass nobody and blame nobody.

const take = (points: readonly PendingPoint[], before: Bases = noBases): WindowTaken =>
  takeWindow(metrics, before, points, openedAtMs);
const excluded = (taken: WindowTaken): object =>
  Object.fromEntries(Object.entries(taken.excluded).filter(([, count]) => count > 0));
/** Of each metric, whether something is known of the canary and of the baseline. */
const known = ({ metrics: shown }: WindowTaken): object =>
  Object.fromEntries(
    shown.map(({ judged, canary, baseline }) => [judged, [canary !== null, baseline !== null]]),
  );
const totalOf = (durations: Durations): number =>
  durations.counts.reduce((sum, count) => sum + count, 0);

/** At scale 3: so many of 50 ms, and so many of twenty days. */
const mixed = (usual: number, absurd: number): Durations =>
  exponential(3, -35, [usual, ...Array<number>(200).fill(0), absurd]);
const withDurations = (
  durations: Durations,
  change: Partial<Omit<PendingPoint, 'durations'>> = {},
): PendingPoint => requests({ ...change, count: totalOf(durations), durations });
const canary = withDurations(mixed(90, 0), { series: 'a' });
const baseline = withDurations(mixed(90, 0), { series: 'b', cohort: 'baseline' });

test.each<[string, Durations, number]>([
  ['one that ends at 36 hours', exponential(3, 135, [7]), 0],
  ['one that begins there', exponential(3, 136, [7]), 7],
  ['milliseconds', { ...exponential(0, 26, [7, 5]), unit: 'ms' }, 5],
  ['a coarse one in which 36 hours lie', exponential(-2, 3, [7, 5]), 5],
  ['the shortest', exponential(3, -400, [7], 9), 0],
  ['an explicit one above 10 s', { shape: 'explicit', bounds: [1, 10], counts: [1, 2, 7] }, 0],
  [
    'an explicit one above 36 hours, and not the one below',
    { shape: 'explicit', bounds: [1, 2e5, 1e9], counts: [1, 2, 3, 4] },
    7,
  ],
  [
    'explicit ones without a plausible bound',
    { shape: 'explicit', bounds: [2e5, 1e9], counts: [1, 2, 3] },
    6,
  ],
  ['one without bounds', { shape: 'explicit', bounds: [], counts: [7] }, 0],
])('what is beyond a request, of buckets: %s', (_what, durations, beyond) => {
  expect(countBeyondPlausible(durations)).toBe(beyond);
});

describe('many durations beyond what a request can take', () => {
  test.each([
    ['canary', [false, true]],
    ['baseline', [true, false]],
  ] as const)(
    'leave the latency of their cohort unknown, and nothing else: %s',
    (cohort, latency) => {
      const absurd = withDurations(mixed(0, 12), { series: 'c', cohort });
      const taken = take([canary, baseline, absurd]);
      expect(known(taken)).toMatchObject({ errors: [true, true], latency, traffic: [true, true] });
      expect(taken.metrics[0]?.[cohort]).toMatchObject({ total: 102 });
      expect(excluded(taken)).toStrictEqual({ 'durations-implausible': 1 });
      expect(taken).toMatchObject({ isUnheard: false, isUnmeasured: true });
    },
  );

  test.each<[string, Durations, boolean]>([
    ['ten of twenty and more', mixed(10, 10), false],
    ['eleven', mixed(90, 11), true],
    ['eleven, which are one in two hundred', mixed(2_189, 11), false],
    ['eleven of fewer', mixed(2_188, 11), true],
    ['most of a few', mixed(1, 2), true],
    ['half of a few', mixed(2, 2), false],
  ])('of one series: %s', (_what, durations, isUnmeasured) => {
    const others = withDurations(mixed(9_000, 0), { series: 'c' });
    const taken = take([withDurations(durations), others, baseline]);
    expect(taken.isUnmeasured).toBe(isUnmeasured);
    expect(known(taken)).toMatchObject({ latency: [!isUnmeasured, true] });
  });

  test('of a cohort, however few each series has', () => {
    const few = Array.from({ length: 11 }, (_, index) =>
      withDurations(mixed(2, 1), { series: `few ${index}` }),
    );
    const taken = take([canary, baseline, ...few]);
    expect(known(taken)).toMatchObject({ latency: [false, true] });
    expect(excluded(taken)).toStrictEqual({ 'durations-implausible': 11 });
    expect(take([canary, baseline, ...few.slice(1)]).isUnmeasured).toBe(false);
  });

  describe('of a cohort, however few it has in each window', () => {
    /** Which windows are without evidence, of so many usual and absurd ones in each. */
    const unmeasuredIn = (
      cohort: 'canary' | 'baseline',
      windows: readonly (readonly [usual: number, absurd: number])[],
    ): readonly number[] => {
      let { bases } = take([]);
      return windows.flatMap(([usual, absurd], index) => {
        const startMs = openedAtMs + index * windowMs;
        const at = { startMs, timeMs: startMs + 1_000 };
        const others = cohort === 'canary' ? baseline : canary;
        const point = withDurations(mixed(usual, absurd), { series: 'c', cohort, ...at });
        const taken = take([point, { ...others, ...at }], bases);
        ({ bases } = taken);
        return taken.isUnmeasured ? [index] : [];
      });
    };
    const four = Array.from({ length: 5 }, () => [96, 4] as const);
    const calm = Array.from({ length: 40 }, () => [500, 0] as const);

    test.each(['canary', 'baseline'] as const)('from the third on: %s', (cohort) => {
      expect(unmeasuredIn(cohort, four)).toStrictEqual([2, 3, 4]);
    });

    test('and a window that has none is known', () => {
      expect(unmeasuredIn('canary', [...four, [100, 0], [99, 1]])).toStrictEqual([2, 3, 4, 6]);
    });

    test('until they are long ago, and soon where few were long ago', () => {
      expect(unmeasuredIn('canary', [...four, ...calm, [99, 1]])).toStrictEqual([2, 3, 4]);
      expect(unmeasuredIn('canary', [[99, 1], ...calm, ...four])).toStrictEqual([43, 44, 45]);
    });

    test('but not where they are seldom', () => {
      const seldom = Array.from({ length: 60 }, () => [999, 1] as const);
      expect(unmeasuredIn('canary', seldom)).toStrictEqual([]);
    });

    test('and nothing is remembered while there are none', () => {
      expect(take([canary, baseline]).bases).toMatchObject({ absurdLately: noAbsurdLately });
    });
  });

  test('are nothing where nothing is judged by how long it took', () => {
    const judgedAs = [{ metric: 0, fails: null }];
    const taken = take([canary, baseline, withDurations(mixed(0, 12), { series: 'c', judgedAs })]);
    expect(known(taken)).toMatchObject({ latency: [true, true] });
    expect(taken.isUnmeasured).toBe(false);
    expect(excluded(taken)).toStrictEqual({});
  });

  test('of a server whose buckets they widened are told once', () => {
    const taken = take([
      canary,
      baseline,
      withDurations(exponential(1, 90, [12]), { series: 'c' }),
    ]);
    expect(known(taken)).toMatchObject({ latency: [false, true] });
    expect(excluded(taken)).toStrictEqual({ 'durations-implausible': 1 });
  });

  test('of a counter are of the window in which they came', () => {
    const series = 'c'.repeat(64);
    const at = (window: number, usual: number): PendingPoint =>
      withDurations(mixed(usual, 500), {
        ...{ temporality: 'cumulative', startMs: openedAtMs, series },
        timeMs: openedAtMs + window * windowMs + 1_000,
      });
    const next = { startMs: openedAtMs + windowMs, timeMs: openedAtMs + windowMs + 1_000 };
    const first = take([at(0, 10), baseline]);
    expect(first.isUnmeasured).toBe(true);
    const second = take([at(1, 30), { ...baseline, ...next }], first.bases);
    expect(known(second)).toMatchObject({ latency: [true, true] });
    expect(second.isUnmeasured).toBe(false);
    expect(excluded(second)).toStrictEqual({});
  });
});
