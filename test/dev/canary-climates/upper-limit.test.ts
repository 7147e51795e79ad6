import { expect, test } from 'vitest';

import { upperLimit } from '../../../services/dev/canary-climates/upper-limit.ts';

test('nothing in a thousand trials leaves a share of 0.3 % possible', () => {
  expect(upperLimit(0, 1_000, 0.95)).toBeCloseTo(1 - 0.05 ** (1 / 1_000), 12);
});

test('5 in 1000 leave 1.05 % possible', () => {
  expect(upperLimit(5, 1_000, 0.95)).toBeCloseTo(0.01048, 5);
});

test('the limit lies above the share seen, and at 1 when every trial counted', () => {
  expect(upperLimit(50, 100, 0.95)).toBeGreaterThan(0.5);
  expect(upperLimit(100, 100, 0.95)).toBe(1);
});
