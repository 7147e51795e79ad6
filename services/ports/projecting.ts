import type { CheckTools } from '../core/check/check-record.ts';
import type { Position } from '../core/log/record.ts';
import type { FoldState, Outcome } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import type { Generation, ReadModelStore } from './read-model-store.ts';
import type { RecordLog } from './record-log.ts';

// What the projector does for others: it folds a log into read models.

/** A log, and the store that holds what is folded from it. */
export type ProjectionPorts = {
  readonly log: RecordLog;
  readonly store: ReadModelStore;
  readonly tools: CheckTools;
  readonly audience: string;
  /** The log id that this installation expects, or null: it takes the one it finds and says so. */
  readonly pinnedLogId: string | null;
};

/**
 * Why a projection cannot go on.
 * - `foreign-log`: the read models are another log's, or the pinned log id is another.
 * - `log-shortened`: the log ends before what was already applied.
 * - `old-code`: the read models were written by a newer fold.
 * - `gap`: somebody else moved the checkpoint; read it again.
 * - `log-empty`: there is no record 0 yet.
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
    | 'corrupt';
  readonly message: string;
};

/** Read models, and the state that a fold goes on with. */
export type CaughtUp = {
  readonly generation: Generation;
  readonly state: FoldState;
};

/** `next` is the next position to fold, `end` where the fold will stop as far as is known. */
export type Progress = { readonly next: Position; readonly end: Position };

export type FoldOptions = {
  /**
   * The first position that is not folded, 1 or more. Unless told, and where the log ends before: the end that the
   * log has when the fold begins. What is folded already stays.
   */
  readonly to?: Position;
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
