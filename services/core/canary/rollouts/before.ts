import { canonicalJson } from '../../canonical.ts';
import type { Json } from '../../canonical.ts';
import { jsonFieldsIn } from '../../json-text.ts';
import type { Durations, Exponential } from '../windows/durations.ts';
import { downscaled } from '../windows/durations.ts';
import type { MetricWindow } from '../judge/judged-window.ts';
import type { SaidCounts } from '../statistics/rate-counts.ts';
import type { MetricPolicy } from '../policy/policy.ts';
import { beforeTextMax } from '../../samples/parse-sample.ts';

// What ran before, as an opening carries it: nothing else from before the opening enters.

/** Windows of such a comparison, on either side. */
export const beforeWindowMs = 60_000;
/** Half an hour of them. Each is held against one window after, half an hour later. */
export const beforeWindowsMax = 30;
export const beforeSpanMs: number = beforeWindowsMax * beforeWindowMs;

export type Before = {
  /**
   * The half-hour that ends with the opening, the earliest window first. Each has one entry for each metric of the
   * policy, in its order, with what ran as the baseline and no canary.
   */
  readonly windows: readonly (readonly MetricWindow[])[];
  /**
   * By metric: how many times worse it became at the same time of the day before, at least 1. Null: nobody knows, or
   * other versions ran then.
   */
  readonly season: readonly number[] | null;
};

/** Buckets that are told, of exponential histograms: 9 % wide, later 19 %. */
const scales: readonly number[] = [20, 3, 2];

/**
 * Canonical JSON of at most `beforeTextMax`. Where it would be longer, exponential buckets become wider; then metrics of
 * latency are left out, the last first.
 */
export const beforeText = (before: Before): string => {
  for (const scale of scales) {
    const text = written(before, scale, Infinity);
    if (text.length <= beforeTextMax) return text;
  }
  const metrics = before.windows[0]?.length ?? 0;
  for (let kept = metrics; kept >= 0; kept -= 1) {
    const text = written(before, scales.at(-1) ?? 0, kept);
    if (text.length <= beforeTextMax) return text;
  }
  return written({ ...before, windows: [] }, 0, 0);
};

/** Metrics of latency from `latencyTo` on are left out. */
const written = ({ windows, season }: Before, scale: number, latencyTo: number): string => {
  const layouts: (readonly number[])[] = [];
  const placeOf = (bounds: readonly number[]): number => {
    const text = bounds.join();
    const place = layouts.findIndex((one) => one.join() === text);
    return place < 0 ? layouts.push(bounds) - 1 : place;
  };
  const told = windows.map((metrics) =>
    metrics.map((metric, index) => {
      if (metric.judged === 'latency' && index >= latencyTo) return null;
      return valueOf(metric, scale, placeOf);
    }),
  );
  return canonicalJson({ layouts, season, windows: told });
};

const valueOf = (
  metric: MetricWindow,
  scale: number,
  placeOf: (bounds: readonly number[]) => number,
): Json => {
  switch (metric.judged) {
    case 'errors':
      return metric.baseline && ratesValue(metric.baseline);
    case 'level':
      return metric.baseline && [metric.baseline.mean, metric.baseline.series];
    case 'latency':
      return metric.baseline && durationsValue(metric.baseline, scale, placeOf);
    case 'traffic':
      // How many requests a time has says nothing of a version.
      return null;
  }
};

/** [requests, errors], and where points say so [.., good ones, the attribute that says it]. */
const ratesValue = ({ total, events, said }: SaidCounts): Json =>
  said === undefined ? [total, events] : [total, events, said.good, said.by];

/** Explicit: [place of the bounds, first bucket, counts…]; exponential: [unit, scale, zeroes, offset, counts…]. */
const durationsValue = (
  durations: Durations,
  scale: number,
  placeOf: (bounds: readonly number[]) => number,
): Json => {
  if (durations.shape === 'exponential') {
    const fine = downscaled(durations, scale);
    return [fine.unit ?? 's', fine.scale, fine.zeroCount, fine.offset, ...fine.counts];
  }
  const { counts } = durations;
  const first = counts.findIndex((count) => count !== 0);
  const last = counts.findLastIndex((count) => count !== 0);
  const place = placeOf(durations.bounds);
  return first < 0 ? [place, 0] : [place, first, ...counts.slice(first, last + 1)];
};

