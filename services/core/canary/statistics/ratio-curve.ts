import { logSumExp } from './log-sum-exp.ts';
import type { RatePair } from './rate-counts.ts';
import type { RatioInterval } from './ratio.ts';

/**
 * What is known about the ratio of two rates, from counts paired by block: finer about 1,
 * where events are many. Symmetric: swapping the cohorts inverts ratio and interval.
 */
export type RatioCurve = {
  /**
   * Two Mantel-Haenszel sums: the events of the canary, weighted by the baseline's share of requests, and the other way
   * round.
   */
  readonly weighed: readonly [canary: number, baseline: number];
  /**
   * On the candidates, ln of the likelihood of the split of events against that of the best candidate, never lower than
   * `heightMin`: how many thousandths lower than the best, as text (`textOf`). A state has
   * a curve for each test, and hardly ever looks at it.
   */
  readonly heights: string;
};

/** ln of the candidates above 1: steps of 2 % at first, up to a ratio of 8,100, so that a handful of events closes it. */
const above: readonly number[] = [
  0.02, 0.045, 0.08, 0.12, 0.17, 0.23, 0.31, 0.41, 0.53, 0.68, 0.87, 1.15, 1.5, 1.9, 2.5, 3.4, 5, 9,
];
const candidates: readonly number[] = [...above.map((step) => -step).toReversed(), 0, ...above];
const points = candidates.length;
/** Square roots of the candidate ratios; read backwards, they are the inverses. */
const roots: readonly number[] = candidates.map((candidate) => Math.exp(candidate / 2));

/** Refuted beyond all doubt; to count it as no more than that makes the interval no narrower. */
const heightMin = -999;

/** The characters of pieces: from # on, without the backslash. */
const pieceCodes: readonly number[] = Array.from({ length: 64 }, (_, piece) =>
  piece < 57 ? 35 + piece : 36 + piece,
);
const piecesEach = 5;

// Of one call and overwritten by the next: hundreds of numbers for each block of each tail of each canary else.
const codes: number[] = candidates.flatMap(() => Array<number>(piecesEach).fill(0));
const summed: number[] = candidates.slice();

/** How far each candidate is from the one before it, against the step before that. */
const stepRatios: readonly number[] = candidates.map((candidate, index) => {
  const [before = 0, twoBefore = 0] = [candidates[index - 1], candidates[index - 2]];
  return index < 2 ? 0 : (candidate - before) / (before - twoBefore);
});

/** Where a straight line through the two thousandths before it leads. */
const expectedAt = (index: number, before: number, twoBefore: number): number =>
  (before + (before - twoBefore) * (stepRatios[index] ?? 0)) | 0;

/**
 * How far each one is from what was expected, as a number from 0 on (0, -1, 1, -2, …: 0, 1, 2, 3, …) in pieces of five bits,
 * the lowest first, with 32 more in all but the last; each piece as one character that JSON takes as it is.
 */
const textOf = (heights: readonly number[]): string => {
  let length = 0;
  let before = 0;
  let twoBefore = 0;
  for (let index = 0; index < points; index += 1) {
    const thousandths = -Math.round((heights[index] ?? 0) * 1e3) | 0;
    const difference = thousandths - expectedAt(index, before, twoBefore);
    twoBefore = before;
    before = thousandths;
    let rest = (difference << 1) ^ (difference >> 31);
    while (rest > 31) {
      codes[length] = pieceCodes[32 + (rest & 31)] ?? 0;
      length += 1;
      rest >>= 5;
    }
    codes[length] = pieceCodes[rest] ?? 0;
    length += 1;
  }
  return String.fromCharCode(...codes.slice(0, length));
};

const heightsIn = (
  { heights: text }: RatioCurve,
  heights: number[] = candidates.slice(),
): number[] => {
  let at = 0;
  let before = 0;
  let twoBefore = 0;
  for (let index = 0; index < points; index += 1) {
    let piece = pieceIn(text.charCodeAt(at));
    at += 1;
    let number = piece & 31;
    for (let shift = 5; piece > 31; shift += 5) {
      piece = pieceIn(text.charCodeAt(at));
      at += 1;
      number |= (piece & 31) << shift;
    }
    const thousandths = expectedAt(index, before, twoBefore) + ((number >>> 1) ^ -(number & 1));
    twoBefore = before;
    before = thousandths;
    // Not -0.
    heights[index] = 0 - thousandths / 1e3;
  }
  return heights;
};

const pieceIn = (code: number): number => (code < 92 ? code - 35 : code - 36);

export const initialCurve: RatioCurve = {
  weighed: [0, 0],
  heights: textOf(candidates.map(() => 0)),
};

/** A curve is kept as so many numbers of a list, and a text. */
export const weighedLength = 2;

export const curveIn = (numbers: readonly number[], at: number, heights: string): RatioCurve => ({
  weighed: [numbers[at] ?? 0, numbers[at + 1] ?? 0],
  heights,
});

/** Takes one block in, in a list of the asker's; the text is what comes back. */
export const addToKeptCurve = (
  numbers: number[],
  at: number,
  heights: string,
  pair: RatePair,
  phi: number,
): string => {
  const curve = addToCurve(curveIn(numbers, at, heights), pair, phi);
  [numbers[at], numbers[at + 1]] = curve.weighed;
  return curve.heights;
};

