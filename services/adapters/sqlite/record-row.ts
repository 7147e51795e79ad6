import { crc32 } from 'node:zlib';
import type { Header, LogRecord, NewRecord, Position } from '../../core/log/record.ts';
import { StepProblem } from './problem.ts';

/**
 * A record as its table holds it. Headers are JSON, `[[name, value], …]`, one character for each byte of a value:
 * people with a database browser can read them. The checksum finds what SQLite does not look for: a page that
 * holds other bytes than were written.
 */
export type RecordRow = {
  readonly position: Position;
  readonly appendedAtMs: number;
  readonly key: Uint8Array;
  readonly headers: string;
  readonly value: Uint8Array;
  readonly checksum: number;
};

export const toRow = (record: NewRecord, position: Position, appendedAtMs: number): RecordRow => {
  const headers = record.headers.map(({ name, value }) => [
    name,
    Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'),
  ]);
  const row = {
    position,
    appendedAtMs,
    key: record.key,
    headers: JSON.stringify(headers),
    value: record.value,
  };
  return { ...row, checksum: checksumOf(row) };
};

/** Throws where the row is not the one that was written. */
export const toRecord = (row: RecordRow): LogRecord => {
  const { position, appendedAtMs, key, value } = row;
  if (checksumOf(row) !== row.checksum)
    throw new StepProblem('corrupt', `the record at position ${position} is not what was appended`);
  return { position, appendedAtMs, key, headers: toHeaders(row.headers), value };
};

const toHeaders = (json: string): readonly Header[] => {
  // Believed without a look, because the checksum says that we wrote it.
  const pairs: readonly (readonly [string, string])[] = JSON.parse(json);
  return pairs.map(([name, value]) => ({
    name,
    value: Uint8Array.from(Buffer.from(value, 'latin1')),
  }));
};

const checksumOf = (row: Omit<RecordRow, 'checksum'>): number => {
  const frame = `${row.position} ${row.appendedAtMs} ${row.key.byteLength} ${row.headers}`;
  return crc32(row.value, crc32(row.key, crc32(frame)));
};
