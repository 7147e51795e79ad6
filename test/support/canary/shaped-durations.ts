import {
  latencyJudge,
  latencySlowerPart,
  noBoundIn,
} from '../../../services/core/canary/metrics/latency.ts';
import type { LatencyRule, LatencyState } from '../../../services/core/canary/metrics/latency.ts';
import type { Durations } from '../../../services/core/canary/windows/durations.ts';
import { advisedBounds, normals } from '../../../services/dev/canary-climates/durations.ts';
import { seededRandom } from '../../../services/dev/canary-climates/random.ts';
import type { ShownDurations } from './metric-windows.ts';
import { judgeEach, latencyRule, warmUpWindows } from './metric-windows.ts';

// Canaries whose durations have any shape, counted between any bounds: what the judge of latency says of them.

/** A part of the requests: its share, and log-normal durations. */
export type Part = readonly [share: number, medianSeconds: number, spread: number];
export type Parts = readonly Part[];

/** Parts from text: '90% 2ms ±0.3, 10% 5000ms', the second of them without any spread; '120ms ±0.8' is all in one. */
export const mixOf = (text: string): Parts =>
  text.split(', ').map((part): Part => {
    const read = /^(?:([\d.]+)% )?([\d.]+)ms(?: ±([\d.]+))?$/.exec(part);
    if (read === null) throw new TypeError(`no part of durations: ${part}`);
    const [, share = '100', medianMs, spread = '0'] = read;
    return [Number(share) / 100, Number(medianMs) / 1_000, Number(spread)];
  });

/** With one part that takes so many times as long. */
export const withSlower = (at: number, times: number, parts: Parts): Parts =>
  parts.map(([share, median, spread], index) => [
    share,
    index === at ? times * median : median,
    spread,
  ]);

/** With so many times as many in the last part, at the cost of all others. */
export const withMore = (times: number, parts: Parts): Parts => {
  const last = parts.at(-1)?.[0] ?? 0;
  return parts.map(([share, median, spread], index) => [
    index === parts.length - 1 ? last * times : (share * (1 - last * times)) / (1 - last),
    median,
    spread,
  ]);
};

const windows = 100;
const requests = 150;
/** Of the baseline, in all judged windows. */
export const baselineRequests: number = windows * requests;
/** Every so many-th of the requests of a window; what is drawn is the same in all tests. */
const drawn = (seed: number): readonly number[] => {
  const normal = normals(seededRandom(seed, 0));
  return Array.from({ length: windows * requests }, normal);
};
const [canaryNormals, baselineNormals] = [drawn(1), drawn(2)];

const durationsOf = (parts: Parts, times: number, from: number, normal: readonly number[]) =>
  Array.from({ length: requests }, (_, index) => {
    let part = (index + 0.5) / requests;
    const [, median, spread] = parts.find(([share]) => (part -= share) < 0) ?? [0, 1, 0];
    return times * median * Math.exp(spread * (normal[from * requests + index] ?? 0));
  });

const explicit = (bounds: readonly number[], durations: readonly number[]): Durations => {
  const counts = Array<number>(bounds.length + 1).fill(0);
  for (const seconds of durations) {
    const above = bounds.findIndex((bound) => seconds <= bound);
    const bucket = above < 0 ? bounds.length : above;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return { shape: 'explicit', bounds, counts };
};

const exponential = (scale: number, durations: readonly number[]): Durations => {
  const buckets = durations.map((seconds) => Math.ceil(Math.log2(seconds) * 2 ** scale) - 1);
  const offset = Math.min(...buckets);
  const counts = Array<number>(Math.max(...buckets) - offset + 1).fill(0);
  for (const bucket of buckets) counts[bucket - offset] = (counts[bucket - offset] ?? 0) + 1;
  return { shape: 'exponential', scale, zeroCount: 0, offset, counts };
};

export type Buckets = (durations: readonly number[]) => Durations;
export const between =
  (...bounds: readonly number[]): Buckets =>
  (durations) =>
    explicit(bounds, durations);
export const advised: Buckets = between(...advisedBounds);
export const atScale =
  (scale: number): Buckets =>
  (durations) =>
    exponential(scale, durations);

/** After `windows` that are judged; the canary's requests take `times` as long as the baseline's. */
export const after = (
  buckets: Buckets,
  parts: Parts,
  times: number,
  rule: LatencyRule = latencyRule,
  canaryBuckets: Buckets = buckets,
): LatencyState =>
  judgeEach(
    latencyJudge,
    rule,
    Array.from({ length: warmUpWindows + windows }, (_, index): ShownDurations => ({
      canary: canaryBuckets(durationsOf(parts, times, index % windows, canaryNormals)),
      baseline: buckets(durationsOf(parts, 1, index % windows, baselineNormals)),
    })),
  );

/** The warm-up and so many judged windows; the canary's durations have from each of those on what `partsAt` says. */
export const shapedWindows = (
  judged: number,
  buckets: Buckets,
  baseline: Parts | ((window: number) => Parts),
  partsAt: (window: number) => Parts,
): readonly ShownDurations[] =>
  Array.from({ length: warmUpWindows + judged }, (_, index) => {
    const window = index - warmUpWindows;
    const ofBaseline = typeof baseline === 'function' ? baseline(window) : baseline;
    return {
      canary: buckets(durationsOf(partsAt(window), 1, index % windows, canaryNormals)),
      baseline: buckets(durationsOf(ofBaseline, 1, index % windows, baselineNormals)),
    };
  });

/** The same as `after`, of a canary whose durations have another shape. */
export const afterShapes = (
  buckets: Buckets,
  baseline: Parts | ((window: number) => Parts),
  partsAt: (window: number) => Parts,
  rule: LatencyRule = latencyRule,
): LatencyState =>
  judgeEach(latencyJudge, rule, shapedWindows(windows, buckets, baseline, partsAt));

export type Yields = 'promoted' | 'no-bound' | 'unproven' | 'slower-part';
export const yieldOf = (state: LatencyState, rule: LatencyRule = latencyRule): Yields => {
  if (noBoundIn(rule, state) !== null) return 'no-bound';
  if (latencyJudge.logPromote(rule, state) < Math.log(20)) return 'unproven';
  return latencySlowerPart(rule, state) === null ? 'promoted' : 'slower-part';
};
