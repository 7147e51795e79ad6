import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { findProgram } from './prerequisites.ts';

const outputCharsMax = 16_384;
const politeMs = 10_000;

export type OwnProcessOptions = {
  /** The whole environment; without it, ours. */
  readonly env?: NodeJS.ProcessEnv;
  /** Is told each line of the standard output. */
  readonly onLine?: (line: string) => void;
  /** Is told each line of the error output. */
  readonly onErrorLine?: (line: string) => void;
};

/** A server that we started, and the only kind of process that we ever end. */
export type OwnProcess = {
  readonly pid: number;
  /** Resolves with one line that says how it ended. */
  readonly exited: Promise<string>;
  /** The last lines it wrote, for the message when it does not come up. */
  readonly lastOutput: () => string;
  /** SIGTERM, and SIGKILL after ten seconds. Safe to call twice. */
  readonly stop: () => Promise<void>;
  /** SIGKILL: what a crash of the machine's process looks like to its clients. */
  readonly kill: () => Promise<void>;
  /** SIGSTOP: its connections stay open and nobody answers. */
  readonly pause: () => void;
  /** SIGCONT. */
  readonly resume: () => void;
};

const running = new Set<ChildProcess>();
const folders = new Set<string>();
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
let watching = false;

/**
 * Starts a server in a session of its own, so that Ctrl-C in a terminal reaches only us and we stop it in order.
 * It goes when we exit or get a signal, and where Linux's `setpriv` is at hand even when we are killed outright.
 */
export function startOwn(
  program: string,
  args: readonly string[],
  folder: string,
  options: OwnProcessOptions = {},
): OwnProcess {
  watch();
  const setpriv = process.platform === 'linux' ? findProgram('setpriv') : undefined;
  const [command, commandArgs] =
    setpriv === undefined ? [program, args] : [setpriv, ['--pdeathsig', 'KILL', program, ...args]];
  const child = spawn(command, [...commandArgs], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  running.add(child);

  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-outputCharsMax);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  if (options.onLine !== undefined)
    createInterface({ input: child.stdout }).on('line', options.onLine);
  if (options.onErrorLine !== undefined)
    createInterface({ input: child.stderr }).on('line', options.onErrorLine);

  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      running.delete(child);
      resolve(`could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      running.delete(child);
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`);
    });
  });

  const send = (signal: NodeJS.Signals): void => {
    if (running.has(child)) child.kill(signal);
  };
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    send(signal);
    // A paused process hears SIGTERM only when it goes on.
    if (signal === 'SIGTERM') send('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), politeMs);
    await exited;
    clearTimeout(timer);
  };

  return {
    pid: child.pid ?? -1,
    exited,
    lastOutput: () => output.split('\n').slice(-25).join('\n').trim(),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => send('SIGSTOP'),
    resume: () => send('SIGCONT'),
  };
}

/** The folder is removed when this process exits. */
export function removeFolderOnExit(folder: string): void {
  watch();
  folders.add(folder);
}

export function removeFolder(folder: string): void {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function watch(): void {
  if (watching) return;
  watching = true;
  process.on('exit', endEverything);
  for (const signal of endingSignals) {
    const onSignal = (): void => {
      // Someone else (main.ts, vitest) handles the signal and will stop us in order.
      if (process.listenerCount(signal) > 1) return;
      endEverything();
      process.removeListener(signal, onSignal);
      process.kill(process.pid, signal);
    };
    // First in the row, so that listeners added with `once` are still counted.
    process.prependListener(signal, onSignal);
  }
}

function endEverything(): void {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of [...folders]) removeFolder(folder);
}
