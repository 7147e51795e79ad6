import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  addLineIncrements,
  addOddsIncrements,
  oddsOf,
} from '../../../../services/core/canary/metrics/rate-test.ts';
import type { Line } from '../../../../services/core/canary/metrics/rate-test.ts';
import type { RatePair } from '../../../../services/core/canary/statistics/rate-counts.ts';
import {
  addDifference,
  addWeight,
  fillNormalGrowth,
} from '../../../../services/core/canary/metrics/normal-increments.ts';
import { addShareIncrements, partsOf } from '../../../../services/core/canary/metrics/traffic.ts';
import { binomialExpectation } from '../../../support/canary/exact-expectation.ts';
import type { Exposure, Rates } from '../../../support/canary/exact-expectation.ts';

/** Rounding alone. */
const atMostOne = 1 + 1e-11;

const lines: readonly Line[] = [
  { relative: 1, absolute: 0 },
  { relative: 1.1, absolute: 0.0005 },
  { relative: 1.25, absolute: 0.02 },
];
const rollback = [1.06, 1.5, 3, 15];
const promote = [0.94, 0.8, 0.5];
const exposures: readonly Exposure[] = [
  { canary: 1, baseline: 1 },
  { canary: 3, baseline: 25 },
  { canary: 20, baseline: 12 },
];
const baselineRates = [0.001, 0.1, 0.5, 0.8];
const predictedRates = [0.0005, 0.09, 0.6];

const pairWith = (exposure: Exposure, canary: number, baseline: number): RatePair => ({
  canary: { total: exposure.canary, events: canary },
  baseline: { total: exposure.baseline, events: baseline },
});

const onLine = ({ relative, absolute }: Line, baseline: number): number =>
  relative * baseline + absolute;

const lineIncrements = (
  line: Line,
  ratios: readonly number[],
  rate: number,
  pair: RatePair,
  phi: number,
): readonly number[] => {
  const increments = ratios.map(() => 0);
  addLineIncrements(increments, 0, line, ratios, rate, pair, phi);
  return increments;
};

const oddsIncrements = (
  line: Line,
  ratios: readonly number[],
  rate: number,
  pair: RatePair,
  phi: number,
): readonly number[] => {
  const increments = ratios.map(() => 0);
  const { canary, baseline } = pair;
  addOddsIncrements(
    increments,
    0,
    line,
    oddsOf(ratios),
    rate,
    canary.total,
    canary.events,
    baseline.total,
    baseline.events,
    phi,
  );
  return increments;
};

type Increments = (
  line: Line,
  ratio: number,
  baselineRate: number,
  pair: RatePair,
) => readonly number[];

const odds: Increments = (line, ratio, rate, pair) => oddsIncrements(line, [ratio], rate, pair, 1);

/** The highest expectation on a grid of points of the null. */
const worst = (
  increments: Increments,
  line: Line,
  ratios: readonly number[],
  shares: readonly number[],
): number => {
  let highest = 0;
  for (const exposure of exposures) {
    for (const baseline of baselineRates) {
      for (const share of shares) {
        const rates: Rates = { canary: share * onLine(line, baseline), baseline };
        if (rates.canary >= 1) continue;
        for (const predicted of predictedRates) {
          for (const ratio of ratios) {
            const expectation = binomialExpectation(
              exposure,
              rates,
              (canary, base) =>
                increments(line, ratio, predicted, pairWith(exposure, canary, base))[0] ??
                Number.NaN,
            );
            highest = Math.max(highest, expectation);
          }
        }
      }
    }
  }
  return highest;
};

const within = [1, 0.6];
const beyond = [1, 1.2];

describe.each(lines)('odds against the line $relative x + $absolute', (line) => {
  test('towards a roll-back have expectation at most 1 while the canary is within it', () => {
    expect(worst(odds, line, rollback, within)).toBeLessThanOrEqual(atMostOne);
  });

  test('towards a promotion have expectation at most 1 while the canary is beyond it', () => {
    expect(worst(odds, line, promote, beyond)).toBeLessThanOrEqual(atMostOne);
  });
});

