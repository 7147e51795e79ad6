import { describe, expect, test } from 'vitest';

import {
  addLineToDeadline,
  addOddsToDeadline,
  deadlineTest,
  noDeadlineSums,
} from '../../../../services/core/canary/statistics/deadline-test.ts';
import type { DeadlineSums } from '../../../../services/core/canary/statistics/deadline-test.ts';
import type { RatePair } from '../../../../services/core/canary/statistics/rate-counts.ts';
import { seededRandom } from '../../../../services/dev/canary-climates/random.ts';

// How often the test blames a canary that stands on the line: summed over all counts, or drawn where rates move.

const sensitive = { relative: 1, absolute: 0 };
const standard = { relative: 1.1, absolute: 0.0005 };
const lines = [
  sensitive,
  standard,
  { relative: 1.25, absolute: 0.001 },
  { relative: 1, absolute: 0.002 },
];

/** Requests a second of the canary and of the baseline. */
const traffics = [
  [0.01, 9.99],
  [0.1, 9.9],
  [1, 99],
  [1, 49],
  [0.2, 1.8],
  [1, 1],
  [5, 5],
  [5, 45],
  [50, 50],
  [50, 450],
  [45, 5],
] as const;

/** 0.05 is more than any preset has: where a policy asks for it, a few events may be skewed beyond the first term. */
const timesMax = (alpha: number): number => (alpha > 0.01 ? 1.06 : 1.02);

/** Half an hour without its first minute. */
const seconds = 1_740;

/**
 * Chances of 0, 1, 2 … events, so many on average, that come in clusters of geometric sizes (Polya-Aeppli; clusters of
 * one: Poisson), as far as they matter. Scatter: 2 * clusterMean - 1.
 */
const chancesOf = (mean: number, clusterMean: number): Float64Array => {
  const clusters = mean / clusterMean;
  const goesOn = 1 - 1 / clusterMean;
  const most = Math.ceil(mean + 9 * Math.sqrt(mean * (2 * clusterMean - 1)) + 20 * clusterMean);
  const chances = new Float64Array(most + 1);
  chances[0] = Math.exp(-clusters);
  for (let events = 1; events <= most; events += 1) {
    const one = (clusters * (1 - goesOn) + 2 * goesOn * (events - 1)) * (chances[events - 1] ?? 0);
    const two = goesOn * goesOn * Math.max(0, events - 2) * (chances[events - 2] ?? 0);
    chances[events] = (one - two) / events;
  }
  return chances;
};

/** The greatest mean of which `exp` still knows something. */
const clustersMax = 400;

/** What is less likely is left out. */
const chanceMin = 1e-10;

/** P(the test says worse); `says` must be monotone in the canary's events. */
const chanceOf = (
  canary: Float64Array,
  baseline: Float64Array,
  says: (canaryEvents: number, baselineEvents: number) => boolean,
): number => {
  const atLeast = canary.slice();
  for (let events = atLeast.length - 2; events >= 0; events -= 1)
    atLeast[events] = (atLeast[events] ?? 0) + (atLeast[events + 1] ?? 0);
  let needed = 0;
  return baseline.reduce((sum, chance, baselineEvents) => {
    if (chance < chanceMin) return sum;
    // It is near what was needed for one event less.
    while (needed > 0 && says(needed - 1, baselineEvents)) needed -= 1;
    while (needed < canary.length && !says(needed, baselineEvents)) needed += 1;
    return sum + chance * (atLeast[needed] ?? 0);
  }, 0);
};

/** In several blocks the limit for a single one, which is no part of the law, lies beyond what is needed. */
const blocks = 4;
const inBlocks = (
  pair: RatePair,
  add: (sums: DeadlineSums, pair: RatePair) => DeadlineSums,
): DeadlineSums => {
  const part = ({ total, events }: RatePair['canary']) => ({
    total: total / blocks,
    events: events / blocks,
  });
  const each = { canary: part(pair.canary), baseline: part(pair.baseline) };
  let sums = noDeadlineSums;
  for (let block = 0; block < blocks; block += 1) sums = add(sums, each);
  return sums;
};

const pairOf = (n: number, events: number, k: number, baselineEvents: number): RatePair => ({
  canary: { total: n, events },
  baseline: { total: k, events: baselineEvents },
});

describe('one block on the line', () => {
  const cases = lines.flatMap((line) =>
    [1, 2, 7].flatMap((phi) =>
      (
        [
          [3, 27],
          [75, 75],
          [75, 675],
          [675, 75],
        ] as const
      ).flatMap(([n, k]) => [0, 0.005].map((rate) => ({ ...line, phi, n, k, rate }))),
    ),
  );

  test.each(cases)(
    'has nothing beyond it on average, and the moments that it says: $relative x + $absolute, phi $phi, $n and $k requests, $rate',
    ({ relative, absolute, phi, n, k, rate }) => {
      const clusterMean = (phi + 1) / 2;
      const canary = chancesOf(n * (relative * rate + absolute), clusterMean);
      const baseline = chancesOf(k * rate, clusterMean);
      const mean = [0, 0, 0, 0, 0];
      canary.forEach((chance, events) => {
        baseline.forEach((other, baselineEvents) => {
          if (chance * other < chanceMin) return;
          const [, expected, variance, third] = addLineToDeadline(
            noDeadlineSums,
            { relative, absolute },
            pairOf(n, events, k, baselineEvents),
            phi,
          );
          // Without the limit for what a single block may have.
          const beyond = events / phi - expected;
          [beyond, beyond ** 2, variance, beyond ** 3, third].forEach((value, index) => {
            mean[index] = (mean[index] ?? 0) + chance * other * value;
          });
        });
      });
      const [beyond = 1, square, variance, cube, third] = mean;
      // The sums are in millionths.
      expect(Math.abs(beyond)).toBeLessThan(2e-6);
      expect(variance).toBeCloseTo(square ?? 0, 5);
      expect(third).toBeCloseTo(cube ?? 0, 4);
    },
  );
});

