import type { Line } from '../metrics/rate-test.ts';
import { normalQuantile } from './normal.ts';
import type { RatePair } from './rate-counts.ts';
import { isPairedRate } from './rate-counts.ts';
import { millionths } from './rounding.ts';

// One classical test when the time of an analysis is over. Looking after every window has spent one half of alpha by
// then; this spends the other half, once, and finds what is too small to be seen early.

/**
 * Sums over the judged blocks: of the events, how many the canary had, and how many the worst tolerated canary
 * would have had, with variance (and the baseline's part of it) and third central moment. Last, no sum: the largest step
 * that one event more of the canary was in any block. In millionths, to be short.
 *
 * Each block's part is divided by its phi: where counts scatter phi times as much as chance lets them, phi events say
 * what one would. The sum of d / phi, d being what is beyond expectation, has the variance sum of (phi v) / phi^2 =
 * sum of v / phi; and no other weights of the blocks find a regression as surely.
 */
export type DeadlineSums = readonly [
  events: number,
  expected: number,
  variance: number,
  third: number,
  ofBaseline: number,
  step: number,
];

export const noDeadlineSums: DeadlineSums = [0, 0, 0, 0, 0, 0];

/** As they are kept: so many numbers of a list. */
export const deadlineLength = 6;

export const deadlineIn = (numbers: readonly number[], at: number): DeadlineSums => [
  numbers[at] ?? 0,
  numbers[at + 1] ?? 0,
  numbers[at + 2] ?? 0,
  numbers[at + 3] ?? 0,
  numbers[at + 4] ?? 0,
  numbers[at + 5] ?? 0,
];

/** Into a list of the asker's. */
export const putDeadline = (numbers: number[], at: number, sums: DeadlineSums): void => {
  for (let index = 0; index < deadlineLength; index += 1) numbers[at + index] = sums[index] ?? 0;
};

/**
 * Adds a block of a rate with a tolerance line; `phi` is how much its counts scatter. A score test of
 * `canary rate <= a baseline rate + D` in every block, whatever the baseline's rate is there, with the rate on the line
 * in the variance (Farrington, Manning 1990, for one stratum), and none that is known from elsewhere.
 *
 * On the line the canary's events of `n` requests have the mean n (a L + D), the baseline's of `k` requests k L. So of
 * all m, D n are the canary's own on average, and the rest falls to it with chance t = a n / (a n + k). What it has beyond
 * that, d = e - t m - (1 - t) D n = (1 - t) (e - a n / k f - D n), f being the baseline's events, has the mean 0, the
 * variance t (1 - t) (a n + k) L + (1 - t)^2 D n, and a third central moment of the same form. L is m - D n divided by
 * a n + k on average: both are linear in m, and sums over blocks are right on average wherever L goes. And a block weighs
 * as much as it tells: 1 - t is mean / variance of a canary that is a multiple of its tolerance, where D is 0, and nearly
 * so elsewhere.
 */
export const addLineToDeadline = (
  sums: DeadlineSums,
  { relative, absolute }: Line,
  pair: RatePair,
  phi: number,
): DeadlineSums => (isPairedRate(pair) ? addStratum(sums, pair, relative, absolute, 1, phi) : sums);

/**
 * Adds a block of a rate whose tolerance lies in the boundary: equal shares. Given m events among n requests, the
 * canary's number is hypergeometric, so the variance is (n - m) / (n - 1) of the binomial one (Cochran, Mantel,
 * Haenszel).
 */
export const addOddsToDeadline = (
  sums: DeadlineSums,
  pair: RatePair,
  phi: number,
): DeadlineSums => {
  if (!isPairedRate(pair)) return sums;
  const total = pair.canary.total + pair.baseline.total;
  const events = pair.canary.events + pair.baseline.events;
  return addStratum(sums, pair, 1, 0, (total - events) / (total - 1), phi);
};

/**
 * What a block may have beyond what is expected: one moment in which a cohort goes astray must not decide about half an
 * hour, and one that is worse all the time has a little more in every block. To count less against the canary than came
 * only makes the test more careful.
 */
