import type { Durations } from '../../core/canary/windows/durations.ts';
import type { Random } from './random.ts';

/** Log-normal durations, as services have them: 120 ms in the middle, and one in a hundred above 770 ms. */
export const usualDurations: LogNormal = { medianSeconds: 0.12, spread: 0.8 };

export type LogNormal = { readonly medianSeconds: number; readonly spread: number };

/** Two independent standard normal numbers a call (Box, Muller). */
export const normals = (random: Random): (() => number) => {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const kept = spare;
      spare = undefined;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
};

/** `count` durations in the buckets of an exponential histogram; `slower` multiplies each of them. */
export const exponentialOf = (
  normal: () => number,
  count: number,
  { medianSeconds, spread }: LogNormal,
  slower: number,
  scale: number,
): Durations => {
  const buckets = new Map<number, number>();
  let low = Infinity;
  let high = -Infinity;
  const perNat = 2 ** scale / Math.LN2;
  const centre = Math.log(medianSeconds * slower);
  for (let request = 0; request < count; request += 1) {
    const bucket = Math.ceil((centre + spread * normal()) * perNat) - 1;
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
    low = Math.min(low, bucket);
    high = Math.max(high, bucket);
  }
  const counts =
    count === 0
      ? []
      : Array.from({ length: high - low + 1 }, (_, index) => buckets.get(low + index) ?? 0);
  return {
    shape: 'exponential',
    scale,
    zeroCount: 0,
    offset: count === 0 ? 0 : low,
    counts,
  };
};

/** The bounds that OpenTelemetry advises for durations of requests, in seconds. */
export const advisedBounds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** `count` durations between explicit bounds. */
export const explicitOf = (
  normal: () => number,
  count: number,
  { medianSeconds, spread }: LogNormal,
  slower: number,
  bounds: readonly number[] = advisedBounds,
): Durations => {
  const counts = Array<number>(bounds.length + 1).fill(0);
  for (let request = 0; request < count; request += 1) {
    const seconds = medianSeconds * slower * Math.exp(spread * normal());
    const above = bounds.findIndex((bound) => seconds <= bound);
    const bucket = above < 0 ? bounds.length : above;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return { shape: 'explicit', bounds, counts };
};
