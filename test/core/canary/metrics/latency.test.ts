import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logRollbackIn } from '../../../../services/core/canary/judge/metric-judge.ts';
import { initialOne } from '../../../../services/dev/canary-climates/one-metric.ts';

import type { Durations } from '../../../../services/core/canary/windows/durations.ts';
import {
  boundariesIn,
  latencyDeadline,
  latencyJudge,
} from '../../../../services/core/canary/metrics/latency.ts';
import type {
  LatencyRule,
  LatencyState,
} from '../../../../services/core/canary/metrics/latency.ts';
import {
  durationWindows,
  judgeEach,
  latencyRule,
  warmUpWindows,
} from '../../../support/canary/metric-windows.ts';
import type { ShownDurations } from '../../../support/canary/metric-windows.ts';

const rule = latencyRule;
const strict: LatencyRule = { ...rule, margin: 0, tolerance: { relative: 1, absolute: 0 } };

const after = (
  windows: readonly ShownDurations[],
  of: LatencyRule = rule,
  from?: { readonly state: LatencyState; readonly index: number },
): LatencyState => judgeEach(latencyJudge, of, windows, from);

const needed = Math.log(200 / 0.35);
describe('the mean of logarithms', () => {
  const told = (slower: number, seed = 1) =>
    latencyJudge.explain(rule, after(durationWindows(warmUpWindows + 60, { slower, seed })))
      .meanLog;

  test.each([1, 1.1, 1.25, 0.8])('tells how much slower the canary is: %f times', (slower) => {
    const meanLog = told(slower);
    expect(meanLog?.ratio).toBeGreaterThan(slower * 0.97);
    expect(meanLog?.ratio).toBeLessThan(slower * 1.03);
    expect((meanLog?.canarySeconds ?? 0) / (meanLog?.baselineSeconds ?? 1)).toBeCloseTo(
      meanLog?.ratio ?? 0,
      9,
    );
    // Log-normal durations about 120 ms.
    expect(meanLog?.baselineSeconds).toBeCloseTo(0.12, 2);
  });

  test('has an interval that holds it, and is narrow', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { low, high } = told(1.1, seed)?.interval ?? { low: null, high: null };
      expect(low).toBeLessThan(1.1);
      expect(high).toBeGreaterThan(1.1);
      expect((high ?? 0) / (low ?? 1)).toBeLessThan(1.1);
    }
  });
});

describe('a canary', () => {
  test('that is a quarter slower is found within two minutes of its warm-up', () => {
    const state = after(durationWindows(warmUpWindows + 24, { slower: 1.25 }));
    expect(logRollbackIn(state)).toBeGreaterThan(needed);
    expect(latencyJudge.logPromote(rule, state)).toBeLessThan(0);
  });

  test('that is a quarter slower is found between explicit bounds too', () => {
    const state = after(durationWindows(warmUpWindows + 30, { slower: 1.25, explicit: true }));
    const told = latencyJudge.explain(rule, state);
    expect(told.tails.map(({ quantile }) => quantile)).toEqual([0.5, 0.75, 0.9, 0.99]);
    expect(told.meanLogEvidence).toBeNull();
    expect(logRollbackIn(state)).toBeGreaterThan(needed);
  });

  test.each([{ explicit: false }, { explicit: true }])(
    'that is the same program is shown to be good enough, and nothing is held against it: %o',
    (shape) => {
      const state = after(durationWindows(warmUpWindows + 140, shape));
      expect(latencyJudge.logPromote(rule, state)).toBeGreaterThan(Math.log(20));
      expect(logRollbackIn(state)).toBeLessThan(0);
    },
  );

  test('that is a tenth slower is beyond the margin, and found, though within that of a promotion', () => {
    const state = after(durationWindows(warmUpWindows + 120, { slower: 1.1 }));
    expect(logRollbackIn(state)).toBeGreaterThan(needed);
    // By its tails too, not by the mean alone.
    const [middle] = latencyJudge.explain(rule, state).tails;
    expect(middle?.rollbackEvidence).toBeGreaterThan(50);
  });

  test('that is slower within the margin is not held to be slower', () => {
    const state = after(durationWindows(warmUpWindows + 100, { slower: 1.03 }));
    expect(logRollbackIn(state)).toBeLessThan(Math.log(5));
  });

  test('that is slow only in the warm-up is not held to be slower', () => {
    const cold = durationWindows(warmUpWindows, { slower: 3 });
    const state = after([...cold, ...durationWindows(60, { seed: 2 })]);
    expect(logRollbackIn(state)).toBeLessThan(0);
  });
});

