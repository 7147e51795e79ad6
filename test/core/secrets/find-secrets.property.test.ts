import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  findSecrets,
  maskSecrets,
  secretsIn,
} from '../../../services/core/secrets/find-secrets.ts';
import { createTextReader } from '../../../services/core/secrets/text-reader.ts';
import { tokenFormats } from '../../../services/core/secrets/token-formats.ts';

// Texts that are made to cost: beginnings of secrets, repeated, with what their parts may hold between them.
const beginnings = [
  ...tokenFormats.flatMap(({ starts }) => starts),
  ...[
    'password=',
    'token: "',
    '--token ',
    'Bearer ',
    '://',
    '://a:',
    '@',
    '-----BEGIN PRIVATE KEY-----',
    '-----END RSA PRIVATE KEY-----',
    '<password>',
    '</',
    'pass: "',
    '%)v3r6',
    'Bearer%20',
    'docker login -p ',
    'curl -u a:',
    'mysql -p',
    'echo a | docker login --password-stdin ',
    'the password is ',
    'db:5432:a:a:',
    'Cookie: a=',
    'jdbc:oracle:thin:a/',
    'a:b@tcp(',
    'kind: Secret\ndata:\n  a: ',
    "create user a password '",
    'password=os.environ[',
    'token=fs.read(',
  ],
];
const filler = fc.constantFrom(
  '',
  '-',
  '_',
  '.',
  'a',
  '9',
  'Aa1',
  '=',
  '/',
  ' ',
  'A'.repeat(40),
  '\n',
);
const hostile = fc
  .array(fc.tuple(fc.constantFrom(...beginnings), filler), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.flat().join(''));

const looksEachMax = 60;

test('a text costs as much for each character however long it is made', () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 1, max: 60 }), (part, times) => {
      const reader = createTextReader(part.repeat(times));
      secretsIn(reader);
      expect(reader.looked()).toBeLessThanOrEqual(looksEachMax * (reader.text.length + 10));
    }),
    { numRuns: 300 },
  );
});

test('what looks like a secret once another is written over is written over, too', () => {
  expect(findSecrets(maskSecrets('kind: Secret\ndata:\n  a: Aa1a:b@tcp('))).toEqual([]);
});

test('what is written over is never longer, and holds nothing that would be found again', () => {
  fc.assert(
    fc.property(hostile, fc.string({ unit: 'binary' }), (part, tail) => {
      const masked = maskSecrets(part + tail);
      expect(masked.length).toBeLessThanOrEqual(part.length + tail.length);
      expect(findSecrets(masked)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('what is found lies inside the text, in order, apart', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      let end = 0;
      for (const secret of findSecrets(text)) {
        expect(secret.start).toBeGreaterThanOrEqual(end);
        expect(secret.end).toBeGreaterThan(secret.start);
        ({ end } = secret);
      }
      expect(end).toBeLessThanOrEqual(text.length);
    }),
  );
});

test('of a private key whose beginning was cut off, wherever, nothing is left', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 100, maxLength: 2400 }),
      fc.constantFrom('\n', '\r\n', String.raw`\n`, '\n  ', '\n10:00:00 ci | '),
      fc.nat(),
      (bytes, parted, cut) => {
        const drawn = bytes.map((byte, at) => byte ^ ((at * 167 + (at >> 3)) & 255));
        const lines =
          Buffer.from(drawn)
            .toString('base64')
            .match(/.{1,64}/g) ?? [];
        const whole = [...lines, '-----END EC PRIVATE KEY-----'].join(parted);
        const body = whole.length - parted.length - 28;
        // Two lines and what is left of a third.
        const text = whole.slice(cut % (body - 100));
        const masked = maskSecrets(text);
        expect(masked).not.toMatch(/[A-Za-z0-9+/]{17,}/);
      },
    ),
    { numRuns: 300 },
  );
});
