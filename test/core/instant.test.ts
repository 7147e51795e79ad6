import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isoTime, isoTimeOrNull } from '../../services/core/instant.ts';
import { timeMsMax } from '../../services/core/markers/limits.ts';

const yearZero = Date.parse('0000-01-01T00:00:00Z');

test('a time is written as Date writes it, from the year 0 to 9999', () => {
  fc.assert(
    fc.property(fc.integer({ min: yearZero, max: timeMsMax }), (ms) => {
      expect(isoTime(ms)).toBe(new Date(ms).toISOString());
    }),
    { numRuns: 5000 },
  );
});

test('so is the first and last millisecond of each month of leap years and others', () => {
  for (const year of [0, 1900, 1970, 2000, 2023, 2024, 2026, 2100, 9999])
    for (let month = 0; month < 12; month++)
      for (const offset of [-1, 0]) {
        const date = new Date(0);
        date.setUTCFullYear(year, month, 1);
        const ms = Math.max(yearZero, date.getTime() + offset);
        expect(isoTime(ms)).toBe(new Date(ms).toISOString());
      }
});

test('a part of a millisecond is cut off', () =>
  expect(isoTime(0.9)).toBe('1970-01-01T00:00:00.000Z'));

test('no time is null', () => {
  expect(isoTimeOrNull(null)).toBeNull();
  expect(isoTimeOrNull(0)).toBe('1970-01-01T00:00:00.000Z');
});
