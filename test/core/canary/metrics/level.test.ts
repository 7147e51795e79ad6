import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logRollbackIn } from '../../../../services/core/canary/judge/metric-judge.ts';

import { levelJudge } from '../../../../services/core/canary/metrics/level.ts';
import type {
  Level,
  LevelRule,
  LevelState,
} from '../../../../services/core/canary/metrics/level.ts';
import { normals } from '../../../../services/dev/canary-climates/durations.ts';
import { seededRandom } from '../../../../services/dev/canary-climates/random.ts';
import { judgeEach, levelRule, warmUpWindows } from '../../../support/canary/metric-windows.ts';

type Shown = {
  readonly canary: Level | null;
  readonly baseline: Level | null;
  readonly busier?: number;
};

const known = levelRule;
const unknown: LevelRule = { ...known, variance: null };

const level = (mean: number): Level => ({ mean, series: 3 });

const windowsOf = (count: number, factor: number, seed = 1): readonly Shown[] => {
  const normal = normals(seededRandom(seed, 7));
  return Array.from({ length: count }, (_, index) => {
    const load = 0.4 * (1 + 0.3 * Math.sin(index / 20));
    return {
      canary: level(load * factor * (1 + 0.05 * normal())),
      baseline: level(load * (1 + 0.05 * normal())),
    };
  });
};

const after = (
  windows: readonly Shown[],
  rule: LevelRule = known,
  from?: { readonly state: LevelState; readonly index: number },
): LevelState => judgeEach(levelJudge, rule, windows, from);

const blame = Math.log(200 / 0.1);

describe('a canary whose servers have twice the requests', () => {
  const busy = (factor: number, rule: LevelRule): LevelState =>
    after(
      windowsOf(warmUpWindows + 300, factor).map((window) => ({ ...window, busier: 2 })),
      rule,
    );

  test.each([known, unknown])('may take up to twice as much, and is shown to be good', (rule) => {
    const state = busy(1.9, rule);
    expect(logRollbackIn(state)).toBeLessThan(0);
    expect(levelJudge.logPromote(rule, state)).toBeGreaterThan(Math.log(20));
    const told = levelJudge.explain(rule, state);
    expect(told).toMatchObject({
      busier: expect.closeTo(2, 5),
      toleratedRatio: expect.closeTo(2.2, 5),
    });
    expect(told.ratio).toBeCloseTo(1.9, 1);
  });

  test.each([known, unknown])('is found where each request takes half as much again', (rule) => {
    expect(logRollbackIn(busy(3, rule))).toBeGreaterThan(blame);
  });
});

test('of a canary whose servers have fewer requests the level is what it is, and how many fewer is told', () => {
  const plain = windowsOf(warmUpWindows + 60, 0.8);
  const quiet = after(plain.map((window) => ({ ...window, busier: 0.25 })));
  expect(logRollbackIn(quiet)).toBe(logRollbackIn(after(plain)));
  expect(levelJudge.explain(known, quiet)).toMatchObject({
    busier: expect.closeTo(0.25, 5),
    toleratedRatio: 1.1,
  });
  expect(levelJudge.explain(known, after(plain))).not.toHaveProperty('busier');
});

describe('with history', () => {
  test('a canary that takes a quarter more is found, and one like its baseline is shown to be good', () => {
    const worse = after(windowsOf(warmUpWindows + 60, 1.25));
    expect(logRollbackIn(worse)).toBeGreaterThan(blame);
    const same = after(windowsOf(warmUpWindows + 60, 1));
    expect(logRollbackIn(same)).toBeLessThan(0);
    expect(levelJudge.logPromote(known, same)).toBeGreaterThan(Math.log(20));
  });

  test('where less is worse, a canary that has a quarter less is found', () => {
    const rule: LevelRule = { ...known, worse: 'lower' };
    expect(logRollbackIn(after(windowsOf(warmUpWindows + 60, 0.75), rule))).toBeGreaterThan(blame);
    expect(logRollbackIn(after(windowsOf(warmUpWindows + 60, 1.25), rule))).toBeLessThan(0);
    expect(levelJudge.explain(rule, after([], rule)).toleratedRatio).toBeCloseTo(0.9, 12);
  });

  test('load that both cohorts feel is no difference', () => {
    const doubled = windowsOf(120, 1).map(({ canary, baseline }, index) =>
      index < 60
        ? { canary, baseline }
        : { canary: level(2 * (canary?.mean ?? 0)), baseline: level(2 * (baseline?.mean ?? 0)) },
    );
    expect(logRollbackIn(after(doubled))).toBeLessThan(0);
  });

  test('one wild reading is worth one block', () => {
    const usual = windowsOf(warmUpWindows + 60, 1);
    const high = after([...usual, { canary: level(1e6), baseline: level(0.4) }]);
    expect(logRollbackIn(high)).toBeLessThanOrEqual(logRollbackIn(after(usual)) + 1.6);
  });

  test('one lost reading does not hide a canary that takes a quarter more', () => {
    const quiet: LevelRule = { ...known, variance: 0.0005 };
    const worse = { canary: level(0.5), baseline: level(0.4) };
    const lost = { canary: level(0), baseline: level(0.4) };
    const many = (count: number): readonly Shown[] => Array.from({ length: count }, () => worse);
    const state = after([...many(warmUpWindows + 16), lost, ...many(24)], quiet);
    expect(logRollbackIn(state)).toBeGreaterThan(blame);
  });
});

