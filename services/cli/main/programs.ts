import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { access, constants, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdFile } from '../../adapters/sqlite/held-file.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { FindProgram, KeptFile, ProgramCall, RunProgram } from '../../ports/programs.ts';

/** Between asking a program to end and ending it. */
const killAfterMs: number = 5000;
/** Processes that were killed are gone within that; what init does not reap is not waited for. */
const killedWithinMs = 1000;
const lookEveryMs = 50;

/** Programs get this environment, and what the call adds to it. */
export const runProgramIn =
  (inherited: NodeJS.ProcessEnv, forcedAfterMs: number = killAfterMs): RunProgram =>
  ({ command, input, env, timeoutMs }) => {
    const [program, words] = argumentsOf(command);
    return new Promise((done) => {
      const child = spawn(program, words, {
        env: { ...inherited, ...env },
        // A group of its own: what a script has started ends with it, and Ctrl-C here interrupts no half-done undo.
        detached: true,
        // Our own output has lines of its own.
        stdio: ['pipe', 2, 2],
      });
      const end = (ended: Awaited<ReturnType<RunProgram>>): void => {
        clearTimeout(asked);
        clearTimeout(forced);
        done(ended);
      };
      let isLate = false;
      const asked = setTimeout(() => {
        isLate = true;
        endGroup(child, 'SIGTERM');
      }, timeoutMs);
      const forced = setTimeout(() => endGroup(child, 'SIGKILL'), timeoutMs + forcedAfterMs);
      child.once('error', (cause) => end(fail({ message: cause.message })));
      child.once('close', (exit) => {
        // What it has started may outlive it, and is not to work beside the next run.
        const over = isLate ? groupGone(child, forcedAfterMs + killedWithinMs) : Promise.resolve();
        void over.then(() => end(ok({ exit })));
      });
      // It need not read what it is told.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
  };

/** As a shell finds it: by its path, or in the folders of PATH. */
export const findProgramIn =
  ({ PATH: folders = '' }: NodeJS.ProcessEnv): FindProgram =>
  async (program) => {
    const isPath = program.includes('/');
    const paths = isPath ? [program] : folders.split(delimiter).map((at) => join(at, program));
    let isThere = false;
    for (const path of paths) {
      const found = await stat(path).catch(() => undefined);
      if (found?.isFile() !== true) continue;
      isThere = true;
      const mayRun = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (mayRun) return ok(undefined);
    }
    if (isThere)
      return fail({ message: `${program} may not be run (chmod +x makes it a program)` });
    return fail({
      message: isPath
        ? `there is no program ${program}`
        : `no folder of PATH has a program ${program}`,
    });
  };

const endGroup = ({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended meanwhile.
  }
};

const groupGone = async (child: ChildProcess, withinMs: number): Promise<void> => {
  for (let waitedMs = 0; waitedMs < withinMs && hasGroup(child); waitedMs += lookEveryMs)
    await sleep(lookEveryMs);
};

const hasGroup = ({ pid }: ChildProcess): boolean => {
  if (pid === undefined) return false;
  try {
    process.kill(-pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== 'ESRCH';
  }
};

const argumentsOf = (
  command: ProgramCall['command'],
): readonly [program: string, words: readonly string[]] => {
  if ('shell' in command) return ['/bin/sh', ['-c', command.shell]];
  const [program, ...words] = command;
  return [program, words];
};

const told = (cause: unknown): Result<never, { readonly message: string }> =>
  fail({ message: cause instanceof Error ? cause.message : String(cause) });

export const keptFile: KeptFile = {
  hold: async (path) => holdFile(path),
  read: async (path) => {
    try {
      return ok(await readFile(path, 'utf8'));
    } catch (cause) {
      return (cause as NodeJS.ErrnoException).code === 'ENOENT' ? ok(undefined) : told(cause);
    }
  },
  replace: async (path, text) => {
    try {
      await mkdir(dirname(path), { recursive: true });
      const temporary = `${path}.${process.pid}.tmp`;
      await writeFile(temporary, text, { flush: true });
      await rename(temporary, path);
      return ok(undefined);
    } catch (cause) {
      return told(cause);
    }
  },
};
