import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { initialJudge, judgeWindow } from '../../../services/core/canary/judge.ts';
import type { JudgeState } from '../../../services/core/canary/judge.ts';
import {
  errorIncrements,
  predictedBaselineRate,
} from '../../../services/core/canary/metrics/errors.ts';
import { standardPreset } from '../../../services/core/canary/policy.ts';
import type { JudgePolicy, Tolerance } from '../../../services/core/canary/policy.ts';
import type { WindowCounts } from '../../../services/core/canary/window.ts';
import { binomialExpectation, poissonExpectation } from '../../support/canary/exact-expectation.ts';
import type { Exposure, LogGrowth, Rates } from '../../support/canary/exact-expectation.ts';

/** Rounding alone: sums of some thousand terms. */
const AT_MOST_ONE = 1 + 1e-12;

const { grids, tolerance, promoteTolerance } = standardPreset;

const windowWith = (
  exposure: Exposure,
  canaryErrors: number,
  baselineErrors: number,
  index = 0,
): WindowCounts => ({
  index,
  startMs: index * standardPreset.windowMs,
  canary: { requests: exposure.canary, errors: canaryErrors },
  baseline: { requests: exposure.baseline, errors: baselineErrors },
});

type Increments = (
  line: Tolerance,
  multiples: readonly number[],
  baselineRate: number,
  window: WindowCounts,
) => readonly number[];

const growthOf =
  (
    increments: Increments,
    line: Tolerance,
    multiple: number,
    baselineRate: number,
    exposure: Exposure,
  ): LogGrowth =>
  (canaryErrors, baselineErrors) =>
    increments(
      line,
      [multiple],
      baselineRate,
      windowWith(exposure, canaryErrors, baselineErrors),
    )[0] ?? Number.NaN;

const lineAt = (line: Tolerance, baseline: number): number =>
  line.relative * baseline + line.absolute;

/** Points of "no worse than tolerated": on the line, and below it. */
const withinTolerance = (line: Tolerance, baseline: number): readonly Rates[] =>
  [1, 0.7, 0.1].map((share) => ({ canary: share * lineAt(line, baseline), baseline }));

/** Points of "worse than the promote tolerance": on the line, and above it. */
const beyondTolerance = (line: Tolerance, baseline: number): readonly Rates[] =>
  [1, 1.3, 3]
    .map((share) => ({ canary: share * lineAt(line, baseline), baseline }))
    .filter(({ canary }) => canary < 1);

const nulls = [
  { leadsTo: 'rollback', line: tolerance, multiples: grids.rollback, points: withinTolerance },
  { leadsTo: 'promote', line: promoteTolerance, multiples: grids.promote, points: beyondTolerance },
  {
    leadsTo: 'rollback without tolerance',
    line: { relative: 1, absolute: 0 },
    multiples: grids.rollback,
    points: withinTolerance,
  },
] as const;

const baselineRates = [0.0001, 0.005, 0.05, 0.3];
const predictedRates = [0.00002, 0.005, 0.2];

/** The highest expectation of one increment over the whole grid of rates and exposures. */
const worstBinomial = (
  { line, multiples, points }: (typeof nulls)[number],
  increments: Increments,
): number => {
  const exposures: readonly Exposure[] = [
    { canary: 1, baseline: 1 },
    { canary: 3, baseline: 25 },
    { canary: 25, baseline: 3 },
    { canary: 20, baseline: 20 },
  ];
  let worst = 0;
  for (const exposure of exposures) {
    for (const rates of baselineRates.flatMap((rate) => points(line, rate))) {
      for (const predicted of predictedRates) {
        for (const multiple of multiples) {
          const growth = growthOf(increments, line, multiple, predicted, exposure);
          worst = Math.max(worst, binomialExpectation(exposure, rates, growth));
        }
      }
    }
  }
  return worst;
};

describe.each(nulls)('an increment towards $leadsTo', (given) => {
  test('has expectation at most 1 while its null is true, for binomial errors', () => {
    expect(worstBinomial(given, errorIncrements)).toBeLessThanOrEqual(AT_MOST_ONE);
  });

  test('has expectation at most 1 while its null is true, for Poisson errors', () => {
    const exposures: readonly Exposure[] = [
      { canary: 1, baseline: 9 },
      { canary: 25, baseline: 225 },
      { canary: 250, baseline: 250 },
    ];
    for (const exposure of exposures) {
      for (const rates of [0.0001, 0.005, 0.05].flatMap((rate) => given.points(given.line, rate))) {
        for (const predicted of predictedRates) {
          for (const multiple of given.multiples) {
            const growth = growthOf(errorIncrements, given.line, multiple, predicted, exposure);
            // The increment is linear in the errors, so it bounds itself.
            const constant = growth(0, 0);
            const bound = {
              constant,
              canary: growth(1, 0) - constant,
              baseline: growth(0, 1) - constant,
            };
            const expectation = poissonExpectation(exposure, rates, growth, bound);
            expect(expectation).toBeLessThanOrEqual(AT_MOST_ONE);
          }
        }
      }
    }
  });
});

