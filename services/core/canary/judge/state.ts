import type { ManyRestarts } from './judged-window.ts';
import type { WindowMark } from '../windows/window.ts';
import type { MetricRest } from './metric.ts';
import type { Seen } from './seen.ts';

/** What an earlier attempt with the same artefact and the same baseline leaves to the next one. Plain JSON. */
export type CarriedEvidence = {
  /** How many attempts are in it. */
  readonly attempts: number;
  /** The one test at the deadline has been made: it is never made again, and what it found worse fails again. */
  readonly deadlineTested: boolean;
  readonly metrics: readonly {
    readonly id: string;
    /** What the test at the deadline found worse; null: it did not. */
    readonly worseAtDeadline: DeadlineFound | null;
    /** ln of what the roll-back stakes on this metric have become; null: nothing was staked on it. */
    readonly logCapital: number | null;
    readonly logPromote: number;
  }[];
};

/** Deviations by which the canary was worse in the test at the deadline, and how many are too many. */
export type DeadlineFound = { readonly z: number; readonly zNeeded: number };

/** A window that settled something. Evidence and what was needed is listed by metric; null: no reason. */
export type Finding = WindowMark & {
  readonly code: 'worse-than-tolerated' | 'worse-at-deadline' | 'within-promote-tolerance';
  readonly evidence: readonly (number | null)[];
  readonly needed: readonly (number | null)[];
};

/** The newest step that was advanced to. */
export type Advance = Finding & {
  readonly share: number;
  /** The wait for the next step counts from this window: the first in which the canary has its share, if that is told. */
  readonly waitsFrom: number;
};

/** What is known after the windows so far, and nothing else. Plain JSON, about 8 KB for ten metrics. */
export type FamilyState = {
  readonly nextIndex: number;
  /** When window 0 began; null before it came. */
  readonly beginsMs: number | null;
  /** The first window in which some metric was seen in both cohorts. */
  readonly pairedIndex: number | null;
  /**
   * Warm-up, blocks, restarts and soak count from here: the first window in which both cohorts had requests. A process
   * has levels before anybody asks it anything, so these begin it only where no requests are seen for `noDataMs`.
   */
  readonly anchorIndex: number | null;
  /** The first window that was judged with presence decided. */
  readonly presenceIndex: number | null;
  /** The window with which the present silence became one. */
  readonly silentFrom: number | null;
  /** The newest window in which requests were left out that nobody knows whose they are. */
  readonly unheardIndex: number | null;
  /** The newest one of those with many late points, with sparse exports, in which somebody loud hid a metric, and with overflown attributes. */
  readonly lateIndex: number | null;
  readonly sparseIndex: number | null;
  readonly loudIndex: number | null;
  readonly overflownIndex: number | null;
  /** Of the newest window: that servers of the canary begin anew more often; null: they do not. */
  readonly restarts: ManyRestarts | null;
  /** The newest share of the traffic that anybody told. */
  readonly share: number | null;
  readonly failed: Finding | null;
  readonly advanced: Advance | null;
  readonly promoted: Finding | null;
  /** ln of what is staked on each metric of the rule; null: it weighs nothing. */
  readonly logStakes: readonly (number | null)[];
  readonly carried: {
    readonly attempts: number;
    readonly logEvidence: number;
    readonly deadlineTested: boolean;
    readonly worseAtDeadline: readonly (DeadlineFound | null)[];
    readonly logPromotes: readonly number[];
  } | null;
  /** The test at the deadline, by metric; null: not made, or not for this metric. */
  readonly deadline: readonly (DeadlineFound | null)[] | null;
  readonly seen: Seen;
  /** In the order of the rule, as are the numbers (`Numbers`). */
  readonly metrics: readonly MetricRest[];
  readonly settled: readonly number[];
  readonly running: readonly number[];
};
