import type { LogMoments } from '../durations.ts';
import { logWidth } from '../durations.ts';
import type { StakeRules, Stakes } from '../stakes.ts';
import { initialStakes, roundGrowth } from '../stakes.ts';
import { addNormalIncrements } from './normal-increments.ts';

/** The mean of log-durations: durations that all grow by a factor shift it by the factor's logarithm. */
export type MeanLog = {
  /** Durations are measured from here, and count as at most `logReach` away. */
  readonly centreSeconds: number;
  /** Spreads inside the windows so far, by which the next one's means are weighed. */
  readonly spreads: Spreads;
  /** Of finished blocks; the growth in the running one is with the tails'. */
  readonly stakes: Stakes;
};

/** Of either cohort: the sum of squared distances from the mean of each window, and how many of them are free. */
type Spreads = readonly [
  canaryFreedom: number,
  canarySquares: number,
  baselineFreedom: number,
  baselineSquares: number,
];

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
    spreads: [
      borrowedFreedom,
      (borrowedFreedom * warmUp.squares) / freedom,
      freedom,
      warmUp.squares,
    ],
    stakes: initialStakes(shifts.length, rules, restartsBegun),
  };
};

/**
 * Takes one window in: D = mean_c - mean_b - ln(1 + margin), v = s_c^2 / n_c + s_b^2 / n_b. The spreads s come from
 * earlier windows; they are no less than what rounding to buckets hides. The growth in `running`, which begins at
 * `from`, belongs to whoever asks, and is changed.
 */
export const addToMeanLog = (
  test: MeanLog,
  running: number[],
  from: number,
  canary: LogMoments,
  baseline: LogMoments,
  { logMargin, scale, phi }: { logMargin: number; scale: number; phi: number },
): MeanLog => {
  const { centreSeconds, spreads, stakes } = test;
  const [canaryFreedom, canarySquares, baselineFreedom, baselineSquares] = spreads;
  if (canary.count > 0 && baseline.count > 0) {
    const rounding = logWidth(scale) ** 2 / 12;
    const variance =
      Math.max(rounding, canarySquares / canaryFreedom) / canary.count +
      Math.max(rounding, baselineSquares / baselineFreedom) / baseline.count;
    const difference = canary.mean - baseline.mean - logMargin;
    addNormalIncrements(running, from, shifts, 1, difference, variance * phi);
    roundGrowth(running, from, shifts.length);
  }
  // One duration has no spread.
  const [ofCanary, ofBaseline] = [canary.count >= 2, baseline.count >= 2];
  return {
    centreSeconds,
    spreads: [
      ofCanary ? canaryFreedom + canary.count - 1 : canaryFreedom,
      ofCanary ? canarySquares + canary.squares : canarySquares,
      ofBaseline ? baselineFreedom + baseline.count - 1 : baselineFreedom,
      ofBaseline ? baselineSquares + baseline.squares : baselineSquares,
    ],
    stakes,
  };
};
