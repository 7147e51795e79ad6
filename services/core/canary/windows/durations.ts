import type { Result } from '../../result.ts';
import { fail, ok } from '../../result.ts';

// Histograms of durations: added up over the instances of a cohort, and counted above a boundary. Whoever builds them
// has parsed them at the door: counts are whole numbers, bounds rise, there are as many counts as the shape asks for.

/**
 * Durations in buckets.
 * - explicit: `counts.length === bounds.length + 1`; bounds in seconds, rising; the last bucket is open;
 * - exponential: base 2^(2^-scale); bucket i of `counts` holds (base^(offset + i), base^(offset + i + 1)] seconds, or
 *   milliseconds; what is too short for any bucket is in `zeroCount`.
 * (OpenTelemetry metrics data model, Histogram and ExponentialHistogram.)
 */
export type Durations =
  | {
      readonly shape: 'explicit';
      readonly bounds: readonly number[];
      readonly counts: readonly number[];
    }
  | {
      readonly shape: 'exponential';
      /** Its edges are milliseconds. On that grid and on the one of seconds no two edges are the same. */
      readonly unit?: 'ms';
      readonly scale: number;
      readonly zeroCount: number;
      readonly offset: number;
      readonly counts: readonly number[];
    };
type Explicit = Extract<Durations, { readonly shape: 'explicit' }>;
export type Exponential = Extract<Durations, { readonly shape: 'exponential' }>;

/** Why two histograms cannot be added or compared. */
export type DurationsProblem = 'shapes-differ' | 'units-differ' | 'no-shared-bound';

/** What a duration is held against: an edge between two buckets. */
export type Boundary =
  | { readonly shape: 'explicit'; readonly seconds: number }
  /** base^edge seconds (or milliseconds), base 2^(2^-scale). */
  | {
      readonly shape: 'exponential';
      readonly unit?: 'ms';
      readonly scale: number;
      readonly edge: number;
    };

/** What boundaries of one histogram have in common. */
export type Grid =
  | { readonly shape: 'explicit' }
  | { readonly shape: 'exponential'; readonly unit?: 'ms'; readonly scale: number };

export const gridOf = (boundary: Boundary): Grid =>
  boundary.shape === 'explicit'
    ? { shape: 'explicit' }
    : { shape: 'exponential', ...unitOf(boundary), scale: boundary.scale };

/** What tells it from the others of its grid: the number of its edge, or its seconds. */
export const edgeOf = (boundary: Boundary): number =>
  boundary.shape === 'explicit' ? boundary.seconds : boundary.edge;

export const boundaryOn = (grid: Grid, edge: number): Boundary =>
  grid.shape === 'explicit' ? { shape: 'explicit', seconds: edge } : { ...grid, edge };

/** Buckets of one exponential histogram: twice the usual limit of a sender; for more, the scale goes down. */
const bucketsMax = 320;

/**
 * Both together. Exponential histograms are brought to the lower scale, explicit ones to the bounds that both have.
 * The same for any order of any number of them.
 */
export const addDurations = (
  left: Durations,
  right: Durations,
): Result<Durations, DurationsProblem> => {
  if (left.shape === 'explicit')
    return right.shape === 'explicit' ? addExplicit(left, right) : fail('shapes-differ');
  if (right.shape === 'explicit') return fail('shapes-differ');
  return left.unit === right.unit ? ok(addExponential(left, right)) : fail('units-differ');
};

const addExplicit = (left: Explicit, right: Explicit): Result<Explicit, DurationsProblem> => {
  const bounds = sharedBounds(left.bounds, right.bounds);
  // Without any bound they are alike, and say how many there are.
  const isAnyBound = left.bounds.length + right.bounds.length > 0;
  if (bounds.length === 0 && isAnyBound) return fail('no-shared-bound');
  const counts = countsOn(bounds, left);
  for (const [index, count] of countsOn(bounds, right).entries())
    counts[index] = (counts[index] ?? 0) + count;
  return ok({ shape: 'explicit', bounds, counts });
};

const sharedBounds = (left: readonly number[], right: readonly number[]): readonly number[] => {
  if (left === right || sameNumbers(left, right)) return left;
  const others = new Set(right);
  return left.filter((bound) => others.has(bound));
};