describe('an explanation', () => {
  test('names the boundary, how many were slower in both cohorts, and what is tolerated', () => {
    const state = after(durationWindows(warmUpWindows + 60, { slower: 1.25 }));
    const told = latencyJudge.explain(rule, state);
    const loudest = told.tails[told.loudest ?? -1];
    if (loudest === undefined) throw new Error('nothing was compared');
    expect(told.tails.map(({ quantile }) => quantile)).toEqual([0.5, 0.9, 0.99]);
    expect(told.margin).toBeCloseTo(0.0443, 4);
    expect(told.promoteMargin).toBeCloseTo(0.1388, 4);
    expect(told.tails[0]?.boundaryMs).toBeGreaterThan(110);
    expect(told.tails[0]?.boundaryMs).toBeLessThan(130);
    expect(loudest.canary.total).toBe(60 * 250);
    expect(loudest.canary.events / loudest.canary.total).toBeGreaterThan(loudest.toleratedShare);
    expect(loudest.baseline.events / loudest.baseline.total).toBeLessThan(loudest.toleratedShare);
    expect(loudest.ratio).toBeGreaterThan(loudest.interval.low ?? Infinity);
    expect(loudest.ratio).toBeLessThan(loudest.interval.high ?? 0);
    expect(told.rollbackEvidence).toBeGreaterThan(571);
    expect(told.strongestWindows).toHaveLength(3);
  });

  test('of nothing is a value', () => {
    const told = latencyJudge.explain(rule, initialOne(latencyJudge, rule));
    expect(told).toMatchObject({ tails: [], loudest: null, rollbackEvidence: 1, problem: null });
  });
});

describe('buckets that cannot be compared', () => {
  const exponential = durationWindows(40, { slower: 2 });
  const explicit = durationWindows(40, { slower: 2, explicit: true });
  const mixed = exponential.map(({ baseline }, index) => ({
    canary: explicit[index]?.canary ?? null,
    baseline,
  }));

  test('of two shapes from the start are no evidence, and the state says why', () => {
    const state = after(mixed);
    expect(logRollbackIn(state)).toBe(0);
    expect(state.problem).toBe('shapes-differ');
    expect(latencyJudge.logPromote(rule, state)).toBe(0);
    expect(boundariesIn(state)).toEqual([]);
  });

  test('of two shapes later on stop the evidence where it was', () => {
    const good = durationWindows(warmUpWindows + 30, { slower: 1 });
    const before = after(good);
    const state = after(mixed, rule, { state: before, index: good.length });
    expect(logRollbackIn(state)).toBeCloseTo(logRollbackIn(before), 5);
    expect(latencyJudge.logPromote(rule, state)).toBeCloseTo(
      latencyJudge.logPromote(rule, before),
      5,
    );
    expect(state.unusableWindows).toBe(40);
    expect(state.problem).toBe('shapes-differ');
  });

  test('that become coarser move the boundaries, and the next window speaks again', () => {
    const fine = durationWindows(warmUpWindows + 6, { slower: 1.25 });
    const coarse = durationWindows(40, { slower: 1.25, scale: 3, seed: 5 });
    const before = after(fine);
    const state = after(coarse, rule, { state: before, index: fine.length });
    expect(state.unusableWindows).toBeLessThanOrEqual(1);
    expect(boundariesIn(state)).toMatchObject([{ scale: 3 }, { scale: 3 }, { scale: 3 }]);
    expect(latencyJudge.explain(rule, state).margin).toBeCloseTo(0.0905, 4);
    expect(logRollbackIn(state)).toBeGreaterThan(needed);
  });
});

