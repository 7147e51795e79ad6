import { isUtf8 } from 'node:buffer';
import type { DecodeProblem } from '../../core/markers/codec.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { arrayItemsMax, nestingMax, wholeNumberMax, wholeNumberMin } from './limits.ts';
import type { RecordNode, SchemaNode } from './schema-tree.ts';

/**
 * Reads exactly one value. Time and memory are bounded by the bytes at hand, never by a number that they
 * declare; where Avro has several ways to write a value, only the one of our writers is taken. Objects are
 * plain, a null of a union is null, `bytes` are a copy as Uint8Array.
 */
export function readBody(schema: RecordNode, bytes: Uint8Array): Result<unknown, DecodeProblem> {
  const cursor: Cursor = {
    bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: 0,
    itemsLeft: arrayItemsMax,
    depth: 0,
  };
  try {
    const body = readRecord(schema, cursor);
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

function readValue(node: SchemaNode, cursor: Cursor): unknown {
  switch (node.type) {
    case 'boolean':
      return readBoolean(cursor);
    case 'int':
      return readInt(cursor);
    case 'long':
      return readLong(cursor);
    case 'double':
      return readDouble(cursor);
    case 'string':
      return readText(cursor);
    case 'bytes':
      return readBytes(cursor);
    case 'nullable':
      return readBranch(cursor) === 0 ? null : readValue(node.value, cursor);
    case 'array':
      return readArray(node.items, node.itemBytesMin, cursor);
    case 'record':
      return readRecord(node, cursor);
  }
}

function readRecord(record: RecordNode, cursor: Cursor): unknown {
  if (++cursor.depth > nestingMax)
    throw new BodyFault('body-too-deep', `is nested deeper than ${nestingMax} records`);
  const body: { [name: string]: unknown } = {};
  let name = '';
  try {
    for (const field of record.fields) {
      name = field.name;
      body[name] = readValue(field.node, cursor);
    }
  } catch (cause) {
    if (cause instanceof BodyFault) cause.path.push(name);
    throw cause;
  }
  cursor.depth--;
  return body;
}

/** One block with a count, then a zero; or the zero alone. */
function readArray(items: SchemaNode, itemBytesMin: number, cursor: Cursor): readonly unknown[] {
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
  for (let index = 0; index < count; index++) list.push(readValue(items, cursor));
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
  const byte = readByte(cursor);
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

/** Zigzag base 128: the low 28 bits are kept apart, because numbers are exact up to 2^53 only. */
function readLong(cursor: Cursor): number {
  let low = 0;
  let high = 0;
  let highUnit = 1;
  for (let index = 0; index < longBytesMax; index++) {
    const byte = readByte(cursor);
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
  return Uint8Array.from(cursor.bytes.subarray(start, start + length));
}

function readLength(cursor: Cursor): number {
  const length = readLong(cursor);
  if (length < 0) throw new BodyFault('body-malformed', `has the length ${length}`);
  return length;
}

const readByte = (cursor: Cursor): number => cursor.bytes[advance(1, cursor)] ?? 0;

/** Moves on by so many bytes and answers where they begin. */
function advance(length: number, cursor: Cursor): number {
  const start = cursor.at;
  if (length > cursor.bytes.length - start)
    throw new BodyFault('body-malformed', 'the bytes end too early');
  cursor.at = start + length;
  return start;
}