const sameNumbers = (left: readonly number[], right: readonly number[]): boolean => {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1)
    if (left[index] !== right[index]) return false;
  return true;
};

/** The counts between `bounds`, each of which is one of the histogram's own. */
const countsOn = (bounds: readonly number[], durations: Explicit): number[] => {
  const counts = Array<number>(bounds.length + 1).fill(0);
  let bucket = 0;
  for (let index = 0; index < durations.counts.length; index += 1) {
    const isAbove = index > 0 && durations.bounds[index - 1] === bounds[bucket];
    if (isAbove && bucket < bounds.length) bucket += 1;
    counts[bucket] = (counts[bucket] ?? 0) + (durations.counts[index] ?? 0);
  }
  return counts;
};

const addExponential = (left: Exponential, right: Exponential): Exponential =>
  sumOfExponential(left, [right]);

/** All of them together. They must have one unit. */
export const sumOfExponential = (
  first: Exponential,
  others: readonly Exponential[],
): Exponential => {
  let { scale, zeroCount } = first;
  for (const other of others) {
    scale = Math.min(scale, other.scale);
    zeroCount += other.zeroCount;
  }
  return fitted(unitOf(first), scale, zeroCount, [first, ...others]);
};

/**
 * What a request can take: from 0.1 us to 36 hours, as powers of two on either grid. At scale 3 these are 320 buckets,
 * so no duration, however absurd, makes a sum coarser than that.
 */
const plausible = { s: { low: -23, high: 17 }, ms: { low: -13, high: 27 } } as const;

/** Whether some of so many buckets from `offset` on lie outside of what a request can take. */
export const isBeyondPlausible = (
  unit: 'ms' | undefined,
  scale: number,
  offset: number,
  buckets: number,
): boolean => {
  const { low, high } = plausibleBuckets(unit, scale);
  return offset < low || offset + buckets - 1 > high;
};

const plausibleBuckets = (
  unit: 'ms' | undefined,
  scale: number,
): { readonly low: number; readonly high: number } => {
  const { low, high } = plausible[unit ?? 's'];
  return { low: Math.floor(low * 2 ** scale), high: Math.ceil(high * 2 ** scale) - 1 };
};

/**
 * How many durations are longer than a request can take: where only a part of a bucket is, all that are in it, except of
 * an explicit one above a plausible bound, which holds what is slow.
 */
export const countBeyondPlausible = (durations: Durations): number => {
  if (durations.shape === 'exponential') {
    const { unit, scale, offset, counts } = durations;
    return sumFrom(counts, Math.floor(plausible[unit ?? 's'].high * 2 ** scale) - offset);
  }
  const { bounds, counts } = durations;
  if ((bounds.at(-1) ?? 0) < 2 ** plausible.s.high) return 0;
  const first = bounds.findIndex((bound) => bound >= 2 ** plausible.s.high);
  return sumFrom(counts, first === 0 ? 0 : first + 1);
};

/** From this scale on 160 buckets, the usual limit of a sender, hold all plausible durations. */
export const plausibleScaleMin = 2;
/** The finest scale of a sender. */
const scaleMax = 20;

/**
 * With durations that no request takes counted as the longest, and the shortest, that one can. One without buckets has
 * no say in how coarse others may be.
 */
export const withinPlausible = (durations: Exponential): Exponential => {
  const { unit, scale, offset, counts } = durations;
  if (counts.length === 0)
    return scale < plausibleScaleMin ? { ...durations, scale: scaleMax } : durations;
  if (!isBeyondPlausible(unit, scale, offset, counts.length)) return durations;
  const { low, high } = plausibleBuckets(unit, scale);
  const sums: number[] = [];
  const from = Math.min(Math.max(offset, low), high);
  for (let index = 0; index < counts.length; index += 1) {
    const at = Math.min(Math.max(offset + index, low), high) - from;
    sums[at] = (sums[at] ?? 0) + (counts[index] ?? 0);
  }
  return { ...durations, offset: from, counts: sums };
};

/** The unit as a property that is there or not: objects of seconds have none. */
const unitOf = ({ unit }: { readonly unit?: 'ms' }): { readonly unit?: 'ms' } =>
  unit === undefined ? {} : { unit };

/** The same durations at a lower scale: every 2^steps buckets become one (index >> steps). */
export const downscaled = (durations: Exponential, scale: number): Exponential =>
  fitted(unitOf(durations), Math.min(scale, durations.scale), durations.zeroCount, [durations]);

