import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import type { RememberedRange, SignatureOutcome } from '../../../services/core/check/remembered.ts';
import {
  beginDigest,
  extendDigest,
  isSampled,
  outcomeSays,
  outcomeWith,
  rangeHolds,
  rangeKey,
  readRange,
  writeRange,
} from '../../../services/core/check/remembered.ts';
import type { LogRecord } from '../../../services/core/log/record.ts';
import { by, recordsOf, tools } from '../../support/given.ts';
import { audience, logId, planned, started, succeeded } from '../../support/markers.ts';

const records = await recordsOf(
  by('ci', planned()),
  by('ci', started(), { waitedMs: 500 }),
  by('ci', succeeded()),
);

const rangeOf = (from: number, parts: readonly number[]): RememberedRange => {
  let digest = beginDigest(tools, audience, logId, from);
  let to = from;
  for (const part of parts) {
    digest = extendDigest(tools, digest, records.slice(to, to + part));
    to += part;
  }
  const outcomes = records.slice(from, to).map((): SignatureOutcome => 'g');
  return { from, to, parts, digest, outcomes };
};
const holds = (range: RememberedRange, of: readonly LogRecord[]): boolean =>
  rangeHolds(tools, audience, logId, range, of);

describe('the digest of a range', () => {
  const range = rangeOf(1, [1, 2, 1]);
  const own = records.slice(1, 5);

  test('holds for the records that it was made of', () => {
    expect(holds(range, own)).toBe(true);
    expect(holds(rangeOf(1, [4]), own)).toBe(true);
  });

  test('holds for no other audience, log or place', () => {
    expect(rangeHolds(tools, 'other', logId, range, own)).toBe(false);
    expect(rangeHolds(tools, audience, 'other', range, own)).toBe(false);
    expect(holds({ ...range, from: 0, to: 4 }, own)).toBe(false);
  });

  test('holds no more when any byte that a signature check reads is another, or gone', () => {
    const changed = (at: number, change: (record: LogRecord) => LogRecord): readonly LogRecord[] =>
      own.map((record, index) => (index === at ? change(record) : record));
    expect(
      holds(
        range,
        changed(1, (record) => ({ ...record, value: record.value.with(3, 1) })),
      ),
    ).toBe(false);
    for (const name of ['plimsoll-signature', 'plimsoll-schema', 'plimsoll-waited'])
      for (const at of own.keys()) {
        const carries = own[at]?.headers.some((header) => header.name === name) ?? false;
        const flipped = changed(at, (record) => ({
          ...record,
          headers: record.headers.map((header) =>
            header.name === name
              ? { ...header, value: header.value.with(2, (header.value[2] ?? 0) ^ 1) }
              : header,
          ),
        }));
        const without = changed(at, (record) => ({
          ...record,
          headers: record.headers.filter((header) => header.name !== name),
        }));
        expect([holds(range, flipped), holds(range, without)]).toEqual([!carries, !carries]);
      }
    expect(holds(range, own.slice(0, 3))).toBe(false);
    expect(holds(range, own.toReversed())).toBe(false);
  });

  test('does not mistake bytes that moved from one record to the next', () => {
    const [first, second, ...rest] = own;
    if (first === undefined || second === undefined) throw new Error('there are four');
    const moved = [
      { ...first, value: new Uint8Array([...first.value, ...second.value.slice(0, 1)]) },
      { ...second, value: second.value.slice(1) },
      ...rest,
    ];
    expect(holds(range, moved)).toBe(false);
  });
});