describe('the boundaries', () => {
  test('are not chosen from a handful of requests', () => {
    const few = durationWindows(warmUpWindows + 5, { canary: 2, baseline: 2 });
    expect(boundariesIn(after(few))).toEqual([]);
    const more = after([...few, ...durationWindows(20, { baseline: 2, canary: 2 })]);
    expect(boundariesIn(more)).toHaveLength(3);
  });

  test('come from what was seen before the window that is judged by them', () => {
    const warm = durationWindows(warmUpWindows);
    const [usual] = durationWindows(1, { seed: 3 });
    const [strange] = durationWindows(1, { seed: 3, slower: 9 });
    const boundariesAfter = (window: ShownDurations | undefined): unknown =>
      window && boundariesIn(after([...warm, window]));
    expect(boundariesAfter(strange)).toEqual(boundariesAfter(usual));
  });
});

const shown = fc.record({
  canary: fc.integer({ min: 0, max: 60 }),
  baseline: fc.integer({ min: 0, max: 60 }),
  seed: fc.nat(1_000),
  slower: fc.constantFrom(0.7, 1, 1.3),
});
const stream = fc
  .array(shown, { minLength: 1, maxLength: 30 })
  .map((list) => list.flatMap((one) => durationWindows(1, one)));
const warm = durationWindows(warmUpWindows, { canary: 60, baseline: 60 });

describe('whatever comes', () => {
  test('a window without one cohort changes no evidence', () => {
    fc.assert(
      fc.property(stream, fc.boolean(), fc.nat(60), (windows, isCanary, count) => {
        const [one] = durationWindows(1, { seed: 9, canary: count, baseline: count });
        const alone: ShownDurations = {
          canary: isCanary ? (one?.canary ?? null) : null,
          baseline: isCanary ? null : (one?.baseline ?? null),
        };
        const before = after([...warm, ...windows]);
        const state = after([alone], rule, {
          state: before,
          index: warm.length + windows.length,
        });
        // The cap settles at the end of a block: the sum is the same but for rounding.
        expect(logRollbackIn(state)).toBeCloseTo(logRollbackIn(before), 5);
        expect(latencyJudge.logPromote(rule, state)).toBeCloseTo(
          latencyJudge.logPromote(rule, before),
          5,
        );
      }),
      { numRuns: 40 },
    );
  });

  test('swapping the cohorts inverts every ratio and interval', () => {
    const swapped = (windows: readonly ShownDurations[]): readonly ShownDurations[] =>
      windows.map(({ canary, baseline }) => ({ canary: baseline, baseline: canary }));
    // The same in both cohorts, so that the boundaries are the same.
    const even = warm.map(({ baseline }) => ({ canary: baseline, baseline }));
    fc.assert(
      fc.property(stream, (windows) => {
        const one = latencyJudge.explain(strict, after([...even, ...windows], strict));
        const other = latencyJudge.explain(strict, after([...even, ...swapped(windows)], strict));
        for (const [index, tail] of one.tails.entries()) {
          const mirrored = other.tails[index];
          expect(mirrored?.canary).toEqual(tail.baseline);
          expect(mirrored?.baseline).toEqual(tail.canary);
          const ends = [
            [mirrored?.interval.low, tail.interval.high],
            [mirrored?.interval.high, tail.interval.low],
          ];
          for (const [end, opposite] of ends)
            expect((end ?? 0) * (opposite ?? 0)).toBeCloseTo(
              end === null && opposite === null ? 0 : 1,
              8,
            );
        }
      }),
      { numRuns: 40 },
    );
  });

  test('stopping and going on from the stored state changes nothing', () => {
    fc.assert(
      fc.property(stream, fc.nat(42), (windows, at) => {
        const all = [...warm, ...windows];
        const cut = Math.min(at, all.length);
        const stored = JSON.stringify(after(all.slice(0, cut)));
        const resumed = after(all.slice(cut), rule, {
          state: JSON.parse(stored) as LatencyState,
          index: cut,
        });
        expect(resumed).toEqual(after(all));
      }),
      { numRuns: 30 },
    );
  });

  test('the state stays below 8 KB of text, and every number a number', () => {
    const state = after(durationWindows(380, { slower: 1.1, canary: 40, baseline: 40 }));
    const text = JSON.stringify(state);
    expect(text.length).toBeLessThan(8_000);
    expect(JSON.parse(text)).toEqual(state);
  });

  test('absurd durations leave the evidence capped and finite', () => {
    const absurd = (count: number): Durations => ({
      shape: 'exponential',
      scale: 4,
      zeroCount: count,
      offset: 2 ** 20,
      counts: [count],
    });
    const state = after([...warm, { canary: absurd(1e9), baseline: absurd(1) }], rule);
    expect(Number.isFinite(logRollbackIn(state))).toBe(true);
    expect(logRollbackIn(state)).toBeLessThanOrEqual(1.5);
    const told = latencyJudge.explain(rule, state);
    expect(JSON.parse(JSON.stringify(told))).toEqual(told);
  });
});

