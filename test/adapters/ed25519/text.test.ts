import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createText } from '../../../services/adapters/ed25519/text.ts';

const text = createText();

test('UTF-8 goes there and back, a byte order mark and NUL included', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (words) => {
      expect(text.decodeUtf8(text.encodeUtf8(words))).toBe(words);
    }),
  );
  expect(text.decodeUtf8(text.encodeUtf8('\ufeffa\u0000'))).toBe('\ufeffa\u0000');
});

test('bytes are UTF-8 or undefined, and then they come back the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), (bytes) => {
      const words = text.decodeUtf8(bytes);
      expect(words === undefined ? bytes : text.encodeUtf8(words)).toEqual(bytes);
    }),
    { numRuns: 2000 },
  );
  for (const bytes of [[0x80], [0xc0, 0xaf], [0xed, 0xa0, 0xbd], [0xf5, 0x80, 0x80, 0x80]])
    expect(text.decodeUtf8(Uint8Array.from(bytes))).toBeUndefined();
});

test('base64 goes there and back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(text.decodeBase64(text.encodeBase64(bytes))).toEqual(bytes);
    }),
  );
});

test.each([
  ['padding left out', 'YQ'],
  ['too much padding', 'YQ==='],
  ['bits in the padding', 'YR=='],
  ['white space', 'YW Jj'],
  ['a line feed at the end', 'YWJj\n'],
  ['the other alphabet', '-_-_'],
  ['rubbish', '!!!!'],
  ['something after the padding', 'YQ==YQ=='],
])('base64 with %s is undefined', (_name, words) => {
  expect(text.decodeBase64(words)).toBeUndefined();
});
