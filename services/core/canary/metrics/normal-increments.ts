import { lowered } from '../statistics/stakes.ts';

// Differences with a known variance: what they come to for every alternative follows from two sums.
//
// The log-increment of one difference D with variance v is t D / v - t^2 / (2 v) for an alternative mean t, the likelihood
// ratio of a normal mean t against 0. So of any number of them it is t S - t^2 V / 2, with S = sum D / v, V = sum 1 / v.

/** Adds the difference's D / v to a sum. Rounded down, as who has less stakes less. */
export const addDifference = (
  sums: number[],
  at: number,
  difference: number,
  variance: number,
): void => {
  sums[at] = lowered((sums[at] ?? 0) + difference / variance);
};

/** Adds its 1 / v to a sum; rounded up. */
export const addWeight = (sums: number[], at: number, variance: number): void => {
  sums[at] = -lowered(-(sums[at] ?? 0) - 1 / variance);
};

/** Of each alternative mean, which is `unit` times what is listed: how much the differences let it grow. Into a list of the asker's. */
export const fillNormalGrowth = (
  into: number[],
  means: readonly number[],
  unit: number,
  differences: number,
  weight: number,
): void => {
  for (let index = 0; index < means.length; index += 1) {
    const mean = (means[index] ?? 0) * unit;
    into[index] = lowered(mean * (differences - (mean / 2) * weight));
  }
};
