import type { Durations } from '../windows/durations.ts';
import {
  addDurations,
  boundaryNearest,
  boundarySeconds,
  countAbove,
  isShiftable,
  logMoments,
  totalOf,
} from '../windows/durations.ts';
import { latencyBoundaries, latencyQuantiles } from '../metrics/latency.ts';
import type { LatencyPhi } from '../metrics/latency.ts';
import { logReach } from '../metrics/mean-log.ts';
import type { RatePair } from '../statistics/rate-counts.ts';
import { isPairedRate } from '../statistics/rate-counts.ts';

// How much more two cohorts of the same program differ than independent requests would let them: learned from history
// in which both halves ran the same code, cut into batches of five minutes.

/**
 * - `measured`: from history;
 * - `raised-for-traffic`: more traffic than in the history, where noise that all requests of an instance share weighs
 *   more (`scatter.ts`);
 * - `unknown`: too little history; a fallback.
 */
export type NoiseNote = 'measured' | 'raised-for-traffic' | 'unknown';

/** By how much log-increments are divided, at least 1, and where it is from. */
export type Dispersion = {
  readonly phi: number;
  readonly batches: number;
  readonly note: NoiseNote;
};

/** The same of what is counted among requests. */
export type RateDispersion = Dispersion & {
  /** The traffic it was measured at: the mean over batches of 1 / (1/n_c + 1/n_b), requests; absent: not known. */
  readonly weight?: number;
};

/** Where nothing is known. */
export const unknownPhi = 2;
/** Half an hour of batches; fewer say too little. */
export const dispersionBatchesMin = 6;
/** From here on the standard error is added: a large mean comes from few batches. */
const errorAddedAbove = 1.5;

/** Expected events of the smaller cohort in a batch: below, squares of their differences are far from a chi-squared. */
const fewEvents = 5;

/**
 * phi of a rate: the mean over batches of (rate_c - rate_b)^2 / (p (1 - p) (1/n_c + 1/n_b)), p the rate of both
 * together; plus one standard error where it is above 1.5.
 *
 * Where events are few and the cohorts unequal, that mean is ruled by the batches in which the smaller one happened to
 * have an event. Of `m` events it has m t on average, t its part of the requests, with variance s = m t (1 - t) and third
 * moment s (1 - 2 t). So (1 - 2 t) (e - m t) / s is taken off, the part of the square that goes with e: it is 0 on
 * average, also where events come in clusters, and phi of hardly any traffic scatters half as much. Where one half has
 * more errors in all of the history, phi comes out lower if that is the smaller half and higher if it is the larger: with
 * an event a batch, of which the smaller half has twice its part, about 2.2 instead of 3.1. On average over which of them
 * it is it stays what it was, and so few events do not tell what lasts from chance.
 */
export const rateDispersion = (batches: readonly RatePair[]): RateDispersion => {
  const ratios: number[] = [];
  let weights = 0;
  const isSkewed = smallerEvents(batches) < fewEvents;
  for (const pair of batches) {
    const { canary, baseline } = pair;
    if (!isPairedRate(pair)) continue;
    const share = (canary.events + baseline.events) / (canary.total + baseline.total);
    if (!(share > 0 && share < 1)) continue;
    const spread = 1 / canary.total + 1 / baseline.total;
    const difference = canary.events / canary.total - baseline.events / baseline.total;
    const skew = isSkewed
      ? ((1 / canary.total - 1 / baseline.total) * difference) / (share * spread)
      : 0;
    ratios.push(difference ** 2 / (share * (1 - share) * spread) - skew);
    weights += 1 / spread;
  }
  return weighed(dispersionOf(ratios), weights / ratios.length);
};

/** What the smaller cohort is expected to have in a batch, on average over those with requests of both. */
const smallerEvents = (batches: readonly RatePair[]): number =>
  meanOf(
    batches.filter(isPairedRate).map(({ canary, baseline }) => {
      const part = Math.min(canary.total, baseline.total) / (canary.total + baseline.total);
      return part * (canary.events + baseline.events);
    }),
  );

/** One batch of requests, and the share of them that the first cohort should get. */
export type TrafficBatch = {
  readonly canary: number;
  readonly baseline: number;
  readonly share: number;
};

/** phi of the traffic's split: the mean over batches of (n_c - n w)^2 / (n w (1 - w)), w the share. */
export const trafficDispersion = (batches: readonly TrafficBatch[]): Dispersion =>
  dispersionOf(
    batches.flatMap(({ canary, baseline, share }) => {
      const total = canary + baseline;
      const variance = total * share * (1 - share);
      return variance > 0 ? [(canary - total * share) ** 2 / variance] : [];
    }),
  );

export type LatencyDispersion = Omit<RateDispersion, 'phi'> & { readonly phi: LatencyPhi };

export type DurationsBatch = { readonly canary: Durations; readonly baseline: Durations };

/**
 * phi of every test of latency, at the boundaries nearest to the quantiles of the whole history. Batches that cannot
 * be compared with the first of them are left out. `weight` is the least of the tests'.
 */
