import type { Text } from '../../core/markers/crypto.ts';

/** UTF-8 and base64 (RFC 4648 section 4, padded). A lone surrogate has no UTF-8 and becomes U+FFFD. */
export function createText(): Text {
  const encoder = new TextEncoder();
  return {
    encodeUtf8: (text) => encoder.encode(text),
    decodeUtf8: decoded,
    encodeBase64,
    decodeBase64,
  };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Longer texts seldom come again. */
const shortBytesMax = 64;
const shortTextsMax = 2048;

/** ASCII texts that came lately, each at the place that some of its bytes name: another one there takes it over. */
const shortTexts: (string | undefined)[] = Array<string | undefined>(shortTextsMax).fill(undefined);

/**
 * The text of the bytes [start, end), a byte order mark kept; undefined where they are no UTF-8. For texts of which there
 * are few, as names of headers: a short one that is known is found by its bytes, and is the same string each time.
 */
export function textOf(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start;
  if (length === 0) return '';
  if (length > shortBytesMax) return decoded(bytes.subarray(start, end));
  const place = placeOf(bytes, start, end);
  const known = shortTexts[place];
  if (known?.length === length && isText(known, bytes, start)) return known;
  const text = decoded(length === bytes.length ? bytes : bytes.subarray(start, end));
  // One character for each byte: only ASCII has that.
  if (text?.length === length) shortTexts[place] = text;
  return text;
}

const isText = (text: string, bytes: Uint8Array, start: number): boolean => {
  for (let at = 0; at < text.length; at++)
    if (text.charCodeAt(at) !== bytes[start + at]) return false;
  return true;
};

/** Words differ in their beginning or middle, ids in their end. */
const placeOf = (bytes: Uint8Array, start: number, end: number): number => {
  const middle = (start + end) >> 1;
  let mixed = end - start + (bytes[start] ?? 0) * 7 + (bytes[middle] ?? 0) * 127;
  for (let at = Math.max(start, end - lastBytes); at < end; at++)
    mixed = (mixed * 31 + (bytes[at] ?? 0)) | 0;
  return (mixed ^ (mixed >>> 11)) & (shortTextsMax - 1);
};

const lastBytes = 5;

const decoded = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
};

export const encodeBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

const signs = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** By character code; what is no sign of the alphabet is negative. */
const sextets = Int8Array.from({ length: 128 }, (_, code) =>
  signs.indexOf(String.fromCharCode(code)),
);

/** Bits of the last four signs that stand for no byte, by the number of signs of equality. */
const spareBits = { 1: 0xff, 2: 0xffff } as const;

/** Takes exactly what `encodeBase64` writes: no other alphabet, no white space, padding where it belongs, no spare bits. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const { length } = text;
  if (length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((length / 4) * 3 - padding);
  const whole = padding === 0 ? length : length - 4;
  let to = 0;
  for (let at = 0; at < whole; at += 4, to += 3) {
    const bits =
      (sextetAt(text, at) << 18) |
      (sextetAt(text, at + 1) << 12) |
      (sextetAt(text, at + 2) << 6) |
      sextetAt(text, at + 3);
    if (bits < 0) return undefined; // one negative sextet makes the whole negative
    bytes[to] = bits >>> 16;
    bytes[to + 1] = bits >>> 8;
    bytes[to + 2] = bits;
  }
  if (padding === 0) return bytes;
  const third = padding === 1 ? sextetAt(text, whole + 2) : 0;
  const bits = (sextetAt(text, whole) << 18) | (sextetAt(text, whole + 1) << 12) | (third << 6);
  if (bits < 0 || (bits & spareBits[padding]) !== 0) return undefined;
  bytes[to] = bits >>> 16;
  if (padding === 1) bytes[to + 1] = bits >>> 8;
  return bytes;
}

const sextetAt = (text: string, at: number): number => sextets[text.charCodeAt(at)] ?? -1;
