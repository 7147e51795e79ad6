import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { HoldProblem } from '../../ports/programs.ts';
import { sqliteFault } from './problem.ts';

// A lock that ends with its process, however that ends: the operating system's own, as SQLite takes it on a database.
// A file with a process id in it would have to be judged by whoever finds it, and in two containers both are process 1.

/** Two that begin at once must not both give up. */
const busyMs = 500;
/** https://www.sqlite.org/fileformat2.html#the_database_header: the user version, where the holder's process id stands. */
const processIdAt = 60;

/** A lock of POSIX is given back when its process closes any descriptor of the file, so what is held is opened by nobody. */
const heldHere = new Set<string>();

/** Holds `<path>.lock` until the returned function is called, or this process ends. */
export const holdFile = (path: string): Result<() => void, HoldProblem> => {
  let lock = `${path}.lock`;
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(lock), { recursive: true });
    lock = join(realpathSync(dirname(lock)), basename(lock));
    if (heldHere.has(lock)) return fail({ code: 'held', holder: process.pid });
    database = new DatabaseSync(lock);
    // The mode comes after the lock: in it, who waits keeps what the one before it must have, and nobody gets the file.
    database.exec(`PRAGMA busy_timeout = ${busyMs}; BEGIN EXCLUSIVE; PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA user_version = ${process.pid}; COMMIT`);
    const held = database;
    heldHere.add(lock);
    return ok(() => {
      held.close();
      heldHere.delete(lock);
    });
  } catch (cause) {
    database?.close();
    return fail(
      sqliteFault(cause) === 'busy'
        ? { code: 'held', holder: holderOf(lock) }
        : { code: 'unusable', message: cause instanceof Error ? cause.message : String(cause) },
    );
  }
};

/** What is read past SQLite may be of the moment before the holder wrote it. */
const holderOf = (lock: string): number | null => {
  try {
    return readFileSync(lock).readUInt32BE(processIdAt) || null;
  } catch {
    return null;
  }
};