/** Adds the buckets up at `scale`, or at the highest scale below it at which they are not too many; no empty ends. */
const fitted = (
  unit: { readonly unit?: 'ms' },
  scale: number,
  zeroCount: number,
  histograms: readonly Exponential[],
): Exponential => {
  let low = Infinity;
  let high = -Infinity;
  for (const { scale: from, offset, counts } of histograms) {
    for (let index = 0; index < counts.length; index += 1) {
      if ((counts[index] ?? 0) === 0) continue;
      const at = Math.floor((offset + index) / 2 ** (from - scale));
      if (at < low) low = at;
      if (at > high) high = at;
    }
  }
  if (high < low) return { shape: 'exponential', ...unit, scale, zeroCount, offset: 0, counts: [] };
  let steps = 0;
  while (Math.floor(high / 2 ** steps) - Math.floor(low / 2 ** steps) >= bucketsMax) steps += 1;
  const offset = Math.floor(low / 2 ** steps);
  const sums = Array<number>(Math.floor(high / 2 ** steps) - offset + 1).fill(0);
  for (const { scale: from, offset: first, counts } of histograms) {
    const width = 2 ** (from - scale + steps);
    for (let index = 0; index < counts.length; index += 1) {
      const count = counts[index] ?? 0;
      if (count === 0) continue;
      const at = Math.floor((first + index) / width) - offset;
      sums[at] = (sums[at] ?? 0) + count;
    }
  }
  return { shape: 'exponential', ...unit, scale: scale - steps, zeroCount, offset, counts: sums };
};

export const totalOf = (durations: Durations): number => {
  let total = durations.shape === 'exponential' ? durations.zeroCount : 0;
  for (const count of durations.counts) total += count;
  return total;
};

/**
 * How many durations are longer than the boundary; undefined where the buckets do not say it: another shape or unit, a
 * bound that is not there, a scale too low for the edge.
 */
export const countAbove = (durations: Durations, boundary: Boundary): number | undefined =>
  countAboveEdge(durations, boundary, edgeOf(boundary));

/** The same for an edge of a grid. */
export const countAboveEdge = (
  durations: Durations,
  grid: Grid,
  edge: number,
): number | undefined => {
  const first = firstAbove(durations, grid, edge);
  return first === undefined ? undefined : sumFrom(durations.counts, first);
};

/** The same, where many edges are asked for: `tops` are those of the durations (`fillTops`). */
export const countAboveIn = (
  durations: Durations,
  tops: readonly number[],
  grid: Grid,
  edge: number,
): number | undefined => {
  const first = firstAbove(durations, grid, edge);
  return first === undefined ? undefined : countFrom(durations, tops, first);
};

/** How many durations are in bucket `first` or in a higher one. */
export const countFrom = (
  { counts: { length } }: Durations,
  tops: readonly number[],
  first: number,
): number => (first >= length ? 0 : (tops[length - Math.max(0, first)] ?? 0));

/** Writes into a list how many durations are in the highest 0, 1, 2, … buckets; what is behind these stays. */
export const fillTops = (tops: number[], { counts }: Durations): void => {
  let sum = 0;
  tops[0] = sum;
  for (let index = counts.length - 1, at = 1; index >= 0; index -= 1, at += 1) {
    sum += counts[index] ?? 0;
    tops[at] = sum;
  }
};

/** The lowest bucket above an edge, which may lie below or above all there are; undefined: none begins at it. */
const firstAbove = (durations: Durations, grid: Grid, edge: number): number | undefined => {
  if (durations.shape === 'explicit') {
    if (grid.shape === 'exponential') return undefined;
    const index = durations.bounds.indexOf(edge);
    return index < 0 ? undefined : index + 1;
  }
  if (grid.shape === 'explicit' || grid.unit !== durations.unit) return undefined;
  // Mostly they have one scale.
  const own = durations.scale === grid.scale ? edge : edge * 2 ** (durations.scale - grid.scale);
  return Number.isInteger(own) ? own - durations.offset : undefined;
};

/**
 * The lowest edge that `times` (1 or more) reaches up to `edge` from: whatever is longer than it, and takes so many times
 * as long, is longer than `edge`. `edge` itself where no other is so near.
 */
