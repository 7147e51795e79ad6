import type { NoiseNote } from '../noise/dispersion.ts';
import type { LatencyPhi } from '../metrics/latency.ts';

/** How much one metric scatters between two cohorts of the same program, from history or a stated fallback. */
export type MetricNoise = {
  /** `id` of the metric. */
  readonly id: string;
  /** Batches of five minutes that it was learned from. */
  readonly batches: number;
  readonly note: NoiseNote;
} & (
  | { readonly judged: 'errors'; readonly phi: number; readonly weight?: BatchWeight }
  | { readonly judged: 'latency'; readonly phi: LatencyPhi; readonly weight?: BatchWeight }
  | { readonly judged: 'traffic'; readonly phi: number }
  | {
      readonly judged: 'level';
      /** Long-run variance of the relative difference of one second; null: not known. */
      readonly variance: number | null;
    }
);

/**
 * The traffic that phi was measured at: the mean over batches of five minutes of 1 / (1/n_c + 1/n_b), requests; absent:
 * not known, so phi stands at any traffic.
 */
type BatchWeight = number;

/** What is known of the metrics of one canary; a metric that is not named has the fallback. */
export type Noise = readonly MetricNoise[];