describe('a range as it is kept', () => {
  const outcomes = fc.array(fc.constantFrom<SignatureOutcome>('-', 'g', 'g', 'b', 'w', 'x'), {
    minLength: 1,
    maxLength: 300,
  });

  test('comes back as it was, whatever its outcomes and parts are', () => {
    fc.assert(
      fc.property(outcomes, fc.nat(1_000_000), fc.array(fc.nat(300)), (letters, from, cuts) => {
        const ends = [...new Set([...cuts.filter((cut) => cut > 0 && cut < letters.length)])];
        const sorted = [0, ...ends.toSorted((a, b) => a - b), letters.length];
        const parts = sorted.slice(1).map((end, index) => end - (sorted[index] ?? 0));
        const range = {
          from,
          to: from + letters.length,
          parts,
          digest: 'a'.repeat(64),
          outcomes: letters,
        };
        expect(readRange(rangeKey('log', from), writeRange(range))).toEqual(range);
      }),
    );
  });

  test('is short where all went well', () => {
    const outcomes200 = Array.from({ length: 399 }, (): SignatureOutcome => 'g');
    const range = { from: 7, to: 406, parts: [199, 200], digest: 'a'.repeat(64) };
    expect(writeRange({ ...range, outcomes: outcomes200 }).length).toBeLessThan(140);
  });

  test('is not read where anything of it is damaged', () => {
    const key = rangeKey('log', 1);
    const good = { version: 1, to: 4, parts: '1,2', digest: 'a'.repeat(64), outcomes: '2xg,b' };
    expect(readRange(key, JSON.stringify(good))).toBeDefined();
    for (const change of [
      { to: 5 },
      { to: 1 },
      { to: '4' },
      { parts: '3x2' },
      { parts: '1,1' },
      { parts: '' },
      { parts: '9999x9999' },
      { outcomes: '3xz' },
      { outcomes: '2xg' },
      { outcomes: '2000xg,2000xg' },
      { outcomes: null },
      { digest: 'é'.repeat(64) },
      { digest: 'a' },
      { version: 2 },
    ])
      expect([change, readRange(key, JSON.stringify({ ...good, ...change }))]).toEqual([
        change,
        undefined,
      ]);
    for (const text of ['', '{', 'null', '7', '[]']) expect(readRange(key, text)).toBeUndefined();
    expect(readRange('checks/1/log/somewhere', JSON.stringify(good))).toBeUndefined();
  });
});

describe('what a letter says', () => {
  test('is what was found', () => {
    for (const value of [true, false])
      for (const waited of [true, false, undefined]) {
        let letter = outcomeWith('-', 'value', value);
        if (waited !== undefined && value) letter = outcomeWith(letter, 'waited', waited);
        expect(outcomeSays(letter, 'value')).toBe(value);
        expect(outcomeSays(letter, 'waited')).toBe(value ? waited : undefined);
      }
  });

  test('is nothing of a check that was not made: a key that a newer release knows is still asked for', () => {
    for (const letter of ['-', undefined] as const)
      for (const signed of ['value', 'waited'] as const)
        expect(outcomeSays(letter, signed)).toBeUndefined();
  });
});

describe('the sample', () => {
  const sampleOf = (seed: number, share: number): readonly number[] =>
    Array.from({ length: 20_000 }, (_, position) => position).filter((position) =>
      isSampled(seed, share, position),
    );

  test('is everything with 1 and nothing with 0', () => {
    expect(sampleOf(5, 1)).toHaveLength(20_000);
    expect(sampleOf(5, 0)).toHaveLength(0);
  });

  test('follows from the seed, is as large as asked for, and spread evenly', () => {
    expect(sampleOf(5, 0.01)).toEqual(sampleOf(5, 0.01));
    expect(sampleOf(5, 0.01)).not.toEqual(sampleOf(6, 0.01));
    for (const seed of [0, 1, 5, 2 ** 31, 2 ** 32 - 1]) {
      const sample = sampleOf(seed, 0.01);
      // 200 are expected; five standard deviations are 70.
      expect(Math.abs(sample.length - 200)).toBeLessThan(70);
      expect(sample.filter((position) => position < 10_000).length).toBeGreaterThan(50);
      const gaps = sample.slice(1).map((position, index) => position - (sample[index] ?? 0));
      expect(new Set(gaps).size).toBeGreaterThan(50);
    }
  });
});