export const edgeReaching = (
  durations: Durations,
  grid: Grid,
  edge: number,
  times: number,
): number => {
  if (grid.shape === 'exponential') return edge - Math.floor(Math.log2(times) * 2 ** grid.scale);
  if (durations.shape === 'exponential') return edge;
  const { bounds } = durations;
  let lowest = edge;
  // Bounds that were divided by 1000 may be off by their last digit.
  const least = (edge / times) * (1 - Number.EPSILON * 4);
  for (let index = bounds.indexOf(edge) - 1; index >= 0; index -= 1) {
    const bound = bounds[index] ?? 0;
    if (bound < least || bound <= 0) break;
    lowest = bound;
  }
  return lowest;
};

const sumFrom = (counts: readonly number[], first: number): number => {
  let sum = 0;
  for (let index = Math.max(0, first); index < counts.length; index += 1) sum += counts[index] ?? 0;
  return sum;
};

export const boundarySeconds = (boundary: Boundary): number =>
  boundary.shape === 'explicit'
    ? boundary.seconds
    : 2 ** (boundary.edge / 2 ** boundary.scale) / perSecond(boundary);

/** How many of its unit are a second. */
const perSecond = ({ unit }: { readonly unit?: 'ms' }): number => (unit === 'ms' ? 1000 : 1);

/**
 * The boundary whose share of longer durations is nearest to 1 - quantile, by the logit of the share, among those that
 * are not taken; undefined where there is none, or no duration.
 */
export const boundaryNearest = (
  durations: Durations,
  quantile: number,
  taken: readonly Boundary[] = [],
): { readonly boundary: Boundary; readonly logitsAway: number } | undefined => {
  const total = totalOf(durations);
  if (total === 0) return undefined;
  const wanted = Math.log((1 - quantile) / quantile);
  let above = total - (durations.shape === 'exponential' ? durations.zeroCount : 0);
  let nearest: number | undefined;
  let leastDistance = Infinity;
  const { counts } = durations;
  const edges = durations.shape === 'explicit' ? durations.bounds.length : counts.length;
  for (let index = 0; index < edges; index += 1) {
    above -= counts[index] ?? 0;
    // Half a duration on either side, so that no share is 0 or 1.
    const distance = Math.abs(Math.log((above + 0.5) / (total - above + 0.5)) - wanted);
    if (distance >= leastDistance || isTaken(taken, edgeAt(durations, index))) continue;
    leastDistance = distance;
    nearest = index;
  }
  return nearest === undefined
    ? undefined
    : { boundary: edgeAt(durations, nearest), logitsAway: leastDistance };
};

/** Shares that differ by less, in logits, are the same to the eye: 50 and 55 %, or 1.0 and 1.2 %. */
const sameShareLogits = 0.2;

/**
 * The lowest of the coarse boundaries that have the same share of longer durations as this one: what takes longer than
 * before passes that one first, and perhaps no other. `boundary` itself, where buckets are fine or one of those is taken.
 */
export const plateauOf = (
  durations: Durations,
  boundary: Boundary,
  taken: readonly Boundary[],
): Boundary => {
  if (isShiftable(boundary)) return boundary;
  const total = totalOf(durations);
  const { counts } = durations;
  const edges = durations.shape === 'explicit' ? durations.bounds.length : counts.length;
  let above = total - (durations.shape === 'exponential' ? durations.zeroCount : 0);
  const logits: number[] = [];
  let own = edges - 1;
  for (let index = 0; index < edges; index += 1) {
    above -= counts[index] ?? 0;
    logits.push(Math.log((above + 0.5) / (total - above + 0.5)));
    if (boundarySeconds(edgeAt(durations, index)) === boundarySeconds(boundary)) own = index;
  }
  const most = (logits[own] ?? 0) + sameShareLogits;
  const first = logits.findIndex((logit) => logit <= most);
  for (let index = first; index < own; index += 1)
    if (isTaken(taken, edgeAt(durations, index))) return boundary;
  return first < own ? edgeAt(durations, first) : boundary;
};

