import { partFactor } from './bounds.ts';
import { baseRate } from './climates.ts';
import { plainLatency, spread } from './latency.ts';
import type { LatencyShape } from './latency.ts';

/** How the canary differs from its baseline, from the first request on. */
export type Truth = {
  readonly name: string;
  /** Errors per request of the canary in plain weather. */
  readonly errorRate: number;
  readonly slowdown: number;
  readonly latency: LatencyShape;
  /** Times the baseline's level. */
  readonly cpu: number;
};

export const same: Truth = {
  name: 'same',
  errorRate: baseRate,
  slowdown: 1,
  latency: plainLatency,
  cpu: 1,
};

const errors = (percent: number): Truth => ({
  ...same,
  name: `errors ${percent} %`,
  errorRate: percent / 100,
});

const slower = (percent: number): Truth => ({
  ...same,
  name: `latency +${percent} %`,
  slowdown: 1 + percent / 100,
});

const SLOW_PART = 0.1;

/** A tenth of the requests is slower, so that the 95th percentile of all rises by that much. */
const slowerTail = (percent: number): Truth => ({
  ...same,
  name: `tail +${percent} %`,
  latency: { part: SLOW_PART, partFactor: partFactor(SLOW_PART, 1 + percent / 100, spread) },
});

/** Just as bad as what is not promoted any more: 1.25x + 0.1 points, 1.5x + 0.2 points, two and three buckets. */
const onMargins: readonly Truth[] = [...[0.725, 0.95].map(errors), ...[9.05, 13.9].map(slower)];

export const isOnMargin = (truth: Truth): boolean => onMargins.includes(truth);

export const truths: readonly Truth[] = [
  same,
  ...[1, 2, 5, 20, 50].map(errors),
  ...onMargins,
  ...[10, 25, 100].map(slower),
  ...[25, 100].map(slowerTail),
  { ...same, name: 'cpu +25 %', cpu: 1.25 },
];
