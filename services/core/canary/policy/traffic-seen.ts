import type { Result } from '../../result.ts';
import { fail, ok } from '../../result.ts';
import type { Origin, Sample } from '../../samples/sample.ts';
import type { Durations } from '../windows/durations.ts';
import {
  addDurations,
  boundaryNearest,
  boundarySeconds,
  logMoments,
} from '../windows/durations.ts';
import { noBoundFor } from '../metrics/latency.ts';
import type { NoBoundOf } from '../metrics/latency.ts';
import type { MetricWindow } from '../judge/judged-window.ts';
import type { Noise } from '../judge/noise.ts';
import { beforeWindowMs } from '../rollouts/before.ts';
import { leadMs, openPastWindows } from '../rollouts/before-history.ts';
import type { PastWindows } from '../rollouts/before-history.ts';
import type { MetricPolicy } from './policy.ts';

// What the samples of the last hour say of a service: the traffic that a plan counts on where nobody says it.

/** Windows of a minute that are looked back. */
const windowsBack = 60;
export const seenBackMs: number = windowsBack * beforeWindowMs + leadMs;
/** With fewer minutes in which anything was asked there is nothing to plan by. */
const windowsMin = 5;
/** How far a duration may be from the usual one to count as such: a millionfold. */
const reachNats: number = Math.log(1e6);

/** Too few minutes to plan by: how many had requests from end to end, and how many must. */
export type TooLittleSeen = { readonly minutes: number; readonly minutesNeeded: number };

export type TrafficSeen = {
  /** Whole minutes in which there were requests. */
  readonly minutes: number;
  /** Of all versions. What follows is of those that hold the slot: a canary that fails is no baseline. */
  readonly requestsPerSecond: number;
  /** Errors per request; of a service without any, half an error in all its requests. */
  readonly errorRate: number | null;
  /** Standard deviation of ln(duration) between requests; null: its buckets do not tell. */
  readonly latencySpread: number | null;
  /** Metrics by which nothing would be promoted: none of their bounds is near the durations (`noBoundIn`). */
  readonly noBound: readonly NoBoundOf[];
};

/**
 * Collects what the senders of a place say. Samples of one key, in their order. `holders`: the versions that hold it;
 * a sender that names none is of them. Where they have sent too little, or nobody knows them, all count.
 */
export const openTrafficSeen = (
  metrics: readonly MetricPolicy[],
  nowMs: number,
  holders: ReadonlySet<string>,
): {
  readonly add: (sample: Sample) => void;
  readonly close: () => Result<TrafficSeen, TooLittleSeen>;
} => {
  const open = (isOf: (origin: Origin) => boolean): PastWindows =>
    openPastWindows(metrics, isOf, nowMs, windowsBack);
  const all = open(() => true);
  const held = open(({ version }) => version === null || holders.has(version));
  return {
    add: (sample) => {
      all.add(sample);
      held.add(sample);
    },
    close: () => {
      const asked = askedIn(all);
      const ofHolders = askedIn(held);
      const baseline = ofHolders.length < windowsMin ? asked : ofHolders;
      if (asked.length < windowsMin)
        return fail({ minutes: asked.length, minutesNeeded: windowsMin });
      const requests = asked.reduce((sum, window) => sum + requestsIn(window), 0);
      return ok({
        minutes: asked.length,
        requestsPerSecond: requests / ((asked.length * beforeWindowMs) / 1_000),
        errorRate: errorRateIn(baseline),
        latencySpread: spreadIn(baseline),
        noBound: noBoundsIn(metrics, baseline),
      });
    },
  };
};

/** Windows with requests. The first and the last minute may not be whole. */
const askedIn = (past: PastWindows): readonly (readonly MetricWindow[])[] =>
  (past.close()?.windows ?? []).filter((window) => requestsIn(window) > 0).slice(1, -1);

/** Metrics count the same requests, some of them only a part: the most is all. */
const requestsIn = (window: readonly MetricWindow[]): number =>
  window.reduce((most, metric) => {
    if (metric.judged === 'errors') return Math.max(most, metric.baseline?.total ?? 0);
    return metric.judged === 'traffic' ? Math.max(most, metric.baseline ?? 0) : most;
  }, 0);

const errorRateIn = (windows: readonly (readonly MetricWindow[])[]): number | null => {
  let [total, events] = [0, 0];
  for (const window of windows) {
    const rates = window.flatMap((metric) =>
      metric.judged === 'errors' && metric.baseline !== null ? [metric.baseline] : [],
    );
    const [most] = rates.toSorted((left, right) => right.total - left.total);
    total += most?.total ?? 0;
    events += most?.events ?? 0;
  }
  return total === 0 ? null : Math.max(events, 0.5) / total;
};

const spreadIn = (windows: readonly (readonly MetricWindow[])[]): number | null => {
  const sum = durationsIn(windows.flat());
  const middle = sum && boundaryNearest(sum, 0.5);
  if (sum === undefined || middle === undefined) return null;
  const moments = logMoments(sum, boundarySeconds(middle.boundary), reachNats);
  return moments === undefined || moments.count < 2
    ? null
    : Math.sqrt(moments.squares / moments.count);
};

const durationsIn = (windows: readonly MetricWindow[]): Durations | undefined => {
  let sum: Durations | undefined;
  for (const metric of windows) {
    if (metric.judged !== 'latency' || metric.baseline === null) continue;
    const added = sum === undefined ? undefined : addDurations(sum, metric.baseline);
    sum = added?.ok === true ? added.value : (sum ?? metric.baseline);
  }
  return sum;
};

const noBoundsIn = (
  metrics: readonly MetricPolicy[],
  windows: readonly (readonly MetricWindow[])[],
): readonly NoBoundOf[] =>
  metrics.flatMap((metric, place) => {
    if (metric.judged !== 'latency') return [];
    const seen = durationsIn(windows.flatMap((window) => window[place] ?? []));
    const noBound = seen === undefined ? null : noBoundFor(metric, seen);
    return noBound === null ? [] : [{ metric: metric.id, ...noBound }];
  });

/** The scatter that was learned of what is counted, the most of it; null: nothing was. */
export const dispersionIn = (noise: Noise): number | null => {
  const known = noise.flatMap((metric) => {
    if (metric.note === 'unknown') return [];
    if (metric.judged === 'errors') return [metric.phi];
    return metric.judged === 'latency' ? [...metric.phi.tails, metric.phi.meanLog] : [];
  });
  return known.length === 0 ? null : Math.max(1, ...known);
};
