import type { Position } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { CliProblem } from '../problem.ts';

export type ListName =
  | 'current'
  | 'timeline'
  | 'decisions'
  | 'dead-letters'
  | 'changes'
  | 'operations'
  | 'retention'
  | 'policies'
  | 'environments'
  | 'components'
  | 'keys';

export type Filter = {
  readonly environment: string | null;
  readonly component: string | null;
  readonly namespace: string | null;
  readonly target: string | null;
};

/** Which lines of a list. They come oldest first, or by name. */
export type Choice = {
  /** For lists of places. */
  readonly filter?: Filter;
  /** The newest so many. */
  readonly newestMax?: number;
  /** Those after a position. */
  readonly after?: Position;
  /** Asked of each line, the newest first where only the newest are meant; only wanted ones count as such. */
  readonly isWanted?: (line: Line) => boolean;
};

/** The questions that the log at hand and a gateway both answer, in lines of core/views.ts. */
export type Reader = {
  readonly list: (name: ListName, choice: Choice) => Promise<Result<readonly Line[], CliProblem>>;
  /** By deployment id or by the id of one of its markers. */
  readonly show: (id: string) => Promise<Result<Line, CliProblem>>;
  /** The document of policies that was set at a position; null: the newest, and null where there is none. */
  readonly policy: (position: Position | null) => Promise<Result<Line | null, CliProblem>>;
  /** A dead letter with what lies on the log: its key, headers and bytes, which a gateway does not hand out. */
  readonly deadLetter: (position: Position) => Promise<Result<LetterView, CliProblem>>;
};

export type LetterView = {
  readonly letter: Line;
  readonly record: {
    readonly key: Uint8Array;
    readonly headers: readonly { readonly name: string; readonly value: Uint8Array }[];
    readonly value: Uint8Array;
  } | null;
};
