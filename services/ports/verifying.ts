import type { Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import type { Progress, ProjectionProblem, WrongChecks } from './projecting.ts';
import type { Generation } from './read-model-store.ts';

// Read models compared with a fold of the log that shares nothing with them.

/** A row that is not what the log says. */
export type Divergence = {
  readonly model: string;
  readonly key: string;
  /**
   * - `changed`: another row stands there. `missing`: the log says a row, and there is none.
   * - `extra`: a row stands there of which the log says nothing. `unreadable`: the store finds it damaged.
   */
  readonly why: 'changed' | 'missing' | 'extra' | 'unreadable';
  /** The newest record that the log's row tells of, or the stored one where the log has none; null: neither tells. */
  readonly position: Position | null;
  /** Both were compared as of the records before this position. */
  readonly asOf: Position;
  /** As the store has it and as the log says it, long ones cut; null: not there. */
  readonly stored: string | null;
  readonly expected: string | null;
};

export type Verification = {
  readonly generation: Generation;
  /** Every row was compared as of this position or a later one, and the digest as of `to`. */
  readonly from: Position;
  readonly to: Position;
  readonly rows: number;
  /** How many rows differ, and some of them by model and key. */
  readonly divergent: number;
  readonly divergences: readonly Divergence[];
  /** The digest that the checkpoint keeps, and that of the rows which the log says. */
  readonly digest: {
    readonly stored: string;
    readonly expected: string;
    readonly isEqual: boolean;
  };
  /** The store could not be read whole: rows of which the log says nothing were not looked for to the end. */
  readonly isCut: boolean;
  /** Ranges of remembered signature checks that were found wrong on the way. */
  readonly wrongChecks: readonly WrongChecks[];
  readonly seconds: number;
};

/**
 * - `generation-unknown`: there is none of that name, or it was dropped meanwhile.
 * - `other-fold`: another release wrote it, and its rows are not this one's to judge.
 * - `went-back`: the store stands before where it stood; begin anew.
 */
export type VerifyProblem = {
  readonly code: ProjectionProblem['code'] | 'generation-unknown' | 'other-fold' | 'went-back';
  readonly message: string;
};

export type VerifyOptions = {
  /** Folding, then comparing rows. */
  readonly onProgress: (part: 'fold' | 'rows', progress: Progress) => void;
  /** Asked before each page; false: the answer is `stopped`. */
  readonly isWanted: () => boolean;
};

/** Keeps its own fold between calls: a second one folds only what is new. */
export type Verifier = {
  readonly verify: (options: VerifyOptions) => Promise<Result<Verification, VerifyProblem>>;
  readonly close: () => Promise<void>;
};

/** `isFull`: every signature is checked again; else what is remembered of checks is believed but for a sample. */
export type OpenVerifier = (
  generation: Generation,
  options: { readonly isFull: boolean },
) => Promise<Result<Verifier, VerifyProblem>>;

/** How a verifier that goes on stands, for whoever measures it. */
export type VerifierStatus = {
  /** The last comparison that came to its end; null: none yet. A wrong digest counts as one divergent row. */
  readonly verified: {
    readonly position: Position;
    readonly divergent: number;
    readonly seconds: number;
    readonly atMs: number;
  } | null;
  readonly rounds: number;
};

/** What there is to verify, and with what. */
export type Verifying = {
  /** The generation that readers use, or undefined in an empty store. */
  readonly current: () => Promise<Result<Generation | undefined, VerifyProblem>>;
  readonly open: OpenVerifier;
};
