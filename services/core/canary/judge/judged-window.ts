import type { Durations } from '../windows/durations.ts';
import type { Level } from '../metrics/level.ts';
import type { SaidCounts } from '../statistics/rate-counts.ts';
import type { ServerLoads } from '../windows/server-loads.ts';
import type { WindowMark } from '../windows/window.ts';

/** What came of one metric in one window in both cohorts; null: nothing came of it. */
export type MetricWindow =
  | {
      readonly judged: 'errors';
      readonly canary: SaidCounts | null;
      readonly baseline: SaidCounts | null;
    }
  | {
      readonly judged: 'latency';
      readonly canary: Durations | null;
      readonly baseline: Durations | null;
    }
  | { readonly judged: 'level'; readonly canary: Level | null; readonly baseline: Level | null }
  | {
      readonly judged: 'traffic';
      /** Requests. 0 is a cohort that reported, and that nobody asked anything. */
      readonly canary: number | null;
      readonly baseline: number | null;
    };

/** Restarts of the canary that are clearly more than those of the baseline. */
export type ManyRestarts = {
  readonly canary: number;
  readonly baseline: number;
  /** Servers that were heard lately. */
  readonly canaryServers: number;
  readonly baselineServers: number;
};

/** One window of both cohorts. Windows come in index order from 0, also those in which nothing came. */
export type JudgedWindow = WindowMark & {
  /** The share of the requests that the canary should get, between 0 and 1; null: nobody said. */
  readonly canaryShare: number | null;
  /** One for each metric of the rule, in its order. */
  readonly metrics: readonly MetricWindow[];
  /** Requests were left out that nobody knows whose they are; so what the rest shows passes nobody. */
  readonly isUnheard?: true;
  /** Lately more than a small part of the points came too late to be judged: the same. */
  readonly isLate?: true;
  /** Lately more than a small part of the requests were of before the window they came in: the same. */
  readonly isSparse?: true;
  /** Somebody was so loud that a metric shows nothing which was never seen in both cohorts: the same. */
  readonly isLoud?: true;
  /** Lately an SDK had no room for the attributes of requests, so nobody knows which of a version's failed: the same. */
  readonly isOverflown?: true;
  /** Lately servers of the canary began anew clearly more often than the baseline's: the same. */
  readonly restarts?: ManyRestarts;
  /** Requests of a server lately, and what was known of them before this window; absent: nobody knows. */
  readonly loads?: ServerLoads;
  readonly loadsBefore?: ServerLoads;
  /** They have just changed, or were not known for a while: what hangs on them is no evidence. */
  readonly areLoadsUnsettled?: true;
};
