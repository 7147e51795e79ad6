import { isUtf8 } from 'node:buffer';
import type { DecodeProblem } from '../../core/markers/codec.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { arrayItemsMax, nestingMax, wholeNumberMax, wholeNumberMin } from './limits.ts';
import type { RecordNode, SchemaNode } from './schema-tree.ts';

/**
 * Reads exactly one value. Time and memory are bounded by the bytes at hand, never by a number that they
 * declare; where Avro has several ways to write a value, only the one of our writers is taken: a body that is
 * read has no other bytes than these. Objects are plain, a null of a union is null, `bytes` are a copy as Uint8Array.
 */
export function readBody(schema: RecordNode, bytes: Uint8Array): Result<unknown, DecodeProblem> {
  const cursor: Cursor = {
    bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: 0,
    itemsLeft: arrayItemsMax,
    depth: 0,
  };
  try {
    const body = recordReader(schema)(cursor);
    const left = bytes.length - cursor.at;
    if (left > 0) throw new BodyFault('body-malformed', `${left} bytes are left over`);
    return ok(body);
  } catch (cause) {
    if (!(cause instanceof BodyFault)) throw cause;
    const place = cause.path.length === 0 ? 'the body' : cause.path.toReversed().join('.');
    return fail({ code: cause.code, message: `${place}: ${cause.message}` });
  }
}

type Cursor = { readonly bytes: Buffer; at: number; itemsLeft: number; depth: number };

/** Thrown and caught inside this file only. */
class BodyFault extends Error {
  readonly code: DecodeProblem['code'];
  /** Innermost first. */
  readonly path: string[] = [];
  constructor(code: DecodeProblem['code'], message: string) {
    super(message);
    this.code = code;
  }
}

type Read = (cursor: Cursor) => unknown;
type Body = { [name: string]: unknown };

/** What each record of a schema is read with, built once. */
const recordReaders = new WeakMap<RecordNode, Read>();

const recordReader = (record: RecordNode): Read => {
  const known = recordReaders.get(record);
  if (known !== undefined) return known;
  const reader = buildRecordReader(record);
  recordReaders.set(record, reader);
  return reader;
};

function readerOf(node: SchemaNode): Read {
  switch (node.type) {
    case 'boolean':
      return readBoolean;
    case 'int':
      return readInt;
    case 'long':
      return readLong;
    case 'double':
      return readDouble;
    case 'string':
      return readText;
    case 'bytes':
      return readBytes;
    case 'nullable': {
      const read = readerOf(node.value);
      return (cursor) => (readBranch(cursor) === 0 ? null : read(cursor));
    }
    case 'array': {
      const read = readerOf(node.items);
      return (cursor) => readArray(read, node.itemBytesMin, cursor);
    }
    case 'record': {
      // Not before it is needed: a record may hold itself.
      let read: Read | undefined;
      return (cursor) => (read ??= recordReader(node))(cursor);
    }
  }
}

function buildRecordReader(record: RecordNode): Read {
  const fields = record.fields.map(({ name, node }) => ({
    name,
    isNullable: node.type === 'nullable',
    read: readerOf(node),
  }));
  // A copy of this has all its fields from the start, which is less work than adding one after the other.
  const empty: Body = Object.fromEntries(fields.map(({ name }) => [name, null]));
  return (cursor) => {
    if (++cursor.depth > nestingMax)
      throw new BodyFault('body-too-deep', `is nested deeper than ${nestingMax} records`);
    const body = { ...empty };
    let name = '';
    try {
      for (const field of fields) {
        // Most fields are null, and then one byte says so.
        if (field.isNullable && cursor.bytes[cursor.at] === 0) {
          cursor.at += 1;
          continue;
        }
        ({ name } = field);
        body[name] = field.read(cursor);
      }
    } catch (cause) {
      if (cause instanceof BodyFault) cause.path.push(name);
      throw cause;
    }
    cursor.depth--;
    return body;
  };
}

