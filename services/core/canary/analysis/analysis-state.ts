import type { Position } from '../../log/record.ts';
import type { Decided } from '../../markers/marker.ts';
import type { AnalysisOpened } from '../../samples/sample.ts';
import type { TextDigest } from '../../uuid-v8.ts';
import type { NoCohort } from '../windows/cohorts.ts';
import type { PendingPoint, WindowExclusion } from '../windows/cohort-windows.ts';
import type { JudgedWindow } from '../judge/judged-window.ts';
import type { FamilyRule } from '../judge/rule.ts';
import type { FamilyState } from '../judge/state.ts';
import type { Overflown } from '../windows/overflown.ts';
import type { LoadsLately } from '../windows/server-loads.ts';
import type { SparseExports } from '../windows/sparse-exports.ts';
import type { ServerRestarts } from '../windows/server-restarts.ts';
import type { EitherPoints } from '../windows/either-points.ts';
import type { LatePoints } from '../windows/late-points.ts';
import type { Bases } from '../windows/stream-bases.ts';
import type { Measuring } from '../windows/window-length.ts';

/** Why a point has not become evidence. Each is counted, none is moved. */
export type Exclusion =
  | NoCohort
  /** The old version's, where it is compared as it was before. */
  | 'old-version'
  /** No metric of the policy is made of it; in a window also where it is of probes. */
  | 'not-judged'
  /** Its own time is further from its receipt than the lateness, or its window is closed. */
  | 'late'
  | WindowExclusion;

/**
 * Why nothing more is judged.
 * - `decided`: the judge's decision was final; `rolled-back`: somebody's roll-back stands on the log;
 * - the others: it was opened by another release, and this one cannot read it.
 */
export type Ending = 'decided' | 'rolled-back' | Refusal;
export type Refusal =
  | 'judge-unknown'
  | 'policy-unreadable'
  | 'noise-unreadable'
  | 'evidence-unreadable'
  | 'comparison-unknown'
  | 'before-unreadable';

/** A decision that stands. */
export type Standing = {
  /** As it was first said. */
  readonly decision: Decided;
  /** Its window, later that of its newest renewal. */
  readonly window: number;
};

/** From this time on the canary has this share of the traffic. */
export type ShareChange = { readonly fromMs: number; readonly share: number };

/** One analysis after the samples so far. Plain JSON: a snapshot of it goes on exactly like it. */
export type AnalysisState = {
  readonly opening: AnalysisOpened;
  /** Where its opening stands in the partition. */
  readonly position: Position;
  /** The canary's share in the last closed window, and what it will be in windows to come, by time. */
  readonly canaryShare: number | null;
  readonly shareChanges: readonly ShareChange[];
  /** Position on the log of the newest record that moved traffic: what is copied again is old news. */
  readonly sharesTo: Position;
  /** The highest receipt so far; the watermark is two windows less. */
  readonly receiptMs: number;
  /** Null as soon as the window is frozen. */
  readonly measuring: Measuring | null;
  /** The frozen window; null before. */
  readonly windowMs: number | null;
  readonly pending: readonly PendingPoint[];
  /** Up to this time points were left out, as too many waited or came late, or one was loud: who seems silent may not be. */
  readonly leftOutToMs: number;
  /** Up to this time points were left out beside ones that nobody could count: what the rest shows is not known. */
  readonly unknownToMs: number;
  readonly eitherPoints: EitherPoints;
  readonly sparseExports: SparseExports;
  readonly overflown: Overflown;
  readonly loads: LoadsLately;
  readonly latePoints: LatePoints;
  readonly serverRestarts: ServerRestarts;
  readonly bases: Bases;
  /** Null before the window is frozen, and where nothing can be judged. */
  readonly judge: FamilyState | null;
  /** SHA-256 over (the digest before, the newest window): stands for all windows so far. */
  readonly evidenceDigest: string;
  readonly excluded: { readonly [Reason in Exclusion]: number };
  /** What the senders in it name as their target, sorted, where one is deployed to and the policy tells none apart. */
  readonly targets: readonly string[];
  readonly ended: Ending | null;
  /**
   * A promote, advance or roll-back that is renewed, also after the end; null: nobody is asked to act, or somebody
   * else's roll-back stands.
   */
  readonly standing: Standing | null;
  /** The hold of the present silence, which is renewed while it lasts. */
  readonly held: Standing | null;
};

/** What was seen of one window when it closed. */
export type ClosedWindow = {
  /** Id of the analysis. */
  readonly analysis: string;
  readonly rule: FamilyRule;
  /** After this window. */
  readonly state: FamilyState;
  readonly window: JudgedWindow;
  /** Counts so far. */
  readonly excluded: AnalysisState['excluded'];
};

/** What an analysis is folded with. */
export type AnalysisTools = {
  readonly digest: TextDigest;
  readonly partition: number;
  /** Analyses that the partition can hold at once; 500 unless told. */
  readonly analysesMax?: number;
  /** Looks on. Nothing of the fold depends on it. */
  readonly observe?: (closed: ClosedWindow) => void;
};

export type AnalysisStep = {
  readonly analysis: AnalysisState;
  /** To be put on the log, in this order. */
  readonly decisions: readonly Decided[];
};
