import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Signer } from '../../ports/signer.ts';
import type { KeyProblem } from '../ed25519/key-file.ts';
import { newKeyFile, readKeyFile } from '../ed25519/key-file.ts';
import { folderFaultOf, makeFolders } from '../system/make-folders.ts';
import { keepOutOfGit } from '../system/out-of-git.ts';
import { keysFolder } from './keys-folder.ts';

/** Keys that an installation makes for itself, each with one task. */
export type KeyName = 'admin' | 'local' | 'analyser' | 'gateway';
const keyNames: readonly KeyName[] = ['admin', 'local', 'analyser', 'gateway'];

const keyPath = (dataFolder: string, name: KeyName): string =>
  join(keysFolder(dataFolder), `${name}.json`);

const unfinished = /^keys\.new-[0-9a-f-]{36}$/;

/** Whether this installation has keys of its own. */
export const hasKeys = (dataFolder: string): boolean => existsSync(keysFolder(dataFolder));

/**
 * Makes the keys under a temporary name and renames the folder into place. Of several processes one wins; the
 * others use its keys. If we stop in the middle, a folder `keys.new-…` is left that nothing uses, and that the
 * next one removes once it has won.
 */
export const makeKeys = async (dataFolder: string): Promise<Result<void, KeyProblem>> => {
  const folder = keysFolder(dataFolder);
  const temporary = `${folder}.new-${randomUUID()}`;
  try {
    const made = await makeFolders(dataFolder);
    if (made !== undefined) await keepOutOfGit(made);
    await mkdir(temporary, { mode: 0o700 });
    await keepOutOfGit(temporary);
  } catch (error) {
    const fault = folderFaultOf(error);
    if (fault === undefined) throw error;
    return fail({
      code: 'key-file-not-written',
      message: `${dataFolder} cannot hold keys: ${fault}`,
      hint: 'name a folder that you may write to, or one that can be made',
    });
  }
  try {
    for (const name of keyNames) {
      const made = await newKeyFile({ principal: name, path: join(temporary, `${name}.json`) });
      if (!made.ok) return hasKeys(dataFolder) ? ok(undefined) : made;
    }
    await rename(temporary, folder);
    await removeLosers(dataFolder);
  } catch (error) {
    if (!isTaken(error) && !hasKeys(dataFolder)) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return ok(undefined);
};

/**
 * Once there are keys, whoever still makes some has lost, dead or alive: what those leave holds secrets, and is nobody's.
 * One that lives finds the keys that are there.
 */
const removeLosers = async (dataFolder: string): Promise<void> => {
  const names = await readdir(dataFolder).catch(() => []);
  for (const name of names.filter((one) => unfinished.test(one)))
    await rm(join(dataFolder, name), { recursive: true, force: true }).catch(() => undefined);
};

export const readKey = (dataFolder: string, name: KeyName): Promise<Result<Signer, KeyProblem>> =>
  readKeyFile(keyPath(dataFolder, name));

const isTaken = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ENOTEMPTY' || error.code === 'EEXIST' || error.code === 'ENOTDIR');
