import { crc32 } from 'node:zlib';
import type { Header, LogRecord, NewRecord, Position } from '../../core/log/record.ts';
import { textOf } from '../ed25519/text.ts';
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

const checksumOf = (row: Omit<RecordRow, 'checksum'>): number => {
  const frame = `${row.position} ${row.appendedAtMs} ${row.key.byteLength} ${row.headers}`;
  return crc32(row.value, crc32(row.key, crc32(frame)));
};

/** A row read with `framedColumns`, as an array: four times less work than a value for each part, and an object. */
export type FramedRow = readonly [
  position: Position,
  appendedAtMs: number,
  keyBytes: number,
  valueBytes: number,
  checksum: number,
  /** All that the checksum covers, in one piece: numbers, headers, key, value. Null in a damaged row. */
  frame: Uint8Array | null,
];

/** SQLite joins text and blobs byte by byte. */
export const framedColumns = `position, appended_at_ms, length(key), length(value), checksum,
  CAST(position || ' ' || appended_at_ms || ' ' || length(key) || ' ' || headers || key || value AS BLOB)`;

/** The record's bytes are views of the frame. Throws where the row is not the one that was written. */
export const toRecord = (row: FramedRow): LogRecord => {
  const [position, appendedAtMs, keyBytes, valueBytes, checksum, frame] = row;
  if (frame === null || crc32(frame) !== checksum)
    throw new StepProblem('corrupt', `the record at position ${position} is not what was appended`);
  const valueAt = frame.length - valueBytes;
  const keyAt = valueAt - keyBytes;
  // Before it stand digits and spaces.
  const headersAt = frame.indexOf(openingBracket);
  return {
    position,
    appendedAtMs,
    key: viewOf(frame, keyAt, valueAt),
    headers: asciiHeaders(frame, headersAt) ?? toHeaders(textOf(frame, headersAt, keyAt) ?? ''),
    value: viewOf(frame, valueAt, frame.length),
  };
};

const viewOf = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);

const openingBracket = 0x5b;
const comma = 0x2c;
const quote = 0x22;
const backslash = 0x5c;
const asciiMax = 0x7f;

/**
 * Headers of nothing but ASCII that JSON need not escape, as ours are: their bytes stand in the JSON. Undefined where
 * one is another. The form is believed without a look, because the checksum says that we wrote it.
 */
const asciiHeaders = (bytes: Uint8Array, from: number): readonly Header[] | undefined => {
  const headers: Header[] = [];
  if (bytes[from + 1] !== openingBracket) return undefined;
  // [["name","value"],["name","value"]]: `at` is what stands before an inner bracket.
  for (let at = from; at === from || bytes[at] === comma;) {
    const nameAt = at + 3;
    const nameEnd = quoteBehind(bytes, nameAt);
    if (nameEnd === undefined) return undefined;
    const valueAt = nameEnd + 3;
    const valueEnd = quoteBehind(bytes, valueAt);
    const name = textOf(bytes, nameAt, nameEnd);
    if (valueEnd === undefined || name === undefined) return undefined;
    headers.push({ name, value: viewOf(bytes, valueAt, valueEnd) });
    at = valueEnd + 2;
  }
  return headers;
};

/** Where the string that begins there ends; undefined where it has anything but ASCII, or an escape. */
const quoteBehind = (bytes: Uint8Array, from: number): number | undefined => {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === quote) return at;
    if (byte === backslash || byte > asciiMax) return undefined;
  }
  return undefined;
};

const toHeaders = (json: string): readonly Header[] => {
  const pairs: readonly (readonly [string, string])[] = JSON.parse(json);
  return pairs.map(([name, value]) => ({
    name,
    value: Uint8Array.from(Buffer.from(value, 'latin1')),
  }));
};