const excessDeviationsMax = 3;
/** Few events are not normal. */
const excessFewEvents = 2;

const addStratum = (
  [canaryEvents, expected, variance, third, ofBaseline, step]: DeadlineSums,
  { canary, baseline }: RatePair,
  relative: number,
  absolute: number,
  shrink: number,
  phi: number,
): DeadlineSums => {
  const chance = (relative * canary.total) / (relative * canary.total + baseline.total);
  const own = absolute * canary.total;
  // Below 0 where a block has less than its own alone; over all of them it is not.
  const shared = canary.events + baseline.events - own;
  const mean = shared * chance + own;
  const spread = (shared * chance * (1 - chance) + own * (1 - chance) ** 2) * shrink;
  const spreadOfBaseline = shared * chance * chance * (1 - chance) * shrink;
  const skewed =
    (shared * chance * (1 - chance) * (1 - 2 * chance) + own * (1 - chance) ** 3) * shrink;
  const most =
    mean + excessDeviationsMax * Math.sqrt(phi * Math.max(0, spread)) + excessFewEvents * phi;
  return [
    millionths(canaryEvents + Math.min(canary.events, most) / phi),
    millionths(expected + mean / phi),
    millionths(variance + spread / phi),
    millionths(third + (skewed * clusterSkew(phi)) / phi),
    millionths(ofBaseline + spreadOfBaseline / phi),
    millionths(Math.max(step, (1 - chance) / phi)),
  ];
};

/**
 * By how much more than phi^2 the third moment of counts exceeds that of chance alone. Events in clusters of geometric
 * sizes, mean M: their squares are 2 M - 1 = phi times as much as they are, their cubes 6 M^2 - 6 M + 1.
 */
const clusterSkew = (phi: number): number => 3 / 2 - 1 / (2 * phi * phi);

/** Adding 0 makes -0, which JSON has not, 0. */

export type DeadlineResult = {
  readonly isWorse: boolean;
  /** By how many standard deviations the canary's events exceed what is tolerated; 0 without any event. */
  readonly z: number;
  /** From which on that is too many. */
  readonly zNeeded: number;
};

/**
 * T = (events - expected) / sqrt(variance) against the normal quantile at 1 - `alpha`, this metric's part of the
 * budget. Few events are skewed: the quantile is corrected for that (Cornish, Fisher, first term). Where they scatter,
 * events count as if phi of them came together.
 *
 * Both cohorts' counts being random, T falls between the steps of whole numbers, and nothing is taken off for these. But
 * a baseline of a hundred times the canary's requests, or one without an error, hardly moves T: it is a lattice then, and
 * half a step is asked for beyond the quantile, less of it as the baseline's part of the variance comes near a quarter of
 * a step's square. Summed over all counts the chance of a false alarm is at most `alpha`
 * (test/core/canary/statistics/deadline-size.test.ts).
 */
export const deadlineTest = (
  [events, expected, variance, third, ofBaseline, step]: DeadlineSums,
  alpha: number,
): DeadlineResult => {
  const quantile = normalQuantile(1 - alpha);
  const deviation = Math.sqrt(variance);
  if (!(deviation > 0)) return { isWorse: false, z: 0, zNeeded: quantile };
  const skew = third / deviation ** 3;
  const z = (events - expected) / deviation;
  // A skew to the other side would ease the test; that is not taken.
  const forSkew = Math.max(0, ((quantile * quantile - 1) * skew) / 6);
  const zNeeded = quantile + forSkew + halfStep(ofBaseline, step) / deviation;
  return { isWorse: z > zNeeded, z, zNeeded };
};

/** In squares of a step: a lattice that is blurred by so much is none. */
const smoothFrom = 1 / 4;

const halfStep = (ofBaseline: number, step: number): number => {
  const smooth = smoothFrom * step * step;
  return ofBaseline < smooth ? (step / 2) * Math.min(1, 1 - ofBaseline / smooth) : 0;
};
