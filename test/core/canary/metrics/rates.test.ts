import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logRollbackIn } from '../../../../services/core/canary/judge/metric-judge.ts';

import {
  addLineIncrements,
  predictedRate,
} from '../../../../services/core/canary/metrics/rate-test.ts';
import { ratesDeadline, ratesJudge } from '../../../../services/core/canary/metrics/rates.ts';
import type { RatesRule, RatesState } from '../../../../services/core/canary/metrics/rates.ts';
import type { RateCounts } from '../../../../services/core/canary/statistics/rate-counts.ts';
import { stream } from '../../../support/canary/arbitraries.ts';
import { errorsMetric } from '../../../support/canary/family.ts';
import { judgeEach } from '../../../support/canary/metric-windows.ts';
import { repeat } from '../../../support/canary/streams.ts';
import type { Counts } from '../../../support/canary/streams.ts';

const { rule } = errorsMetric;

const shownOf = ([canary, errors, baseline, baselineErrors]: Counts): {
  readonly canary: RateCounts | null;
  readonly baseline: RateCounts | null;
} => ({
  canary: canary === 0 ? null : { total: canary, events: errors },
  baseline: baseline === 0 ? null : { total: baseline, events: baselineErrors },
});

const after = (windows: readonly Counts[], of: RatesRule = rule): RatesState =>
  judgeEach(ratesJudge, of, windows.map(shownOf));

describe('a dispersion', () => {
  test('makes the same windows say less, and the interval wider', () => {
    const windows = repeat(60, [250, 6, 250, 1]);
    const calm = after(windows);
    const wild: RatesRule = { ...rule, phi: 7 };
    const scattered = after(windows, wild);
    expect(logRollbackIn(scattered)).toBeLessThan(logRollbackIn(calm));
    expect(ratesJudge.explain(wild, scattered).interval.low).toBeLessThan(
      ratesJudge.explain(rule, calm).interval.low ?? 0,
    );
  });
});

describe('the deadline', () => {
  test('finds twice the errors at five requests a second, and lets the same rate pass', () => {
    const strict: RatesRule = { ...rule, tolerance: { relative: 1, absolute: 0 } };
    const twice = repeat(90, [25, 1, 25, 0] as Counts).flatMap((counts, index): Counts[] => [
      counts,
      [25, 0, 25, index % 2],
      [25, 0, 25, 0],
    ]);
    expect(ratesDeadline(strict, after(twice, strict), 0.0025).isWorse).toBe(true);
    const even = repeat(180, [25, 1, 25, 1] as Counts);
    expect(ratesDeadline(strict, after(even, strict), 0.0025).isWorse).toBe(false);
  });
});

describe('after a burst', () => {
  // One alternative, which has all of the stake: what a window adds is what its log-increment is.
  const one: RatesRule = {
    ...rule,
    tolerance: { relative: 1, absolute: 0 },
    grids: { rollback: [9], promote: [] },
    restarts: { count: 0, weightEach: 0 },
    prior: { rate: 0.005, total: 1e9 },
  };
  const quiet: Counts = [25, 0, 25, 0];
  const oneError: Counts = [25, 1, 25, 0];
  const warmUp = repeat(12, quiet);
  /** What an error of the canary's adds after so many windows. */
  const gainAfter = (windows: readonly Counts[]): number =>
    logRollbackIn(after([...warmUp, ...windows, oneError], one)) -
    logRollbackIn(after([...warmUp, ...windows], one));
  const blockOf = (...errors: readonly number[]): readonly Counts[] =>
    errors.map((count): Counts => [25, count, 25, 0]);
  const usual = gainAfter([]);

  test.each([
    ['six errors in a block of 15 s', blockOf(3, 2, 1), 1.25],
    ['and still after seven quiet blocks', [...blockOf(3, 2, 1), ...repeat(21, quiet)], 1.25],
    ['but not after eight', [...blockOf(3, 2, 1), ...repeat(24, quiet)], 1],
    [
      'begins anew with the next one',
      [...blockOf(6, 0, 0), ...repeat(18, quiet), ...blockOf(9, 9, 9), ...repeat(21, quiet)],
      1.25,
    ],
    ['five are none', blockOf(3, 2, 0), 1],
    ['nor are six beside six of the baseline', repeat(3, [25, 2, 25, 2] as Counts), 1],
    [
      'nor beside two, which is less than the cap',
      [...blockOf(2), [25, 2, 25, 1], [25, 2, 25, 1]],
      1,
    ],
    ['nor six in two blocks', [...blockOf(0, 1, 2), ...blockOf(2, 1, 0)], 1],
  ] as const)('an error says less: %s', (_, windows, divisor) => {
    expect(gainAfter(windows)).toBeCloseTo(usual / divisor, 5);
  });

  test('a promotion is reckoned as ever', () => {
    const promoting: RatesRule = { ...one, grids: { rollback: [9], promote: [0.2] } };
    const good = repeat(60, quiet);
    const gainedAfter = (windows: readonly Counts[]): number =>
      ratesJudge.logPromote(promoting, after([...warmUp, ...windows, ...good], promoting)) -
      ratesJudge.logPromote(promoting, after([...warmUp, ...windows], promoting));
    expect(gainedAfter([])).toBeGreaterThan(0);
    expect(gainedAfter(blockOf(3, 2, 1))).toBeCloseTo(gainedAfter([]), 3);
  });
});

