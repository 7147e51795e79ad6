import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { applicationId, schemaSql, schemaVersion } from './schema.ts';

/**
 * Makes an empty Plimsoll database under a name of its own and links it into place. So at `path` stands nothing
 * or a whole database, also when we are killed here, and of several that start at once all use the same one.
 * Throws what the file system or SQLite says.
 */
export const createFile = (path: string): void => {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const unfinished = `${path}.${randomUUID()}.new`;
  try {
    fill(unfinished);
    linkUnlessThere(unfinished, path);
    syncFolder(folder);
  } finally {
    for (const end of ['', '-wal', '-shm']) rmSync(`${unfinished}${end}`, { force: true });
  }
};

const fill = (path: string): void => {
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      BEGIN; PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion};
      ${schemaSql} COMMIT;`);
  } finally {
    // The last connection takes the write-ahead log over into the file, synced, and removes it.
    database.close();
  }
};

const linkUnlessThere = (from: string, to: string): void => {
  try {
    // Unlike a rename, a link never replaces the file of someone who was faster.
    linkSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
};

/** The new name must be on disk before anyone is told that something is stored in the file. */
const syncFolder = (folder: string): void => {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};
