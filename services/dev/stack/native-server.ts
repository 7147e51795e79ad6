import { startOwn } from './own-process.ts';
import type { OwnProcess, OwnProcessOptions } from './own-process.ts';
import { StackProblem } from './problem.ts';

/**
 * A part of the stack that runs as a process of this machine, on a fixed port with a folder of its own: a Kafka
 * node, a Redis, or any program of the caller. Each function is safe to call in any state.
 */
export type NativeServer = {
  /** Of the running process; undefined between its end and the next start. */
  readonly pid: () => number | undefined;
  /** Starts it with its data on the same port, if it does not run; resolves when it answers. */
  readonly start: () => Promise<void>;
  /** SIGTERM, and SIGKILL after ten seconds. */
  readonly stop: () => Promise<void>;
  /** kill -9. */
  readonly kill: () => Promise<void>;
  /** SIGSTOP: its connections stay open and nobody answers. */
  readonly pause: () => void;
  /** SIGCONT. */
  readonly resume: () => void;
  /** Stops in order and starts again. */
  readonly restart: () => Promise<void>;
  /** The last lines that the process wrote, for the report of a fault that ended it. */
  readonly lastOutput: () => string;
};

/** `answers` resolves when the server is ready; if the process ends before that, the start fails with its last words. */
export async function runNative(
  name: string,
  program: string,
  args: readonly string[],
  folder: string,
  answers: () => Promise<unknown>,
  options: OwnProcessOptions = {},
): Promise<NativeServer> {
  let process: OwnProcess | undefined;
  let lastOutput = (): string => '';

  const start = async (): Promise<void> => {
    if (process !== undefined) return;
    const started = startOwn(program, args, folder, options);
    process = started;
    lastOutput = started.lastOutput;
    const early = started.exited.then((how) => {
      if (process === started) process = undefined;
      throw new StackProblem(
        'not-started',
        `${name} ended while starting (${how}):\n${started.lastOutput()}`,
      );
    });
    early.catch(() => undefined);
    try {
      await Promise.race([answers(), early]);
    } catch (error) {
      if (process === started) process = undefined;
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
  return {
    pid: () => process?.pid,
    start,
    stop: () => end('stop'),
    kill: () => end('kill'),
    pause: () => process?.pause(),
    resume: () => process?.resume(),
    restart: async () => {
      await end('stop');
      await start();
    },
    lastOutput: () => lastOutput(),
  };
}
