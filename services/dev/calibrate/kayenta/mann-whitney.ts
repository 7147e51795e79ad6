import { normalQuantile } from '../../../core/canary/statistics/normal.ts';
import { zeroOf } from './zero.ts';

/** How much higher the canary's values lie than the baseline's. */
export type Shift = {
  /** Hodges-Lehmann: the median of the differences of all pairs. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
};

/** Absolute, as in the published method: differences of this order are not resolved. */
const TOLERANCE = 1e-4;

/**
 * The shift of location between two samples with its confidence interval: the shifts that a two-sided
 * Mann-Whitney test (normal approximation, corrected for ties and continuity) does not refute. Both
 * samples must have values. Undefined where a shift ties all values: nothing can be said of it.
 */
export const shiftBetween = (
  canary: readonly number[],
  baseline: readonly number[],
  confidence: number,
): Shift | undefined => {
  const x = Float64Array.from(canary).sort();
  const y = Float64Array.from(baseline).sort();
  const lowest = (x[0] ?? 0) - (y.at(-1) ?? 0);
  const highest = (x.at(-1) ?? 0) - (y[0] ?? 0);
  const quantile = upperQuantile(confidence);
  let allTied = false;
  const scoreAt = (shift: number): number => {
    const score = rankSumScore(x, y, shift);
    if (Number.isNaN(score)) allTied = true;
    return score;
  };
  const shiftAt = (wanted: number): number =>
    zeroOf((shift) => scoreAt(shift) - wanted, lowest, highest, TOLERANCE);
  const endAt = (wanted: number): number => {
    // With few values no shift at all is refuted on one side: the end is then the outermost one.
    if (scoreAt(lowest) <= wanted) return lowest;
    if (scoreAt(highest) >= wanted) return highest;
    return shiftAt(wanted);
  };
  const shift = { estimate: shiftAt(0), low: endAt(quantile), high: endAt(-quantile) };
  return allTied ? undefined : shift;
};

/**
 * Standard deviations by which the rank sum of `x - shift` exceeds what two samples of one distribution
 * would give. Both samples ascending. NaN when all values are tied.
 */
export const rankSumScore = (x: Float64Array, y: Float64Array, shift: number): number => {
  const { rankSum, tieCubes } = ranksOf(x, y, shift);
  const total = x.length + y.length;
  const excess = rankSum - (x.length * (x.length + 1)) / 2 - (x.length * y.length) / 2;
  const variance = ((x.length * y.length) / 12) * (total + 1 - tieCubes / (total * (total - 1)));
  if (variance === 0) return Number.NaN;
  return (excess - Math.sign(excess) / 2) / Math.sqrt(variance);
};

/** Ranks by merging; tied values share their mean rank. `tieCubes`: sum of n^3 - n over the ties. */
const ranksOf = (
  x: Float64Array,
  y: Float64Array,
  shift: number,
): { readonly rankSum: number; readonly tieCubes: number } => {
  let rankSum = 0;
  let tieCubes = 0;
  let inX = 0;
  let inY = 0;
  while (inX < x.length || inY < y.length) {
    const fromX = inX < x.length ? (x[inX] ?? 0) - shift : Infinity;
    const fromY = inY < y.length ? (y[inY] ?? 0) : Infinity;
    const value = Math.min(fromX, fromY);
    const ranked = inX + inY;
    const firstX = inX;
    while (inX < x.length && (x[inX] ?? 0) - shift === value) inX += 1;
    while (inY < y.length && y[inY] === value) inY += 1;
    const tied = inX + inY - ranked;
    rankSum += (inX - firstX) * (ranked + (tied + 1) / 2);
    tieCubes += tied * tied * tied - tied;
  }
  return { rankSum, tieCubes };
};

const quantiles = new Map<number, number>();

const upperQuantile = (confidence: number): number => {
  const known = quantiles.get(confidence);
  if (known !== undefined) return known;
  const quantile = normalQuantile((1 + confidence) / 2);
  quantiles.set(confidence, quantile);
  return quantile;
};