const onLines: Increments = (line, ratio, rate, pair) =>
  lineIncrements(line, [ratio], rate, pair, 1);

describe.each([
  { relative: 1, absolute: 0 },
  { relative: 1.1, absolute: 0.0005 },
  { relative: 1.25, absolute: 0.001 },
  { relative: 1.5, absolute: 0.002 },
])('rates against the line $relative x + $absolute', (line) => {
  test('towards a roll-back have expectation at most 1 while the canary is within it', () => {
    expect(worst(onLines, line, [1.25, 2.7, 12.6, 40], within)).toBeLessThanOrEqual(atMostOne);
  });

  test('towards a promotion have expectation at most 1 while the canary is beyond it', () => {
    expect(worst(onLines, line, [0.2, 0.5, 0.8], beyond)).toBeLessThanOrEqual(atMostOne);
  });
});

describe('that sum catches odds that', () => {
  const [, line] = lines;
  if (line === undefined) throw new Error('no line');

  test('forget the tolerance', () => {
    const faulty: Increments = (_line, ratio, rate, pair) =>
      odds({ relative: 1, absolute: 0 }, ratio, rate, pair);
    expect(worst(faulty, line, rollback, within)).toBeGreaterThan(1.001);
  });

  test('compare with the predicted rate, not with the nearest point of the null', () => {
    const faulty: Increments = (_line, ratio, rate, { canary }) => {
      const canaryRate = (ratio * rate) / (1 + rate * (ratio - 1));
      return [
        canary.events * Math.log(canaryRate / rate) +
          (canary.total - canary.events) * Math.log((1 - canaryRate) / (1 - rate)),
      ];
    };
    expect(worst(faulty, line, rollback, within)).toBeGreaterThan(1.01);
  });

  test('promote on a wider line', () => {
    const faulty: Increments = (_line, ratio, rate, pair) =>
      odds({ relative: 1.5, absolute: 0.01 }, ratio, rate, pair);
    expect(worst(faulty, line, promote, beyond)).toBeGreaterThan(1.001);
  });
});

test('equal shares are the line 1 x + 0: both ways of computing them agree', () => {
  const nearly: Line = { relative: 1, absolute: 1e-13 };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: 1, max: 2_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0.001, max: 0.9, noNaN: true }),
      (canary, baseline, luck, otherLuck, rate) => {
        const pair = pairWith(
          { canary, baseline },
          Math.floor(canary * luck),
          Math.floor(baseline * otherLuck),
        );
        const equal = oddsIncrements(
          { relative: 1, absolute: 0 },
          [...promote, ...rollback],
          rate,
          pair,
          1,
        );
        const onNearly = oddsIncrements(nearly, [...promote, ...rollback], rate, pair, 1);
        for (const [index, increment] of equal.entries())
          expect(onNearly[index]).toBeCloseTo(increment, 6);
      },
    ),
  );
});

test('a dispersion divides every increment, which never lets the expectation above 1', () => {
  const exposure = { canary: 20, baseline: 20 };
  for (const phi of [1, 2, 7]) {
    for (const ratio of rollback) {
      const expectation = binomialExpectation(
        exposure,
        { canary: 0.2, baseline: 0.2 },
        (canary, baseline) =>
          lineIncrements(
            { relative: 1, absolute: 0 },
            [ratio],
            0.1,
            pairWith(exposure, canary, baseline),
            phi,
          )[0] ?? Number.NaN,
      );
      expect(expectation).toBeLessThanOrEqual(atMostOne);
    }
  }
  const pair = pairWith(exposure, 9, 2);
  const [whole] = oddsIncrements({ relative: 1, absolute: 0 }, [2], 0.1, pair, 1);
  const [half] = oddsIncrements({ relative: 1, absolute: 0 }, [2], 0.1, pair, 2);
  expect(half).toBeCloseTo((whole ?? Number.NaN) / 2, 12);
});

