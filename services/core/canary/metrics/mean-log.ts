import type { LogMoments } from '../durations.ts';
import { logWidth } from '../durations.ts';
import type { WindowPlace } from '../metric-judge.ts';
import type { StakeRules, Stakes } from '../stakes.ts';
import { addToStakes, initialStakes, noIncrements } from '../stakes.ts';
import { normalIncrements } from './normal-increments.ts';

/** The mean of log-durations: durations that all grow by a factor shift it by the factor's logarithm. */
export type MeanLog = {
  /** Durations are measured from here, and count as at most `logReach` away. */
  readonly centreSeconds: number;
  /** Spread inside the windows so far, by which the next one's means are weighed. */
  readonly canary: Spread;
  readonly baseline: Spread;
  readonly stakes: Stakes;
};

/** Sum of squared distances from the mean of each window, and how many of them are free. */
export type Spread = { readonly freedom: number; readonly squares: number };

/** A factor of 100 on either side, in nats. */
export const logReach: number = Math.log(100);

/**
 * Alternatives: how much slower than tolerated, in nats. The smallest is for slow-downs of a few per cent: under the cap
 * of a block small bets lose less of what they win.
 */
const shifts: readonly number[] = [0.03, 0.06, 0.1, 0.2, 0.4];
/** What the baseline showed before the test counts for the canary as so many of its own requests. */
const borrowedFreedom = 30;

/** A test whose spreads begin with what the baseline showed before it. */
export const initialMeanLog = (
  centreSeconds: number,
  warmUp: LogMoments,
  rules: StakeRules,
  restartsBegun: number,
): MeanLog => {
  const freedom = Math.max(1, warmUp.count - 1);
  return {
    centreSeconds,
    canary: { freedom: borrowedFreedom, squares: (borrowedFreedom * warmUp.squares) / freedom },
    baseline: { freedom, squares: warmUp.squares },
    stakes: initialStakes(shifts.length, rules, restartsBegun),
  };
};

/**
 * Takes one window in: D = mean_c - mean_b - ln(1 + margin), v = s_c^2 / n_c + s_b^2 / n_b. The spreads s come from
 * earlier windows; they are no less than what rounding to buckets hides.
 */
export const addToMeanLog = (
  rules: StakeRules,
  test: MeanLog,
  canary: LogMoments,
  baseline: LogMoments,
  { logMargin, scale, phi }: { logMargin: number; scale: number; phi: number },
  place: WindowPlace,
): MeanLog => {
  const seen: MeanLog = {
    ...test,
    canary: widened(test.canary, canary),
    baseline: widened(test.baseline, baseline),
  };
  if (canary.count === 0 || baseline.count === 0)
    return { ...seen, stakes: addToStakes(test.stakes, noIncrements, place, rules) };
  const rounding = logWidth(scale) ** 2 / 12;
  const variance =
    Math.max(rounding, test.canary.squares / test.canary.freedom) / canary.count +
    Math.max(rounding, test.baseline.squares / test.baseline.freedom) / baseline.count;
  const difference = canary.mean - baseline.mean - logMargin;
  const increments = normalIncrements(shifts, difference, variance * phi);
  return { ...seen, stakes: addToStakes(test.stakes, increments, place, rules) };
};

const widened = (spread: Spread, { count, squares }: LogMoments): Spread =>
  count < 2 ? spread : { freedom: spread.freedom + count - 1, squares: spread.squares + squares };
