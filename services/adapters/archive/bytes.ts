/** Thrown and caught inside this folder only: the bytes are not what they must be. */
export class ByteFault extends Error {}

const numberBytesMax = 8; // 56 bits: more than any position, time or length

/** Reads Avro's binary encoding from one end to the other. Bounded by the bytes at hand. */
export class ByteCursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Buffer {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new ByteFault('the bytes end too early');
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }

  /** Zigzag base 128. Beyond 2^53 it is a fault: nothing here is that large. */
  long(): number {
    let raw = 0;
    let unit = 1;
    for (let index = 0; index < numberBytesMax; index++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new ByteFault('the bytes end too early');
      this.#at += 1;
      raw += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        if (raw > Number.MAX_SAFE_INTEGER) break;
        return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
      }
      unit *= 128;
    }
    throw new ByteFault('a number is too large');
  }

  /** Bytes after their length. */
  sized(): Buffer {
    const length = this.long();
    if (length < 0) throw new ByteFault('a length is negative');
    return this.take(length);
  }
}

/** A whole number below 2^52 either way, as Avro's long. */
export const longBytes = (value: number): Uint8Array => {
  if (!Number.isInteger(value) || Math.abs(value) >= 2 ** 52)
    throw new RangeError(`${value} cannot be written`);
  let raw = value < 0 ? -2 * value - 1 : 2 * value;
  const bytes: number[] = [];
  while (raw >= 128) {
    bytes.push((raw % 128) | 0x80);
    raw = Math.floor(raw / 128);
  }
  bytes.push(raw);
  return Uint8Array.from(bytes);
};
