// https://github.com/msgpack/msgpack/blob/master/spec.md: each length stands in four bytes.
const array32 = 0xdd;
const str32 = 0xdb;
const uint32 = 0xce;
const headBytes = 5;
/** UTF-8 takes no more for a UTF-16 unit. */
const bytesPerUnitMax = 3;

/**
 * A list of texts, bytes and numbers as one MessagePack array: one argument for `cmsgpack.unpack` instead of thousands,
 * each of which client and server would lay out and take apart by itself.
 */
export class Packed {
  #bytes: Buffer;
  #end = headBytes;
  #count = 0;

  /** It grows where that is too little: a character may have more bytes than one. */
  constructor(items: number, characters: number) {
    this.#bytes = Buffer.allocUnsafe(headBytes + items * headBytes + characters);
  }

  text(text: string): void {
    // To count its bytes costs as much as to write them: only where it might not fit.
    if (this.#end + headBytes + bytesPerUnitMax * text.length > this.#bytes.length)
      this.#room(headBytes + Buffer.byteLength(text));
    this.#ends(this.#bytes.write(text, this.#end + headBytes));
  }

  /** A mark, then the text as it stands, or the bytes whose hex digits it is. */
  marked(mark: number, text: string, encoding: 'utf8' | 'hex'): void {
    this.#room(headBytes + 1 + Buffer.byteLength(text, encoding));
    const at = this.#end + headBytes;
    this.#bytes[at] = mark;
    this.#ends(1 + this.#bytes.write(text, at + 1, encoding));
  }

  bytes(bytes: Uint8Array): void {
    this.#room(headBytes + bytes.length);
    this.#bytes.set(bytes, this.#end + headBytes);
    this.#ends(bytes.length);
  }

  /** A whole number from 0 up to 2^32 - 1. */
  number(number: number): void {
    this.#room(headBytes);
    this.#head(this.#end, uint32, number);
    this.#end += headBytes;
    this.#count += 1;
  }

  /** All of it; empty where nothing was added. */
  blob(): Buffer {
    if (this.#count === 0) return this.#bytes.subarray(0, 0);
    this.#head(0, array32, this.#count);
    return this.#bytes.subarray(0, this.#end);
  }

  /** So many bytes were written behind the place of their head. */
  #ends(bytes: number): void {
    this.#head(this.#end, str32, bytes);
    this.#end += headBytes + bytes;
    this.#count += 1;
  }

  #head(at: number, kind: number, number: number): void {
    this.#bytes[at] = kind;
    this.#bytes.writeUInt32BE(number, at + 1);
  }

  #room(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

export function packTexts(texts: readonly string[]): Buffer {
  let characters = 0;
  for (const text of texts) characters += text.length;
  const packed = new Packed(texts.length, characters);
  for (const text of texts) packed.text(text);
  return packed.blob();
}

/** Lua: what was packed, as a table; an empty one for nothing. */
export const unpackedLua: string = `
local function unpacked(blob) return blob == '' and {} or cmsgpack.unpack(blob) end
`;
