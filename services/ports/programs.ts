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

/** How a program ended that was run in our place. */
export type ProgramEnd = {
  /** As a shell says it: 128 and the signal's number where a signal ended it, 127 or 126 where it could not be started. */
  readonly exit: number;
  /** The signal that ended it, such as `SIGKILL`. */
  readonly signal: string | null;
  /** The last signal by which we were asked to stop meanwhile, which it got too. */
  readonly asked: string | null;
  /** The last of what it wrote to stderr, as it came; empty where that was not read. */
  readonly tail: string;
  /** Why that could not be read though it was asked for; null where it could, or our stderr is a terminal. */
  readonly tailMissing: string | null;
  /** Why it could not be started at all. */
  readonly problem: string | null;
};

/**
 * Runs a program in our place: it has our input and output, and the signals that we get. `keepsTail`: its stderr passes
 * through us, and what it wrote last is kept; but not where ours is a terminal, which it is to have itself. Never
 * rejects.
 */
export type WrapProgram = (
  command: readonly [program: string, ...words: string[]],
  options: { readonly keepsTail: boolean },
) => Promise<ProgramEnd>;

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
