import type { LatencyRule } from '../metrics/latency.ts';
import type { LevelRule } from '../metrics/level.ts';
import type { RatesRule } from '../metrics/rates.ts';
import type { TrafficRule } from '../metrics/traffic.ts';

/** What a metric is judged as. */
export type Judged = 'errors' | 'latency' | 'level' | 'traffic';

/** One metric as the judge needs it: what it is called, what it weighs, and how its windows become evidence. */
export type MetricRule = {
  /** Unique in its family; what people call it. */
  readonly id: string;
  /** Its part of the budget; only proportions count. Above 0. */
  readonly weight: number;
  /** A critical metric that is not seen in both cohorts blocks promotion, also if nobody ever sent it. */
  readonly critical: boolean;
} & (
  | { readonly judged: 'errors'; readonly rule: RatesRule }
  | { readonly judged: 'latency'; readonly rule: LatencyRule }
  | { readonly judged: 'level'; readonly rule: LevelRule }
  | { readonly judged: 'traffic'; readonly rule: TrafficRule }
);

/**
 * Everything the judge needs beside the windows, frozen with the length of the window. The same rule and the same
 * windows give the same verdict to the last bit.
 */
export type FamilyRule = {
  readonly windowMs: number;
  /** Counted from the first window in which a metric is seen in both cohorts; nothing in it is evidence. */
  readonly warmUpMs: number;
  /** Counted like the warm-up, which is part of it; no promotion before. */
  readonly soakMs: number;
  /** Counted from window 0. */
  readonly deadlineMs: number;
  /** After a promotion the roll-back stays armed for this long, past the deadline too. */
  readonly bakeMs: number;
  /** In each block of this length one alternative gains at most `blockCapNats` (a rule of each metric). */
  readonly blockMs: number;
  /** A cohort or a metric without anything for this long is silent; so long, at least, one waits for a metric to come. */
  readonly noDataMs: number;
  readonly restartsEveryMs: number;
  /** False-rollback budget of looking after every window, of this attempt. */
  readonly alphaAnytime: number;
  /** False-rollback budget of the one test at the deadline, of this attempt; 0: no such test. */
  readonly alphaDeadline: number;
  /** False-promotion budget; 0: nothing is promoted, which is for looking back at what would have been. */
  readonly beta: number;
  /** Rollback evidence from which on nothing is promoted. */
  readonly vetoEvidence: number;
  /** Shares of the traffic at which an `advance` is said before `promote`, rising; empty: promotion alone. */
  readonly steps: readonly number[];
  readonly metrics: readonly MetricRule[];
};
