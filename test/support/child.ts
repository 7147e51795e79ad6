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

/** Starts a script of this folder as a process of its own. What it says on stderr is shown. */
export const startChild = (script: string, args: readonly string[]): Child => {
  const process_: ChildProcess = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, script), ...args],
    { stdio: ['pipe', 'pipe', 'inherit'] },
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
