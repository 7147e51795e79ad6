import { unzipSync } from 'node:zlib';
import { appendBytesMax } from '../../core/log/append-size.ts';
import type { Header, LogRecord, Position } from '../../core/log/record.ts';

// Record batches as a broker sends them (magic 2, Kafka 0.11 and later):
// https://kafka.apache.org/documentation/#recordbatch

/** Where the fields of a batch begin, in bytes. */
const field = {
  firstOffset: 0,
  length: 8,
  magic: 16,
  attributes: 21,
  firstTimestamp: 27,
  maxTimestamp: 35,
  count: 57,
  records: 61,
} as const;
/** The bytes in front of those that `length` counts. */
const lengthBehind = 12;
const magicWanted = 2;

const compressionMask = 0x07;
const appendTimeFlag = 0x08;
const controlFlag = 0x20;
const gzip = 1;

/** Twice the largest batch that a topic of ours takes: what unpacks to more was made to fill our memory. */
const unpackedBytesMax = 4 * appendBytesMax;
/** Seven bytes make a record, so that a batch may hold more than we want at once: the next fetch goes on behind these. */
const recordsAtOnceMax = 100_000;

/** The bytes that a broker sent are no record batches; another try finds the same ones. */
export class RecordBatchFault extends Error {}

/**
 * The records from a position on. A batch comes whole, so it may begin before that, and the last one may be cut off:
 * what is not whole is left out, and so is what is too much at once. Undefined where a batch is of the format before
 * Kafka 0.11.
 *
 * Throws `RecordBatchFault` where the bytes are no batches, and an Error where a batch is packed in another way than gzip.
 * Checksums are not looked at.
 */
export const readRecordBatches = (
  bytes: Buffer,
  from: Position,
): readonly LogRecord[] | undefined => {
  const records: LogRecord[] = [];
  let unpackedBytes = 0;
  for (let at = 0; at + field.magic < bytes.length && records.length < recordsAtOnceMax;) {
    const end = at + lengthBehind + bytes.readInt32BE(at + field.length);
    if (end > bytes.length) break;
    if (bytes.readInt8(at + field.magic) !== magicWanted) return undefined;
    if (end < at + field.records)
      throw new RecordBatchFault('the broker sent a record batch without a head');
    if (records.length > 0 && unpackedBytes > unpackedBytesMax) break;
    unpackedBytes += readBatch(bytes.subarray(at, end), from, records);
    at = end;
  }
  return records;
};

/** Answers how many bytes the records have, unpacked. */
const readBatch = (batch: Buffer, from: Position, records: LogRecord[]): number => {
  const attributes = batch.readInt16BE(field.attributes);
  const firstOffset = longAt(batch, field.firstOffset);
  const isAppendTime = (attributes & appendTimeFlag) !== 0;
  const timeMs = longAt(batch, isAppendTime ? field.maxTimestamp : field.firstTimestamp);
  const count = batch.readInt32BE(field.count);
  if (count < 0) throw new RecordBatchFault(`the broker sent a batch of ${count} records`);
  const bytes = unpacked(batch.subarray(field.records), attributes);
  const reader = new RecordReader(bytes);
  for (let left = count; left > 0; left--) {
    reader.begin();
    const laterMs = reader.long();
    const position = firstOffset + reader.int();
    if (position >= from) {
      if (records.length === recordsAtOnceMax) return bytes.length;
      const appendedAtMs = isAppendTime ? timeMs : timeMs + laterMs;
      // A control record of a stranger's transaction is an empty record: nothing to believe, and no gap.
      const isControl = (attributes & controlFlag) !== 0;
      const [key, value] = [reader.bytes(), reader.bytes()];
      records.push({
        position,
        appendedAtMs,
        key: isControl ? noBytes : key,
        headers: reader.headers(),
        value: isControl ? noBytes : value,
      });
      if (!reader.isAtEnd()) throw notWhole();
    }
    reader.skip();
  }
  if (!reader.isOver())
    throw new RecordBatchFault('the broker sent a batch with more in it than its records');
  return bytes.length;
};

