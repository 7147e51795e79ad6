import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { houseEnvironment, nodeFlags } from '../../check-steps.ts';
import type { PlantedCheck } from './planted-bug.ts';

/** `caught` means that it ran and said that something is wrong; `broken` that it could not say anything. */
export type Outcome = {
  readonly outcome: 'passed' | 'caught' | 'broken';
  readonly seconds: number;
  /** How many simulated schedules it took, where it was one. */
  readonly schedules: number | null;
  readonly output: string;
};

const outputBytesMax = 64 * 1024 * 1024;
const withinMs = 300_000;
const sameSeed = '7';

/** Runs a check in a tree to its end, at most five minutes. `env` adds to the environment. */
export const runCheck = (
  folder: string,
  check: PlantedCheck,
  env: NodeJS.ProcessEnv,
): Promise<Outcome> => {
  const [program, args, isFinding] = commandOf(folder, check);
  const startedMs = performance.now();
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      {
        cwd: folder,
        env: { ...houseEnvironment(), NO_COLOR: '1', ...env },
        maxBuffer: outputBytesMax,
        timeout: withinMs,
      },
      (error, stdout, stderr) => {
        const output = `${stdout}\n${stderr}`;
        const seconds = (performance.now() - startedMs) / 1000;
        const found = isFinding.test(output);
        const schedules = /^\{"schedules":(\d+)/m.exec(stdout)?.[1];
        resolve({
          outcome: error === null ? 'passed' : found ? 'caught' : 'broken',
          seconds,
          schedules: schedules === undefined ? null : Number(schedules),
          output,
        });
      },
    );
  });
};

/** The command, and what stands in its output where a test or a checker really ran and failed. */
const commandOf = (
  folder: string,
  check: PlantedCheck,
): readonly [program: string, args: readonly string[], isFinding: RegExp] => {
  const dev = (...args: readonly string[]): readonly [string, readonly string[]] => [
    process.execPath,
    [...nodeFlags, ...args],
  ];
  const faults = join(folder, 'services', 'dev', 'faults', 'main.ts');
  switch (check.check) {
    case 'suite':
      return [
        join(folder, 'node_modules', '.bin', 'vitest'),
        [
          'run',
          '--config',
          'test/vitest.config.ts',
          '--project',
          check.project,
          '--bail',
          '1',
          check.file,
        ],
        /Tests\s+\d+ failed/,
      ];
    case 'aof-cuts':
      return [...dev(faults, '--aof-cuts', `${check.cuts}`, '--seed', sameSeed), /FAILED/];
    case 'campaign':
      return [
        ...dev(faults, '--minutes', `${check.minutes}`, '--seed', sameSeed, '--only', check.only),
        /FAILED \(seed/,
      ];
    case 'simulate':
      return [
        ...dev(
          join(folder, 'services', 'dev', 'simulate', 'main.ts'),
          '--schedules',
          `${check.schedules}`,
          '--first',
          '--json',
        ),
        /"divergences":[1-9]/,
      ];
  }
};
