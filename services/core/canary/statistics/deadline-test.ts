import type { Line } from '../metrics/rate-test.ts';
import { normalQuantile } from './normal.ts';
import type { RatePair } from './rate-counts.ts';
import { isPairedRate } from './rate-counts.ts';

// One classical test when the time of an analysis is over. Looking after every window has spent one half of alpha by
// then; this spends the other half, once, and finds what is too small to be seen early.

/**
 * Sums over the judged blocks: of the events, how many the canary had, and how many the worst tolerated canary
 * would have had, with variance and third central moment. In millionths, to be short.
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
];

export const noDeadlineSums: DeadlineSums = [0, 0, 0, 0];

/**
 * Adds a block of a rate with a tolerance line; `phi` is how much its counts scatter. Given m events in both cohorts, the canary's number is binomial with
 * chance at most a' n_c / (a' n_c + n_b), a' = relative + absolute / baseline rate. The rate comes from earlier
 * windows, so that it is independent of these events.
 */
export const addLineToDeadline = (
  sums: DeadlineSums,
  { relative, absolute }: Line,
  baselineRate: number,
  pair: RatePair,
  phi: number,
): DeadlineSums => {
  if (!isPairedRate(pair)) return sums;
  const { canary, baseline } = pair;
  const multiple = relative + absolute / baselineRate;
  const chance = (multiple * canary.total) / (multiple * canary.total + baseline.total);
  return addStratum(sums, pair, chance, 1, phi);
};

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
  return addStratum(sums, pair, pair.canary.total / total, (total - events) / (total - 1), phi);
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
  [canaryEvents, expected, variance, third]: DeadlineSums,
  { canary, baseline }: RatePair,
  chance: number,
  shrink: number,
  phi: number,
): DeadlineSums => {
  const events = canary.events + baseline.events;
  const added = events * chance * (1 - chance) * shrink;
  const most =
    events * chance + excessDeviationsMax * Math.sqrt(phi * added) + excessFewEvents * phi;
  return [
    millionths(canaryEvents + Math.min(canary.events, most) / phi),
    millionths(expected + (events * chance) / phi),
    millionths(variance + added / phi),
    millionths(third + (added * (1 - 2 * chance)) / phi),
  ];
};

/** Adding 0 makes -0, which JSON has not, 0. */
const millionths = (value: number): number => Math.round(value * 1e6) / 1e6 + 0;

export type DeadlineResult = {
  readonly isWorse: boolean;
  /** By how many standard deviations the canary's events exceed what is tolerated; 0 without any event. */
  readonly z: number;
  /** From which on that is too many. */
  readonly zNeeded: number;
};

/**
 * T = (events - expected) / sqrt(variance) against the normal quantile at 1 - `alpha`, this metric's part of the
 * budget. Few events are skewed and whole numbers: the quantile is corrected for the skew (Cornish, Fisher, first
 * term), T by half an event. Where they scatter, events count as if phi of them came together.
 */
export const deadlineTest = (
  [events, expected, variance, third]: DeadlineSums,
  alpha: number,
): DeadlineResult => {
  const quantile = normalQuantile(1 - alpha);
  const deviation = Math.sqrt(variance);
  if (!(deviation > 0)) return { isWorse: false, z: 0, zNeeded: quantile };
  const skew = third / deviation ** 3;
  const z = (events - expected - 1 / 2) / deviation;
  // A skew to the other side would ease the test; that is not taken.
  const zNeeded = quantile + Math.max(0, ((quantile * quantile - 1) * skew) / 6);
  return { isWorse: z > zNeeded, z, zNeeded };
};
