import { Buffer } from 'node:buffer';

/** Wire types of protobuf. Groups (3, 4) left the format before OTLP was made. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

const VARINT64_BYTES_MAX = 10;
const VARINT32_BYTES_MAX = 5;

/** The bytes are not what the schema promises. Stays inside this folder: the door turns it into a value. */
export class MalformedProtobuf extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Walks protobuf bytes without building anything. Every method that reads takes the `end` of the
 * message it reads in and never looks beyond it, so a nested length cannot reach out of its parent.
 * `next` always moves forward or ends, so no input makes a loop run for ever.
 */
export class ProtobufReader {
  readonly bytes: Buffer;
  readonly #view: DataView;
  at: number;
  /** Number and wire type of the field `next` stands on, and where its tag began. */
  field: number = 0;
  wire: number = 0;
  tagAt: number = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  malformed(message: string): never {
    throw new MalformedProtobuf(message, this.at);
  }

  /** Steps onto the next field of the message that ends at `end`; false where there is none. */
  next(end: number): boolean {
    if (this.at === end) return false;
    this.tagAt = this.at;
    let tag = this.bytes[this.at++] ?? 0;
    if (tag >= 0x80) {
      this.at--;
      tag = this.#varint32(end);
    }
    this.field = tag >>> 3;
    this.wire = tag & 7;
    if (this.field === 0) this.malformed('field number 0');
    return true;
  }

  /**
   * Calls `visit` for every message in field `field` of the message between two offsets; whatever `visit` reads, the
   * walk goes on after it.
   */
  each(
    start: number,
    end: number,
    field: number,
    visit: (start: number, end: number) => void,
  ): void {
    this.at = start;
    while (this.next(end)) {
      if (this.field !== field) {
        this.skip(end);
        continue;
      }
      const childEnd = this.lengthEnd(end);
      visit(this.at, childEnd);
      this.at = childEnd;
    }
  }

  /** Steps over the field `next` stands on. */
  skip(end: number): void {
    switch (this.wire) {
      case VARINT:
        this.#number(end);
        return;
      case FIXED64:
        this.#advance(8, end);
        return;
      case LENGTH_DELIMITED:
        this.at = this.lengthEnd(end);
        return;
      case FIXED32:
        this.#advance(4, end);
        return;
      default:
        this.malformed(`wire type ${this.wire} is not part of OTLP`);
    }
  }

  /** Where the message, string or packed list that `next` stands on ends; `at` is then its start. */
  lengthEnd(end: number): number {
    this.#expect(LENGTH_DELIMITED);
    const length = this.#varint32(end);
    if (length > end - this.at) this.malformed('a length reaches beyond its message');
    return this.at + length;
  }

  string(end: number): string {
    const stringEnd = this.lengthEnd(end);
    const text = this.bytes.toString('utf8', this.at, stringEnd);
    this.at = stringEnd;
    return text;
  }

  /** A uint32, uint64, enum or bool. Exact up to 2^53, above that rounded, but never to below it. */
  varint(end: number): number {
    this.#expect(VARINT);
    return this.#number(end);
  }

  /** An int64 as decimal text. */
  int64Text(end: number): string {
    this.#expect(VARINT);
    const start = this.at;
    const rounded = this.#number(end);
    if (rounded <= Number.MAX_SAFE_INTEGER) return String(rounded);
    let exact = 0n;
    for (let index = this.at - 1; index >= start; index--) {
      exact = (exact << 7n) | BigInt((this.bytes[index] ?? 0) & 0x7f);
    }
    return BigInt.asIntN(64, exact).toString();
  }

  /** A fixed64 as an unsigned number. Exact up to 2^53, above that rounded, but never to below it. */
  fixed64(end: number): number {
    this.#expect(FIXED64);
    return this.#fixed64(end);
  }

  double(end: number): number {
    this.#expect(FIXED64);
    return this.#double(end);
  }

  /** A fixed64 of nanoseconds as whole milliseconds, rounded down, exact over the whole range. */
  nanosAsMs(end: number): number {
    this.#expect(FIXED64);
    const start = this.#advance(8, end);
    const low = this.#view.getUint32(start, true);
    const high = this.#view.getUint32(start + 4, true);
    // 2^32 ns are 4294 ms and 967296 ns, so no step leaves the integers a double holds exactly.
    return high * 4294 + Math.floor((high * 967_296 + low) / 1_000_000);
  }

  /** An sfixed64 as a number. Exact up to 2^53, above that rounded. */
  sfixed64(end: number): number {
    this.#expect(FIXED64);
    const start = this.#advance(8, end);
    return this.#view.getUint32(start, true) + this.#view.getInt32(start + 4, true) * 2 ** 32;
  }

  /** An sint32. What is longer than 32 bits comes out beyond them. */
  sint32(end: number): number {
    const zigzag = this.varint(end);
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  /** Whether the field holds a list in one piece, and not one element of it. */
  get isPacked(): boolean {
    return this.wire === LENGTH_DELIMITED;
  }

  /** The elements of a repeated fixed64, be it packed into one field or one element a field. */
  fixed64s(end: number, into: { readonly add: (value: number) => void }): void {
    if (!this.isPacked) return into.add(this.fixed64(end));
    const listEnd = this.lengthEnd(end);
    while (this.at < listEnd) into.add(this.#fixed64(listEnd));
  }

  varints(end: number, into: { readonly add: (value: number) => void }): void {
    if (!this.isPacked) return into.add(this.varint(end));
    const listEnd = this.lengthEnd(end);
    while (this.at < listEnd) into.add(this.#number(listEnd));
  }

  doubles(end: number, into: number[]): void {
    if (this.isPacked) this.packedDoubles(this.lengthEnd(end), into);
    else into.push(this.double(end));
  }

  /** The doubles from the reader's place to `listEnd`. */
  packedDoubles(listEnd: number, into: number[]): void {
    while (this.at < listEnd) into.push(this.#double(listEnd));
  }

  #fixed64(end: number): number {
    const start = this.#advance(8, end);
    return this.#view.getUint32(start, true) + this.#view.getUint32(start + 4, true) * 2 ** 32;
  }

  #double(end: number): number {
    return this.#view.getFloat64(this.#advance(8, end), true);
  }

  #expect(wire: number): void {
    if (this.wire !== wire)
      this.malformed(`field ${this.field} has wire type ${this.wire}, not ${wire}`);
  }

  #advance(size: number, end: number): number {
    const start = this.at;
    if (end - start < size) this.malformed('the bytes end inside a number');
    this.at = start + size;
    return start;
  }

  #number(end: number): number {
    let value = 0;
    let scale = 1;
    const last = this.at + VARINT64_BYTES_MAX - 1;
    for (;;) {
      if (this.at >= end) this.malformed('the bytes end inside a number');
      const byte = this.bytes[this.at] ?? 0;
      if (this.at === last && byte > 1) this.malformed('a number is longer than 64 bits');
      this.at++;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  /** Tags and lengths: 32 bits at most. */
  #varint32(end: number): number {
    const start = this.at;
    const value = this.#number(end);
    if (this.at - start > VARINT32_BYTES_MAX || value > 0xffff_ffff) {
      this.malformed('a tag or length is longer than 32 bits');
    }
    return value;
  }
}
