import type { Durations } from '../../../core/canary/windows/durations.ts';
import type { Histogram } from '../latency.ts';
import { scale } from '../latency.ts';
import type { Buckets } from './judge-by.ts';

/** Where an OpenTelemetry SDK has the bounds of durations unless somebody says otherwise, in seconds. */
const usualBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** The nearest edges of the buckets that are drawn: at most 2.2 % away. */
const edges: readonly number[] = usualBounds.map((seconds) =>
  Math.round(2 ** scale * Math.log2(seconds)),
);
const bounds: readonly number[] = edges.map((edge) => 2 ** (edge / 2 ** scale));

/** The drawn buckets added up between those bounds. */
export const explicitBuckets: Buckets = ({ offset, counts }: Histogram): Durations => {
  const sums = Array<number>(edges.length + 1).fill(0);
  let at = 0;
  for (let index = 0; index < counts.length; index += 1) {
    while (at < edges.length && offset + index >= (edges[at] ?? 0)) at += 1;
    sums[at] = (sums[at] ?? 0) + (counts[index] ?? 0);
  }
  return { shape: 'explicit', bounds, counts: sums };
};
