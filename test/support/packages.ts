import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPackage } from '../../services/dev/build/build.ts';
import { pack } from '../../services/dev/build/check-package.ts';
import type { Edition } from '../../services/dev/build/editions.ts';
import { bareEnv } from './bare-env.ts';
import type { Env } from './bare-env.ts';
import type { Ran } from './plimsoll.ts';

/** A package as its users have it: built, packed, installed from the tarball into a folder that was empty. */
export type Installed = {
  /** Where it was built. */
  readonly built: string;
  readonly tarball: string;
  /** The folder that holds node_modules. */
  readonly folder: string;
  readonly run: (args: readonly string[], env?: Env) => Promise<Ran>;
  readonly remove: () => void;
};

/**
 * The tarball of an edition, and what else is named, into an empty folder. What npm needs is in its cache since `npm ci`;
 * the registry is asked for what is not.
 */
export const installPackage = async (
  edition: Edition,
  beside: readonly string[] = [],
): Promise<Installed> => {
  const home = mkdtempSync(join(tmpdir(), 'plimsoll-package-'));
  const { folder: built } = await buildPackage(edition, home);
  const tarball = pack(built, home);
  const folder = join(home, 'empty');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"name":"empty","private":true}\n');
  const quiet = ['--no-audit', '--no-fund', '--silent', '--prefer-offline'];
  execFileSync('npm', ['install', tarball, ...beside, ...quiet], { cwd: folder, stdio: 'pipe' });
  return {
    built,
    tarball,
    folder,
    run: (args, env) => runIn(folder, edition.name, args, env),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
};

const runIn = (
  folder: string,
  command: string,
  args: readonly string[],
  env: Env = {},
): Promise<Ran> =>
  new Promise((done, refuse) => {
    const child = spawn(
      process.execPath,
      [join(folder, 'node_modules', '.bin', command), ...args],
      {
        cwd: folder,
        env: { ...bareEnv(), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (err += text));
    child.on('error', refuse);
    child.on('close', (exit) => done({ exit, out, err }));
  });
