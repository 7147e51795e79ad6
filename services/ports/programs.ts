import type { Result } from '../core/result.ts';

/** A program that is run for one decision. */
export type ProgramCall = {
  /** A program and its words, or a line for a shell. */
  readonly command: readonly [program: string, ...words: string[]] | { readonly shell: string };
  /** Its whole standard input. */
  readonly input: string;
  /** Beside the environment of this process. */
  readonly env: { readonly [name: string]: string };
  /** Then it is killed. */
  readonly timeoutMs: number;
};

/**
 * Runs a program to its end. What it prints goes to our stderr. `exit` null: it was killed by a signal. A problem: it
 * could not be started at all.
 */
export type RunProgram = (
  call: ProgramCall,
) => Promise<Result<{ readonly exit: number | null }, { readonly message: string }>>;

/** Whether a program could be started now: a path, or a name that is looked for as a shell does. The message says why not. */
export type FindProgram = (program: string) => Promise<Result<void, { readonly message: string }>>;

export type HoldProblem =
  /** `holder`: the id of that process, as far as it can be told. */
  | { readonly code: 'held'; readonly holder: number | null }
  | { readonly code: 'unusable'; readonly message: string };

/** A small file of this machine that is replaced as a whole: whoever reads it sees the old text or the new one. */
export type KeptFile = {
  /** Undefined: there is none. */
  readonly read: (
    path: string,
  ) => Promise<Result<string | undefined, { readonly message: string }>>;
  readonly replace: (
    path: string,
    text: string,
  ) => Promise<Result<void, { readonly message: string }>>;
  /**
   * One process of this machine has the file to itself, until it calls the returned function or ends, in whatever way.
   * Of several that ask at once one gets it.
   */
  readonly hold: (path: string) => Promise<Result<() => void, HoldProblem>>;
};
