import type { RecordNode, SchemaNode } from './schema-tree.ts';

/**
 * The bytes of a body that bodyFault found nothing wrong with (Avro 1.12, binary encoding; lists as one block with its
 * count). A pipeline writes one record and ends, so what writes it must be loaded and built in a millisecond: avsc takes
 * longer than Node itself to start.
 */
export function writeBody(schema: RecordNode, body: unknown): Uint8Array {
  const cursor: Cursor = { bytes: Buffer.allocUnsafe(firstBytes), at: 0 };
  write(schema, body, cursor);
  // A copy: the record lives longer than what it was written in.
  return Uint8Array.from(cursor.bytes.subarray(0, cursor.at));
}

const firstBytes = 1024;

type Cursor = { bytes: Buffer; at: number };

function write(node: SchemaNode, value: unknown, cursor: Cursor): void {
  switch (node.type) {
    case 'boolean': {
      const start = reserve(1, cursor);
      cursor.bytes[start] = value === true ? 1 : 0;
      return;
    }
    case 'int':
    case 'long':
      writeLong(value as number, cursor);
      return;
    case 'double': {
      const start = reserve(8, cursor);
      cursor.bytes.writeDoubleLE(value as number, start);
      return;
    }
    case 'string':
      writeText(value as string, cursor);
      return;
    case 'bytes': {
      const bytes = value as Uint8Array;
      writeLong(bytes.length, cursor);
      const start = reserve(bytes.length, cursor);
      cursor.bytes.set(bytes, start);
      return;
    }
    case 'nullable':
      writeLong(value === null ? 0 : 1, cursor);
      if (value !== null) write(node.value, value, cursor);
      return;
    case 'array': {
      const items = value as readonly unknown[];
      if (items.length > 0) {
        writeLong(items.length, cursor);
        for (const item of items) write(node.items, item, cursor);
      }
      writeLong(0, cursor);
      return;
    }
    case 'record': {
      const fields = value as { readonly [name: string]: unknown };
      for (const field of node.fields) write(field.node, fields[field.name], cursor);
    }
  }
}

/** Longer ones are faster through the native encoder. */
const shortTextMax = 48;

function writeText(text: string, cursor: Cursor): void {
  if (text.length <= shortTextMax && writeShortAscii(text, cursor)) return;
  const length = Buffer.byteLength(text, 'utf8');
  writeLong(length, cursor);
  const start = reserve(length, cursor);
  cursor.bytes.write(text, start, length, 'utf8');
}

/** False: it is not ASCII, and nothing was written. */
function writeShortAscii(text: string, cursor: Cursor): boolean {
  const start = reserve(1 + text.length, cursor);
  const { bytes } = cursor;
  bytes[start] = text.length << 1;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) {
      cursor.at = start;
      return false;
    }
    bytes[start + 1 + index] = unit;
  }
  return true;
}

const int32 = 2 ** 31;

/** Zigzag base 128. */
function writeLong(value: number, cursor: Cursor): void {
  const start = reserve(longBytesMax, cursor);
  const { bytes } = cursor;
  let at = start;
  if (value >= -(int32 / 2) && value < int32 / 2) {
    let left = (value << 1) ^ (value >> 31);
    for (; left >= 0x80; left >>>= 7) bytes[at++] = (left & 0x7f) | 0x80;
    bytes[at++] = left;
  } else {
    let left = BigInt(value) * 2n;
    if (value < 0) left = -left - 1n;
    for (; left >= 0x80n; left >>= 7n) bytes[at++] = Number(left & 0x7fn) | 0x80;
    bytes[at++] = Number(left);
  }
  cursor.at = at;
}

const longBytesMax = 10;

/** Makes room for so many bytes and moves past them; answers where they begin. `cursor.bytes` may be another one then. */
function reserve(length: number, cursor: Cursor): number {
  const start = cursor.at;
  const end = start + length;
  if (end > cursor.bytes.length) {
    const larger = Buffer.allocUnsafe(Math.max(end, 2 * cursor.bytes.length));
    cursor.bytes.copy(larger, 0, 0, start);
    cursor.bytes = larger;
  }
  cursor.at = end;
  return start;
}