/**
 * Takes one block in: its windows are seconds apart and taken together. Given the events of both cohorts, the canary's
 * number is binomial with odds ratio * n_c / n_b: the base rate cancels, so drift and changing traffic weights do no
 * harm. For events that are not rare that overstates their scatter: the interval is then wider than it must be, never
 * narrower. What the block says is divided by `phi`, its scatter, as it is for the evidence.
 */
export const addToCurve = (
  curve: RatioCurve,
  { canary, baseline }: RatePair,
  phi: number,
): RatioCurve => {
  const events = canary.events + baseline.events;
  const total = canary.total + baseline.total;
  if (events === 0 || canary.total === 0 || baseline.total === 0) return curve;
  const canaryShare = canary.total / total;
  const baselineShare = baseline.total / total;
  const lean = (canary.events - baseline.events) / 2;
  const heights = heightsIn(curve, summed);
  let highest = -Infinity;
  for (let index = 0; index < points; index += 1) {
    const spread =
      canaryShare * (roots[index] ?? 0) + baselineShare * (roots[points - 1 - index] ?? 0);
    const gain = lean * (candidates[index] ?? 0) - events * Math.log(spread);
    const height = (heights[index] ?? 0) + gain / phi;
    heights[index] = height;
    if (height > highest) highest = height;
  }
  for (let index = 0; index < points; index += 1)
    heights[index] = Math.max(heightMin, (heights[index] ?? 0) - highest);
  return {
    weighed: [
      curve.weighed[0] + (canary.events * baselineShare) / phi,
      curve.weighed[1] + (baseline.events * canaryShare) / phi,
    ],
    heights: textOf(heights),
  };
};

/** What rounding can have moved a height against the others. */
const roundingNats = 0.02;

/** Canary rate / baseline rate, paired by block (Mantel-Haenszel); null: the baseline has none. */
export const curveRatio = ({ weighed: [canary, baseline] }: RatioCurve): number | null =>
  baseline === 0 ? null : canary / baseline;

/**
 * The ratios that have not been refuted at any confidence lost by looking often: a candidate a is refuted when mean
 * over the candidates of likelihood(ratio) / likelihood(a), an e-process while a is true, reaches 1 / (1 - confidence).
 *
 * The log-likelihood is concave, so between two candidates it lies below the chords of the neighbouring intervals made
 * longer: the ends, taken where those meet the threshold, are never inside the true ends.
 *
 * Where blocks contradict each other there is no one ratio to be sure of, and `curveRatio`, which weighs them otherwise
 * than the likelihood does, may be refuted itself: the interval then reaches to it.
 */
export const curveInterval = (curve: RatioCurve, confidence: number): RatioInterval => {
  const heights = heightsIn(curve);
  const threshold = logSumExp(heights) - Math.log(points) + Math.log(1 - confidence) - roundingNats;
  const low = lowEnd(heights, threshold);
  const high = lowEnd(heights.toReversed(), threshold);
  const ratio = curveRatio(curve);
  return {
    low: low === null ? null : Math.min(Math.exp(low), ratio ?? Infinity),
    high: high === null ? null : Math.max(Math.exp(-high), ratio ?? 0),
  };
};

/** ln of the lower end; null: it is open. */
const lowEnd = (heights: readonly number[], threshold: number): number | null => {
  const first = heights.findIndex((height) => height >= threshold);
  if (first < 0) return null;
  if (first === 0) return endBeyond(heights, threshold);
  const [x0, x1, x2, x3] = [first - 2, first - 1, first, first + 1].map(
    (at) => candidates[at] ?? 0,
  );
  const [y0, y1, y2, y3] = [first - 2, first - 1, first, first + 1].map((at) => heights[at] ?? 0);
  if (x0 === undefined || x1 === undefined || x2 === undefined || x3 === undefined) return null;
  if (y0 === undefined || y1 === undefined || y2 === undefined || y3 === undefined) return null;
  const ends = [x1];
  // A height that was raised to the lowest lies on no chord.
  if (first >= 2 && y0 > heightMin) ends.push(x1 + ((threshold - y1) * (x1 - x0)) / (y1 - y0));
  if (first + 1 < points && y3 > y2) ends.push(x2 - ((y2 - threshold) * (x3 - x2)) / (y3 - y2));
  return Math.max(...ends);
};

/** What rounding can add to the difference of two heights, in thousandths each. */
const slopeRoundingNats = 0.001;
/** ln of a thousand million: what reaches further is open. */
const furthest = 20.7;

/** Even the smallest candidate stands: below it the likelihood lies under the line through the first two. */
const endBeyond = (heights: readonly number[], threshold: number): number | null => {
  const [x0 = 0, x1 = 0] = candidates;
  const [y0 = 0, y1 = 0] = heights;
  const slope = (y1 - y0 - slopeRoundingNats) / (x1 - x0);
  const end = x0 - (y0 - threshold) / slope;
  return slope > 0 && end > -furthest ? end : null;
};