describe('a level that is 0 most of the time', () => {
  const rule: LevelRule = { ...known, variance: 40 };
  const peaks = (seed: number): readonly Shown[] => {
    const random = seededRandom(seed, 7);
    const peak = (): Level => level(random() < 0.05 ? 1 : 0);
    return Array.from({ length: 360 }, () => ({ canary: peak(), baseline: peak() }));
  };

  test.each([rule, unknown])('and peaks in both cohorts alike is no difference', (judgedBy) => {
    for (let seed = 1; seed <= 20; seed += 1)
      expect(logRollbackIn(after(peaks(seed), judgedBy))).toBeLessThan(blame);
  });

  test('and was all but 0 until now leaves a state that JSON can hold', () => {
    const least = level(Number.MIN_VALUE);
    const windows = [
      ...Array.from({ length: warmUpWindows + 70 }, () => ({ canary: least, baseline: least })),
      ...windowsOf(70, 1.5),
      ...Array.from({ length: 70 }, () => ({ canary: level(1), baseline: least })),
    ];
    for (const judgedBy of [known, unknown])
      for (let count = 1; count < windows.length; count += 1) {
        const state = after(windows.slice(0, count), judgedBy);
        expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
      }
  });

  test('in the baseline has no ratio to it', () => {
    const windows = Array.from({ length: warmUpWindows + 3 }, () => ({
      canary: level(1e18),
      baseline: level(Number.MIN_VALUE),
    }));
    expect(levelJudge.explain(known, after(windows))).toMatchObject({ ratio: null });
  });
});

describe('without history', () => {
  test('evidence comes once a minute, and not before five minutes of batches were seen', () => {
    const windows = windowsOf(warmUpWindows + 12 * 5, 2);
    expect(logRollbackIn(after(windows, unknown))).toBeCloseTo(0, 5);
    const early = after(windows, unknown);
    const more = after(windowsOf(11, 2), unknown, { state: early, index: windows.length });
    expect(logRollbackIn(more)).toBeCloseTo(0, 5);
  });

  test('a canary that takes a quarter more is found after eleven minutes at least', () => {
    const soonest = warmUpWindows + 12 * 10;
    expect(logRollbackIn(after(windowsOf(soonest, 1.25), unknown))).toBeLessThan(blame);
    expect(logRollbackIn(after(windowsOf(warmUpWindows + 12 * 20, 1.25), unknown))).toBeGreaterThan(
      blame,
    );
  });

  test('one like its baseline is shown to be good within the half hour', () => {
    const state = after(windowsOf(360, 1), unknown);
    expect(levelJudge.logPromote(unknown, state)).toBeGreaterThan(Math.log(20));
    expect(logRollbackIn(state)).toBeLessThan(0);
    expect(levelJudge.explain(unknown, state)).toMatchObject({ noise: 'batches' });
  });
});

