import type { Origin, Points, Sample } from '../../samples/sample.ts';
import { pendingPointOf, takeWindow } from '../windows/cohort-windows.ts';
import type { PendingPoint } from '../windows/cohort-windows.ts';
import type { Durations } from '../windows/durations.ts';
import { addDurations } from '../windows/durations.ts';
import { pointsJudgedAs } from '../windows/judged-as.ts';
import type { MetricWindow } from '../judge/judged-window.ts';
import type { MetricPolicy } from '../policy/policy.ts';
import type { RateCounts } from '../statistics/rate-counts.ts';
import {
  closeOverflown,
  noneOverflown,
  overflownLately,
  withoutOverflown,
} from '../windows/overflown.ts';
import type { Overflown } from '../windows/overflown.ts';
import { noBases } from '../windows/stream-bases.ts';
import type { Bases } from '../windows/stream-bases.ts';
import { beforeWindowMs, beforeWindowsMax } from './before.ts';

// What the samples say of a time that is over: windows as a judge would have seen them, all of one cohort.

/** Read before the first window, for what counters are measured from. */
export const leadMs: number = 5 * beforeWindowMs;
/** A point whose own time is further from its receipt is late, as it would be for a judge. */
export const latenessMs: number = 2 * beforeWindowMs;
/** As the presets have it: silence is none here, but what overflowed is remembered by it. */
const noDataMs = 2 * beforeWindowMs;
/** Points that wait for their windows; with more there is no telling. */
const pendingMax = 200_000;

export type PastWindows = {
  /** Samples of one key, in their order. */
  readonly add: (sample: Sample) => void;
  /**
   * One window a minute, each with one entry for each metric; null values where nothing came. Undefined: there was too
   * much to be held.
   */
  readonly close: () => Past | undefined;
};

export type Past = {
  readonly windows: readonly (readonly MetricWindow[])[];
  /** What ran in each window, sorted; senders that name no version count as one. */
  readonly versions: readonly (readonly string[])[];
};

/** The `count` windows that end at `endMs`, of the senders that `isOf` names. */
export const openPastWindows = (
  metrics: readonly MetricPolicy[],
  isOf: (origin: Origin) => boolean,
  endMs: number,
  count: number,
): PastWindows => {
  const beginMs = endMs - count * beforeWindowMs;
  const leadWindows = leadMs / beforeWindowMs;
  const fromMs = beginMs - leadMs;
  const all = leadWindows + count;
  const windows: (readonly MetricWindow[])[] = [];
  const versions = Array.from({ length: all }, () => new Set<string>());
  let pending: PendingPoint[] = [];
  let bases: Bases = noBases;
  let overflown: Overflown = noneOverflown;
  let isOverfull = false;

  const closeNext = (): void => {
    const windowEndMs = fromMs + (windows.length + 1) * beforeWindowMs;
    const due = pending.filter(({ timeMs }) => timeMs < windowEndMs);
    if (due.length > 0) pending = pending.filter(({ timeMs }) => timeMs >= windowEndMs);
    const taken = takeWindow(metrics, bases, due, fromMs);
    bases = taken.bases;
    overflown = closeOverflown(overflown, taken.overflown, windowEndMs, noDataMs);
    windows.push(withoutOverflown(taken.metrics, overflownLately(overflown)));
  };
  const pass = (receiptMs: number): void => {
    while (
      windows.length < all &&
      fromMs + (windows.length + 1) * beforeWindowMs + latenessMs <= receiptMs
    )
      closeNext();
  };
  const addPoints = (sample: Points): void => {
    const senders = sample.origins.map((origin) => ({
      isOf: isOf(origin),
      judgedAs: pointsJudgedAs(metrics, origin),
      version: origin.version ?? '',
    }));
    for (const point of sample.points) {
      pass(point.receivedAt);
      const sender = senders[point.origin];
      const as = sender?.judgedAs(point);
      const place = Math.floor((point.time - fromMs) / beforeWindowMs);
      if (sender?.isOf !== true || as === undefined || as.length === 0) continue;
      if (place < windows.length || place >= all) continue;
      if (Math.abs(point.receivedAt - point.time) > latenessMs) continue;
      versions[place]?.add(sender.version);
      if (pending.length >= pendingMax) isOverfull = true;
      else pending.push(pendingPointOf(sample, point, 'baseline', as));
    }
  };

  return {
    add: (sample) => {
      if (sample.kind === 'points') addPoints(sample);
      else if (sample.kind === 'tick') pass(sample.at);
    },
    close: () => {
      while (windows.length < all) closeNext();
      return isOverfull
        ? undefined
        : {
            windows: windows.slice(leadWindows),
            versions: versions.slice(leadWindows).map((seen) => [...seen].toSorted()),
          };
    },
  };
};

