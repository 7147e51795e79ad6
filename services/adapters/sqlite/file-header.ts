import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { applicationId } from './schema.ts';

// https://www.sqlite.org/fileformat2.html#the_database_header
const headerBytes = 100;
const magic = 'SQLite format 3\0';
const pageSizeAt = 16;
const applicationIdAt = 68;

/**
 * What is wrong with a file as its first 100 bytes and its length tell it, or undefined. SQLite itself finds a
 * file that lost whole pages; it does not mind one that is empty, someone else's, or cut off within a page.
 */
export const headerFault = (path: string): string | undefined => {
  const descriptor = openSync(path, 'r');
  try {
    const header = Buffer.alloc(headerBytes);
    const read = readSync(descriptor, header, 0, headerBytes, 0);
    if (read === 0) return 'it is empty';
    if (header.toString('latin1', 0, magic.length) !== magic)
      return 'it does not begin as an SQLite database does';
    if (read < headerBytes) return `it is cut off after ${read} bytes`;
    if (header.readUInt32BE(applicationIdAt) !== applicationId)
      return 'it is the SQLite database of another program';
    // 1 stands for 65,536, which does not fit into two bytes.
    const pageSize = header.readUInt16BE(pageSizeAt);
    const pageBytes = pageSize === 1 ? 65_536 : pageSize;
    const { size } = fstatSync(descriptor);
    // Beside a write-ahead log the file may be in the middle of taking pages over from it.
    if (size % pageBytes !== 0 && !hasWriteAheadLog(path))
      return `it is cut off in the middle of a page, at ${size} bytes`;
    return undefined;
  } finally {
    closeSync(descriptor);
  }
};

/** Whether steps may lie beside the file that are not in it yet. */
export const hasWriteAheadLog = (path: string): boolean =>
  (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
