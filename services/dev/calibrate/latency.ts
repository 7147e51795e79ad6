import type { Random } from '../canary-climates/random.ts';
import type { Durations } from '../../core/canary/windows/durations.ts';
import { normalShareBelow } from '../../core/canary/statistics/normal.ts';
import { poissonCounts } from './poisson.ts';

/** Durations of requests that all do the same: log-normal, median 120 ms; a part of them may be slower. */
export type LatencyShape = {
  /** The share of requests that is slower, and how many times. */
  readonly part: number;
  readonly partFactor: number;
};

export const medianSeconds = 0.12;
export const spread = 0.8;
/** Buckets of 4.4 %: what a sender with 160 of them comes to for durations like these, 5 ms to 4 s. */
export const scale = 4;

export const plainLatency: LatencyShape = { part: 0, partFactor: 1 };

const BUCKET = Math.LN2 / 2 ** scale;
/** A distribution can lie at so many places inside a bucket; slowdowns are rounded to them (0.07 %). */
const PHASES = 64;
/** Beyond so many standard deviations nothing is drawn (chance 6e-7). */
const REACH = 5;

export type Histogram = Extract<Durations, { readonly shape: 'exponential' }>;

/** What so much traffic of that shape, so many times slower, leaves behind in one window. */
export type LatencySource = (
  random: Random,
  shape: LatencyShape,
  meanRequests: number,
  slowdown: number,
) => { readonly requests: number; readonly latency: Histogram };

/**
 * Requests come at random (Poisson), so the counts of the buckets are independent Poisson counts: one look-up a
 * bucket, whatever the traffic. Where there are fewer requests than buckets each request is drawn by itself. The
 * tables of each shape, traffic and phase are made once.
 */
export const openLatencySource = (): LatencySource => {
  const known = new Map<LatencyShape, Map<number, (Draw | undefined)[]>>();
  const drawOf = (shape: LatencyShape, meanRequests: number, phase: number): Draw => {
    const ofShape = known.get(shape) ?? new Map<number, (Draw | undefined)[]>();
    known.set(shape, ofShape);
    const ofTraffic = ofShape.get(meanRequests) ?? Array<Draw | undefined>(PHASES).fill(undefined);
    ofShape.set(meanRequests, ofTraffic);
    const draw = ofTraffic[phase] ?? newDraw(meanRequests, bucketShares(shape, phase));
    ofTraffic[phase] = draw;
    return draw;
  };
  return (random, shape, meanRequests, slowdown) => {
    const steps = Math.round((Math.log(slowdown) / BUCKET) * PHASES);
    const phase = ((steps % PHASES) + PHASES) % PHASES;
    const counts = drawOf(shape, meanRequests, phase)(random);
    let requests = 0;
    for (const count of counts) requests += count;
    const offset = FIRST_BUCKET + (steps - phase) / PHASES;
    return { requests, latency: { shape: 'exponential', scale, zeroCount: 0, offset, counts } };
  };
};

/** Counts of the buckets. */
type Draw = (random: Random) => readonly number[];

const newDraw = (meanRequests: number, shares: readonly number[]): Draw => {
  if (meanRequests > shares.length)
    return poissonCounts(shares.map((share) => meanRequests * share));
  const total = poissonCounts([meanRequests]);
  const bucket = placeBy(shares);
  return (random) => {
    const counts = Array<number>(shares.length).fill(0);
    for (let left = total(random)[0] ?? 0; left > 0; left -= 1) {
      const at = bucket(random);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    return counts;
  };
};

const PLACE_GUIDES = 256;

/** Draws an index with the chance of its share; the shares sum to 1, but for what is beyond reach. */
const placeBy = (shares: readonly number[]): ((random: Random) => number) => {
  let sum = 0;
  const below = Float64Array.from(shares, (share) => (sum += share));
  below[below.length - 1] = 2;
  const guides = Int32Array.from({ length: PLACE_GUIDES }, (_, guide) =>
    below.findIndex((share) => share > guide / PLACE_GUIDES),
  );
  return (random) => {
    const uniform = random();
    let at = guides[(uniform * PLACE_GUIDES) | 0] ?? 0;
    while (uniform >= (below[at] ?? 1)) at += 1;
    return at;
  };
};

/** Index of the first bucket that is drawn where nothing is slower. */
const FIRST_BUCKET = Math.floor((Math.log(medianSeconds) - REACH * spread) / BUCKET);

/** The share of requests in each bucket from `FIRST_BUCKET` on, at this place inside the bucket. */
const bucketShares = ({ part, partFactor }: LatencyShape, phase: number): readonly number[] => {
  const centre = Math.log(medianSeconds) + (phase * BUCKET) / PHASES;
  const shareBelow = (edge: number): number => {
    const at = edge * BUCKET - centre;
    return (
      (1 - part) * normalShareBelow(at / spread) +
      part * normalShareBelow((at - Math.log(partFactor)) / spread)
    );
  };
  const widest = centre + REACH * spread + (part > 0 ? Math.log(partFactor) : 0);
  const buckets = Math.ceil(widest / BUCKET) - FIRST_BUCKET;
  return Array.from({ length: buckets }, (_, index) =>
    Math.max(0, shareBelow(FIRST_BUCKET + index + 1) - shareBelow(FIRST_BUCKET + index)),
  );
};

/** The duration, in seconds, below which that share of the requests lies; NaN where there are none. */
export const quantileSeconds = (
  counts: readonly number[],
  offset: number,
  quantile: number,
): number => {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return Number.NaN;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && below + count >= quantile * total) {
      const inside = (quantile * total - below) / count;
      return Math.exp((offset + index + inside) * BUCKET);
    }
    below += count;
  }
  return Number.NaN;
};
