import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckTools } from '../../../services/core/check/check-record.ts';
import type { NewRecord } from '../../../services/core/log/record.ts';
import { keyBytesMax, valueBytesMax } from '../../../services/core/markers/limits.ts';
import type { Body } from '../../../services/core/markers/upcast.ts';
import { forged, signedBody, signedUnder } from '../../support/forge.ts';
import {
  by,
  delivered,
  given,
  keyOf,
  markerOf,
  raw,
  signed,
  tools,
  trusts,
} from '../../support/given.ts';
import { codeOf, judge } from '../../support/judge.ts';
import { logged, noDetails, planned, run, started } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import {
  flipped,
  headerText,
  withHeader,
  withHeaderTwice,
  withKey,
  withoutHeader,
  withValue,
} from '../../support/spoil.ts';

const details: Body = {
  ...noDetails,
  commit: 'c'.repeat(40),
  labels: [
    { name: '__proto__', value: 'a' },
    { name: 'constructor', value: 'b' },
  ],
  links: [{ name: 'run', value: 'https://ci.example/runs/7' }],
};
const plan = await signed('ci', planned('2.0.0', { details }), 'plan');

test('a signed record says what it says, and who', () => {
  const answer = value(judge(plan));
  expect(answer.marker).toEqual(markerOf('ci', planned('2.0.0', { details }), 'plan'));
  expect(answer.signer.principal).toBe('ci');
  expect(answer.waitedMs).toBe(0);
});

test('a label named __proto__ is a label', () => {
  const { marker } = value(judge(plan));
  expect('details' in marker && marker.details.labels).toEqual([
    { name: '__proto__', value: 'a' },
    { name: 'constructor', value: 'b' },
  ]);
});

describe('a flipped bit is never accepted', () => {
  test('in the value', () => {
    const bits = plan.value.length * 8;
    fc.assert(
      fc.property(fc.nat({ max: bits - 1 }), (bit) => {
        expect(codeOf(withValue((bytes) => flipped(bytes, bit))(plan))).toBe('signature-bad');
      }),
      { numRuns: 2000 },
    );
  });

  test('in the key', () => {
    for (let bit = 0; bit < plan.key.length * 8; bit++)
      expect(codeOf({ ...plan, key: flipped(plan.key, bit) })).toBe('header-mismatch');
  });

  test('in the value of any header, nor in its name', () => {
    const utf8 = new TextEncoder();
    const text = new TextDecoder('latin1');
    for (const [at, header] of plan.headers.entries()) {
      const put = (other: NewRecord['headers'][number]): NewRecord => ({
        ...plan,
        headers: plan.headers.with(at, other),
      });
      for (let bit = 0; bit < header.value.length * 8; bit++)
        expect(codeOf(put({ ...header, value: flipped(header.value, bit) }))).not.toBe('accepted');
      for (let bit = 0; bit < header.name.length * 8; bit++) {
        const name = text.decode(flipped(utf8.encode(header.name), bit));
        expect(codeOf(put({ ...header, name }))).not.toBe('accepted');
      }
    }
  });

  test('in a waiting time', async () => {
    const waited = await delivered(plan, 1234, 'ci');
    expect(value(judge(waited)).waitedMs).toBe(1234);
    const header = waited.headers.at(-1);
    if (header === undefined) throw new Error('there is no waiting time');
    for (let bit = 0; bit < header.value.length * 8; bit++) {
      const record = withHeader(header.name, flipped(header.value, bit))(waited);
      expect(['waited-bad', 'header-malformed']).toContain(codeOf(record));
    }
  });
});

describe('nothing is decoded before the signature is good', () => {
  const counted = () => {
    const calls = { verified: 0, decoded: 0, good: false };
    const using: CheckTools = {
      ...tools,
      crypto: {
        ...tools.crypto,
        verify: (...asked) => {
          calls.verified += 1;
          calls.good = tools.crypto.verify(...asked);
          return calls.good;
        },
      },
      codec: {
        ...tools.codec,
        decode: (...asked) => {
          expect(calls.good).toBe(true);
          calls.decoded += 1;
          return tools.codec.decode(...asked);
        },
      },
    };
    return { using, calls };
  };

  test('a good record is verified, then decoded, once each', () => {
    const { using, calls } = counted();
    judge(plan, using);
    expect(calls).toMatchObject({ verified: 1, decoded: 1 });
  });

  test.each<readonly [string, (record: NewRecord) => NewRecord, number]>([
    ['a changed value', withValue((bytes) => flipped(bytes, 7)), 1],
    [
      'an unknown key',
      withHeader('plimsoll-signature', `${'0'.repeat(16)}:${'A'.repeat(86)}==`),
      0,
    ],
    ['a missing signature', withoutHeader('plimsoll-signature'), 0],
    ['a value that is too large', withValue(() => new Uint8Array(valueBytesMax + 1)), 0],
    ['another schema', withHeader('plimsoll-schema', 'f'.repeat(64)), 1],
  ])('%s is not', (_what, spoil, verified) => {
    const { using, calls } = counted();
    expect(judge(spoil(plan), using).ok).toBe(false);
    expect(calls).toMatchObject({ verified, decoded: 0 });
  });
});

