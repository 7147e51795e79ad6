import type { CliProblem, ExitCode } from '../problem.ts';

/** One thing that doctor looked at, a line of `doctor --json`. */
export type Check = {
  readonly check: string;
  /**
   * `ok`, `warn`, `fail`; `skipped`: it could not be tried; of a checklist `met`, `not-met`, and `unseen` for what
   * Plimsoll cannot see.
   */
  readonly outcome: 'ok' | 'warn' | 'fail' | 'skipped' | 'met' | 'not-met' | 'unseen';
  readonly message: string;
  /** What to do; may be empty. */
  readonly hint: string;
  /** The exit code that a failure gives the command. */
  readonly exit: ExitCode;
};

type Told = Omit<Check, 'exit'>;

const told =
  (outcome: Check['outcome']): ((check: string, message: string, hint?: string) => Check) =>
  (check, message, hint = '') =>
    withExit({ check, outcome, message, hint });

const withExit = (line: Told): Check => ({ ...line, exit: 0 });

export const passed: ReturnType<typeof told> = told('ok');
export const warned: ReturnType<typeof told> = told('warn');
export const skipped: ReturnType<typeof told> = told('skipped');
export const met: ReturnType<typeof told> = told('met');
export const notMet: ReturnType<typeof told> = told('not-met');
export const unseen: ReturnType<typeof told> = told('unseen');

export const failedBy = (check: string, { message, hint, exit }: CliProblem): Check => ({
  check,
  outcome: 'fail',
  message,
  hint,
  exit: exit === 0 ? 1 : exit,
});
