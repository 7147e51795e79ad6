import type { RatioInterval } from '../statistics/ratio.ts';
import { openWhereInfinite } from '../statistics/ratio.ts';

/** Sums over the judged windows of one gauge. Everything here is symmetric: swapped cohorts invert the ratio. */
export type LevelSums = readonly [
  windows: number,
  canary: number,
  baseline: number,
  canarySquares: number,
  baselineSquares: number,
];

export const levelRatio = ([, canary, baseline]: LevelSums): number | null =>
  openWhereInfinite(canary / baseline);

/** Next to a level of next to nothing there is no ratio. */

/** The number of windows at which the interval is narrowest for its confidence. */
const bestAtWindows = 60;

/**
 * The ratios a for which the sum of (canary - a * baseline) is not too far from 0 at any time: a two-sided asymptotic
 * confidence sequence (Waudby-Smith et al. 2024, eq. 6), turned to the ratio as Fieller did. `variance` is that of the
 * relative difference of one window, half of it from either cohort, each in proportion to its level. For people to
 * see; nothing is decided by it.
 */
export const levelInterval = (
  [windows, canary, baseline, canarySquares, baselineSquares]: LevelSums,
  variance: number | null,
  confidence: number,
): RatioInterval => {
  if (variance === null || windows === 0) return { low: null, high: null };
  const width = squaredWidth(windows, 1 - confidence) * (variance / 2 / windows);
  // (canary - a baseline)^2 <= width (canarySquares + a^2 baselineSquares), a quadratic in a.
  const square = baseline * baseline - width * baselineSquares;
  const rest = canary * canary - width * canarySquares;
  const root = Math.sqrt(Math.max(0, (canary * baseline) ** 2 - square * rest));
  return {
    low: rest > 0 ? openWhereInfinite(rest / (canary * baseline + root)) : null,
    high: square > 0 ? openWhereInfinite((canary * baseline + root) / square) : null,
  };
};

/** Of the sum of `windows` differences with variance 1. */
const squaredWidth = (windows: number, alpha: number): number => {
  const logAlpha = Math.log(alpha);
  const tuning = (-2 * logAlpha + Math.log(1 - 2 * logAlpha)) / bestAtWindows;
  const grown = windows * tuning + 1;
  return ((2 * grown) / tuning) * (Math.log(grown) / 2 - logAlpha);
};
