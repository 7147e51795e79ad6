import { open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { makeFolders } from '../system/make-folders.ts';
import { codeOf } from '../system/error-code.ts';
import { syncFolder } from '../system/sync-folder.ts';

/** The steps by which an archive reaches the disk, each one that a process may be killed before or after. */
export type Disk = {
  /** Makes the folder and those above it, and has them on disk. */
  readonly makeFolder: (path: string) => Promise<void>;
  /** Writes a new file whole and has it on disk; its name may not be. */
  readonly writeSynced: (path: string, bytes: Uint8Array) => Promise<void>;
  /** Gives a file its name, in the place of another one if need be, and has the name on disk. */
  readonly moveSynced: (from: string, to: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
};

export const openDisk = (): Disk => ({
  makeFolder: async (path) => {
    const first = await makeFolders(path);
    if (first === undefined) return;
    for (let made = resolve(path); made.length >= first.length; made = dirname(made))
      await syncFolder({ open }, dirname(made));
  },
  writeSynced: async (path, bytes) => {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  moveSynced: async (from, to) => {
    await rename(from, to);
    await syncFolder({ open }, dirname(to));
  },
  remove: (path) => rm(path, { force: true }),
});

/** Undefined where there is no such file, or it is larger than `bytesMax`. */
export const readCapped = async (
  path: string,
  bytesMax: number,
): Promise<Buffer | 'too-large' | undefined> => {
  try {
    const { size } = await stat(path);
    return size > bytesMax ? 'too-large' : await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
};

/** The files of a folder with the time they were last written; empty where there is no folder. */
export const filesIn = async (
  folder: string,
): Promise<readonly { readonly name: string; readonly changedAtMs: number }[]> => {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  const files: { readonly name: string; readonly changedAtMs: number }[] = [];
  for (const name of names.toSorted(compareUtf8)) {
    // It may be gone by now: another run names its files while we look.
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found !== undefined) files.push({ name, changedAtMs: found.mtimeMs });
  }
  return files;
};
