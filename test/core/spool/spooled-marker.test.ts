import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import type { SpooledMarker } from '../../../services/core/spool/spooled-marker.ts';
import {
  decodeSpooled,
  encodeSpooled,
  spooledBytesMax,
  waitedSince,
} from '../../../services/core/spool/spooled-marker.ts';
import { valueBytesMax } from '../../../services/core/markers/limits.ts';
import { tools } from '../../support/given.ts';

const text = (written: string): Uint8Array => tools.text.encodeUtf8(written);

const spooled = (over: Partial<SpooledMarker> = {}): SpooledMarker => ({
  to: 'log',
  destination: 'the log',
  at: { wallMs: 1_800_000_000_000, boot: { id: 'b', ms: 5_000 } },
  deployment: null,
  record: {
    key: text('a key/µ'),
    headers: [
      { name: 'ce_id', value: text('01a2031f-40b2-7390-8e28-63f6de21d63b') },
      { name: 'ce_type', value: text('plimsoll.logged.v1') },
    ],
    value: Uint8Array.of(0, 10, 255, 10, 13),
  },
  refusal: null,
  ...over,
});

const printable = fc.string({ unit: 'binary', maxLength: 200 }).map((one) => one.toWellFormed());
const anySpooled: fc.Arbitrary<SpooledMarker> = fc.record({
  to: fc.constant('log' as const),
  destination: printable,
  at: fc.record({
    wallMs: fc.nat(),
    boot: fc.option(fc.record({ id: printable, ms: fc.nat() })),
  }),
  deployment: fc.option(printable),
  record: fc.record({
    key: printable.map(text),
    headers: fc.array(fc.record({ name: printable, value: printable.map(text) }), {
      maxLength: 16,
    }),
    value: fc.uint8Array({ maxLength: 300 }),
  }),
  refusal: fc.option(fc.record({ code: printable, message: printable, hint: printable })),
});

test('what is laid down is read as it was', () => {
  fc.assert(
    fc.property(anySpooled, (one) => {
      expect(decodeSpooled(tools, encodeSpooled(tools, one))).toEqual({ ok: true, value: one });
    }),
  );
});

test('the largest marker that a log takes fits', () => {
  const headers = Array.from({ length: 16 }, (_, index) => ({
    name: `h${index}`,
    value: text('\u0001'.repeat(1000)),
  }));
  const largest = spooled({
    record: { key: text('\u0001'.repeat(8192)), headers, value: new Uint8Array(valueBytesMax) },
  });
  const bytes = encodeSpooled(tools, largest);
  expect(bytes.length).toBeLessThanOrEqual(spooledBytesMax);
  expect(decodeSpooled(tools, bytes).ok).toBe(true);
});

test('cut off anywhere, or with any byte changed, it is damaged or says another head, never throws', () => {
  const whole = encodeSpooled(tools, spooled());
  for (let length = 0; length < whole.length; length += 1)
    expect(decodeSpooled(tools, whole.slice(0, length))).toMatchObject({
      problem: { code: 'spool-damaged' },
    });
  const valueFrom = whole.indexOf(10) + 1;
  for (let at = valueFrom; at < whole.length; at += 1) {
    const changed = whole.map((byte, index) => (index === at ? byte ^ 1 : byte));
    expect(decodeSpooled(tools, changed).ok).toBe(false);
  }
});

const line = (head: object): Uint8Array => text(`${JSON.stringify(head)}\n`);
const emptyDigest = tools.crypto.sha256Hex(new Uint8Array());
const head = {
  v: 1,
  to: 'log',
  for: '',
  at: { wallMs: 1, boot: null },
  deployment: null,
  key: '',
  headers: [],
  bytes: 0,
  digest: emptyDigest,
};

test.each<[string, object, string]>([
  ['a newer version', { ...head, v: 2 }, 'a newer release may read it'],
  ['another stream', { ...head, to: 'samples' }, 'a field'],
  ['no destination', { ...head, for: null }, 'a field'],
  ['no time', { ...head, at: null }, 'a field'],
  ['a time that is none', { ...head, at: { wallMs: -1, boot: null } }, 'a field'],
  ['a boot that is none', { ...head, at: { wallMs: 1, boot: { id: 'x' } } }, 'a field'],
  ['a key that is no text', { ...head, key: 7 }, 'a field'],
  [
    'too many headers',
    { ...head, headers: Array.from({ length: 17 }, () => ['a', 'b']) },
    'a field',
  ],
  ['a header that is no pair', { ...head, headers: ['a'] }, 'a field'],
  ['a deployment that is no text', { ...head, deployment: [] }, 'a field'],
  ['a refusal without words', { ...head, refusal: {} }, 'a field'],
  ['another length', { ...head, bytes: 1 }, 'cut off'],
])('with %s it holds no marker', (_fault, given, says) => {
  expect(decodeSpooled(tools, line(head)).ok).toBe(true);
  const decoded = decodeSpooled(tools, line(given));
  expect(decoded).toMatchObject({ problem: { message: expect.stringContaining(says) } });
});

test.each<[string, Parameters<typeof waitedSince>, number]>([
  [
    'by the clock that nobody sets, whatever the wall clock does',
    [
      { wallMs: 9_000_000, boot: { id: 'b', ms: 1_000 } },
      { wallMs: 5_000, boot: { id: 'b', ms: 61_000 } },
    ],
    60_000,
  ],
  [
    'by the wall clock after a restart of the machine',
    [
      { wallMs: 1_000, boot: { id: 'b', ms: 90_000 } },
      { wallMs: 31_000, boot: { id: 'c', ms: 500 } },
    ],
    30_000,
  ],
  [
    'by the wall clock where there is no other',
    [
      { wallMs: 1_000, boot: null },
      { wallMs: 1_500.4, boot: { id: 'c', ms: 500 } },
    ],
    500,
  ],
  [
    'as little as can be where the clock was set back',
    [
      { wallMs: 9_000, boot: null },
      { wallMs: 1_000, boot: null },
    ],
    1,
  ],
  [
    'never nothing: what is late is judged as late',
    [
      { wallMs: 1_000, boot: { id: 'b', ms: 7 } },
      { wallMs: 1_000, boot: { id: 'b', ms: 7 } },
    ],
    1,
  ],
])('how long it waited is told %s', (_how, [from, now], waitedMs) => {
  expect(waitedSince(from, now)).toBe(waitedMs);
});