test('what a block is held against for a promotion was seen before it', () => {
  const one: RatesRule = { ...rule, blockCapNats: 1_000, grids: { rollback: [9], promote: [0.2] } };
  const warmUp = repeat(12, [50, 1, 50, 1] as Counts);
  const growth = [0];
  const rate = predictedRate({ total: 600, events: 12 }, one.prior);
  const pair = { canary: { total: 75, events: 0 }, baseline: { total: 75, events: 6 } };
  addLineIncrements(growth, 0, one.promoteTolerance, [0.2], rate, pair, 1);
  const asked = ratesJudge.logPromote(one, after([...warmUp, ...repeat(3, [25, 0, 25, 2])], one));
  expect(asked).toBeCloseTo(growth[0] ?? Number.NaN, 5);
});

describe('a share of the traffic that changes inside a block', () => {
  // One alternative and no cap: what a block says is the sum of what its windows say.
  const one: RatesRule = {
    ...rule,
    blockCapNats: 1_000,
    grids: { rollback: [9], promote: [0.5] },
    prior: { rate: 0.005, total: 1e9 },
  };
  const warmUp = repeat(12, [50, 1, 950, 5] as Counts);
  const asked = (of: RatesRule, ...windows: readonly Counts[]): number =>
    ratesJudge.logPromote(of, after([...warmUp, ...windows], of));
  const burst: Counts = [5_000, 500, 5_000, 500];

  test('begins a new pair: no window is held against the traffic of another', () => {
    const windows: readonly Counts[] = [[500, 3, 9_500, 50], burst, [300, 2, 9_700, 40]];
    const alone = windows.map((window) => asked(one, window));
    const sum = alone.reduce((left, right) => left + right);
    for (const length of [1, 2, 3])
      expect(asked(one, ...windows.slice(0, length))).toBeCloseTo(
        alone.slice(0, length).reduce((left, right) => left + right),
        4,
      );
    // And once the block has ended.
    expect(asked(one, ...windows, [0, 0, 0, 0])).toBeCloseTo(sum, 4);
  });

  test('where a bad moment of both begins with it, costs a good canary next to nothing', () => {
    const before = repeat(6, [500, 2, 9_500, 47] as Counts);
    const calm = asked(rule, ...before);
    expect(asked(rule, ...before, [500, 2, 9_500, 47], burst, burst)).toBeGreaterThan(calm - 1);
  });

  test('in every window, as of servers that export every three seconds, is no hindrance', () => {
    const turns = repeat(30, [1_000, 4, 18_000, 90] as Counts).flatMap((few): Counts[] => [
      few,
      [2_000, 10, 9_000, 45],
      [2_000, 10, 18_000, 90],
    ]);
    const even = repeat(90, [1_667, 8, 15_000, 75] as Counts);
    expect(asked(rule, ...turns)).toBeGreaterThan(40);
    expect(asked(rule, ...turns)).toBeCloseTo(asked(rule, ...even), -1);
  });

  test('goes on from the stored state', () => {
    const windows = repeat(10, burst).flatMap((both): Counts[] => [[500, 3, 9_500, 50], both]);
    for (const cut of [13, 14, 15, 16]) {
      const all = [...warmUp, ...windows];
      const stored = JSON.stringify(after(all.slice(0, cut)));
      const resumed = judgeEach(ratesJudge, rule, all.slice(cut).map(shownOf), {
        state: JSON.parse(stored) as RatesState,
        index: cut,
      });
      expect(resumed).toEqual(after(all));
    }
  });
});

test('what a promotion lost it can win back, however much that was', () => {
  const bad = repeat(18, [5_000, 250, 5_000, 25] as Counts);
  const good = repeat(90, [5_000, 20, 5_000, 25] as Counts);
  const lost = ratesJudge.logPromote(
    rule,
    after([...repeat(12, [5_000, 25, 5_000, 25] as Counts), ...bad]),
  );
  expect(lost).toBeLessThan(-320);
  const all = after([...repeat(12, [5_000, 25, 5_000, 25] as Counts), ...bad, ...good]);
  expect(ratesJudge.logPromote(rule, all)).toBeCloseTo(lost + 30 * 1.5, 0);
});

test('how a block is cut into windows is nothing to a promotion, while traffic is split alike', () => {
  const cohort = fc
    .tuple(fc.integer({ min: 80, max: 100 }), fc.nat(10))
    .map(([total, events]) => [total, Math.min(total, events)] as const);
  const window = fc
    .tuple(cohort, cohort)
    .map(([canary, baseline]): Counts => [...canary, ...baseline]);
  const block = fc.array(window, { minLength: 3, maxLength: 3 });
  const none: Counts = [0, 0, 0, 0];
  const together = (windows: readonly Counts[]): Counts =>
    windows.reduce(([a, b, c, d], [e, f, g, h]) => [a + e, b + f, c + g, d + h]);
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 12 }), (blocks) => {
      const askedAfter = (windows: readonly Counts[]): number =>
        ratesJudge.logPromote(rule, after([...repeat(12, [100, 1, 100, 1] as Counts), ...windows]));
      const whole = blocks.flatMap((windows) => [none, together(windows), none]);
      expect(askedAfter(blocks.flat())).toBeCloseTo(askedAfter(whole), 9);
    }),
  );
});

test('going on from the stored state changes nothing, and the state stays small', () => {
  fc.assert(
    fc.property(stream, fc.nat(60), (windows, at) => {
      const cut = Math.min(at, windows.length);
      const stored = JSON.stringify(after(windows.slice(0, cut)));
      expect(stored.length).toBeLessThan(3_500);
      const resumed = judgeEach(ratesJudge, rule, windows.slice(cut).map(shownOf), {
        state: JSON.parse(stored) as RatesState,
        index: cut,
      });
      expect(resumed).toEqual(after(windows));
    }),
    { numRuns: 50 },
  );
});
