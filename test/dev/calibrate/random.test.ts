import { describe, expect, test } from 'vitest';

import { poissonCounts } from '../../../services/dev/calibrate/poisson.ts';
import { normal, randomOf, wandering } from '../../../services/dev/calibrate/random.ts';

const draws = (times: number, draw: () => number): readonly number[] =>
  Array.from({ length: times }, draw);

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const varianceOf = (values: readonly number[]): number => {
  const mean = meanOf(values);
  return meanOf(values.map((value) => (value - mean) ** 2));
};

describe('the numbers of a run', () => {
  const numbers = (seed: number, name: string, run: number): readonly number[] =>
    draws(5, randomOf(seed, name, run));

  test('are the same again for the same seed, name and run', () => {
    expect(numbers(1, 'iid 50/50', 7)).toEqual(numbers(1, 'iid 50/50', 7));
  });

  test('are others for another seed, name or run', () => {
    const firsts = [
      numbers(1, 'iid 50/50', 7),
      numbers(2, 'iid 50/50', 7),
      numbers(1, 'iid 5/45', 7),
      numbers(1, 'iid 50/50', 8),
    ].map(([first]) => first);
    expect(new Set(firsts).size).toBe(4);
  });

  test('lie evenly between 0 and 1', () => {
    const values = draws(40_000, randomOf(3, 'even', 0));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(meanOf(values)).toBeCloseTo(0.5, 2);
    expect(varianceOf(values)).toBeCloseTo(1 / 12, 2);
  });
});

test('normal numbers have mean 0 and variance 1', () => {
  const random = randomOf(1, 'normal', 0);
  const values = draws(40_000, () => normal(random));
  expect(Math.abs(meanOf(values))).toBeLessThan(0.02);
  expect(Math.abs(varianceOf(values) - 1)).toBeLessThan(0.03);
});

test('a wandering number is standard normal and forgets by the given number of steps', () => {
  const random = randomOf(1, 'wandering', 0);
  const next = wandering(random, 12);
  const values = draws(60_000, next);
  const neighbours = values.slice(1).map((value, index) => value * (values[index] ?? 0));
  expect(Math.abs(varianceOf(values) - 1)).toBeLessThan(0.1);
  expect(Math.abs(meanOf(neighbours) - Math.exp(-1 / 12))).toBeLessThan(0.1);
});

describe('Poisson counts have their mean and their variance:', () => {
  test.each([0.001, 0.4, 3, 97])('%d', (mean) => {
    const random = randomOf(1, 'poisson', 0);
    const draw = poissonCounts([1, mean]);
    const times = 30_000;
    const values = draws(times, () => draw(random)[1] ?? 0);
    expect(Math.abs(meanOf(values) - mean)).toBeLessThan(5 * Math.sqrt(mean / times));
    const spreadOfVariance = Math.sqrt((2 * mean * mean + mean) / times);
    expect(Math.abs(varianceOf(values) - mean)).toBeLessThan(5 * spreadOfVariance);
  });
});
