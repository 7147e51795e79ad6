import { startOwn } from './own-process.ts';
import type { OwnProcess } from './own-process.ts';
import { StackProblem } from './problem.ts';

/** A server that the stack runs as a process of this machine, on a fixed port with a folder of its own. */
export type NativeServer = {
  readonly pid: () => number | undefined;
  /** Starts it again after `kill`, with its data, on the same port; resolves when it answers. */
  readonly start: () => Promise<void>;
  /** kill -9. */
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** `answers` resolves when the server is ready; if the process ends before that, the start fails with its last words. */
export async function runNative(
  name: string,
  program: string,
  args: readonly string[],
  folder: string,
  answers: () => Promise<unknown>,
): Promise<NativeServer> {
  let process: OwnProcess | undefined;

  const start = async (): Promise<void> => {
    if (process !== undefined) return;
    const started = startOwn(program, args, folder);
    process = started;
    const early = started.exited.then((how) => {
      throw new StackProblem(
        'not-started',
        `${name} ended while starting (${how}):\n${started.lastOutput()}`,
      );
    });
    early.catch(() => undefined);
    try {
      await Promise.race([answers(), early]);
    } catch (error) {
      process = undefined;
      await started.kill();
      throw error;
    }
  };
  const end = async (how: 'stop' | 'kill'): Promise<void> => {
    const ending = process;
    process = undefined;
    await ending?.[how]();
  };

  await start();
  return { pid: () => process?.pid, start, kill: () => end('kill'), stop: () => end('stop') };
}