describe('never evidence is', () => {
  const usual = windowsOf(warmUpWindows + 30, 1.2);
  const before = after(usual);
  const promote = levelJudge.logPromote(known, before);
  const next = { state: before, index: usual.length };

  test.each([Number.NaN, Infinity, -Infinity, -1, 1e300])('a level of %d', (mean) => {
    for (const window of [
      { canary: level(mean), baseline: level(0.4) },
      { canary: level(0.4), baseline: level(mean) },
    ]) {
      const state = after([window], known, next);
      expect(logRollbackIn(state)).toBeCloseTo(logRollbackIn(before), 9);
      expect(levelJudge.logPromote(known, state)).toBeCloseTo(promote, 9);
      expect(state.unusableWindows).toBe(1);
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    }
  });

  test('a window without one cohort, or a level of no series', () => {
    for (const window of [
      { canary: null, baseline: level(9) },
      { canary: level(9), baseline: null },
      { canary: { mean: 9, series: 0 }, baseline: level(0.4) },
    ]) {
      const state = after([window], known, next);
      expect(logRollbackIn(state)).toBeCloseTo(logRollbackIn(before), 9);
      expect(levelJudge.logPromote(known, state)).toBeCloseTo(promote, 9);
    }
  });

  test('a baseline of nothing: there is no share of it', () => {
    const idle = Array.from({ length: 60 }, () => ({ canary: level(1), baseline: level(0) }));
    const state = after(idle);
    expect(logRollbackIn(state)).toBeCloseTo(0, 5);
    expect(levelJudge.explain(known, state)).toMatchObject({
      ratio: null,
      interval: { high: null },
    });
  });
});

const shown = fc.record({
  canary: fc.double({ min: 0, max: 1e12, noNaN: true }),
  baseline: fc.double({ min: 0, max: 1e12, noNaN: true }),
});
const stream = fc
  .array(shown, { maxLength: 60 })
  .map((list) =>
    list.map(({ canary, baseline }) => ({ canary: level(canary), baseline: level(baseline) })),
  );

describe('whatever comes', () => {
  test('every number stays a number, in the state and in what is told of it', () => {
    fc.assert(
      fc.property(stream, fc.constantFrom(known, unknown), (windows, rule) => {
        const state = after(windows, rule);
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
        const told = levelJudge.explain(rule, state);
        expect(JSON.parse(JSON.stringify(told))).toEqual(told);
        expect(JSON.stringify(state).length).toBeLessThan(2_000);
      }),
    );
  });

  test('swapping the cohorts inverts ratio and interval', () => {
    const swapped = (windows: readonly Shown[]): readonly Shown[] =>
      windows.map(({ canary, baseline }) => ({ canary: baseline, baseline: canary }));
    fc.assert(
      fc.property(fc.nat(1_000), fc.constantFrom(0.5, 1, 1.3), (seed, factor) => {
        const windows = windowsOf(120, factor, seed);
        const one = levelJudge.explain(known, after(windows));
        const other = levelJudge.explain(known, after(swapped(windows)));
        expect((one.ratio ?? 0) * (other.ratio ?? 0)).toBeCloseTo(1, 9);
        expect((one.interval.low ?? 0) * (other.interval.high ?? 0)).toBeCloseTo(1, 9);
        expect((one.interval.high ?? 0) * (other.interval.low ?? 0)).toBeCloseTo(1, 9);
        expect(one.interval.low).toBeLessThan(factor);
        expect(one.interval.high).toBeGreaterThan(factor);
      }),
      { numRuns: 30 },
    );
  });

  test('stopping and going on from the stored state changes nothing', () => {
    fc.assert(
      fc.property(stream, fc.nat(60), fc.constantFrom(known, unknown), (windows, at, rule) => {
        const cut = Math.min(at, windows.length);
        const stored = JSON.parse(JSON.stringify(after(windows.slice(0, cut), rule))) as LevelState;
        expect(after(windows.slice(cut), rule, { state: stored, index: cut })).toEqual(
          after(windows, rule),
        );
      }),
    );
  });
});

test('an alternative is not expected to grow while the canary is just within the margin', () => {
  // Normal differences with the variance that the rule knows: the mean of the growth over them.
  const warm: readonly Shown[] = Array.from({ length: warmUpWindows + 2 }, () => ({
    canary: level(1.1),
    baseline: level(1),
  }));
  const before = after(warm);
  const deviation = Math.sqrt(0.005);
  let [sum, weight] = [0, 0];
  for (let z = -6; z <= 6; z += 0.02) {
    const density = Math.exp((-z * z) / 2);
    const window = { canary: level(1.1 + deviation * z), baseline: level(1) };
    const state = after([window], known, { state: before, index: warm.length });
    sum += density * Math.exp(logRollbackIn(state) - logRollbackIn(before));
    weight += density;
  }
  expect(sum / weight).toBeLessThanOrEqual(1 + 1e-6);
  expect(sum / weight).toBeGreaterThan(0.9);
});
