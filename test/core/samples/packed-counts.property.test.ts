import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bucketsMax,
  packCounts,
  unpackCounts,
} from '../../../services/core/samples/packed-counts.ts';

const count = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  fc.nat({ max: 300 }),
  fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  fc.constantFrom(127, 128, 16_383, 16_384, Number.MAX_SAFE_INTEGER),
);

test('counts that were packed are unpacked as they were, without the empty ends', () => {
  fc.assert(
    fc.property(fc.array(count, { maxLength: bucketsMax }), (counts) => {
      const { first, bytes } = packCounts(counts);
      const unpacked = unpackCounts(bytes);
      const from = Math.max(
        0,
        counts.findIndex((each) => each > 0),
      );
      const to = counts.findLastIndex((each) => each > 0);
      expect(unpacked).toStrictEqual(counts.slice(from, to + 1));
      expect(first).toBe(from);
    }),
    { numRuns: 1_000 },
  );
});

test('any bytes are either refused or the very bytes that their counts are packed into', () => {
  let read = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 2, 128)), { maxLength: 12 }),
      (numbers) => {
        const bytes = Uint8Array.from(numbers);
        const counts = unpackCounts(bytes);
        if (counts === undefined) return;
        read += 1;
        expect(packCounts(counts)).toStrictEqual({ first: 0, bytes });
      },
    ),
    { numRuns: 5_000 },
  );
  expect(read).toBeGreaterThan(100);
});

describe('refused are', () => {
  test.each([
    ['empty buckets at the begin', [0, 2, 5]],
    ['empty buckets at the end', [5, 0, 2]],
    ['a run of no empty buckets', [5, 0, 0, 5]],
    ['two runs one after the other', [5, 0, 1, 0, 1, 5]],
    ['a number longer than it needs', [0x85, 0x00]],
    ['a number that is cut off', [0x85]],
    ['a number beyond 2^53', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['a run of a billion empty buckets', [5, 0, 0x80, 0x94, 0xeb, 0xdc, 0x03, 5]],
    ['one bucket too many', Array.from({ length: bucketsMax + 1 }, () => 1)],
  ])('%s', (_name, bytes) => {
    expect(unpackCounts(Uint8Array.from(bytes))).toBeUndefined();
  });
});
