import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { nodeFlags, repositoryFolder } from '../check-steps.ts';
import { startOwn } from '../stack/own-process.ts';
import type { OwnProcess } from '../stack/own-process.ts';

/** Where the demo's commands run, and the settings they get. */
export type Workplace = {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted: whatever runs is ended. */
  readonly stop: AbortSignal;
};

const script = join(repositoryFolder, 'services', 'cli', 'plimsoll.mjs');
const commandWithinMs = 30_000;
const outputBytesMax = 4 * 1024 * 1024;

/** A step of the demo that did not do what it must; the message says what it said. */
export class DemoProblem extends Error {}

/** Runs `plimsoll` to its end and gives what it printed. Throws `DemoProblem` if it fails. */
export const runPlimsoll = (workplace: Workplace, words: readonly string[]): Promise<string> =>
  new Promise((done, failed) => {
    const { folder: cwd, env, stop: signal } = workplace;
    const options = { cwd, env, signal, timeout: commandWithinMs, maxBuffer: outputBytesMax };
    execFile(process.execPath, [script, ...words], options, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else
        failed(
          new DemoProblem(
            `plimsoll ${words.join(' ')} failed (${String(error.code ?? error.signal)}): ${stderr.trim()}`,
          ),
        );
    });
  });

/** Starts `plimsoll` as a process that stays. */
export const startPlimsoll = (
  { folder, env }: Workplace,
  words: readonly string[],
  onLine: (line: string) => void,
): OwnProcess => startOwn(process.execPath, [script, ...words], folder, { env, onLine });

/** Starts a program of the demo itself. */
export const startDemoProgram = (
  { folder, env }: Workplace,
  file: string,
  args: readonly string[],
  onLine: (line: string) => void,
): OwnProcess => {
  const program = join(import.meta.dirname, file);
  return startOwn(process.execPath, [...nodeFlags, program, ...args], folder, { env, onLine });
};