/** One block with a count, then a zero; or the zero alone. */
function readArray(readItem: Read, itemBytesMin: number, cursor: Cursor): readonly unknown[] {
  const count = readLong(cursor);
  if (count === 0) return [];
  if (count < 0) throw new BodyFault('body-not-canonical', 'has a block with a negative count');
  if (count > cursor.itemsLeft)
    throw new BodyFault(
      'body-too-deep',
      `declares more items than the ${arrayItemsMax} of a record`,
    );
  if (count * itemBytesMin > cursor.bytes.length - cursor.at)
    throw new BodyFault('body-malformed', `declares ${count} items, more than the bytes can hold`);
  cursor.itemsLeft -= count;
  const list: unknown[] = [];
  for (let index = 0; index < count; index++) list.push(readItem(cursor));
  if (readLong(cursor) !== 0) throw new BodyFault('body-not-canonical', 'has more than one block');
  return list;
}

function readBranch(cursor: Cursor): number {
  const branch = readLong(cursor);
  if (branch !== 0 && branch !== 1)
    throw new BodyFault('body-malformed', `names branch ${branch} of a union of two`);
  return branch;
}

function readBoolean(cursor: Cursor): boolean {
  const byte = cursor.bytes[advance(1, cursor)] ?? 0;
  if (byte > 1) throw new BodyFault('body-malformed', `is a boolean with the byte ${byte}`);
  return byte === 1;
}

function readInt(cursor: Cursor): number {
  const value = readLong(cursor);
  if (value !== (value | 0)) throw new BodyFault('body-malformed', 'is beyond 32 bits');
  return value;
}

const lowBytes = 4; // 28 bits: the most that JavaScript's 32-bit operators take whole
const longBytesMax = 10;

/** Zigzag base 128. */
function readLong(cursor: Cursor): number {
  // Nearly every number is a length below 64.
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined || byte >= 0x80) return readLongerLong(cursor);
  cursor.at += 1;
  return (byte >>> 1) ^ -(byte & 1);
}

/** The low 28 bits are kept apart, because numbers are exact up to 2^53 only. */
function readLongerLong(cursor: Cursor): number {
  let low = 0;
  let high = 0;
  let highUnit = 1;
  for (let index = 0; index < longBytesMax; index++) {
    const byte = cursor.bytes[advance(1, cursor)] ?? 0;
    const bits = byte & 0x7f;
    if (index < lowBytes) {
      low |= bits << (7 * index);
    } else {
      high += bits * highUnit;
      highUnit *= 128;
    }
    if (byte < 0x80) {
      if (byte === 0 && index > 0)
        throw new BodyFault('body-not-canonical', 'has a number written longer than it needs');
      const half = high * 2 ** 27 + (low >>> 1);
      const value = (low & 1) === 0 ? half : -half - 1;
      if (value > wholeNumberMax || value < wholeNumberMin)
        throw new BodyFault('body-malformed', 'has a whole number beyond -2^52 or 2^53');
      return value;
    }
  }
  throw new BodyFault('body-malformed', 'has a number of more than 64 bits');
}

function readDouble(cursor: Cursor): number {
  const start = advance(8, cursor);
  const value = cursor.bytes.readDoubleLE(start);
  // NaN has 2^53 - 2 spellings, and which of them survives JavaScript depends on the machine.
  if (Number.isNaN(value) && cursor.bytes.readBigUInt64LE(start) !== 0x7ff8000000000000n)
    throw new BodyFault('body-not-canonical', 'has an unusual NaN');
  return value;
}

function readText(cursor: Cursor): string {
  const length = readLength(cursor);
  const start = advance(length, cursor);
  const { bytes, at: end } = cursor;
  for (let index = start; index < end; index++) {
    if ((bytes[index] ?? 0) < 0x80) continue;
    if (!isUtf8(bytes.subarray(start, end))) throw new BodyFault('body-malformed', 'is not UTF-8');
    return bytes.toString('utf8', start, end);
  }
  return bytes.toString('latin1', start, end); // ASCII alone, as nearly always
}

function readBytes(cursor: Cursor): Uint8Array {
  const length = readLength(cursor);
  const start = advance(length, cursor);
  return Uint8Array.from(cursor.bytes.subarray(start, cursor.at));
}

function readLength(cursor: Cursor): number {
  const length = readLong(cursor);
  if (length < 0) throw new BodyFault('body-malformed', `has the length ${length}`);
  return length;
}

/** Moves on by so many bytes and answers where they begin. */
function advance(length: number, cursor: Cursor): number {
  const start = cursor.at;
  if (length > cursor.bytes.length - start)
    throw new BodyFault('body-malformed', 'the bytes end too early');
  cursor.at = start + length;
  return start;
}
