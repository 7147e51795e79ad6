/**
 * - `unreachable`: the file was busy past the deadline, was moved away, or the disk failed before anything was
 *   written; nothing was written.
 * - `unknown`: the disk failed while the last step was made durable; it may be stored whole, or not at all.
 * - `refused`: the disk is full, the file is read only, not allowed, or made by a newer Plimsoll.
 * - `corrupt`: cut off, damaged, or not a Plimsoll database.
 * - `missing`: there is no such file, and none was to be made.
 * - `closed`: by this process.
 */
export type SqliteProblem = {
  readonly code: 'unreachable' | 'unknown' | 'refused' | 'corrupt' | 'missing' | 'closed';
  readonly message: string;
};

/** Ends a step with a problem; nothing of it is written. The path is told by whoever knows it. */
export class StepProblem extends Error {
  readonly code: SqliteProblem['code'];

  constructor(code: SqliteProblem['code'], message: string) {
    super(message);
    this.code = code;
  }
}

type FaultKind = 'busy' | 'refused' | 'corrupt' | 'disk';

// Primary result codes, https://www.sqlite.org/rescode.html
const faultKinds: Readonly<Record<number, FaultKind>> = {
  3: 'refused', // SQLITE_PERM
  5: 'busy', // SQLITE_BUSY
  6: 'busy', // SQLITE_LOCKED
  8: 'refused', // SQLITE_READONLY
  10: 'disk', // SQLITE_IOERR
  11: 'corrupt', // SQLITE_CORRUPT
  13: 'refused', // SQLITE_FULL
  14: 'refused', // SQLITE_CANTOPEN
  15: 'busy', // SQLITE_PROTOCOL: readers and writers kept missing each other
  18: 'refused', // SQLITE_TOOBIG
  19: 'corrupt', // SQLITE_CONSTRAINT: what we write fits the tables unless what lies there is wrong
  23: 'refused', // SQLITE_AUTH
  26: 'corrupt', // SQLITE_NOTADB
};

/** What kind of fault of the world an error is, or undefined where it is the program's (a wrong statement). */
export const sqliteFault = (error: unknown): FaultKind | undefined => {
  const code = primaryCode(error);
  return code === undefined ? undefined : faultKinds[code];
};

/** SQLITE_ERROR: a statement does not fit the file. The program's fault, or the file is not what it should be. */
export const isSqlError = (error: unknown): boolean => primaryCode(error) === 1;

const primaryCode = (error: unknown): number | undefined => {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  // The low byte is the primary code, the rest says more about it.
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
};

// What the file system says where a file or folder cannot be made or opened.
const fileSystemRefusals = new Set([
  'EACCES',
  'ENOENT',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'EISDIR',
  'ENOTDIR',
  'EEXIST',
  'ENAMETOOLONG',
  'EMFILE',
  'ENFILE',
  'EIO',
  'ENOTSUP',
]);

/** The problem that an error stands for, or undefined where it is busy (try again) or the program's own fault. */
export const problemOf = (path: string, error: unknown): SqliteProblem | undefined => {
  if (error instanceof StepProblem)
    return {
      code: error.code,
      message: error.code === 'corrupt' ? corruptMessage(path, error.message) : error.message,
    };
  const message = error instanceof Error ? error.message : '';
  switch (sqliteFault(error)) {
    case 'corrupt':
      return { code: 'corrupt', message: corruptMessage(path, message) };
    case 'refused':
      return { code: 'refused', message: `${path} takes nothing: ${message}` };
    case 'disk':
      return { code: 'unreachable', message: `${path} could not be read or written: ${message}` };
    case 'busy':
      return undefined;
    case undefined:
      return isFileSystemRefusal(error)
        ? { code: 'refused', message: `${path} cannot be used: ${message}` }
        : undefined;
  }
};

const isFileSystemRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  fileSystemRefusals.has(error.code);

const corruptMessage = (path: string, found: string): string =>
  `${path} is not a whole Plimsoll database: ${found}. Nothing was changed. Stop every process that uses it; ` +
  'then put a backup in its place, or move it and its -wal and -shm files away to begin anew.';
