import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { trimmedMean } from '../../../../services/core/canary/noise/loud.ts';

/** All choices of `size` of the values. */
const choices = (values: readonly number[], size: number): readonly (readonly number[])[] => {
  if (size === 0) return [[]];
  const [first, ...rest] = values;
  if (first === undefined) return [];
  return [...choices(rest, size - 1).map((choice) => [first, ...choice]), ...choices(rest, size)];
};
const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

test('a trimmed mean is the mean over all choices without their highest and lowest', () => {
  const values = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 3, maxLength: 9 });
  fc.assert(
    fc.property(values, fc.nat(), (all, at) => {
      const size = 3 + (at % (all.length - 2));
      const means = choices(all, size).map((choice) =>
        meanOf(choice.toSorted((left, right) => left - right).slice(1, -1)),
      );
      expect(trimmedMean(all, size)).toBeCloseTo(meanOf(means), 9);
    }),
    { numRuns: 200 },
  );
});

test('a single value, however high or low, moves it no further than the other values lie', () => {
  const values = fc.array(fc.double({ min: 1, max: 2, noNaN: true }), {
    minLength: 4,
    maxLength: 30,
  });
  fc.assert(
    fc.property(values, fc.constantFrom(0, 1e18), fc.nat(), (others, liar, at) => {
      const size = 3 + (at % (others.length - 1));
      const mean = trimmedMean([...others, liar], size);
      expect(mean).toBeGreaterThanOrEqual(1 - 1e-9);
      expect(mean).toBeLessThanOrEqual(2 + 1e-9);
    }),
  );
});
