import { createHash, randomUUID } from 'node:crypto';
import { constants, promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { NewRecord } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { SpooledMarker, SpoolTime, SpoolTools } from '../../core/spool/spooled-marker.ts';
import {
  decodeSpooled,
  encodeSpooled,
  labelOf,
  spooledBytesMax,
  waitedSince,
} from '../../core/spool/spooled-marker.ts';
import type { Spool, SpoolElsewhere, SpoolEntry, SpoolProblem } from '../../ports/spool.ts';
import { fileFault } from '../system/file-fault.ts';
import { makeFolders } from '../system/make-folders.ts';
import { codeOf } from '../system/error-code.ts';
import { whatLiesAt } from '../system/plain-file.ts';
import { syncFolder } from '../system/sync-folder.ts';

/** The file system, as far as a spool uses it. */
export type SpoolFiles = Pick<typeof promises, 'open' | 'readdir' | 'rename' | 'unlink' | 'stat'>;

export type SpoolOptions = {
  /** Holds a folder for each log that markers are kept for. */
  readonly root: string;
  readonly destination: SpoolDestination;
  readonly tools: SpoolTools;
  readonly now: () => SpoolTime;
  /** More bytes, or more files, are not taken. */
  readonly bytesMax: number;
  readonly markersMax?: number;
  /** What lies for longer is not sent without being asked for. */
  readonly ageMaxMs: number;
  readonly files?: SpoolFiles;
};

/** Which log markers are kept for: they go to no other. */
export type SpoolDestination = {
  /** The name of its folder. */
  readonly name: string;
  /** The same for people; it holds no password. */
  readonly label: string;
};

/** `local.3f2a…`: the audience, and a hash of what else names the log. */
export const spoolDestination = (audience: string, address: string): SpoolDestination => ({
  name: `${audience}.${createHash('sha256').update(withoutUser(address)).digest('hex').slice(0, 12)}`,
  label: `${withoutUser(address)} (${audience})`,
});

const audienceIn = (name: string): string => name.slice(0, name.lastIndexOf('.'));

const withoutUser = (address: string): string => address.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1');

/** Loaded when it is used: most emitting commands keep nothing. */
const nodeFiles: SpoolFiles = {
  get open() {
    return promises.open;
  },
  get readdir() {
    return promises.readdir;
  },
  get rename() {
    return promises.rename;
  },
  get unlink() {
    return promises.unlink;
  },
  get stat() {
    return promises.stat;
  },
};

const markersMaxDefault = 10_000;
/** What was begun and never renamed is nobody's after this long. */
const abandonedAfterMs = 3_600_000;
const ownerOnly = 0o600;
const namePattern = /^([0-9]{12})-([0-9]{1,9})-([0-9a-f]{16})-([0-9a-f]{8}-[0-9a-f-]{27})\.marker$/;

/**
 * One file for each marker, `<number>-<bytes>-<hash of the key>-<marker id>.marker`: what must be known to deliver in
 * order, and to keep within the caps, is in the names. A file is written under a temporary name, made to reach the disk,
 * renamed, and the folder made to reach the disk: so it is there whole or not at all, and if we stop in between a file
 * `.new` is left that nobody reads. What was refused is laid into `refused` the same way before it is taken away here; if
 * we stop in between, it is in both and is refused once more.
 */
export const openSpool = (options: SpoolOptions): Spool => {
  const { root, destination, tools, now, bytesMax, ageMaxMs } = options;
  const { markersMax = markersMaxDefault, files = nodeFiles } = options;
  const folder = join(root, destination.name);
  const mayBeThere = async (from: string): Promise<boolean> =>
    options.files !== undefined || (await whatLiesAt(from)) !== null;
  const aside = join(folder, 'refused');
  const folderOf = (from: 'waiting' | 'refused'): string => (from === 'waiting' ? folder : aside);

  const listed = async (from: string): Promise<readonly string[]> => {
    try {
      // Most machines have no spool, and then what reads folders is not even loaded.
      if (!(await mayBeThere(from))) return [];
      return await files.readdir(from);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  };

  const writeWhole = async (into: string, name: string, bytes: Uint8Array): Promise<void> => {
    const temporary = join(into, `${randomUUID()}.new`);
    await makeLasting(files, into);
    try {
      const file = await files.open(temporary, 'wx', ownerOnly);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await files.rename(temporary, join(into, name));
    } catch (error) {
      await files.unlink(temporary).catch(() => undefined);
      throw error;
    }
    await syncFolder(files, into);
  };

  const readBytes = async (path: string): Promise<Uint8Array | undefined> => {
    let file: FileHandle;
    try {
      // Nobody is to point us to a file that is none of the spool's.
      file = await files.open(
        path,
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const stats = await file.stat();
      const size = stats.isFile() ? stats.size : Number.POSITIVE_INFINITY;
      // Bytes alone: what is cut out of them later is a copy.
      return new Uint8Array(size > spooledBytesMax ? [] : await file.readFile());
    } finally {
      await file.close();
    }
  };

  const removeAbandoned = async (names: readonly string[]): Promise<void> => {
    for (const name of names.filter((one) => one.endsWith('.new'))) {
      const path = join(folder, name);
      const about = await files.stat(path).catch(() => undefined);
      if (about !== undefined && now().wallMs - about.mtimeMs > abandonedAfterMs)
        await files.unlink(path).catch(() => undefined);
    }
  };

  const unlink = async (path: string): Promise<void> => {
    try {
      await files.unlink(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  };

  const spooledOf: Spool['bytesOf'] = (wanted) =>
    encodeSpooled(tools, {
      ...wanted,
      destination: destination.label,
      at: now(),
      refusal: null,
    });

  return {
    place: folder,
    bytesOf: spooledOf,
    keyHashOf,
    keep: (wanted) =>
      told(folder, async () => {
        const bytes = spooledOf(wanted);
        const names = await listed(folder);
        await removeAbandoned(names);
        const there = entriesOf(names);
        const taken = there.reduce((sum, entry) => sum + entry.bytes, 0);
        if (there.length >= markersMax || taken + bytes.length > bytesMax)
          return fail({
            code: 'spool-full',
            message: `${folder} holds ${there.length} markers and ${taken} bytes; it takes at most ${markersMax} and ${bytesMax}`,
          });
        const number = Math.max(0, ...there.map(({ name }) => numberOf(name))) + 1;
        const entry: SpoolEntry = {
          name: '',
          marker: labelOf(tools.text, wanted.record).marker,
          keyHash: keyHashOf(wanted.record),
          bytes: bytes.length,
        };
        const name = `${String(number).padStart(12, '0')}-${entry.bytes}-${entry.keyHash}-${entry.marker}.marker`;
        if (!namePattern.test(name)) throw new TypeError(`a marker's id is no UUID: ${name}`);
        await writeWhole(folder, name, bytes);
        return ok({ ...entry, name });
      }),
    waiting: () => told(folder, async () => ok(entriesOf(await listed(folder)))),
    refused: () => told(aside, async () => ok(entriesOf(await listed(aside)))),
    elsewhere: () =>
      told(root, async () => {
        const others: SpoolElsewhere[] = [];
        for (const name of await listed(root)) {
          if (name === destination.name) continue;
          const path = join(root, name);
          // Whatever else lies there is none of ours.
          const waiting = entriesOf(await listed(path).catch(() => []));
          const refused = entriesOf(await listed(join(path, 'refused')).catch(() => []));
          const [first] = [
            ...waiting.map((entry) => join(path, entry.name)),
            ...refused.map((entry) => join(path, 'refused', entry.name)),
          ];
          if (first === undefined) continue;
          const bytes = await readBytes(first).catch(() => undefined);
          const spooled = bytes === undefined ? undefined : decodeSpooled(tools, bytes);
          const label = spooled?.ok === true ? spooled.value.destination : name;
          others.push({
            ...{ label, name, audience: audienceIn(name), markers: waiting.length },
            spool: openSpool({ ...options, destination: { name, label } }),
          });
        }
        return ok(others);
      }),
    read: (entry, from) =>
      told(folder, async () => {
        const path = join(folderOf(from), entry.name);
        const bytes = await readBytes(path);
        if (bytes === undefined) return ok(undefined);
        const spooled = decodeSpooled(tools, bytes);
        if (!spooled.ok)
          return fail({
            code: spooled.problem.code,
            message: `${path}: ${spooled.problem.message}`,
          });
        const waitedMs = waitedSince(spooled.value.at, now());
        return ok({ ...spooled.value, waitedMs, isExpired: waitedMs > ageMaxMs });
      }),
    remove: (entry, from) =>
      told(folder, async () => ok(await unlink(join(folderOf(from), entry.name)))),
    refuse: (entry, refusal) =>
      told(aside, async () => {
        const path = join(folder, entry.name);
        const bytes = await readBytes(path);
        if (bytes === undefined) return ok(undefined);
        const spooled = decodeSpooled(tools, bytes);
        if (spooled.ok) {
          const told: SpooledMarker = { ...spooled.value, refusal };
          await writeWhole(aside, entry.name, encodeSpooled(tools, told));
          await unlink(path);
        } else {
          // Whatever it is, it is not thrown away.
          await makeLasting(files, aside);
          await files.rename(path, join(aside, entry.name));
        }
        return ok(undefined);
      }),
  };
};

const entriesOf = (names: readonly string[]): readonly SpoolEntry[] =>
  names
    .flatMap((name): SpoolEntry[] => {
      const [, , bytes, keyHash = '', marker = ''] = namePattern.exec(name) ?? [];
      return bytes === undefined ? [] : [{ name, marker, keyHash, bytes: Number(bytes) }];
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));

const numberOf = (name: string): number => Number(name.slice(0, name.indexOf('-')));

const keyHashOf = ({ key }: NewRecord): string =>
  createHash('sha256').update(key).digest('hex').slice(0, 16);

/** Makes a folder where there is none, so that a stop of the machine does not take it away again. */
const makeLasting = async (files: SpoolFiles, folder: string): Promise<void> => {
  const first = await makeFolders(folder);
  if (first === undefined) return;
  const top = dirname(first);
  for (let at = dirname(resolve(folder)); at.length >= top.length; at = dirname(at)) {
    // One that may not be opened is somebody else's: it was there before.
    await syncFolder(files, at).catch(() => undefined);
    if (at === dirname(at)) return;
  }
};

const told = async <Value>(
  folder: string,
  work: () => Promise<Result<Value, SpoolProblem>>,
): Promise<Result<Value, SpoolProblem>> => {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return fail({ code: 'spool-failed', message: fileFault(folder, error) });
  }
};
