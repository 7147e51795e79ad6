import { accessSync, constants, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Clock } from '../../ports/clock.ts';
import { watchChanges } from './changes.ts';
import { createFile } from './create-file.ts';
import { hasWriteAheadLog, headerFault } from './file-header.ts';
import { isSqlError, StepProblem } from './problem.ts';
import type { SqliteProblem } from './problem.ts';
import { schemaVersion, tableNames, upgrades } from './schema.ts';
import { busyStepMs, retryWhileBusy, transact } from './step.ts';
import type { Retry } from './step.ts';
import { openTurns } from './turns.ts';

/** How long a step waits for other processes before it says `unreachable`, milliseconds. */
const busyMsMaxDefault = 5_000;
/** A file up to this size is checked through when it is opened; of a larger one each page when it is read. */
const checkedAtOpenBytesMax = 16_000_000;
const cacheKibibytes = 16_384;
/** The write-ahead log is cut back to this size once it was taken over into the file. */
const writeAheadLogBytesKept = 16_000_000;

/**
 * - `synced`: on disk when the answer comes.
 * - `unsynced`: outlives this process, perhaps not a power failure. It cannot harm steps that were synced.
 */
export type Durability = 'synced' | 'unsynced';

/** One open database file. A step is synchronous inside, so the steps of one process never mix. */
export type SqliteFile = {
  readonly path: string;
  /** Runs `work` on one consistent state of the file. */
  readonly read: <Value>(work: () => Value) => Promise<Result<Value, SqliteProblem>>;
  /** Runs `work` as one step: all that it wrote is stored, or nothing. Runs it again if the file was busy. */
  readonly write: <Value>(
    work: () => Value,
    durability?: Durability,
  ) => Promise<Result<Value, SqliteProblem>>;
  /** A prepared statement, kept for the next time. */
  readonly prepare: (sql: string) => StatementSync;
  /** Calls the listener soon after any process changed the file, until the returned function is called. */
  readonly onChange: (listener: () => void) => () => void;
  /** Ends all use of the file by this process. Safe to call twice. */
  readonly close: () => void;
};

/**
 * Opens a Plimsoll database: logs and read models in one file that many processes on one machine share.
 * A file that is not whole, or not ours, is `corrupt` and is left as it is.
 */
export const openSqliteFile = async (
  path: string,
  options: {
    /** Makes the file, and its folder, where there is none. Else a missing file is a problem. */
    readonly create: boolean;
    readonly sleep: Clock['sleep'];
    /** How long a step waits for other processes before it says `unreachable`. 5,000 unless told. */
    readonly busyMsMax?: number;
  },
): Promise<Result<SqliteFile, SqliteProblem>> => {
  const { sleep, busyMsMax = busyMsMaxDefault } = options;
  const retry = retryWhileBusy(path, { sleep, busyMsMax });
  const database = await retry(() => {
    inspect(path, options.create);
    return openDatabase(path);
  });
  return database.ok ? ok(share(path, database.value, sleep, retry)) : fail(database.problem);
};

/** Makes sure that there is a file which looks whole from outside. */
const inspect = (path: string, create: boolean): void => {
  if (!isThere(path)) {
    // SQLite would take the steps of a write-ahead log whose file is gone over into a new file. Asked again,
    // because another process may have made both since.
    if (hasWriteAheadLog(path) && !isThere(path))
      throw new StepProblem('corrupt', 'its -wal file is there, but the file itself is gone');
    if (!create) throw new StepProblem('missing', `there is no ${path}`);
    createFile(path);
  }
  if (!statSync(path).isFile()) throw new StepProblem('refused', `${path} is not a file`);
  accessSync(path, constants.R_OK | constants.W_OK);
  const fault = headerFault(path);
  if (fault !== undefined) throw new StepProblem('corrupt', fault);
};

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** Where a statement of many rows keeps the pages that it changes, to take itself back: a file costs more. */
const statementPages = 'MEMORY';

