import type { LogMoments } from '../windows/durations.ts';
import { logWidth } from '../windows/durations.ts';
import type { BlockPlace } from '../statistics/evidence.ts';
import type { Alternatives, StakeRules } from '../statistics/stakes.ts';
import {
  cappedBlocksOf,
  growthLength,
  initialStakes,
  isRestart,
  logRollbackCapital,
  restart,
  roundGrowth,
  settle,
  zeros,
} from '../statistics/stakes.ts';
import { addNormalIncrements } from './normal-increments.ts';

// The mean of log-durations: durations that all grow by a factor shift it by the factor's logarithm.
//
// It is numbers in the two lists of its metric. `settled`, from `at` on: the centre in seconds, from which durations are
// measured (they count as at most `logReach` away), and its stakes. `running`, from `from` on: the spreads inside the
// windows so far, by which the next one's means are weighed (of the canary, then of the baseline: how many squared
// distances from the mean of each window are free, and their sum), and the growth in the running block.

const stakesAt = 1;
const growthAt = 4;

/** A factor of 100 on either side, in nats. */
export const logReach: number = Math.log(100);

/**
 * Alternatives: how much slower than tolerated, in nats. The smallest is for slow-downs of a few per cent: under the cap
 * of a block small bets lose less of what they win.
 */
const shifts: readonly number[] = [0.03, 0.06, 0.1, 0.2, 0.4];
/** It has no say in a promotion: that is the tails'. */
const alternatives: Alternatives = { rollback: shifts, promote: [] };

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
      ...zeros(growthLength(alternatives)),
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
    addNormalIncrements(running, from + growthAt, shifts, 1, difference, variance * phi);
    roundGrowth(running, from + growthAt, shifts.length);
  }
  widen(running, from, canary);
  widen(running, from + 2, baseline);
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
  if (place.endsBlock)
    settle(settled, at + stakesAt, running, from + growthAt, alternatives, rules);
};

export const logMeanLogCapital = (
  settled: readonly number[],
  at: number,
  running: readonly number[],
  from: number,
  rules: StakeRules,
): number =>
  logRollbackCapital(settled, at + stakesAt, running, from + growthAt, alternatives, rules);

export const cappedMeanLogBlocks = (settled: readonly number[], at: number): number =>
  cappedBlocksOf(settled, at + stakesAt);