test('a window without requests in one cohort says nothing', () => {
  for (const exposure of [
    { canary: 0, baseline: 50 },
    { canary: 50, baseline: 0 },
  ]) {
    const pair = pairWith(exposure, 0, 0);
    expect(
      oddsIncrements(lines[1] ?? { relative: 1, absolute: 0 }, rollback, 0.1, pair, 1),
    ).toEqual([0, 0, 0, 0]);
    expect(lineIncrements({ relative: 1.1, absolute: 0.001 }, rollback, 0.1, pair, 1)).toEqual([
      0, 0, 0, 0,
    ]);
  }
});

test('where every share is tolerated nothing is evidence', () => {
  const pair = pairWith({ canary: 10, baseline: 10 }, 10, 10);
  expect(oddsIncrements({ relative: 1.2, absolute: 0 }, [2], 0.95, pair, 1)).toEqual([0]);
});

describe('what is said of a mean that is normal', () => {
  /** Of the growth, over a difference with that mean and variance: a sum over eight deviations on either side. */
  const expectation = (alternative: number, mean: number, variance: number): number => {
    const step = Math.sqrt(variance) / 200;
    let sum = 0;
    for (let at = -1_600; at <= 1_600; at += 1) {
      const difference = mean + at * step;
      const density = Math.exp(-((at / 200) ** 2) / 2) / Math.sqrt(2 * Math.PI) / 200;
      const sums = [0, 0];
      addDifference(sums, 0, difference, variance);
      addWeight(sums, 1, variance);
      const growths: number[] = [];
      fillNormalGrowth(growths, [alternative], 1, sums[0] ?? Number.NaN, sums[1] ?? Number.NaN);
      const [growth = Number.NaN] = growths;
      sum += density * Math.exp(growth);
    }
    return sum;
  };

  test('has expectation at most 1 while the mean is not above the margin, and 1 on it', () => {
    for (const variance of [0.0004, 0.005, 0.3]) {
      for (const deviations of [0.05, 0.5, 2]) {
        const alternative = deviations * Math.sqrt(variance);
        // Sums are rounded to millionths.
        expect(expectation(alternative, 0, variance)).toBeCloseTo(1, 5);
        expect(expectation(alternative, 0, variance)).toBeLessThanOrEqual(1 + 1e-9);
        for (const below of [0.1, 1, 5])
          expect(
            expectation(alternative, -below * Math.sqrt(variance), variance),
          ).toBeLessThanOrEqual(1);
        expect(expectation(alternative, Math.sqrt(variance), variance)).toBeGreaterThan(1.04);
      }
    }
  });
});

describe('what is said of a share of the traffic', () => {
  const expectation = (limit: number, part: number, arrives: number, share: number): number => {
    const total = 40;
    const chance = (arrives * share) / (arrives * share + 1 - share);
    let [sum, logChance] = [0, total * Math.log1p(-chance)];
    for (let canary = 0; canary <= total; canary += 1) {
      const increments = [0];
      const parts = partsOf([part]);
      addShareIncrements(increments, 0, limit, parts, share, canary, total - canary, 1);
      const [growth] = increments;
      sum += Math.exp(logChance + (growth ?? Number.NaN));
      logChance +=
        Math.log((total - canary) / (canary + 1)) + Math.log(chance) - Math.log1p(-chance);
    }
    return sum;
  };

  test('has expectation at most 1 while the canary gets its part, and one below it while not', () => {
    for (const share of [0.01, 0.1, 0.5, 0.9]) {
      for (const part of [0.9, 0.5, 0.05])
        for (const arrives of [0.8, 1, 1.4])
          expect(expectation(0.8, part, arrives, share)).toBeLessThanOrEqual(atMostOne);
      for (const part of [1.1, 1.5])
        for (const arrives of [0.67, 0.4])
          expect(expectation(0.67, part, arrives, share)).toBeLessThanOrEqual(atMostOne);
    }
    expect(expectation(0.8, 0.5, 0.8, 0.3)).toBeCloseTo(1, 10);
    expect(expectation(0.8, 0.5, 0.4, 0.3)).toBeGreaterThan(1.5);
  });
});
