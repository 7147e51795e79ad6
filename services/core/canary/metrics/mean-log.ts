import type { LogMoments } from '../windows/durations.ts';
import { logWidth } from '../windows/durations.ts';
import type { BlockPlace } from '../statistics/evidence.ts';
import type { Alternatives, StakeRules } from '../statistics/stakes.ts';
import {
  cappedBlocksOf,
  initialStakes,
  isRestart,
  logRollbackCapital,
  restart,
  settle,
  zeros,
} from '../statistics/stakes.ts';
import type { RatioInterval } from '../statistics/ratio.ts';
import { intervalConfidence, openWhereInfinite } from '../statistics/ratio.ts';
import { thousandths } from '../statistics/rounding.ts';
import { addDifference, addWeight, fillNormalGrowth } from './normal-increments.ts';

// The mean of log-durations: durations that all grow by a factor shift it by the factor's logarithm.
//
// It is numbers in the two lists (`Numbers`). `settled`, from `at` on: the centre in seconds, from which durations are
// measured (they count as at most `logReach` away), and its stakes. `running`, from `from` on: the spreads inside the
// windows so far, by which the next one's means are weighed (of the canary, then of the baseline: how many squared
// distances from the mean of each window are free, and their sum), what people are told (the sum of the windows' weights,
// which are 1 / variance, and of either cohort's means by them), and the sums of the running block (`normal-increments.ts`).

const stakesAt = 1;
const toldAt = 4;
const differencesAt: number = toldAt + 3;
const weightAt: number = differencesAt + 1;

/** A factor of 100 on either side, in nats. */
export const logReach: number = Math.log(100);

/**
 * Alternatives: how much slower than tolerated, in nats. The smallest are for slow-downs of a few per cent: under the cap
 * of a block small bets lose less of what they win. What is only just more than tolerated is seldom worth a roll-back, so
 * little is staked on it.
 */
const shifts: readonly number[] = [0.015, 0.03, 0.06, 0.1, 0.2, 0.4];
const smallestPart = 0.08;
/** It has no say in a promotion: that is the tails'. */
const alternatives: Alternatives = {
  rollback: shifts,
  promote: [],
  logShares: shifts.map((_, index) =>
    Math.log(index === 0 ? smallestPart : (1 - smallestPart) / (shifts.length - 1)),
  ),
};

/** What the baseline showed before the test counts for the canary as so many of its own requests. */
const borrowedFreedom = 30;

/** A test whose spreads begin with what the baseline showed before it. */
export const initialMeanLog = (
  centreSeconds: number,
  warmUp: LogMoments,
  rules: StakeRules,
  restartsBegun: number,
): { readonly settled: readonly number[]; readonly running: readonly number[] } => {
  const freedom = Math.max(1, warmUp.count - 1);
  return {
    settled: [centreSeconds, ...initialStakes(alternatives, rules, restartsBegun)],
    running: [
      ...[borrowedFreedom, (borrowedFreedom * warmUp.squares) / freedom],
      ...[freedom, warmUp.squares],
      ...[0, 0, 0],
      ...zeros(2),
    ],
  };
};

export const centreSecondsIn = (settled: readonly number[], at: number): number => settled[at] ?? 1;

/**
 * Takes one window in: D = mean_c - mean_b - ln(1 + margin), v = s_c^2 / n_c + s_b^2 / n_b. The spreads s come from
 * earlier windows; they are no less than what rounding to buckets hides.
 */
export const addToMeanLog = (
  running: number[],
  from: number,
  canary: LogMoments,
  baseline: LogMoments,
  logMargin: number,
  scale: number,
  phi: number,
): void => {
  if (canary.count > 0 && baseline.count > 0) {
    const rounding = logWidth(scale) ** 2 / 12;
    const canarySquare = (running[from + 1] ?? 0) / (running[from] ?? 1);
    const baselineSquare = (running[from + 3] ?? 0) / (running[from + 2] ?? 1);
    const variance =
      Math.max(rounding, canarySquare) / canary.count +
      Math.max(rounding, baselineSquare) / baseline.count;
    const difference = canary.mean - baseline.mean - logMargin;
    addDifference(running, from + differencesAt, difference, variance * phi);
    addWeight(running, from + weightAt, variance * phi);
    addTold(running, from + toldAt, canary.mean, baseline.mean, variance * phi);
  }
  widen(running, from, canary);
  widen(running, from + 2, baseline);
};