/** The lowest boundary that at most `share` of the durations are longer than; undefined where there is none. */
export const boundaryPassedBy = (durations: Durations, share: number): Boundary | undefined => {
  const total = totalOf(durations);
  let above = total - (durations.shape === 'exponential' ? durations.zeroCount : 0);
  const { counts } = durations;
  const edges = durations.shape === 'explicit' ? durations.bounds.length : counts.length;
  for (let index = 0; index < edges; index += 1) {
    above -= counts[index] ?? 0;
    if (above <= share * total) return edgeAt(durations, index);
  }
  return undefined;
};

/** The highest boundary that is not above so many seconds; undefined where there is none. */
export const boundaryAtMost = (durations: Durations, seconds: number): Boundary | undefined => {
  if (!(seconds > 0)) return undefined;
  if (durations.shape === 'explicit') {
    const bound = durations.bounds.findLast((each) => each <= seconds);
    return bound === undefined ? undefined : { shape: 'explicit', seconds: bound };
  }
  const { scale } = durations;
  const edge = Math.floor(Math.log2(seconds * perSecond(durations)) * 2 ** scale);
  return { shape: 'exponential', ...unitOf(durations), scale, edge };
};

/** The upper edge of a bucket. */
const edgeAt = (durations: Durations, index: number): Boundary =>
  durations.shape === 'explicit'
    ? { shape: 'explicit', seconds: durations.bounds[index] ?? Infinity }
    : {
        shape: 'exponential',
        ...unitOf(durations),
        scale: durations.scale,
        edge: durations.offset + index + 1,
      };

const isTaken = (taken: readonly Boundary[], boundary: Boundary): boolean =>
  taken.some((other) => boundarySeconds(other) === boundarySeconds(boundary));

/** A boundary that a histogram of this scale has too: the same one, or the nearest. */
export const boundaryAtScale = (boundary: Boundary, scale: number): Boundary =>
  boundary.shape === 'explicit' || boundary.scale <= scale
    ? boundary
    : {
        shape: 'exponential',
        ...unitOf(boundary),
        scale,
        edge: Math.round(boundary.edge / 2 ** (boundary.scale - scale)),
      };

/** Scales from this one on have buckets fine enough (9 %) to shift a boundary by whole ones. */
const shiftScaleMin = 3;

/** Whether a margin can be had as a shift of the boundary; where not, the rates themselves need a tolerance. */
export const isShiftable = (grid: Grid): boolean =>
  grid.shape === 'exponential' && grid.scale >= shiftScaleMin;

/** By how many buckets durations shift that are slower by `margin` (0.1: 10 %): the nearest number, at least 1. */
export const shiftOfMargin = (scale: number, margin: number): number =>
  margin <= 0 ? 0 : Math.max(1, Math.round(2 ** scale * Math.log2(1 + margin)));

/** How much slower durations are that shift by that many buckets: exact, no interpolation. */
export const marginOfShift = (scale: number, buckets: number): number =>
  2 ** (buckets / 2 ** scale) - 1;

/** Of ln(duration / centre): how many, their mean, and the sum of squared distances from it. */
export type LogMoments = {
  readonly count: number;
  readonly mean: number;
  readonly squares: number;
};

/**
 * Mean and spread of log-durations from the middles of exponential buckets; undefined for explicit ones, whose middles
 * say too little. What is `reach` from the centre or further (in nats), and what is in the zero bucket, counts as just
 * that far: one absurd duration then says no more than a slow one.
 */
export const logMoments = (
  durations: Durations,
  centreSeconds: number,
  reach: number,
): LogMoments | undefined => {
  if (durations.shape === 'explicit') return undefined;
  const { scale, offset, counts, zeroCount } = durations;
  const width = Math.LN2 / 2 ** scale;
  const first = (offset + 0.5) * width - Math.log(centreSeconds * perSecond(durations));
  let count = zeroCount;
  let sum = -reach * zeroCount;
  let squared = reach * reach * zeroCount;
  for (let index = 0; index < counts.length; index += 1) {
    const inBucket = counts[index] ?? 0;
    if (inBucket === 0) continue;
    const at = Math.min(reach, Math.max(-reach, first + index * width));
    count += inBucket;
    sum += inBucket * at;
    squared += inBucket * at * at;
  }
  if (count === 0) return { count: 0, mean: 0, squares: 0 };
  const mean = sum / count;
  return { count, mean, squares: Math.max(0, squared - sum * mean) };
};

/** Width of a bucket on the scale of logarithms. */
export const logWidth = (scale: number): number => Math.LN2 / 2 ** scale;
