import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { bareEnv } from './bare-env.ts';
import type { Env } from './bare-env.ts';

const script = resolve(import.meta.dirname, '../../services/cli/plimsoll.mjs');

export type Ran = {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
};

/** The real command in a process of its own, in a folder that is made where it is not there. */
export const startPlimsoll = (
  folder: string,
  args: readonly string[],
  env: Env = {},
): {
  readonly ended: Promise<Ran>;
  readonly out: () => string;
  readonly err: () => string;
  readonly signal: (signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL') => void;
  readonly stopReading: () => void;
} => {
  mkdirSync(folder, { recursive: true });
  const child = spawn(process.execPath, [script, ...args], {
    cwd: folder,
    env: { ...bareEnv(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (err += text));
  return {
    ended: new Promise((done) => child.on('close', (exit) => done({ exit, out, err }))),
    out: () => out,
    err: () => err,
    signal: (signal) => void child.kill(signal),
    stopReading: () => void child.stdout.destroy(),
  };
};

export const plimsoll = (folder: string, args: readonly string[], env?: Env): Promise<Ran> =>
  startPlimsoll(folder, args, env).ended;
