import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../services/core/canonical.ts';
import { canonicalJson } from '../../services/core/canonical.ts';

/**
 * V8 of Node 24.21 reads the name `"` as `\` once it has read that one: JSON.parse('{"\\\\":1}'), then
 * JSON.parse('{"\\"":1}') has the name `\`. No shape of ours has either.
 */
const namesQuote = (value: unknown): boolean => JSON.stringify(value).includes('"\\"":');

const json = fc
  .jsonValue({ maxDepth: 4 })
  .filter((value) => !namesQuote(value)) as fc.Arbitrary<Json>;

/** The same value with its names put in another order. */
const reversed = (value: Json): Json => {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, field]) => [name, reversed(field)]),
  );
};

test('it is JSON, and says the same value', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('the order of names does not matter', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
    }),
  );
});

test('reading and writing again gives the same bytes', () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = canonicalJson(value);
      expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
    }),
  );
});

test('each text is written as JSON writes it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(canonicalJson(text)).toBe(JSON.stringify(text));
      expect(canonicalJson({ [text]: 1 })).toBe(JSON.stringify({ [text]: 1 }));
    }),
  );
});

test.each<readonly [Json, string]>([
  [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
  [{ '10': 1, '9': 2 }, '{"10":1,"9":2}'],
  [{ '\u{1f600}': 1, '\uff5e': 2 }, '{"\u{1f600}":1,"\uff5e":2}'],
  [[-0, 1e21, 1e-7, 0.1], '[0,1e+21,1e-7,0.1]'],
  ['"\\\u0007/\u2028', '"\\"\\\\\\u0007/\u2028"'],
  ['\ud800', '"\\ud800"'],
  [{}, '{}'],
  [[], '[]'],
  ['', '""'],
])('%j is %s', (value, text) => expect(canonicalJson(value)).toBe(text));

test('a name of a prototype is a name', () => {
  const value = JSON.parse('{"constructor":2,"__proto__":1}') as Json;
  expect(canonicalJson(value)).toBe('{"__proto__":1,"constructor":2}');
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])('%d is refused', (value) => {
  expect(() => canonicalJson([value])).toThrow('finite');
});
