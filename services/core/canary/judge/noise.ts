import type { NoiseNote } from '../dispersion.ts';
import type { LatencyPhi } from '../metrics/latency.ts';

/** How much one metric scatters between two cohorts of the same program, from history or a stated fallback. */
export type MetricNoise = {
  /** `id` of the metric. */
  readonly id: string;
  /** Batches of five minutes that it was learned from. */
  readonly batches: number;
  readonly note: NoiseNote;
} & (
  | { readonly judged: 'errors' | 'traffic'; readonly phi: number }
  | { readonly judged: 'latency'; readonly phi: LatencyPhi }
  | {
      readonly judged: 'level';
      /** Long-run variance of the relative difference of one second; null: not known. */
      readonly variance: number | null;
    }
);

/** What is known of the metrics of one canary; a metric that is not named has the fallback. */
export type Noise = readonly MetricNoise[];