/** Undefined: it is not what these metrics showed. */
export const readBefore = (
  text: string,
  metrics: readonly Pick<MetricPolicy, 'judged'>[],
): Before | undefined => {
  const given = jsonFieldsIn(text);
  if (given === undefined) return undefined;
  const { layouts, season, windows } = given;
  if (!isListOf(layouts, isBounds) || !isListOf(windows, isList)) return undefined;
  if (windows.length > beforeWindowsMax) return undefined;
  const isSeason =
    season === null || (isListOf(season, isTimes) && season.length === metrics.length);
  if (!isSeason) return undefined;
  const read = windows.map((values) => readWindow(values, metrics, layouts));
  return read.every((window) => window !== undefined) ? { windows: read, season } : undefined;
};

const readWindow = (
  values: readonly unknown[],
  metrics: readonly Pick<MetricPolicy, 'judged'>[],
  layouts: readonly (readonly number[])[],
): readonly MetricWindow[] | undefined => {
  if (values.length !== metrics.length) return undefined;
  const read = metrics.map(({ judged }, index) => readValue(judged, values[index], layouts));
  return read.every((metric) => metric !== undefined) ? read : undefined;
};

const readValue = (
  judged: MetricPolicy['judged'],
  value: unknown,
  layouts: readonly (readonly number[])[],
): MetricWindow | undefined => {
  if (value === null) return { judged, canary: null, baseline: null };
  if (!isList(value)) return undefined;
  switch (judged) {
    case 'errors': {
      const [total, events, ...said] = value;
      if (!isCount(total) || !isCount(events) || events > total) return undefined;
      if (said.length === 0) return { judged, canary: null, baseline: { total, events } };
      const [good, by, ...others] = said;
      if (!isCount(good) || good > total - events || typeof by !== 'string' || others.length > 0)
        return undefined;
      return { judged, canary: null, baseline: { total, events, said: { good, by } } };
    }
    case 'level': {
      const [mean, series, ...others] = value;
      if (!isNumber(mean) || mean < 0 || !isCount(series) || others.length > 0) return undefined;
      return { judged, canary: null, baseline: { mean, series } };
    }
    case 'latency': {
      const durations =
        typeof value[0] === 'string' ? exponentialIn(value) : explicitIn(value, layouts);
      return durations && { judged, canary: null, baseline: durations };
    }
    case 'traffic':
      return undefined;
  }
};

const exponentialIn = ([unit, scale, zeroCount, offset, ...counts]: readonly unknown[]):
  | Exponential
  | undefined => {
  if (unit !== 's' && unit !== 'ms') return undefined;
  if (!isWhole(scale) || !isCount(zeroCount) || !isWhole(offset)) return undefined;
  if (!isListOf(counts, isCount)) return undefined;
  const read = { shape: 'exponential', scale, zeroCount, offset, counts } as const;
  return unit === 'ms' ? { ...read, unit } : read;
};

const explicitIn = (
  [place, first, ...told]: readonly unknown[],
  layouts: readonly (readonly number[])[],
): Durations | undefined => {
  const bounds = isCount(place) ? layouts[place] : undefined;
  if (bounds === undefined || !isCount(first) || !isListOf(told, isCount)) return undefined;
  if (first + told.length > bounds.length + 1) return undefined;
  const counts = Array.from({ length: bounds.length + 1 }, (_, index) => told[index - first] ?? 0);
  return { shape: 'explicit', bounds, counts };
};

const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isCount = (value: unknown): value is number => isWhole(value) && value >= 0;
const isTimes = (value: unknown): value is number => isNumber(value) && value >= 1;
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isListOf = <Item>(
  value: unknown,
  isItem: (item: unknown) => item is Item,
): value is readonly Item[] => isList(value) && value.every(isItem);
const isBounds = (value: unknown): value is readonly number[] =>
  isListOf(value, isNumber) && value.length > 0;