describe('caps', () => {
  const many =
    (count: number) =>
    (record: NewRecord): NewRecord => ({
      ...record,
      headers: [
        ...record.headers,
        ...Array.from({ length: count }, (_, at) => ({
          name: `x-${at}`,
          value: new Uint8Array(1),
        })),
      ],
    });
  test.each<readonly [string, (record: NewRecord) => NewRecord, string]>([
    [
      'a value of 64 KiB and a byte',
      withValue(() => new Uint8Array(valueBytesMax + 1)),
      'value-too-large',
    ],
    [
      'a value of 64 KiB is looked at',
      withValue(() => new Uint8Array(valueBytesMax)),
      'signature-bad',
    ],
    ['a key that is too long', withKey('k'.repeat(keyBytesMax + 1)), 'key-too-large'],
    ['sixteen headers', many(9), 'accepted'],
    ['seventeen headers', many(10), 'headers-too-many'],
    ['a header of more than 1 KiB', withHeader('x', new Uint8Array(1024)), 'header-too-large'],
    ['a header of 1 KiB', withHeader('x', new Uint8Array(1023)), 'accepted'],
    ['a header that is not UTF-8', withHeader('x', new Uint8Array([0xff])), 'header-malformed'],
  ])('%s: %s', (_what, spoil, code) => expect(codeOf(spoil(plan))).toBe(code));
});

describe('headers are hints, and each must say what the body says', () => {
  test.each<readonly [string, (record: NewRecord) => NewRecord, string]>([
    ['version', withHeader('ce_specversion', '1.1'), 'header-mismatch'],
    ['id', withHeader('ce_id', headerText(plan, 'ce_id').replace(/.$/, '0')), 'header-mismatch'],
    ['type', withHeader('ce_type', 'plimsoll.started.v1'), 'header-mismatch'],
    ['type version', withHeader('ce_type', 'plimsoll.planned.v2'), 'header-mismatch'],
    ['source', withHeader('ce_source', '/elsewhere'), 'header-mismatch'],
    ['content type', withHeader('content-type', 'application/json'), 'header-mismatch'],
    ['record key', withKey('default/production/checkout/'), 'header-mismatch'],
    ['empty record key', withKey(''), 'header-mismatch'],
    [
      'schema digest in capitals',
      (record) =>
        withHeader('plimsoll-schema', headerText(record, 'plimsoll-schema').toUpperCase())(record),
      'header-malformed',
    ],
    ['signature that is no base64', withHeader('plimsoll-signature', 'x'), 'header-malformed'],
    ['trace context', withHeader('traceparent', '00-abc'), 'accepted'],
  ])('%s', (_what, spoil, code) => expect(codeOf(spoil(plan))).toBe(code));

  test.each(plan.headers.map(({ name }) => name))(
    '%s is not missing, and not there twice',
    (name) => {
      expect(['header-missing', 'header-mismatch']).toContain(codeOf(withoutHeader(name)(plan)));
      expect(codeOf(withHeaderTwice(name)(plan))).toBe('header-malformed');
    },
  );
});

