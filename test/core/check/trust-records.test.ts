import { describe, expect, test } from 'vitest';
import { checkOpening } from '../../../services/core/check/check-record.ts';
import type { Body } from '../../../services/core/markers/upcast.ts';
import { signedBody } from '../../support/forge.ts';
import { keyOf, markerOf, signed, tools } from '../../support/given.ts';
import { codeOf, logRecord } from '../../support/judge.ts';
import {
  added,
  audience,
  compromised,
  opened,
  planned,
  retired,
  trustedKey,
} from '../../support/markers.ts';
import type { Said } from '../../support/markers.ts';
import { flipped, withHeader } from '../../support/spoil.ts';

const plan = await signed('ci', planned(), 'plan');

/** The 14 encodings of points of low order, as published with the Ed25519 edge cases. */
const lowOrder: readonly string[] = [
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  `01${'00'.repeat(31)}`,
  `01${'00'.repeat(30)}80`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ...['ec', 'ed', 'ee'].flatMap((first) => [
    `${first}${'ff'.repeat(30)}7f`,
    `${first}${'ff'.repeat(31)}`,
  ]),
];

describe.each(lowOrder)('the weak point %s', (hex) => {
  const point = Uint8Array.from(Buffer.from(hex, 'hex'));

  test('is no key', async () => {
    const weak = { ...keyOf('weak'), publicKey: point };
    expect(() => markerOf('admin', added(weak), 'weak')).toThrow('key-weak');
    const body = { ...markerOf('admin', added(keyOf('weak')), 'weak'), key: trustedKey(weak, {}) };
    expect(codeOf(await signedBody(plan, 'trust', body, 'admin'))).toBe('key-weak');
  });

  test('is no R of a signature, also where the library would take it', () => {
    const signature = Buffer.concat([point, Buffer.alloc(32)]).toString('base64');
    const spoil = withHeader('plimsoll-signature', `${keyOf('ci').keyId}:${signature}`);
    const willing = { ...tools, crypto: { ...tools.crypto, verify: () => true } };
    expect(codeOf(spoil(plan), willing)).toBe('signature-weak');
  });
});

test('no key that was made is weak', () => {
  for (let index = 0; index < 100; index++)
    expect(() => markerOf('admin', added(keyOf(`key ${index}`)), 'k')).not.toThrow();
});

test.each(['2^255-19', '2^255-18', '2^255-1'])('a y of %s or more is not canonical', (name) => {
  const first = { '2^255-19': 0xed, '2^255-18': 0xee, '2^255-1': 0xff }[name] ?? 0;
  const point = Uint8Array.from([first, ...Array.from({ length: 30 }, () => 0xff), 0x7f]);
  expect(() => markerOf('admin', added({ ...keyOf('weak'), publicKey: point }), 'w')).toThrow(
    'key-weak',
  );
});

describe('record 0', () => {
  const admin = keyOf('admin');
  const codeOfOpening = async (says: Said, name = 'admin', of = audience): Promise<string> => {
    const answer = checkOpening(tools, of, logRecord(await signed(name, says, 'zero'), 0));
    return answer.ok ? 'opened' : answer.problem.code;
  };
  const keyOfRecord = (over: Body) => ({
    key: { ...trustedKey(admin, { roles: ['trust-admin'] }), ...over },
  });

  test('opens the log', async () => expect(await codeOfOpening(opened(admin))).toBe('opened'));

  test.each<readonly [string, Said, string, string]>([
    ['is no log-opened', added(admin, { roles: ['trust-admin'] }), 'admin', 'log-not-opened'],
    ['is a plan', planned(), 'ci', 'log-not-opened'],
    ['is signed by another key than it names', opened(admin), 'ci', 'log-not-opened'],
    [
      'names a key without the role',
      opened(admin, keyOfRecord({ roles: ['emitter'] })),
      'admin',
      'log-not-opened',
    ],
    [
      'names a key id that is not of the key',
      opened(admin, keyOfRecord({ id: '0'.repeat(16) })),
      'admin',
      'field-invalid',
    ],
    [
      'names another principal than the key id',
      opened(admin, keyOfRecord({ principal: 'mallory' })),
      'admin',
      'field-invalid',
    ],
  ])('is refused when it %s', async (_what, says, name, code) => {
    expect(await codeOfOpening(says, name)).toBe(code);
  });

  test('is refused for another audience', async () => {
    expect(await codeOfOpening(opened(admin), 'admin', 'other')).toBe('audience-wrong');
  });

  test('is refused when its bytes were changed', async () => {
    const zero = await signed('admin', opened(admin), 'zero');
    for (let bit = 0; bit < zero.value.length * 8; bit += 3) {
      const record = logRecord({ ...zero, value: flipped(zero.value, bit) }, 0);
      expect(checkOpening(tools, audience, record).ok).toBe(false);
    }
  });
});

describe('trust records', () => {
  test('a key id must be that of its principal and public key', async () => {
    const says = added({ ...keyOf('new'), keyId: '0123456789abcdef' });
    expect(codeOf(await signed('admin', says, 'x'))).toBe('field-invalid');
  });

  test('fields of other kinds are empty', () => {
    const odd: readonly Said[] = [
      retired(keyOf('ci'), { since: 3 }),
      retired(keyOf('ci'), { key: trustedKey(keyOf('ci'), {}) }),
      compromised(keyOf('ci'), -1),
      compromised(keyOf('ci'), 0, { keyId: null }),
      added(keyOf('ci'), {}, { keyId: keyOf('ci').keyId }),
      added(keyOf('ci'), {}, { key: null }),
      added(keyOf('ci'), { environments: ['a*b'] }),
      added(keyOf('ci'), { environments: ['**'] }),
    ];
    for (const says of odd) expect(() => markerOf('admin', says, 'x')).toThrow('field-invalid');
  });
});
