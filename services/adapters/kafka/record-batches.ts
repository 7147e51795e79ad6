import { unzipSync } from 'node:zlib';
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

/** A broker takes a batch of about a megabyte: what unpacks to much more was made to fill our memory. */
const unpackedBytesMax = 256 * 1024 * 1024;

/**
 * The records from a position on. A batch comes whole, so it may begin before that, and the last one may be cut off:
 * what is not whole is left out. Undefined where a batch is of the format before Kafka 0.11.
 *
 * Throws where the bytes are no batches, or a batch is packed in another way than gzip.
 */
export const readRecordBatches = (
  bytes: Buffer,
  from: Position,
): readonly LogRecord[] | undefined => {
  const records: LogRecord[] = [];
  for (let at = 0; at + field.records <= bytes.length;) {
    const end = at + lengthBehind + bytes.readInt32BE(at + field.length);
    if (end > bytes.length) break;
    if (bytes.readInt8(at + field.magic) !== magicWanted) return undefined;
    if (end < at + field.records) throw new Error('the broker sent a record batch without a head');
    readBatch(bytes.subarray(at, end), from, records);
    at = end;
  }
  return records;
};

const readBatch = (batch: Buffer, from: Position, records: LogRecord[]): void => {
  const attributes = batch.readInt16BE(field.attributes);
  const firstOffset = longAt(batch, field.firstOffset);
  const isAppendTime = (attributes & appendTimeFlag) !== 0;
  const timeMs = longAt(batch, isAppendTime ? field.maxTimestamp : field.firstTimestamp);
  const reader = new RecordReader(unpacked(batch.subarray(field.records), attributes));
  for (let left = batch.readInt32BE(field.count); left > 0; left--) {
    const end = reader.recordEnd();
    const laterMs = reader.varint();
    const position = firstOffset + reader.varint();
    if (position >= from) {
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
    }
    reader.goTo(end);
  }
};

const unpacked = (records: Buffer, attributes: number): Buffer => {
  const compression = attributes & compressionMask;
  if (compression === 0) return records;
  if (compression === gzip) return unzipSync(records, { maxOutputLength: unpackedBytesMax });
  throw new Error(`a record batch is packed with codec ${compression}; only gzip (1) is read`);
};

const noBytes = new Uint8Array();

/** Whole numbers up to 2^53: offsets, and milliseconds since 1970. */
const longAt = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);

const moreFlag = 0x80;
const valueBits = 7;
/** Of a 64-bit number. */
const varintBytesMax = 10;

type NameRead = { readonly text: string; readonly at: number; readonly length: number };

class RecordReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** The names of the record before: the next one nearly always has the same. */
  readonly #names: NameRead[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Reads the head of a record; answers where it ends. */
  recordEnd(): number {
    const length = this.varint();
    const end = this.#at + length;
    if (length < 1 || end > this.#bytes.length)
      throw new Error('the broker sent a record that is not whole');
    // Attributes of a record: none are defined.
    this.#at += 1;
    return end;
  }

  goTo(at: number): void {
    this.#at = at;
  }

  /** https://protobuf.dev/programming-guides/encoding/#signed-ints */
  varint(): number {
    let number = 0;
    let worth = 1;
    for (let read = 0; read < varintBytesMax; read++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      number += (byte & (moreFlag - 1)) * worth;
      if (byte < moreFlag) return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
      worth *= 2 ** valueBits;
    }
    throw new Error('the broker sent a record that is not whole');
  }

  /** The next bytes behind their length; none where that is -1. */
  bytes(): Uint8Array {
    const length = this.varint();
    const from = this.#take(length);
    const { buffer, byteOffset } = this.#bytes;
    return length <= 0 ? noBytes : new Uint8Array(buffer, byteOffset + from, length);
  }

  headers(): readonly Header[] {
    const count = this.varint();
    const headers: Header[] = [];
    for (let index = 0; index < count; index++)
      headers.push({ name: this.#name(index), value: this.bytes() });
    return headers;
  }

  #name(index: number): string {
    const length = Math.max(0, this.varint());
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
    if (length > 0) this.#at += length;
    if (this.#at > this.#bytes.length)
      throw new Error('the broker sent a record that is not whole');
    return from;
  }
}