test('the expectation reaches 1 where the alternative is projected to: the bound is not idle', () => {
  const exposure = { canary: 250, baseline: 250 };
  // Without absolute tolerance the projection has a closed form.
  const baselineRate = 0.01;
  const multiple = 2.7;
  const projected = (baselineRate * (multiple + 1)) / 2;
  const growth = growthOf(
    errorIncrements,
    { relative: 1, absolute: 0 },
    multiple,
    baselineRate,
    exposure,
  );
  const constant = growth(0, 0);
  const expectation = poissonExpectation(
    exposure,
    { canary: projected, baseline: projected },
    growth,
    { constant, canary: growth(1, 0) - constant, baseline: growth(0, 1) - constant },
  );
  expect(expectation).toBeCloseTo(1, 11);
});

describe('the sum above catches an increment that', () => {
  const [rollback] = nulls;

  test('ignores the tolerance', () => {
    const faulty: Increments = (_line, multiples, rate, window) =>
      errorIncrements({ relative: 1, absolute: 0 }, multiples, rate, window);
    expect(worstBinomial(rollback, faulty)).toBeGreaterThan(1.01);
  });

  test('predicts the baseline rate from the window it judges', () => {
    const faulty: Increments = (line, multiples, rate, window) => {
      const ownRate = (rate * 10 + window.baseline.errors) / (10 + window.baseline.requests);
      return errorIncrements(line, multiples, ownRate, window);
    };
    expect(worstBinomial(rollback, faulty)).toBeGreaterThan(1.01);
  });

  test('compares with the predicted rate itself, not with the nearest point of the null', () => {
    const faulty: Increments = (line, multiples, rate, { canary }) =>
      multiples.map((multiple) => {
        const tolerated = lineAt(line, rate);
        return canary.errors * Math.log(multiple) - canary.requests * tolerated * (multiple - 1);
      });
    expect(worstBinomial(rollback, faulty)).toBeGreaterThan(1.01);
  });

  test('promotes on a wider line than that of the policy', () => {
    const [, promote] = nulls;
    const faulty: Increments = (_line, multiples, rate, window) =>
      errorIncrements({ relative: 2, absolute: 0.004 }, multiples, rate, window);
    expect(worstBinomial(promote, faulty)).toBeGreaterThan(1.01);
  });
});

describe('the whole judge, with block cap, grid and restarts', () => {
  /** Short times, so that histories of some windows reach every part of the bookkeeping. */
  const policy: JudgePolicy = {
    ...standardPreset,
    warmUpMs: 5_000,
    soakMs: 10_000,
    restarts: { everyMs: 15_000, count: 5, weightEach: 0.1 },
  };

  const history = fc.array(
    fc
      .record({
        canary: fc.integer({ min: 0, max: 300 }),
        baseline: fc.integer({ min: 0, max: 300 }),
      })
      .chain((exposure) =>
        fc.record({
          exposure: fc.constant(exposure),
          canaryErrors: fc.integer({ min: 0, max: Math.min(exposure.canary, 12) }),
          baselineErrors: fc.integer({ min: 0, max: Math.min(exposure.baseline, 12) }),
        }),
      ),
    { minLength: 1, maxLength: 24 },
  );

  const stateAfter = (windows: readonly Parameters<typeof windowWith>[]): JudgeState =>
    windows.reduce(
      (state, [exposure, canaryErrors, baselineErrors]) =>
        judgeWindow(
          policy,
          state,
          windowWith(exposure, canaryErrors, baselineErrors, state.nextIndex),
        ),
      initialJudge(policy),
    );

  const read = {
    rollback: (state: JudgeState) => state.metrics.errors.logRollback,
    promote: (state: JudgeState) => state.metrics.errors.logPromote,
  };

  const cases = [
    { towards: 'rollback', line: tolerance, points: withinTolerance },
    { towards: 'promote', line: promoteTolerance, points: beyondTolerance },
  ] as const;

  test.each(cases)(
    'is not expected to grow towards $towards while the null is true, whatever came before',
    ({ towards, line, points }) => {
      fc.assert(
        fc.property(
          history,
          fc.constantFrom(0.001, 0.02, 0.2),
          fc.constantFrom({ canary: 20, baseline: 20 }, { canary: 4, baseline: 30 }),
          (past, baselineRate, exposure) => {
            const before = stateAfter(
              past.map((window) => [window.exposure, window.canaryErrors, window.baselineErrors]),
            );
            const growth: LogGrowth = (canaryErrors, baselineErrors) => {
              const window = windowWith(exposure, canaryErrors, baselineErrors, before.nextIndex);
              return read[towards](judgeWindow(policy, before, window)) - read[towards](before);
            };
            for (const rates of points(line, baselineRate)) {
              expect(binomialExpectation(exposure, rates, growth)).toBeLessThanOrEqual(AT_MOST_ONE);
            }
          },
        ),
        { numRuns: 25 },
      );
    },
  );

  test('predicts the baseline rate from earlier windows alone', () => {
    const exposure = { canary: 50, baseline: 50 };
    const before = stateAfter([
      [exposure, 0, 1],
      [exposure, 0, 2],
    ]);
    const after = judgeWindow(policy, before, windowWith(exposure, 3, 50, 2));
    const [expected] = errorIncrements(
      policy.tolerance,
      policy.grids.rollback,
      predictedBaselineRate(policy, { requests: 100, errors: 3 }),
      windowWith(exposure, 3, 50),
    );
    const gained =
      (after.metrics.errors.rollback.settled[0] ?? 0) -
      (before.metrics.errors.rollback.settled[0] ?? 0) -
      (before.metrics.errors.rollback.open[0] ?? 0);
    expect(gained).toBeCloseTo(expected ?? Number.NaN, 12);
  });
});
