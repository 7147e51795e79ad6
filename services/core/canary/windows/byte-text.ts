// Bytes inside a state, which is plain JSON: four characters for three bytes (base64 without padding, RFC 4648).

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const codes = Uint8Array.from(alphabet, (character) => character.charCodeAt(0));
const values = new Uint8Array(128);
for (const [value, code] of codes.entries()) values[code] = value;

/** More arguments than this are given in pieces. */
const charactersMax = 4_096;

export const textOfBytes = (bytes: Uint8Array): string => {
  const characters = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  let to = 0;
  for (let at = 0; at < bytes.length; at += 3) {
    const [first = 0, second = 0, third = 0] = [bytes[at], bytes[at + 1], bytes[at + 2]];
    const bits = (first << 16) | (second << 8) | third;
    for (let shift = 18; shift >= 0 && to < characters.length; shift -= 6) {
      characters[to] = codes[(bits >> shift) & 63] ?? 0;
      to += 1;
    }
  }
  let text = '';
  for (let at = 0; at < characters.length; at += charactersMax)
    text += String.fromCharCode(...characters.subarray(at, at + charactersMax));
  return text;
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
