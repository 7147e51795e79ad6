/**
 * - `missing-prerequisite`: a program is not there; the message holds the command that installs it.
 * - `not-started`: a server did not come up, or does not answer.
 * - `bad-address`: an address in the environment cannot be read.
 * - `not-ours`: the fault was asked of a server that the stack did not start itself.
 */
export type StackProblemCode = 'missing-prerequisite' | 'not-started' | 'bad-address' | 'not-ours';

/** Ends a start. Development tooling throws it; `main.ts` turns the code into an exit code. */
export class StackProblem extends Error {
  readonly code: StackProblemCode;

  constructor(code: StackProblemCode, message: string) {
    super(message);
    this.name = 'StackProblem';
    this.code = code;
  }
}

/** Where progress goes: one plain line at a time. */
export type Say = (line: string) => void;

const quietMs = 2_000;

/** Waits for `work` and says what it is once it has taken longer than two seconds, and again when it is done. */
export async function tellIfSlow<Value>(
  say: Say,
  what: string,
  work: Promise<Value>,
): Promise<Value> {
  const startedAtMs = performance.now();
  let told = false;
  const timer = setTimeout(() => {
    told = true;
    say(`${what} ...`);
  }, quietMs);
  try {
    const value = await work;
    if (told) say(`${what}: done after ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`);
    return value;
  } finally {
    clearTimeout(timer);
  }
}
