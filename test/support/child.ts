import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Child = {
  /** What it said so far, by lines. */
  readonly lines: readonly string[];
  readonly send: (line: string) => void;
  /** Stops, continues or kills this one process. */
  readonly signal: (signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT') => void;
  /** Settles when it is over and all that it said was read: its exit code, or the signal that ended it. */
  readonly over: Promise<number | string | null>;
};

const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];

export type ChildOptions = {
  readonly cwd?: string;
  /** Added to the environment of the tests. */
  readonly env?: { readonly [name: string]: string };
};

/** Starts a script of this folder as a process of its own. What it says on stderr is shown. */
export const startChild = (
  script: string,
  args: readonly string[],
  { cwd, env }: ChildOptions = {},
): Child => {
  const process_: ChildProcess = spawn(
    process.execPath,
    [...quiet, join(import.meta.dirname, script), ...args],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    },
  );
  const { stdin, stdout } = process_;
  if (stdin === null || stdout === null) throw new Error('a child without pipes');
  // A killed child closes its end; that is no fault of the test.
  stdin.on('error', () => undefined);
  const lines: string[] = [];
  createInterface({ input: stdout }).on('line', (line) => lines.push(line));
  return {
    lines,
    send: (line) => void stdin.write(`${line}\n`),
    signal: (signal) => void process_.kill(signal),
    over: new Promise((done) => process_.on('close', (code, signal) => done(signal ?? code))),
  };
};
