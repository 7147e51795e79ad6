import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { levelInterval, levelRatio } from '../../../../services/core/canary/metrics/level-ratio.ts';
import type { LevelSums } from '../../../../services/core/canary/metrics/level-ratio.ts';

/** Some are 0; none is so small that its square is. */
const level = fc.oneof(
  fc.double({ min: 1e-9, max: 1, noNaN: true }),
  fc.integer({ min: 0, max: 1e9 }),
);

test('the interval of a level holds the ratio that is told beside it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(level, level), { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 10, noNaN: true }),
      (windows, variance) => {
        const sums = windows.reduce<LevelSums>(
          ([count, canary, baseline, canarySquares, baselineSquares], [one, other]) => [
            count + 1,
            canary + one,
            baseline + other,
            canarySquares + one * one,
            baselineSquares + other * other,
          ],
          [0, 0, 0, 0, 0],
        );
        const ratio = levelRatio(sums);
        const { low, high } = levelInterval(sums, variance, 0.99);
        if (ratio === null) return;
        expect(low ?? 0).toBeLessThanOrEqual(ratio * (1 + 1e-9));
        expect(high ?? Infinity).toBeGreaterThanOrEqual(ratio * (1 - 1e-9));
      },
    ),
    { numRuns: 1000 },
  );
});
