import { describe, expect, test } from 'vitest';

import {
  regressions,
  sameProgram,
  windowsOf,
} from '../../../services/dev/canary-climates/climates.ts';
import { binomial, poisson, seededRandom } from '../../../services/dev/canary-climates/random.ts';

const meanOf = (times: number, draw: () => number): number =>
  Array.from({ length: times }, draw).reduce((sum, value) => sum + value, 0) / times;

test.each([...sameProgram, ...regressions])('$name is the same for the same seed', (climate) => {
  const draw = (seed: number): unknown => [
    ...windowsOf(climate, seededRandom(seed, 3), 5_000, 360),
  ];
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

describe('the random counts have the mean asked for:', () => {
  test.each([0.5, 9, 250])('Poisson %d', (mean) => {
    const random = seededRandom(1, 0);
    const found = meanOf(20_000, () => poisson(random, mean));
    expect(Math.abs(found - mean)).toBeLessThan(5 * Math.sqrt(mean / 20_000));
  });

  test.each([0.001, 0.05, 0.9])('binomial, %d of 250', (probability) => {
    const random = seededRandom(2, 0);
    const found = meanOf(20_000, () => binomial(random, 250, probability));
    const deviation = Math.sqrt((250 * probability * (1 - probability)) / 20_000);
    expect(Math.abs(found - 250 * probability)).toBeLessThan(5 * deviation);
  });

  test('binomial, none and all', () => {
    expect(binomial(seededRandom(3, 0), 10, 0)).toBe(0);
    expect(binomial(seededRandom(3, 0), 10, 1)).toBe(10);
  });
});
