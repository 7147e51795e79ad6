import { promises as files } from 'node:fs';
import { hash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { nameMax } from '../../core/markers/limits.ts';
import type { Numbered, Numbering } from '../../ports/numbering.ts';
import { makeFolders } from '../system/make-folders.ts';
import { readPlainFile } from '../system/plain-file.ts';

const producerBytesMax = 4096;
/** Others may be faster so often; then nothing is counted. */
const triesMax = 100;
const nextPattern = /^next-([1-9][0-9]{0,14})$/;
const freePattern = /^free-([1-9][0-9]{0,14})$/;

/**
 * For each key a folder with a file `producer` that holds the producer's name, an empty file `next-<n>` whose name is
 * the next number, and empty files `free-<n>` of numbers that were given back. A number is taken by one rename or one
 * removal, which succeeds for one process only: so there is no lock, and none can be left behind. A process that ends
 * between taking and using leaves a gap, and that is what a reader is shown.
 */
export const openNumbering = (options: {
  readonly folder: string;
  /** Whose log it is that is counted for: numbers of two logs must not mix. */
  readonly log: string;
  readonly host: string;
  /** Whether a count may be begun where there is none. */
  readonly mayBegin: () => boolean;
}): Numbering => {
  const folderOf = (keyId: string): string =>
    join(options.folder, hash('sha256', `${options.log}\n${keyId}`).slice(0, 16));

  const take = async (folder: string): Promise<Numbered | null> => {
    for (let tried = 0; tried < triesMax; tried++) {
      const names = await listed(folder);
      if (names === undefined) {
        if (!options.mayBegin()) return null;
        await begin(folder, options.host);
        continue;
      }
      const sequence = (await takeFree(folder, names)) ?? (await takeNext(folder, names));
      if (sequence === undefined) continue;
      const producer = (await readPlainFile(join(folder, 'producer'), producerBytesMax)).trim();
      return producer === '' || producer.length > nameMax ? null : { producer, sequence };
    }
    return null;
  };

  return {
    take: (keyId) => take(folderOf(keyId)).catch(() => null),
    giveBack: async (keyId, { sequence }) => {
      const path = join(folderOf(keyId), `free-${sequence}`);
      await files.writeFile(path, '', { flag: 'wx' }).catch(() => undefined);
    },
  };
};

const listed = async (folder: string): Promise<readonly string[] | undefined> => {
  try {
    return await files.readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/** The whole folder under a temporary name, renamed into place: whoever comes second uses the first one's. */
const begin = async (folder: string, host: string): Promise<void> => {
  const temporary = `${folder}.new-${randomUUID()}`;
  await makeFolders(temporary);
  try {
    await files.writeFile(
      join(temporary, 'producer'),
      `${host.slice(0, 64)}/${randomUUID().slice(0, 8)}\n`,
    );
    await files.writeFile(join(temporary, 'next-1'), '');
    await files.rename(temporary, folder).catch(() => undefined);
  } finally {
    await files.rm(temporary, { recursive: true, force: true });
  }
};

const takeFree = async (folder: string, names: readonly string[]): Promise<number | undefined> => {
  for (const sequence of numbersIn(names, freePattern)) {
    // What a directory still lists may be gone: only one removal succeeds.
    const isOurs = await files.unlink(join(folder, `free-${sequence}`)).then(
      () => true,
      () => false,
    );
    if (isOurs) return sequence;
  }
  return undefined;
};

const takeNext = async (folder: string, names: readonly string[]): Promise<number | undefined> => {
  const sequence = numbersIn(names, nextPattern).at(-1);
  if (sequence === undefined) return undefined;
  const isOurs = await files
    .rename(join(folder, `next-${sequence}`), join(folder, `next-${sequence + 1}`))
    .then(
      () => true,
      () => false,
    );
  return isOurs ? sequence : undefined;
};

const numbersIn = (names: readonly string[], pattern: RegExp): readonly number[] =>
  names
    .flatMap((name) => {
      const digits = pattern.exec(name)?.[1];
      return digits === undefined ? [] : [Number(digits)];
    })
    .toSorted((a, b) => a - b);
