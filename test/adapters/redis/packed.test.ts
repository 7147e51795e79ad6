import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { packTexts } from '../../../services/adapters/redis/packed.ts';
import { packSmall, smallKeyOf } from '../../../services/adapters/redis/small-rows.ts';

/** What a MessagePack array of texts and numbers holds; each text as its bytes. */
const unpack = (packed: Buffer): readonly (number | Buffer)[] => {
  const items: (number | Buffer)[] = [];
  if (packed.length === 0) return items;
  expect(packed[0]).toBe(0xdd);
  let at = 5;
  while (at < packed.length) {
    const number = packed.readUInt32BE(at + 1);
    const isText = packed[at] === 0xdb;
    expect(isText || packed[at] === 0xce).toBe(true);
    at += 5;
    items.push(isText ? packed.subarray(at, at + number) : number);
    if (isText) at += number;
  }
  expect(items).toHaveLength(packed.readUInt32BE(1));
  return items;
};

test('texts of any characters are packed byte for byte', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 50 });
  fc.assert(
    fc.property(fc.array(text), (texts) => {
      expect(unpack(packTexts(texts)).map(String)).toEqual(texts);
    }),
  );
});

test('a small row is packed as hash, key and value: hex digits as their bytes, other texts as they are', () => {
  const place = smallKeyOf('marker', '01a1fe60-0221-7711-a098-9778f45a5a55:é');
  if (place === undefined) throw new TypeError('it is an id and an owner');
  const { field, hash, owner } = place;
  expect([field.toString('hex'), hash, owner]).toEqual([
    '01a1fe6002217711a0989778f45a5a55',
    (0x01a1fe60 * 31 + 0xf45a5a55) % 2 ** 32,
    'é',
  ]);
  const values = ['"00ff"', '"0f"x', 'é', '""', null];
  const [set, added, gone, absent] = packSmall(
    values.map((value) => ({ place, value, isNew: false })),
  );
  const bytes = [[1, 0, 255], [0, ...Buffer.from('"0f"x')], [0, ...Buffer.from('é')], [1]];
  expect(unpack(set)).toEqual(bytes.flatMap((value) => [hash, field, Buffer.from(value)]));
  expect(unpack(gone)).toEqual([hash, field]);
  expect([added, absent]).toEqual(['0', '0']);
});

test('small rows that are taken for new come first, and how many items they are is told', () => {
  const rows = ['a', 'b', 'c', 'd'].map((digit, at) => {
    const place = smallKeyOf('marker', `${digit.repeat(8)}-0221-7711-a098-9778f45a5a55:ci`);
    if (place === undefined) throw new TypeError('it is an id and an owner');
    return { place, value: at < 2 ? '"00"' : null, isNew: at % 2 === 1 };
  });
  const [set, added, gone, absent] = packSmall(rows);
  const [a, b, c, d] = rows.map(({ place: { hash, field } }) => [hash, field]);
  const value = Buffer.from([1, 0]);
  expect(unpack(set)).toEqual([...(b ?? []), value, ...(a ?? []), value]);
  expect(unpack(gone)).toEqual([...(d ?? []), ...(c ?? [])]);
  expect([added, absent]).toEqual(['3', '2']);
});

test('a key is small where it is a UUID of small letters, a colon and an owner', () => {
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}:/;
  const spoilt = fc
    .tuple(
      fc.uuid(),
      fc.string(),
      fc.nat(40),
      fc.constantFrom('', '-', ':', 'a', 'A', 'g', '0', 'é'),
    )
    .map(([id, owner, at, other]) => {
      const key = `${id}:${owner}`;
      return key.slice(0, at) + other + key.slice(at + 1);
    });
  fc.assert(
    fc.property(fc.oneof(spoilt, fc.string()), (key) => {
      const place = smallKeyOf('marker', key);
      expect(place !== undefined).toBe(form.test(key));
      if (place === undefined) return;
      expect(place.field.toString('hex')).toBe(key.slice(0, 36).replaceAll('-', ''));
      expect(place.owner).toBe(key.slice(37));
    }),
    { numRuns: 500 },
  );
  expect(smallKeyOf('timeline', `01a1fe60-0221-7711-a098-9778f45a5a55:ci`)).toBeUndefined();
});
