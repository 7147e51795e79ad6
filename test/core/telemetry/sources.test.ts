import { describe, expect, test } from 'vitest';
import {
  bearerToken,
  isTokenLong,
  maySend,
  parseSources,
  sourcesMax,
  tokenCharsMax,
  tokenCharsMin,
} from '../../../services/core/telemetry/sources.ts';
import { tools } from '../../support/given.ts';
import { value } from '../../support/records.ts';

const token = 'a-token-of-24-characters';
const other = 'Another+token/of~its.own==';
const digestOf = tools.crypto.sha256HexOfText;
const parse = (text: string): ReturnType<typeof parseSources> => parseSources(text, tools.crypto);

describe('a list of sources', () => {
  test('names who may send, by the digest of a token, and what', () => {
    const text = [
      '# who may send telemetry',
      `checkout ${token} checkout,checkout-worker   # of the shop's team`,
      '',
      `\tcollector.eu-1\t${other}\r`,
      `old_one sha256:${digestOf('a token that stands nowhere')}`,
    ].join('\n');
    expect(value(parse(text))).toEqual([
      {
        name: 'checkout',
        tokenDigest: digestOf(token),
        services: new Set(['checkout', 'checkout-worker']),
      },
      { name: 'collector.eu-1', tokenDigest: digestOf(other), services: null },
      {
        name: 'old_one',
        tokenDigest: digestOf('a token that stands nowhere'),
        services: null,
      },
    ]);
  });

  test.each<[string, string, number | null, string]>([
    ['nothing', '', null, 'no source'],
    ['comments alone', '# a\n  # b\n', null, 'no source'],
    ['no token', 'checkout', 1, 'no token'],
    ['a token that is a comment', `checkout #${token}`, 1, 'no token'],
    ['a name in upper case', `Checkout ${token}`, 1, 'the name must be'],
    ['a name that begins with a dot', `.checkout ${token}`, 1, 'the name must be'],
    ['a name that is too long', `${'a'.repeat(64)} ${token}`, 1, 'the name must be'],
    ['a short token', `\nchekout ${'t'.repeat(tokenCharsMin - 1)}`, 2, 'has 15 characters'],
    ['a long token', `a ${'t'.repeat(tokenCharsMax + 1)}`, 1, 'has 513 characters'],
    ['a token in quotes', `a "${token}"`, 1, 'may hold letters'],
    ['a token that no header holds', `a tökentökentökentöken`, 1, 'may hold letters'],
    ['half a digest', `a sha256:${'0'.repeat(63)}`, 1, '64 hex digits'],
    ['a digest in upper case', `a sha256:${'A'.repeat(64)}`, 1, '64 hex digits'],
    ['a space between services', `a ${token} shop, cart`, 1, 'more than three words'],
    ['a service without a name', `a ${token} shop,,cart`, 1, 'services must be'],
    ['a comma alone', `a ${token} ,`, 1, 'services must be'],
    ['a service with an endless name', `a ${token} ${'s'.repeat(257)}`, 1, 'services must be'],
    ['a name twice', `a ${token}\n\na ${other}`, 3, 'line 1 has the same name'],
    ['a token twice', `a ${token}\nb ${token}`, 2, 'line 1 has the same token'],
    [
      'a token and its digest',
      `a ${token}\nb sha256:${digestOf(token)}`,
      2,
      'line 1 has the same token',
    ],
    [
      'too many',
      Array.from({ length: sourcesMax + 1 }, (_, index) => `s${index} ${token}${index}`).join('\n'),
      sourcesMax + 1,
      `more than ${sourcesMax}`,
    ],
  ])('is refused: %s', (_name, text, line, message) => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({
      ok: false,
      problem: { code: 'sources-invalid', line, message: expect.stringContaining(message) },
    });
  });

  test('is refused without a word of what stands in it', () => {
    for (const text of [`a "${token}"`, `a ${token} b c`, `a ${token}\na ${token}`, `A ${token}`])
      expect(JSON.stringify(parse(text))).not.toContain(token.slice(0, 8));
    expect(JSON.stringify(parse('a too-short'))).not.toContain('too-short');
  });

  test('holds as many as it says', () => {
    const most = Array.from({ length: sourcesMax }, (_, index) => `s${index} ${token}${index}`);
    expect(value(parse(most.join('\n')))).toHaveLength(sourcesMax);
  });
});

test.each<[string | undefined, string | undefined]>([
  [`Bearer ${token}`, token],
  [`bearer   ${token}`, token],
  [`BEARER ${token} `, token],
  [undefined, undefined],
  ['', undefined],
  ['Bearer', undefined],
  ['Bearer ', undefined],
  [token, undefined],
  [`Basic ${token}`, undefined],
  [`Bearer ${token} ${token}`, undefined],
  [`Bearer ${token}, Bearer ${token}`, undefined],
  ['Bearer too-short', 'too-short'],
  [`Bearer ${'t'.repeat(tokenCharsMax)}`, 't'.repeat(tokenCharsMax)],
  [`Bearer ${'t'.repeat(tokenCharsMax + 1)}`, 't'.repeat(tokenCharsMax + 1)],
])('the header %j holds the token %j', (header, held) => {
  expect(bearerToken(header)).toBe(held);
});

test('a source sends what it may, and one without a list anything', () => {
  const [limited, any] = value(parse(`a ${token} shop,cart\nb ${other}`));
  if (limited === undefined || any === undefined) throw new Error('two are listed');
  expect(['shop', 'cart', 'Shop', 'shop ', '', null].map((name) => maySend(limited, name))).toEqual(
    [true, true, false, false, false, false],
  );
  expect(['shop', 'anything', null].map((name) => maySend(any, name))).toEqual([true, true, true]);
});

test.each<[number, boolean]>([
  [tokenCharsMin - 1, false],
  [tokenCharsMin, true],
  [tokenCharsMax, true],
  [tokenCharsMax + 1, false],
])('a token of %i characters may be one of the list: %s', (chars, may) => {
  expect(isTokenLong('t'.repeat(chars))).toBe(may);
});
