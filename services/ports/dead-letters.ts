import type { Position } from '../core/log/record.ts';
import type { NewRecord } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import type { ProjectionProblem } from './projecting.ts';
import type { Signer } from './signer.ts';

// What the operator of dead letters asks for before anything is appended.

/** Which letters are meant. All of them by their first position, oldest first. */
export type LetterChoice =
  | { readonly by: 'positions'; readonly positions: readonly Position[] }
  /** Open letters of that code, or whose last redrive was refused with it. */
  | { readonly by: 'code'; readonly code: string }
  /** Open letters whose record says that it is about that deployment, proven or not. */
  | { readonly by: 'deployment'; readonly deployment: string };

/**
 * What would become of a letter that is appended again.
 * - `accepted`: it would change the read models; `known`: it says what they know already.
 * - `refused-again`: it would be a dead letter once more, for the code it says.
 * - `held-back`: it is not appended without force, for the code it says.
 */
export type LetterOutlook = 'accepted' | 'known' | 'refused-again' | 'held-back';

export type PlannedLetter = {
  readonly position: Position;
  /** Why it was not accepted when it came. */
  readonly code: string;
  readonly outlook: LetterOutlook;
  /** What the fold would note of it (`applied`, `late`, `duplicate`, …), or the code that keeps it out. */
  readonly becomes: string;
  readonly message: string | null;
  /** How long it will have waited by its new header: since its first append, and before that on a spool. */
  readonly waitedMs: number;
  /** Whether it is among the records to append. */
  readonly isSent: boolean;
};

/** Letters that are appended together, right behind one operation that names their positions. */
export type LetterChunk = {
  readonly positions: readonly Position[];
  readonly records: readonly NewRecord[];
};

export type RedrivePlan = {
  readonly letters: readonly PlannedLetter[];
  readonly chunks: readonly LetterChunk[];
  /** There were more letters than one call takes; the oldest are planned. */
  readonly isCut: boolean;
};

/** `clock-behind`: by the clock of this machine it cannot be told how long letters waited. */
export type LettersProblem =
  | ProjectionProblem
  | { readonly code: 'not-found' | 'clock-behind'; readonly message: string };

/** Judges letters as if they were appended now, and makes the records that would be. Appends nothing. */
export type PlanRedrive = (
  choice: LetterChoice,
  options: {
    /** Signs how long they waited. */
    readonly signer: Signer;
    /** Also letters that a guard holds back or that would be refused again. */
    readonly isForced: boolean;
    readonly onProgress: (progress: { readonly next: number; readonly end: number }) => void;
  },
) => Promise<Result<RedrivePlan, LettersProblem>>;
