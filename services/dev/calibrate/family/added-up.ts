import { scale } from '../latency.ts';
import type { Histogram } from '../latency.ts';

/** Drawn histograms together, all at once: they have one scale. */
export const addedUp = (histograms: readonly Histogram[]): Histogram => {
  const offset = Math.min(...histograms.map((each) => each.offset));
  const end = Math.max(...histograms.map((each) => each.offset + each.counts.length));
  const counts = Array<number>(end - offset).fill(0);
  for (const each of histograms) {
    const from = each.offset - offset;
    for (let index = 0; index < each.counts.length; index += 1)
      counts[from + index] = (counts[from + index] ?? 0) + (each.counts[index] ?? 0);
  }
  return { shape: 'exponential', scale, zeroCount: 0, offset, counts };
};
