import { logSumExp } from './log-sum-exp.ts';
import type { ArmCounts } from './window.ts';

/**
 * What is known about the ratio of two error rates, from counts paired by window, in constant
 * space. Everything here is symmetric: swapping the cohorts inverts ratio and interval.
 */
export type RatioState = {
  /** Mantel-Haenszel sums: the errors of one cohort, weighted by the other's share of requests. */
  readonly canaryWeighted: number;
  readonly baselineWeighted: number;
  /** On the candidate grid: ln of the likelihood of the split of errors, and its slope. */
  readonly logLikelihood: readonly number[];
  readonly slope: readonly number[];
};

/** Ends are ratios; null: open on that side. */
export type RatioInterval = { readonly low: number | null; readonly high: number | null };

/** Of the intervals that people are shown. */
export const intervalConfidence = 0.99;

const STEPS_PER_DOUBLING = 8;
const DOUBLINGS = 6;
const CENTRE = DOUBLINGS * STEPS_PER_DOUBLING;
const GRID_POINTS = 2 * CENTRE + 1;

/** ln of the candidate ratios: 1/64 to 64, 9 % apart, symmetric about 0. */
const candidates: readonly number[] = Array.from(
  { length: GRID_POINTS },
  (_, index) => ((index - CENTRE) * Math.LN2) / STEPS_PER_DOUBLING,
);
/** Square roots of the candidate ratios; read backwards, they are the inverses. */
const roots: readonly number[] = Array.from(
  { length: GRID_POINTS },
  (_, index) => 2 ** ((index - CENTRE) / (2 * STEPS_PER_DOUBLING)),
);

export const initialRatio: RatioState = {
  canaryWeighted: 0,
  baselineWeighted: 0,
  logLikelihood: candidates.map(() => 0),
  slope: candidates.map(() => 0),
};

/**
 * Takes in one window in which both cohorts have requests. Given e_c + e_b errors in all, the
 * canary's number is binomial with odds ratio * n_c / n_b: the base rate cancels, so drift and
 * changing traffic weights do no harm.
 */
export const addToRatio = (
  state: RatioState,
  canary: ArmCounts,
  baseline: ArmCounts,
): RatioState => {
  const errors = canary.errors + baseline.errors;
  if (errors === 0) return state;
  const canaryShare = canary.requests / (canary.requests + baseline.requests);
  const baselineShare = baseline.requests / (canary.requests + baseline.requests);
  const lean = (canary.errors - baseline.errors) / 2;
  const logLikelihood: number[] = [];
  const slope: number[] = [];
  for (const [index, candidate] of candidates.entries()) {
    const forCanary = canaryShare * (roots[index] ?? 0);
    const forBaseline = baselineShare * (roots[GRID_POINTS - 1 - index] ?? 0);
    const total = forCanary + forBaseline;
    const gain = lean * candidate - errors * Math.log(total);
    const steepness = lean - (errors / 2) * ((forCanary - forBaseline) / total);
    logLikelihood.push((state.logLikelihood[index] ?? 0) + gain);
    slope.push((state.slope[index] ?? 0) + steepness);
  }
  return {
    canaryWeighted: state.canaryWeighted + canary.errors * baselineShare,
    baselineWeighted: state.baselineWeighted + baseline.errors * canaryShare,
    logLikelihood,
    slope,
  };
};

/** Canary rate / baseline rate, paired by window (Mantel-Haenszel); null: the baseline has none. */
export const ratioOf = (state: RatioState): number | null =>
  state.baselineWeighted === 0 ? null : state.canaryWeighted / state.baselineWeighted;

/**
 * The ratios that have not been refuted at any confidence lost by looking often: a candidate a is
 * refuted when mean over the grid of likelihood(ratio) / likelihood(a), an e-process while a is
 * true, reaches 1 / (1 - confidence). `dispersion` flattens the likelihood as it does the evidence.
 *
 * The log-likelihood is concave, so it lies below its tangents: the ends, taken where the tangents
 * of the two neighbouring candidates meet the threshold, are never inside the true ends.
 */
export const ratioInterval = (
  state: RatioState,
  confidence: number,
  dispersion: number,
): RatioInterval => {
  const heights = state.logLikelihood.map((value) => value / dispersion);
  const slopes = state.slope.map((value) => value / dispersion);
  const threshold = logSumExp(heights) - Math.log(GRID_POINTS) + Math.log(1 - confidence);
  const low = lowEnd(heights, slopes, threshold);
  const high = lowEnd(
    heights.toReversed(),
    slopes.toReversed().map((value) => -value),
    threshold,
  );
  return {
    low: low === null ? null : Math.exp(low),
    high: high === null ? null : Math.exp(-high),
  };
};

/** ln of the lower end; null when even the smallest candidate stands. */
const lowEnd = (
  heights: readonly number[],
  slopes: readonly number[],
  threshold: number,
): number | null => {
  const first = heights.findIndex((height) => height >= threshold);
  if (first <= 0) return null;
  const fromBelow =
    (candidates[first - 1] ?? 0) +
    (threshold - (heights[first - 1] ?? 0)) / (slopes[first - 1] ?? 1);
  const slopeAbove = slopes[first] ?? 0;
  if (slopeAbove <= 0) return fromBelow;
  const fromAbove = (candidates[first] ?? 0) - ((heights[first] ?? 0) - threshold) / slopeAbove;
  return Math.max(fromBelow, fromAbove);
};