describe('a canary on the line is blamed as often as the budget allows at most', () => {
  const cases = lines.flatMap((line) =>
    traffics.flatMap(([canary, baseline]) =>
      [1, 7].map((phi) => ({ ...line, canary, baseline, phi })),
    ),
  );

  test.each(cases)(
    '$relative x + $absolute at $canary to $baseline requests a second, phi $phi',
    ({ relative, absolute, canary, baseline, phi }) => {
      const clusterMean = (phi + 1) / 2;
      const [n, k] = [canary * seconds, baseline * seconds];
      const add = (sums: DeadlineSums, pair: RatePair): DeadlineSums =>
        addLineToDeadline(sums, { relative, absolute }, pair, phi);
      for (const rate of [0, 0.0002, 0.001, 0.005, 0.05]) {
        const means = [n * (relative * rate + absolute), k * rate] as const;
        if (Math.max(...means) / clusterMean > clustersMax) continue;
        for (const alpha of [0.05, 0.005, 0.0025, 0.0005]) {
          const chance = chanceOf(
            chancesOf(means[0], clusterMean),
            chancesOf(means[1], clusterMean),
            (events, baselineEvents) =>
              deadlineTest(inBlocks(pairOf(n, events, k, baselineEvents), add), alpha).isWorse,
          );
          expect(chance / alpha).toBeLessThan(timesMax(alpha));
        }
      }
    },
  );

  test('and not much more seldom, where there are some events', () => {
    const add = (sums: DeadlineSums, pair: RatePair): DeadlineSums =>
      addLineToDeadline(sums, standard, pair, 1);
    const chance = chanceOf(
      chancesOf(5 * seconds * (1.1 * 0.005 + 0.0005), 1),
      chancesOf(45 * seconds * 0.005, 1),
      (events, baselineEvents) =>
        deadlineTest(
          inBlocks(pairOf(5 * seconds, events, 45 * seconds, baselineEvents), add),
          0.0025,
        ).isWorse,
    );
    expect(chance / 0.0025).toBeGreaterThan(0.9);
  });

  test.each(lines)('$relative x + $absolute while its share grows and errors treble', (line) => {
    const random = seededRandom(20261122, 0);
    // 1, 5, 25 and 50 % of 100 requests a second, while the baseline's rate goes from 0.5 to 1.5 %.
    const stages = [0.01, 0.05, 0.25, 0.5].map((share, stage) => {
      const rate = 0.005 * (1 + (2 * stage) / 3);
      const n = 100 * share * (seconds / 4);
      const k = 100 * (1 - share) * (seconds / 4);
      return {
        n,
        k,
        canary: drawer(n * (line.relative * rate + line.absolute)),
        baseline: drawer(k * rate),
      };
    });
    const draws = 100_000;
    let blamed = 0;
    for (let draw = 0; draw < draws; draw += 1) {
      let sums = noDeadlineSums;
      for (const { n, k, canary, baseline } of stages) {
        const pair = pairOf(n, canary(random()), k, baseline(random()));
        sums = addLineToDeadline(sums, line, pair, 1);
      }
      if (deadlineTest(sums, 0.0025).isWorse) blamed += 1;
    }
    // 250 on average, 16 either way.
    expect(blamed).toBeLessThan(250 + 2 * 16);
  });
});

/** Poisson numbers from numbers between 0 and 1. */
const drawer = (mean: number): ((uniform: number) => number) => {
  const below: number[] = [];
  let sum = 0;
  for (const chance of chancesOf(mean, 1)) below.push((sum += chance));
  return (uniform) => {
    let [from, to] = [0, below.length - 1];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((below[middle] ?? 1) > uniform) to = middle;
      else from = middle + 1;
    }
    return from;
  };
};

describe('equal shares that are not small', () => {
  test.each([
    [350, 3_130],
    [350, 350],
    [8_700, 8_700],
    [8_700, 78_300],
    [100, 9_900],
    [20, 9_980],
  ])('are blamed as often as allowed at most: %i and %i requests', (n, k) => {
    const add = (sums: DeadlineSums, pair: RatePair): DeadlineSums =>
      addOddsToDeadline(sums, pair, 1);
    for (const share of [0.5, 0.1, 0.01]) {
      for (const alpha of [0.05, 0.002, 0.0005]) {
        const chance = chanceOf(
          binomialChances(n, share),
          binomialChances(k, share),
          (events, baselineEvents) =>
            deadlineTest(add(noDeadlineSums, pairOf(n, events, k, baselineEvents)), alpha).isWorse,
        );
        expect(chance / alpha).toBeLessThan(timesMax(alpha) + 0.01);
      }
    }
  });
});

const binomialChances = (total: number, share: number): Float64Array => {
  const chances = new Float64Array(total + 1);
  // From the most probable number on, so that nothing vanishes on the way.
  const middle = Math.floor(total * share);
  chances[middle] = 1;
  const odds = share / (1 - share);
  for (let events = middle; events < total; events += 1)
    chances[events + 1] = ((chances[events] ?? 0) * odds * (total - events)) / (events + 1);
  for (let events = middle; events > 0; events -= 1)
    chances[events - 1] = ((chances[events] ?? 0) * events) / (odds * (total - events + 1));
  const whole = chances.reduce((sum, chance) => sum + chance, 0);
  return chances.map((chance) => chance / whole);
};
