import type { Position } from '../log/record.ts';
import type { Decided } from '../markers/marker.ts';
import type { AnalysisOpened } from '../samples/sample.ts';
import type { TextDigest } from '../uuid-v8.ts';
import type { NoCohort } from './cohorts.ts';
import type { JudgeState } from './judge.ts';
import type { JudgePolicy } from './policy.ts';
import type { Bases, PendingPoint } from './series.ts';
import type { Measuring } from './window-length.ts';

/** Why a point has not become evidence. Each is counted, none is moved. */
export type Exclusion =
  | NoCohort
  /** Its own time is further from its receipt than the lateness, or its window is closed. */
  | 'late'
  | 'before-opening'
  | 'duplicate'
  | 'implausible'
  | 'over-limit';

/**
 * Why nothing more is judged.
 * - `decided`: the judge's decision was final; `rolled-back`: somebody's roll-back stands on the log;
 * - `judge-unknown`, `policy-unreadable`: it was opened for another release of the judge.
 */
export type Ending = 'decided' | 'rolled-back' | 'judge-unknown' | 'policy-unreadable';

/** A promote or roll-back that stands. */
export type Standing = {
  /** As it was first said. */
  readonly decision: Decided;
  /** Its window, later that of its newest renewal. */
  readonly window: number;
};

/** One analysis after the samples so far. Plain JSON: a snapshot of it goes on exactly like it. */
export type AnalysisState = {
  readonly opening: AnalysisOpened;
  /** Where its opening stands in the partition. */
  readonly position: Position;
  readonly canaryShare: number | null;
  /** The highest receipt so far; the watermark is two windows less. */
  readonly receiptMs: number;
  /** Null as soon as the window is frozen. */
  readonly measuring: Measuring | null;
  /** The policy, from then on with the frozen window. Null where it cannot be read. */
  readonly policy: JudgePolicy | null;
  readonly pending: readonly PendingPoint[];
  readonly bases: Bases;
  readonly judge: JudgeState | null;
  /** SHA-256 over (the digest before, the newest window): stands for all windows so far. */
  readonly evidenceDigest: string;
  readonly excluded: { readonly [Reason in Exclusion]: number };
  readonly ended: Ending | null;
  /** What is renewed, also after the end; null: nobody is asked to act, or somebody else's roll-back stands. */
  readonly standing: Standing | null;
};

/** What an analysis is folded with. */
export type AnalysisTools = {
  readonly digest: TextDigest;
  readonly partition: number;
};

export type AnalysisStep = {
  readonly analysis: AnalysisState;
  /** To be put on the log, in this order. */
  readonly decisions: readonly Decided[];
};
