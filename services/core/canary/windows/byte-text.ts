// Bytes inside a state, which is plain JSON: four characters for three bytes (base64 without padding, RFC 4648).

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const codes: readonly number[] = Array.from(alphabet, (character) => character.charCodeAt(0));
const values = new Uint8Array(128);
for (const [value, code] of codes.entries()) values[code] = value;

/** More arguments than this are given in pieces. A multiple of 4. */
const charactersMax = 4_096;
/** Characters that the last one or two bytes of three do without. */
const left: readonly number[] = [0, 2, 1];

export const textOfBytes = (bytes: Uint8Array): string => {
  let text = '';
  // A list, for a string is made of it several times sooner than of an array of bytes.
  let characters: number[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    characters.push(
      codes[bits >> 18] ?? 0,
      codes[(bits >> 12) & 63] ?? 0,
      codes[(bits >> 6) & 63] ?? 0,
      codes[bits & 63] ?? 0,
    );
    if (characters.length < charactersMax) continue;
    text += String.fromCharCode(...characters);
    characters = [];
  }
  text += String.fromCharCode(...characters);
  return text.slice(0, text.length - (left[bytes.length % 3] ?? 0));
};

/** Of a text that `textOfBytes` made. */
export const bytesOfText = (text: string): Uint8Array => {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let to = 0;
  for (let at = 0; at < text.length; at += 1) {
    bits = ((bits << 6) | (values[text.charCodeAt(at)] ?? 0)) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[to] = (bits >> held) & 0xff;
    to += 1;
  }
  return bytes;
};