describe('the deadline', () => {
  test('finds what no window showed: a twentieth slower at five requests a second', () => {
    const windows = durationWindows(360, { canary: 25, baseline: 25, slower: 1.12 });
    const tests = latencyDeadline(strict, after(windows, strict), 0.002);
    expect(tests.map(({ quantile }) => quantile)).toEqual([0.5, 0.9, 0.99]);
    expect(tests.some(({ isWorse }) => isWorse)).toBe(true);
    const same = latencyDeadline(
      strict,
      after(durationWindows(360, { canary: 25, baseline: 25 }), strict),
      0.002,
    );
    expect(same.some(({ isWorse }) => isWorse)).toBe(false);
    expect(latencyDeadline(rule, initialOne(latencyJudge, rule), 0.002)).toEqual([]);
  });
});

describe('traffic that is split otherwise from window to window', () => {
  const warmUp = durationWindows(warmUpWindows, { seed: 3 });
  const few = durationWindows(60, { seed: 4, canary: 100, baseline: 900 });
  const many = durationWindows(60, { seed: 5, canary: 900, baseline: 900 });
  const turns = few.flatMap((window, index) => [window, many[index] ?? window]);
  const alike = durationWindows(120, { seed: 6, canary: 500, baseline: 900 });

  test.each([
    ['exponential', false],
    ['explicit', true],
  ])('is no hindrance to a promotion: %s buckets', (_, explicit) => {
    const drawn = (windows: number, counts: object): readonly ShownDurations[] =>
      durationWindows(windows, { explicit, ...counts });
    const begun = drawn(warmUpWindows, { seed: 3 });
    const inTurns = drawn(60, { seed: 4, canary: 100, baseline: 900 }).flatMap((window, index) => [
      window,
      drawn(60, { seed: 5, canary: 900, baseline: 900 })[index] ?? window,
    ]);
    const even = drawn(120, { seed: 6, canary: 500, baseline: 900 });
    const [ofTurns = 0, ofEven = 0] = [inTurns, even].map((windows) =>
      latencyJudge.logPromote(rule, after([...begun, ...windows])),
    );
    expect(ofTurns).toBeGreaterThan(20);
    // As many requests, none of them counted twice.
    expect(ofTurns).toBeGreaterThan(0.8 * ofEven);
    expect(ofTurns).toBeLessThan(1.25 * ofEven);
  });

  test('leaves nothing behind once its block has ended', () => {
    const split = after([...warmUp, ...turns.slice(0, 2)]);
    expect(split.split).not.toBeNull();
    expect(after([...warmUp, ...turns.slice(0, 3)]).split).toBeNull();
    expect(after([...warmUp, ...alike]).split).toBeNull();
  });

  test('goes on from the stored state', () => {
    const all = [...warmUp, ...turns.slice(0, 12)];
    for (const cut of [13, 14, 15, 16]) {
      const stored = JSON.parse(JSON.stringify(after(all.slice(0, cut)))) as LatencyState;
      expect(after(all.slice(cut), rule, { state: stored, index: cut })).toEqual(after(all));
    }
  });
});