/** With fewer windows in which anything came, half an hour tells no season. */
const seasonWindowsMin = 20;

/**
 * By metric, how many times worse the second half-hour of an hour was than the first, at least 1: what the time of day
 * does, if the same versions ran all the while. Null: they did not, or too little is known of what `needed` shows.
 */
export const seasonOf = (
  metrics: readonly MetricPolicy[],
  { windows, versions }: Past,
  needed: readonly (readonly MetricWindow[])[],
): readonly number[] | null => {
  const ran = new Set(versions.filter((seen) => seen.length > 0).map((seen) => seen.join('\n')));
  if (ran.size !== 1) return null;
  const first = windows.slice(0, beforeWindowsMax);
  const second = windows.slice(beforeWindowsMax);
  const times = metrics.map((metric, place): number | null => {
    const isNeeded = shownIn(needed, place).length > 0;
    const [before, after] = [shownIn(first, place), shownIn(second, place)];
    if (Math.min(before.length, after.length) < seasonWindowsMin) return isNeeded ? null : 1;
    return Math.max(1, timesWorse(metric, before, after));
  });
  return times.every((one) => one !== null) ? times : null;
};

const shownIn = (
  windows: readonly (readonly MetricWindow[])[],
  place: number,
): readonly MetricWindow[] =>
  windows.flatMap((window) => {
    const metric = window[place];
    // The number of requests is of no version.
    return metric === undefined || metric.judged === 'traffic' || metric.baseline === null
      ? []
      : [metric];
  });

const timesWorse = (
  metric: MetricPolicy,
  before: readonly MetricWindow[],
  after: readonly MetricWindow[],
): number => {
  switch (metric.judged) {
    case 'errors':
      return rateTimes(ratesIn(before), ratesIn(after));
    case 'latency': {
      const [earlier, later] = [durationsIn(before), durationsIn(after)];
      return earlier === undefined || later === undefined
        ? 1
        : Math.exp(meanLog(later) - meanLog(earlier));
    }
    case 'level': {
      const times = meanLevel(after) / meanLevel(before);
      const worse = metric.worse === 'higher' ? times : 1 / times;
      return Number.isFinite(worse) ? worse : 1;
    }
    case 'traffic':
      return 1;
  }
};

/** Errors of the common rate that are added to both: few errors tell of no season. */
const errorsAssumed = 10;

const rateTimes = (before: RateCounts, after: RateCounts): number => {
  const events = before.events + after.events;
  if (events === 0) return 1;
  const requests = (errorsAssumed * (before.total + after.total)) / events;
  const rate = ({ events: failed, total }: RateCounts): number =>
    (failed + errorsAssumed) / (total + requests);
  return rate(after) / rate(before);
};

const ratesIn = (windows: readonly MetricWindow[]): RateCounts => {
  let [total, events] = [0, 0];
  for (const metric of windows)
    if (metric.judged === 'errors') {
      total += metric.baseline?.total ?? 0;
      events += metric.baseline?.events ?? 0;
    }
  return { total, events };
};

const durationsIn = (windows: readonly MetricWindow[]): Durations | undefined => {
  let sum: Durations | undefined;
  for (const metric of windows) {
    if (metric.judged !== 'latency' || metric.baseline === null) continue;
    const added = sum === undefined ? undefined : addDurations(sum, metric.baseline);
    if (added === undefined) sum = metric.baseline;
    else if (added.ok) sum = added.value;
  }
  return sum;
};

/** Mean of the logarithms, by the middles of the buckets; open ends count as half as wide again. */
const meanLog = (durations: Durations): number => {
  let [count, sum] = [0, 0];
  for (const [index, requests] of durations.counts.entries()) {
    if (requests === 0) continue;
    count += requests;
    sum += requests * logMiddle(durations, index);
  }
  return count === 0 ? 0 : sum / count;
};

const logMiddle = (durations: Durations, index: number): number => {
  if (durations.shape === 'exponential')
    return ((durations.offset + index + 0.5) * Math.LN2) / 2 ** durations.scale;
  const { bounds } = durations;
  const high = bounds[index] ?? (bounds.at(-1) ?? 1) * 1.5;
  const low = bounds[index - 1] ?? high / 2;
  return Math.log(low > 0 ? Math.sqrt(low * high) : high / 2);
};

const meanLevel = (windows: readonly MetricWindow[]): number => {
  let [count, sum] = [0, 0];
  for (const metric of windows)
    if (metric.judged === 'level' && metric.baseline !== null) {
      count += 1;
      sum += metric.baseline.mean;
    }
  return count === 0 ? 0 : sum / count;
};
