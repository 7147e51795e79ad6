import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { utcMsOf } from '../../services/core/utc-time.ts';

test('a time is taken as it was written', () => {
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true, max: new Date('9999-12-31T23:59:59Z') }), (date) => {
      fc.pre(date.getUTCFullYear() >= 0);
      expect(utcMsOf(date.toISOString())).toBe(date.getTime());
    }),
  );
});

test.each([
  ['2026-11-21T10:00Z', Date.UTC(2026, 10, 21, 10)],
  ['2026-11-21T10:00:00+00:00', Date.UTC(2026, 10, 21, 10)],
  ['2024-02-29T10:00:00.5Z', Date.UTC(2024, 1, 29, 10, 0, 0, 500)],
])('%s is a time', (written, timeMs) => expect(utcMsOf(written)).toBe(timeMs));

test.each([
  '2026-02-30T10:00:00Z',
  '2026-02-29T10:00:00Z',
  '2026-04-31T10:00:00Z',
  '2026-13-01T10:00:00Z',
  '2026-00-10T10:00:00Z',
  '2026-11-21T24:00:00Z',
  '2026-11-21T10:60:00Z',
  '2026-11-21T10:00:60Z',
  '2026-11-21T10:00:00+01:00',
  '2026-11-21 10:00:00Z',
  '2026-11-21',
  'yesterday',
  '',
])('%j is none', (written) => expect(utcMsOf(written)).toBeNull());
