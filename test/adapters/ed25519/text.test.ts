import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createText, textOf } from '../../../services/adapters/ed25519/text.ts';

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

test('a short text is the same however often it comes, and whatever came before', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const plain = (bytes: Uint8Array): string | undefined => {
    try {
      return decoder.decode(bytes);
    } catch {
      return undefined;
    }
  };
  // Few bytes of few kinds: many of these take each other's place.
  const few = fc.array(fc.constantFrom(0x20, 0x61, 0x62, 0x7f, 0x80, 0xc3, 0xa4), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(few, { maxLength: 20 }), fc.nat({ max: 3 }), (texts, before) => {
      for (const bytes of texts.map((one) => Uint8Array.from(one))) {
        const inside = Uint8Array.from([...Array<number>(before).fill(0x61), ...bytes, 0x61]);
        expect(text.decodeUtf8(bytes)).toBe(plain(bytes));
        expect(textOf(inside, before, before + bytes.length)).toBe(plain(bytes));
      }
    }),
    { numRuns: 500 },
  );
});

test('base64 is what Node would write itself, or undefined', () => {
  const signs = fc.constantFrom('A', 'Q', 'g', 'w', 'z', '0', '/', '=', '-', ' ', '\n', '\u00e9');
  const nearly = fc.string({ unit: signs, maxLength: 12 });
  fc.assert(
    fc.property(fc.oneof(nearly, fc.base64String(), fc.string()), (words) => {
      const bytes = Uint8Array.from(Buffer.from(words, 'base64'));
      const isOurs = Buffer.from(bytes).toString('base64') === words;
      expect(text.decodeBase64(words)).toEqual(isOurs ? bytes : undefined);
    }),
    { numRuns: 5000 },
  );
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
