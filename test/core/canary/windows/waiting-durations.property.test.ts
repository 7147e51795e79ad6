import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOfText, textOfBytes } from '../../../../services/core/canary/windows/byte-text.ts';
import type { Durations } from '../../../../services/core/canary/windows/durations.ts';
import {
  durationsIn,
  waitingFrom,
} from '../../../../services/core/canary/windows/waiting-durations.ts';

test('bytes come out of a text as they went in', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9_000 }), (bytes) => {
      const text = textOfBytes(bytes);
      expect(bytesOfText(text)).toStrictEqual(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64').replaceAll('=', ''));
    }),
    { numRuns: 100 },
  );
});

const count = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
);

const trimmed = (counts: readonly number[]): readonly number[] => {
  const last = counts.findLastIndex((one) => one > 0);
  return counts.slice(0, last + 1);
};

test('buckets that waited are what they were', () => {
  const exponential = fc
    .tuple(fc.array(count, { maxLength: 40 }), fc.integer({ min: -9, max: 9 }), fc.boolean())
    .map(([counts, offset, isMs]): Durations => ({
      shape: 'exponential',
      ...(isMs ? { unit: 'ms' as const } : {}),
      scale: 3,
      zeroCount: 4,
      ...(counts[0] === 0 || trimmed(counts).length === 0
        ? { offset: 0, counts: [] }
        : { offset, counts: trimmed(counts) }),
    }));
  const explicit = fc
    .array(count, { minLength: 3, maxLength: 3 })
    .map((counts): Durations => ({ shape: 'explicit', bounds: [0.1, 0.5], counts }));
  fc.assert(
    fc.property(fc.oneof(exponential, explicit), (durations) => {
      const waiting = waitingFrom(durations);
      expect(durationsIn(waiting)).toStrictEqual(durations);
      expect(JSON.parse(JSON.stringify(waiting))).toStrictEqual(waiting);
    }),
    { numRuns: 200 },
  );
});
