import { describe, expect, test } from 'vitest';

import {
  addLineToDeadline,
  addOddsToDeadline,
  deadlineTest,
  noDeadlineSums,
} from '../../../../services/core/canary/statistics/deadline-test.ts';
import type { DeadlineSums } from '../../../../services/core/canary/statistics/deadline-test.ts';
import { normalQuantile } from '../../../../services/core/canary/statistics/normal.ts';
import type { RatePair } from '../../../../services/core/canary/statistics/rate-counts.ts';

const strict = { relative: 1, absolute: 0 };

const pair = (n: number, e: number, m: number, f: number): RatePair => ({
  canary: { total: n, events: e },
  baseline: { total: m, events: f },
});

const windows = (count: number, one: RatePair, line = strict, phi = 1): DeadlineSums => {
  let sums = noDeadlineSums;
  for (let index = 0; index < count; index += 1) sums = addLineToDeadline(sums, line, one, phi);
  return sums;
};

describe('the normal quantile', () => {
  test.each([
    [0.5, 0],
    [0.975, 1.959964],
    [0.9975, 2.807034],
    [0.01, -2.326348],
    [0.0000001, -5.199338],
  ])('at %f is %f', (chance, quantile) => {
    expect(normalQuantile(chance)).toBeCloseTo(quantile, 5);
  });
});

describe('the test at the deadline', () => {
  test('finds twice the errors that no window showed by itself', () => {
    const result = deadlineTest(windows(45, pair(200, 2, 200, 1)), 0.0025);
    expect(result.z).toBeGreaterThan(result.zNeeded);
    expect(result.isWorse).toBe(true);
  });

  test('lets twice the errors pass where that is tolerated', () => {
    const line = { relative: 2, absolute: 0 };
    const result = deadlineTest(windows(45, pair(200, 2, 200, 1), line), 0.0025);
    expect(result.z).toBeCloseTo(0, 6);
    expect(result.isWorse).toBe(false);
  });

  test('asks for more where counts scatter more', () => {
    const sums = windows(45, pair(200, 2, 200, 1), strict, 7);
    expect(deadlineTest(sums, 0.0025).isWorse).toBe(false);
  });

  test("a tolerated half of a point is the canary's own, and nothing of it the baseline's", () => {
    const line = { relative: 1, absolute: 0.005 };
    expect(deadlineTest(windows(45, pair(200, 2, 200, 1), line), 0.0025).z).toBeCloseTo(0, 6);
    const [, expected, variance] = windows(1, pair(200, 2, 200, 1), line);
    // Of three events one is its own, half of the other two falls to it.
    expect(expected).toBeCloseTo(1 + 2 / 2, 6);
    expect(variance).toBeCloseTo(2 / 4 + 1 / 4, 6);
  });

  test('asks for half an event more where the baseline hardly moves, and for none where it does', () => {
    const alpha = 0.0025;
    const neededIn = (sums: DeadlineSums): number => deadlineTest(sums, alpha).zNeeded;
    const blurred = ([events, expected, variance, third]: DeadlineSums): DeadlineSums => [
      events,
      expected,
      variance,
      third,
      9,
      1,
    ];
    // An error in a hundred of the canary's requests is its own.
    const own = { relative: 1, absolute: 0.01 };
    const errorFree = windows(10, pair(100, 1, 9_900, 0), own);
    const half = 0.5 / Math.sqrt(errorFree[2]);
    expect(errorFree[5]).toBeCloseTo(0.99, 6);
    expect(neededIn(errorFree)).toBeCloseTo(neededIn(blurred(errorFree)) + 0.99 * half, 6);
    // The baseline's part, 0.09, on its way to a quarter of 0.9 x 0.9.
    const some = windows(5, pair(100, 1, 900, 1), strict);
    expect(some[4]).toBeCloseTo(0.09, 6);
    const part = (1 - 0.09 / (0.9 * 0.9 * 0.25)) * (0.45 / Math.sqrt(some[2]));
    expect(neededIn(some)).toBeCloseTo(neededIn(blurred(some)) + part, 6);
    const many = windows(10, pair(100, 1, 900, 30), strict);
    expect(neededIn(many)).toBe(neededIn(blurred(many)));
  });

  test('says nothing without an event, or with one cohort alone', () => {
    for (const sums of [
      windows(45, pair(200, 0, 200, 0)),
      windows(45, pair(0, 0, 200, 9)),
      windows(45, pair(200, 9, 0, 0)),
    ]) {
      expect(deadlineTest(sums, 0.0025)).toMatchObject({ isWorse: false, z: 0 });
    }
  });

  test('is not decided by one block that went astray, and still finds what is worse in all of them', () => {
    const astray = addLineToDeadline(
      windows(118, pair(750, 4, 750, 4)),
      strict,
      pair(750, 75, 750, 4),
      1,
    );
    expect(deadlineTest(astray, 0.0025).isWorse).toBe(false);
    const both = addLineToDeadline(astray, strict, pair(750, 75, 750, 4), 1);
    expect(deadlineTest(both, 0.0025).isWorse).toBe(false);
    expect(deadlineTest(windows(120, pair(750, 6, 750, 4)), 0.0025).isWorse).toBe(true);
  });

  test('compares windows with themselves: a change of weights while the rate drifts is no difference', () => {
    let sums = noDeadlineSums;
    for (let index = 0; index < 50; index += 1) {
      sums = addLineToDeadline(sums, strict, pair(100, 1, 9_900, 99), 1);
      sums = addLineToDeadline(sums, strict, pair(900, 45, 900, 45), 1);
    }
    expect(deadlineTest(sums, 0.0025).z).toBeCloseTo(0, 6);
  });
});

describe('for shares that are not small', () => {
  test('the variance is that of drawing without putting back', () => {
    const sums = addOddsToDeadline(noDeadlineSums, pair(40, 25, 60, 25), 1);
    const [, expected, variance] = sums;
    expect(expected).toBeCloseTo(20, 6);
    expect(variance).toBeCloseTo((40 * 60 * 50 * 50) / (100 * 100 * 99), 5);
  });

  test('a half that became six tenths is found in 400 requests', () => {
    let sums = noDeadlineSums;
    for (let index = 0; index < 10; index += 1)
      sums = addOddsToDeadline(sums, pair(40, 25, 40, 18), 1);
    expect(deadlineTest(sums, 0.0025).isWorse).toBe(true);
  });
});