const openDatabase = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    database.exec(`PRAGMA busy_timeout = ${busyStepMs}; PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; PRAGMA cache_size = -${cacheKibibytes};
      PRAGMA journal_size_limit = ${writeAheadLogBytesKept}; PRAGMA temp_store = ${statementPages};`);
    checkInside(path, database);
    return database;
  } catch (error) {
    database.close();
    // Nothing is asked here that a whole file could not answer.
    if (isSqlError(error)) throw new StepProblem('corrupt', String(error));
    throw error;
  }
};

const checkInside = (path: string, database: DatabaseSync): void => {
  const answer = (pragma: string): unknown =>
    Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
  if (answer('journal_mode') !== 'wal')
    throw new StepProblem(
      'refused',
      `${path} lies where SQLite has no write-ahead log (a network folder?)`,
    );
  const version = answer('user_version');
  if (typeof version === 'number' && version > schemaVersion)
    throw new StepProblem(
      'refused',
      `${path} was made by a newer Plimsoll: its layout is ${version}`,
    );
  if (statSync(path).size <= checkedAtOpenBytesMax) {
    const found = answer('quick_check(1)');
    if (found !== 'ok') throw new StepProblem('corrupt', String(found));
  }
  if (version !== schemaVersion) upgrade(database);
  database.prepare(`SELECT 1 FROM ${tableNames.join()} LIMIT 0`);
};

/** Brings a file of an older release up to this layout, in one step. Whoever is slower finds it done. */
const upgrade = (database: DatabaseSync): void =>
  transact(database, 'BEGIN IMMEDIATE', () => {
    const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    for (let version = found; version < schemaVersion; version += 1) {
      const change = upgrades[version];
      if (change === undefined) throw new StepProblem('corrupt', 'it has no known layout');
      database.exec(`${change} PRAGMA user_version = ${version + 1};`);
    }
  });

const share = (
  path: string,
  database: DatabaseSync,
  sleep: Clock['sleep'],
  retry: Retry,
): SqliteFile => {
  const statements = new Map<string, StatementSync>();
  const inode = statSync(path, { throwIfNoEntry: false })?.ino;
  const othersHadTheirTurn = openTurns();

  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    try {
      const statement = database.prepare(sql);
      statements.set(sql, statement);
      return statement;
    } catch (error) {
      // Our statements fit our tables, unless the name of a column was damaged.
      if (isSqlError(error)) throw new StepProblem('corrupt', String(error));
      throw error;
    }
  };

  const changes = watchChanges({
    sleep,
    version: () => {
      try {
        return prepare('PRAGMA data_version').get()?.['data_version'];
      } catch {
        // Whoever listens looks, and meets the fault where it can be told.
        return Number.NaN;
      }
    },
  });

  /** A file that was moved away still takes what is written, and nobody would find it there. */
  const checkStillThere = (): void => {
    if (!database.isOpen) throw new StepProblem('closed', `${path} is closed`);
    if (statSync(path, { throwIfNoEntry: false })?.ino !== inode)
      throw new StepProblem(
        'unreachable',
        `${path} was moved, removed or replaced while it was open; start again`,
      );
  };

  const writeNow = <Value>(work: () => Value, durability: Durability): Value => {
    if (durability === 'synced') return transact(database, 'BEGIN IMMEDIATE', work);
    database.exec('PRAGMA synchronous = NORMAL');
    try {
      return transact(database, 'BEGIN IMMEDIATE', work);
    } finally {
      database.exec('PRAGMA synchronous = FULL');
    }
  };

  return {
    path,
    prepare,
    read: async (work) => {
      await othersHadTheirTurn();
      return retry(() => {
        checkStillThere();
        return transact(database, 'BEGIN', work);
      });
    },
    write: async (work, durability = 'synced') => {
      await othersHadTheirTurn();
      const done = await retry(() => {
        checkStillThere();
        return writeNow(work, durability);
      });
      if (done.ok) changes.announce();
      return done;
    },
    onChange: changes.listen,
    close: () => {
      changes.stop();
      statements.clear();
      if (database.isOpen) database.close();
    },
  };
};
