import type { CheckTools } from '../core/check/check-record.ts';
import type { GenerationNote } from '../core/generation-note.ts';
import type { Position } from '../core/log/record.ts';
import type { FoldState, Outcome } from '../core/projection.ts';
import type { RecordFilter } from '../core/record-filter.ts';
import type { Result } from '../core/result.ts';
import type { Aside, Generation, ReadModelStore, StoreReason } from './read-model-store.ts';
import type { RecordLog } from './record-log.ts';
import type { SignatureChecking } from './signature-checking.ts';

// What the projector does for others: it folds a log into read models.

/** A log, and the store that holds what is folded from it. */
export type ProjectionPorts = {
  readonly log: RecordLog;
  readonly store: ReadModelStore;
  readonly tools: CheckTools;
  readonly audience: string;
  /** The log id that this installation expects, or null: it takes the one it finds and says so. */
  readonly pinnedLogId: string | null;
  /** Checks signatures on further cores. Left out, each is checked when it is come to. */
  readonly signatureChecking?: SignatureChecking;
  /**
   * Lets the rest of the process have its turn; awaited between pieces of work that take a few milliseconds. Left out,
   * a batch is folded in one go.
   */
  readonly turn?: () => Promise<void>;
};

/**
 * Why a projection cannot go on.
 * - `foreign-log`: the read models are another log's, or the pinned log id is another.
 * - `log-shortened`: the log ends before what was already applied.
 * - `old-code`: the read models were written by a newer fold.
 * - `gap`: somebody else moved the checkpoint; read it again.
 * - `log-empty`: there is no record 0 yet.
 * - `archive-damaged`: the archive that gives what the log no longer holds is not what was written.
 * - `stopped`: who asked does not want it any more.
 */
export type ProjectionProblem = {
  readonly code:
    | 'foreign-log'
    | 'log-shortened'
    | 'log-not-opened'
    | 'log-empty'
    | 'old-code'
    | 'gap'
    | 'stopped'
    | 'unreachable'
    | 'corrupt'
    | 'archive-damaged';
  readonly message: string;
  /** Of the store, where it gave one. */
  readonly reason?: StoreReason;
};

/** Read models, and the state that a fold goes on with. */
export type CaughtUp = {
  readonly generation: Generation;
  readonly state: FoldState;
  /** Which records it is folded from; null: all. */
  readonly filter: RecordFilter | null;
};

/** `next` is the next position to fold, `end` where the fold will stop as far as is known. */
export type Progress = { readonly next: Position; readonly end: Position };

/** Records [from, to). */
export type PositionRange = { readonly from: Position; readonly to: Position };

/** How far a fold believes what came of signature checks before. */
export type BelievedChecks = {
  /** Where it is remembered: beside the read models that a projector keeps, also for a fold into another store. */
  readonly aside: Aside;
  /** Share of the remembered checks that are made all the same, from 0 to 1. With 1 nothing is believed. */
  readonly sampleShare: number;
  /** Which ones follows from this. */
  readonly seed: number;
  /** A remembered range was wrong: its checks are all made again, and remembered anew. */
  readonly onWrong?: (wrong: WrongChecks) => void;
};

/**
 * - `damaged`: what was kept cannot be read; where it ends is not known, so `to` is `from`.
 * - `other-bytes`: it was not made of the records that lie on the log.
 * - `other-outcome`: a check that was made again came out otherwise.
 */
export type WrongChecks = PositionRange & {
  readonly why: 'damaged' | 'other-bytes' | 'other-outcome';
};

export type FoldOptions = {
  /**
   * The first position that is not folded, 1 or more. Unless told, and where the log ends before: the end that the
   * log has when the fold begins. What is folded already stays.
   */
  readonly to?: Position;
  /** Which records are folded, null: all. Left out: those that the generation's note says. */
  readonly filter?: RecordFilter | null;
  /** Left out: every signature is checked, and what came of it is remembered in the store that is folded into. */
  readonly checks?: BelievedChecks;
  /** The generation must hold nothing yet; else the answer is `gap`, and nothing was written. */
  readonly isNew?: boolean;
  /** Records of one commit, at most; 200 unless told. */
  readonly recordsMax?: number;
  /** Awaited before each batch: whoever folds beside others may slow down here. */
  readonly pace?: (progress: Progress) => Promise<void>;
  readonly onProgress?: (progress: Progress) => void;
  /** What became of the records of each batch that was committed. */
  readonly onFolded?: (outcomes: readonly Outcome[]) => void;
  /** Asked before each batch. False: the answer is `stopped`, and what was committed stays. */
  readonly isWanted?: () => boolean;
};

/** Folds from a generation's checkpoint on. Safe beside others that fold the same generation. */
export type FoldToEnd = (
  ports: ProjectionPorts,
  generation: Generation,
  options?: FoldOptions,
) => Promise<Result<CaughtUp, ProjectionProblem>>;

type Noted<Value> = Promise<Result<Value, ProjectionProblem>>;

/** What is kept beside the generations of a store: what each was made for, and which names were given. */
export type GenerationNotes = {
  /**
   * What a generation was made for; undefined where nobody noted it: it is folded from all records. A note that cannot
   * be read is `corrupt`, for what was left out must not be folded in by mistake.
   */
  readonly load: (
    store: ReadModelStore,
    generation: Generation,
  ) => Noted<GenerationNote | undefined>;
  readonly save: (
    store: ReadModelStore,
    generation: Generation,
    note: GenerationNote,
  ) => Noted<void>;
  /** Drops a generation's rows, then its note. Its name is not given again. */
  readonly drop: (store: ReadModelStore, generation: Generation) => Noted<void>;
  /** The names that no new generation may have. */
  readonly namesTaken: (store: ReadModelStore) => Noted<readonly Generation[]>;
  /** Whether somebody asked whoever folds it to pause. */
  readonly isPauseAsked: (store: ReadModelStore, generation: Generation) => Noted<boolean>;
  readonly askPause: (
    store: ReadModelStore,
    generation: Generation,
    isAsked: boolean,
  ) => Noted<void>;
};
