import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { StackProblem, tellIfSlow } from './problem.ts';
import type { Say } from './problem.ts';

const run = promisify(execFile);

/** Programs that the native stack, or a test beside it, runs; and the Debian package that brings each. */
const packageOf = {
  java: 'openjdk-17-jre-headless',
  mvn: 'maven',
  'redis-server': 'redis-server',
  kcat: 'kcat',
  faketime: 'faketime',
} as const;

export type Program = keyof typeof packageOf;

export type Environment = Readonly<Record<string, string | undefined>>;

const javaMajorMin = 17;
const installTriesMax = 3;
const betweenTriesMs = 5_000;

/** The full path of a program on the PATH, or undefined. */
export function findProgram(
  name: string,
  path: string = process.env['PATH'] ?? '',
): string | undefined {
  for (const folder of [...path.split(delimiter), '/usr/bin', '/usr/sbin', '/usr/local/bin']) {
    if (folder === '') continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * Makes sure the programs are there. Root on a Debian-like machine installs what is missing and says so, unless
 * PLIMSOLL_INSTALL=0; anybody else gets `missing-prerequisite` with the command to run.
 */
export async function needPrograms(
  programs: readonly Program[],
  env: Environment,
  say: Say,
): Promise<void> {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0) {
    const packages = missing.map((program) => packageOf[program]);
    const aptGet = findProgram('apt-get');
    if (aptGet === undefined || process.getuid?.() !== 0 || env['PLIMSOLL_INSTALL'] === '0') {
      throw missingPrerequisite(missing.join(', '), packages);
    }
    say(`installing ${packages.join(' ')} with apt-get (as root; PLIMSOLL_INSTALL=0 forbids it)`);
    await install(aptGet, missing, packages, env, say);
  }
  if (programs.includes('java')) await needJavaVersion();
}

async function install(
  aptGet: string,
  missing: readonly Program[],
  packages: readonly string[],
  env: Environment,
  say: Say,
): Promise<void> {
  // RUNLEVEL=1 keeps Debian from starting a Redis of its own on 6379.
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } };
  for (let tries = 1; ; tries += 1) {
    try {
      await tellIfSlow(say, 'apt-get update', run(aptGet, ['update', '-q'], options));
      await tellIfSlow(
        say,
        `apt-get install ${packages.join(' ')}`,
        run(
          aptGet,
          [
            'install',
            '-y',
            '-q',
            '--no-install-recommends',
            '-o',
            'DPkg::Lock::Timeout=120',
            ...packages,
          ],
          options,
        ),
      );
      return;
    } catch (error) {
      // Another process may hold apt's lock because it installs the same.
      if (missing.every((program) => findProgram(program) !== undefined)) return;
      if (tries === installTriesMax) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new StackProblem(
          'missing-prerequisite',
          `apt-get could not install ${packages.join(' ')}: ${reason}`,
        );
      }
      await sleep(betweenTriesMs);
    }
  }
}

async function needJavaVersion(): Promise<void> {
  // `java -version` writes to stderr: openjdk version "17.0.15" 2025-04-15
  const { stderr } = await run(findProgram('java') ?? 'java', ['-version']);
  const major = Number(/version "(\d+)/.exec(stderr)?.[1]);
  if (Number.isNaN(major) || major >= javaMajorMin) return;
  throw missingPrerequisite(`Java ${javaMajorMin} or newer (found ${major})`, [packageOf.java]);
}

function missingPrerequisite(what: string, packages: readonly string[]): StackProblem {
  return new StackProblem(
    'missing-prerequisite',
    `missing: ${what}\n` +
      `install it:  sudo apt-get update && sudo apt-get install -y ${packages.join(' ')}\n` +
      'or use servers that you have:  PLIMSOLL_TEST_KAFKA=host:port PLIMSOLL_TEST_REDIS=redis://host:port',
  );
}
