import type { RunningVersion } from '../../samples/sample.ts';
import type { Comparison } from '../rollouts/comparison.ts';

/** What a capture is judged about: which versions ran where, and since when. */
export type BacktestSetup = {
  readonly audience: string;
  readonly namespace: string;
  readonly environment: string;
  readonly component: string;
  /** Of the slot: senders that name another one are no cohort. Null: the slot has none. */
  readonly target: string | null;
  /** Id of the canary's deployment. */
  readonly deployment: string;
  readonly canary: RunningVersion;
  readonly baseline: readonly RunningVersion[];
  /** Milliseconds since 1970. Nothing before it enters. */
  readonly sinceMs: number;
  /** What stands against the new version. Of what ran before only `baseline` is named: the capture tells how it was. */
  readonly comparison: Comparison;
  /** The canary's share of the traffic from each of these times on, in their order. */
  readonly shares: readonly { readonly atMs: number; readonly share: number }[];
  /** When the rollout was over; null: nobody said so. */
  readonly ended: {
    readonly fact: 'succeeded' | 'failed' | 'canceled';
    readonly atMs: number;
  } | null;
  /** Cohorts go by versions alone, whatever deployment the telemetry names. */
  readonly isByVersion: boolean;
};