const addTold = (
  running: number[],
  at: number,
  canaryMean: number,
  baselineMean: number,
  variance: number,
): void => {
  const weight = 1 / variance;
  running[at] = thousandths((running[at] ?? 0) + weight);
  running[at + 1] = thousandths((running[at + 1] ?? 0) + weight * canaryMean);
  running[at + 2] = thousandths((running[at + 2] ?? 0) + weight * baselineMean);
};

/** One duration has no spread. */
const widen = (running: number[], at: number, { count, squares }: LogMoments): void => {
  if (count < 2) return;
  running[at] = (running[at] ?? 0) + count - 1;
  running[at + 1] = (running[at + 1] ?? 0) + squares;
};

/** The restart that begins with this window, if one does, and the block that ends with it. */
export const passMeanLog = (
  settled: number[],
  at: number,
  running: number[],
  from: number,
  place: BlockPlace,
  rules: StakeRules,
): void => {
  if (isRestart(settled, at + stakesAt, place))
    restart(settled, at + stakesAt, alternatives, rules);
  if (!place.endsBlock) return;
  fillGrowth(running, from);
  settle(settled, at + stakesAt, growth, 0, [], alternatives, rules);
  running.fill(0, from + differencesAt, from + weightAt + 1);
};

/** Of one call, and overwritten by the next. */
const growth: number[] = [];

const fillGrowth = (running: readonly number[], from: number): void => {
  const [differences, weight] = [running[from + differencesAt], running[from + weightAt]];
  fillNormalGrowth(growth, shifts, 1, differences ?? 0, weight ?? 0);
};

export const logMeanLogCapital = (
  settled: readonly number[],
  at: number,
  running: readonly number[],
  from: number,
  rules: StakeRules,
): number => {
  fillGrowth(running, from);
  return logRollbackCapital(settled, at + stakesAt, growth, 0, alternatives, rules);
};

export const cappedMeanLogBlocks = (settled: readonly number[], at: number): number =>
  cappedBlocksOf(settled, at + stakesAt);

/** What the mean of log-durations says, for people. */
export type MeanLogExplanation = {
  /** e to the mean of the logarithms: the geometric mean, in seconds. */
  readonly canarySeconds: number;
  readonly baselineSeconds: number;
  /** Of the canary's to the baseline's, paired by window. */
  readonly ratio: number;
  /** Holds the true ratio with this confidence at every window at once. */
  readonly interval: RatioInterval & { readonly confidence: number };
  /** By which variances were multiplied. */
  readonly phi: number;
};

/** The interval is narrowest where the difference is known to within about so much, in nats. */
const expectedNats = 0.1;

/**
 * Null: no window was compared. The interval is Robbins' two-sided normal mixture about the difference of the means,
 * d +- sqrt((w + r) ln((w + r) / (r alpha^2))) / w, where w sums the windows' 1 / variance, and r = 1 / expectedNats^2. Nothing
 * is decided by it.
 */
export const explainMeanLog = (
  settled: readonly number[],
  at: number,
  running: readonly number[],
  from: number,
  phi: number,
): MeanLogExplanation | null => {
  const [weight = 0, canarySum = 0, baselineSum = 0] = running.slice(from + toldAt);
  if (!(weight > 0)) return null;
  const [canary, baseline] = [canarySum / weight, baselineSum / weight];
  const spread = 1 / expectedNats ** 2;
  const grown = weight + spread;
  const alpha = 1 - intervalConfidence;
  const half = Math.sqrt(grown * Math.log(grown / (spread * alpha * alpha))) / weight;
  const difference = canary - baseline;
  return {
    canarySeconds: centreSecondsIn(settled, at) * Math.exp(canary),
    baselineSeconds: centreSecondsIn(settled, at) * Math.exp(baseline),
    ratio: Math.exp(difference),
    interval: {
      low: Math.exp(difference - half),
      high: openWhereInfinite(Math.exp(difference + half)),
      confidence: intervalConfidence,
    },
    phi,
  };
};