describe('what a signature binds', () => {
  test('the audience: the same bytes on another log', () => {
    expect(codeOf(plan, tools, 'other')).toBe('signature-bad');
  });

  test('the audience that the body names', async () => {
    const body = { ...markerOf('ci', planned(), 'x'), audience: 'other' };
    expect(codeOf(await signedBody(plan, 'plan', body))).toBe('audience-wrong');
  });

  test('the schema: every other schema in the header', () => {
    for (const shape of ['update', 'place', 'decision', 'trust'] as const) {
      const { digest } = tools.codec.writer(shape);
      expect(codeOf(withHeader('plimsoll-schema', digest)(plan))).toBe('signature-bad');
    }
  });

  test('an unknown schema, well signed, is unread', async () => {
    expect(codeOf(await signedUnder(plan, 'f'.repeat(64), plan.value))).toBe('schema-unknown');
  });

  test('another schema, well signed, must fit the bytes', async () => {
    const { digest } = tools.codec.writer('update');
    expect(codeOf(await signedUnder(plan, digest, plan.value))).toBe('body-malformed');
  });

  test('a byte too many, well signed', async () => {
    const { digest } = tools.codec.writer('plan');
    const long = Uint8Array.from([...plan.value, 0]);
    expect(codeOf(await signedUnder(plan, digest, long))).toBe('body-malformed');
  });

  test('the key: another known key', () => {
    const [, signature] = headerText(plan, 'plimsoll-signature').split(':');
    const swapped = withHeader('plimsoll-signature', `${keyOf('admin').keyId}:${signature}`);
    expect(codeOf(swapped(plan))).toBe('signature-bad');
  });

  test('a waiting time binds value, time and audience', async () => {
    const other = await signed('ci', planned('3.0.0'), 'other');
    const header = headerText(await delivered(other, 1000, 'ci'), 'plimsoll-waited');
    expect(codeOf(withHeader('plimsoll-waited', header)(plan))).toBe('waited-bad');
    const own = headerText(await delivered(plan, 1000, 'ci'), 'plimsoll-waited');
    expect(codeOf(withHeader('plimsoll-waited', own)(plan))).toBe('accepted');
    expect(codeOf(withHeader('plimsoll-waited', own.replace('1000', '9000'))(plan))).toBe(
      'waited-bad',
    );
    expect(codeOf(withHeader('plimsoll-waited', own.replace('1000', '01000'))(plan))).toBe(
      'header-malformed',
    );
    expect(codeOf(await delivered(plan, 401 * 86_400_000, 'ci'))).toBe('header-malformed');
    expect(codeOf(await delivered(plan, 1000, 'nobody'))).toBe('waited-bad');
  });
});

test('a kind that nobody knows, and one of another shape', async () => {
  const body = markerOf('ci', started(), 'x');
  for (const [kind, code] of [
    ['exploded', 'kind-unknown'],
    ['__proto__', 'kind-unknown'],
    ['constructor', 'kind-unknown'],
    ['planned', 'kind-wrong-shape'],
  ] as const) {
    expect(codeOf(await signedBody(plan, 'update', { ...body, kind }))).toBe(code);
  }
});

describe('rows', () => {
  test('names that are names of prototypes are names', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const slot = { namespace: name, environment: name, component: name, target: name };
      const house = await given(by('ci', logged('1.0.0', { slot, details })));
      expect(house.notes()).toEqual(['applied']);
      expect(await house.row('environment', name)).toMatchObject({ name, seenWith: [name] });
      expect(await house.row('component', name)).toMatchObject({ name, seenWith: [name] });
      expect(await house.row('slot', `${name}/${name}/${name}/${name}`)).toMatchObject({ slot });
    }
  });

  test('what a record claims is shown where it is plain, and never believed', async () => {
    const loud = withHeader('ce_id', '\u001b[31mred');
    const house = await given(
      raw(withValue((bytes) => flipped(bytes, 1))(loud(plan))),
      raw(withHeader('ce_type', 'x'.repeat(300))(plan)),
    );
    const [first, second] = await house.deadLetters();
    expect(first?.claims).toEqual({
      type: 'plimsoll.planned.v1',
      marker: null,
      keyId: keyOf('ci').keyId,
      deployment: null,
      kind: null,
    });
    expect(second?.claims.type).toBeNull();
  });

  test('what is well signed and cannot be read is listed with its deployment and kind', async () => {
    const house = await given(
      trusts('ci'),
      await forged.under('f'.repeat(64)),
      await forged.body('update', started(), { kind: 'exploded' }),
      raw(withValue((bytes) => flipped(bytes, 8 * (plan.value.length - 1)))(plan)),
    );
    const letters = await house.deadLetters();
    expect(
      letters.map(({ code, claims: { deployment, kind } }) => [code, deployment, kind]),
    ).toEqual([
      ['schema-unknown', run('7'), 'planned'],
      ['kind-unknown', run('7'), 'exploded'],
      ['signature-bad', null, null],
    ]);
  });

  test('what is read and not accepted says which deployment it was for', async () => {
    const house = await given(
      trusts('stage', { environments: ['staging'] }),
      by('ci', started()),
      by('stage', started()),
      by('stage', planned()),
      by('ci', planned()),
    );
    const letters = await house.deadLetters();
    expect(
      letters.map(({ code, claims: { deployment, kind } }) => [code, deployment, kind]),
    ).toEqual([
      ['out-of-scope', run('7'), 'started'],
      ['out-of-scope', run('7'), 'planned'],
    ]);
  });
});