export const latencyDispersion = (batches: readonly DurationsBatch[]): LatencyDispersion => {
  let whole: Durations | undefined;
  const usable: DurationsBatch[] = [];
  for (const batch of batches) {
    const both = addDurations(batch.canary, batch.baseline);
    const sum = !both.ok || whole === undefined ? both : addDurations(whole, both.value);
    if (!sum.ok) continue;
    whole = sum.value;
    usable.push(batch);
  }
  const boundaries = new Map(whole === undefined ? [] : latencyBoundaries(whole));
  const tails = latencyQuantiles.map((quantile) => {
    const boundary = boundaries.get(quantile);
    const pairs = usable.flatMap(({ canary, baseline }): readonly RatePair[] => {
      const canaryAbove = boundary && countAbove(canary, boundary);
      const baselineAbove = boundary && countAbove(baseline, boundary);
      if (canaryAbove === undefined || baselineAbove === undefined) return [];
      return [
        {
          canary: { total: totalOf(canary), events: canaryAbove },
          baseline: { total: totalOf(baseline), events: baselineAbove },
        },
      ];
    });
    return rateDispersion(pairs);
  });
  const meanLog = meanLogDispersion(usable, whole);
  // A quantile without a boundary has no test.
  const all = [
    ...tails.filter((_, index) => boundaries.has(latencyQuantiles[index] ?? 0)),
    meanLog,
  ];
  const isUnknown = all.some(({ note }) => note === 'unknown');
  const weight = Math.min(...all.map((test) => test.weight ?? Infinity));
  return {
    phi: { tails: tails.map(({ phi }) => phi), meanLog: meanLog.phi },
    batches: usable.length,
    note: isUnknown ? 'unknown' : 'measured',
    ...(isUnknown || weight === Infinity ? {} : { weight }),
  };
};

const meanLogDispersion = (
  batches: readonly DurationsBatch[],
  whole: Durations | undefined,
): RateDispersion => {
  const middle = whole && boundaryNearest(whole, 0.5)?.boundary;
  // Where buckets are too coarse to shift there is no such test.
  if (middle === undefined || !isShiftable(middle))
    return { phi: unknownPhi, batches: 0, note: middle === undefined ? 'unknown' : 'measured' };
  const centre = boundarySeconds(middle);
  const ratios: number[] = [];
  let weights = 0;
  for (const { canary, baseline } of batches) {
    const first = logMoments(canary, centre, logReach);
    const second = logMoments(baseline, centre, logReach);
    if (first === undefined || second === undefined) continue;
    if (first.count < 2 || second.count < 2) continue;
    const spread = 1 / first.count + 1 / second.count;
    const variance = (first.squares + second.squares) / (first.count + second.count - 2);
    if (!(variance > 0)) continue;
    ratios.push((first.mean - second.mean) ** 2 / (variance * spread));
    weights += 1 / spread;
  }
  return weighed(dispersionOf(ratios), weights / ratios.length);
};

const dispersionOf = (ratios: readonly number[]): Dispersion => {
  const batches = ratios.length;
  if (batches < dispersionBatchesMin) return { phi: unknownPhi, batches, note: 'unknown' };
  const mean = meanOf(ratios);
  const error = Math.sqrt(varianceOf(ratios, mean) / batches);
  const phi = Math.max(1, mean > errorAddedAbove ? mean + error : mean);
  return { phi, batches, note: 'measured' };
};

const weighed = (dispersion: Dispersion, weight: number): RateDispersion =>
  dispersion.note === 'unknown' ? dispersion : { ...dispersion, weight };

/** Mean levels of both halves in one batch. */
export type LevelBatch = { readonly canary: number; readonly baseline: number };

/** What a level rule takes: the variance that differences have in the long run, or null where it is not known. */
export type LevelNoise = {
  readonly variance: number | null;
  readonly batches: number;
  readonly note: NoiseNote;
};

/** An hour of batches of five minutes. */
const levelBatchesMin = 12;

/**
 * Long-run variance of the relative difference of one window: that of the batch means times the windows in a batch
 * (batch means), plus its standard error, sqrt(2 / (batches - 1)) of it. What is alike for minutes is in it, which a
 * variance of single windows would not show.
 */
export const levelNoise = (batches: readonly LevelBatch[], windowsPerBatch: number): LevelNoise => {
  const differences = batches.flatMap(({ canary, baseline }) => {
    const level = (canary + baseline) / 2;
    const difference = (canary - baseline) / level;
    return level > 0 && Number.isFinite(difference) ? [difference] : [];
  });
  const used = differences.length;
  if (used < levelBatchesMin) return { variance: null, batches: used, note: 'unknown' };
  const variance = varianceOf(differences, meanOf(differences)) * windowsPerBatch;
  return {
    variance: variance * (1 + Math.sqrt(2 / (used - 1))),
    batches: used,
    note: 'measured',
  };
};

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const varianceOf = (values: readonly number[], mean: number): number =>
  values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