/** Nothing at all is what a broker leaves of a batch when it removed its records. */
const unpacked = (records: Buffer, attributes: number): Buffer => {
  const compression = attributes & compressionMask;
  if (compression === 0 || records.length === 0) return records;
  if (compression !== gzip)
    throw new Error(`a record batch is packed with codec ${compression}; only gzip (1) is read`);
  try {
    return unzipSync(records, { maxOutputLength: unpackedBytesMax });
  } catch (error) {
    throw new RecordBatchFault(
      `the broker sent a batch that does not unpack to ${unpackedBytesMax} bytes or less: ${String(error)}`,
    );
  }
};

const notWhole = (): RecordBatchFault =>
  new RecordBatchFault('the broker sent a record that is not whole');

const noBytes = new Uint8Array();

/** Whole numbers up to 2^53: offsets, and milliseconds since 1970. */
const longAt = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);

const moreFlag = 0x80;
const valueBits = 7;
/** Of a number of 32 bits, and of one of 64. */
const intBytesMax = 5;
const longBytesMax = 10;

type NameRead = { readonly text: string; readonly at: number; readonly length: number };

class RecordReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** Where the record ends that is read. */
  #end = 0;
  /** The names of the record before: the next one nearly always has the same. */
  readonly #names: NameRead[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Reads the head of the next record. */
  begin(): void {
    this.#end = this.#bytes.length;
    const length = this.int();
    this.#end = this.#at + length;
    if (this.#end > this.#bytes.length) throw notWhole();
    // Attributes of a record: none are defined.
    this.#at += 1;
  }

  isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  skip(): void {
    this.#at = this.#end;
  }

  isOver(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** A number of 32 bits, as Kafka reads it: what is beyond them is left out. */
  int(): number {
    const number = this.#unsigned(intBytesMax);
    return (number >>> 1) ^ -(number & 1);
  }

  /** A number of 64 bits, exact up to 2^53. */
  long(): number {
    const isNegative = (this.#bytes[this.#at] ?? 0) % 2 === 1;
    const number = this.#unsigned(longBytesMax);
    return isNegative ? -(number + 1) / 2 : number / 2;
  }

  /** https://protobuf.dev/programming-guides/encoding/#varints; its lowest bit is the sign. */
  #unsigned(bytesMax: number): number {
    let number = 0;
    let worth = 1;
    for (let read = 0; read < bytesMax && this.#at < this.#end; read++) {
      const byte = this.#bytes[this.#at++] ?? 0;
      number += (byte & (moreFlag - 1)) * worth;
      if (byte < moreFlag) return number;
      worth *= 2 ** valueBits;
    }
    throw notWhole();
  }

  /** The next bytes behind their length; none where that is negative. */
  bytes(): Uint8Array {
    const length = this.int();
    if (length <= 0) return noBytes;
    const from = this.#take(length);
    const { buffer, byteOffset } = this.#bytes;
    return new Uint8Array(buffer, byteOffset + from, length);
  }

  headers(): readonly Header[] {
    const count = this.int();
    if (count < 0) throw notWhole();
    const headers: Header[] = [];
    for (let index = 0; index < count; index++)
      headers.push({ name: this.#name(index), value: this.bytes() });
    return headers;
  }

  #name(index: number): string {
    const length = this.int();
    const at = this.#take(length);
    const before = this.#names[index];
    if (before?.length === length && this.#isSame(before.at, at, length)) return before.text;
    const text = this.#bytes.toString('utf8', at, at + length);
    this.#names[index] = { text, at, length };
    return text;
  }

  #isSame(a: number, b: number, length: number): boolean {
    for (let at = 0; at < length; at++)
      if (this.#bytes[a + at] !== this.#bytes[b + at]) return false;
    return true;
  }

  #take(length: number): number {
    const from = this.#at;
    if (length < 0 || from + length > this.#end) throw notWhole();
    this.#at = from + length;
    return from;
  }
}
