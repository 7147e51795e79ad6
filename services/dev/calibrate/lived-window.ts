import type { Histogram } from './latency.ts';

/** Mean over the instances of a cohort that report one gauge. */
export type Level = { readonly mean: number; readonly series: number };

/** What one cohort did in a window, all metrics. */
export type LivedArm = {
  readonly requests: number;
  readonly errors: number;
  readonly latency: Histogram;
  readonly levels: { readonly cpu: Level; readonly memory: Level };
};

/** A window as the judge's sources would have counted it. They come in order, from index 0, without a gap. */
export type LivedWindow = {
  readonly index: number;
  readonly startMs: number;
  readonly canary: LivedArm;
  readonly baseline: LivedArm;
  /** The share of the requests that the router was to send to the canary. */
  readonly canaryShare: number;
};
