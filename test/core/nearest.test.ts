import { expect, test } from 'vitest';
import { nearest, nearestPlace } from '../../services/core/nearest.ts';

test.each([
  ['chekout', 'checkout'],
  ['CHECKOUT', 'checkout'],
  ['cehckout', 'checkout'],
  ['basket', undefined],
])('nearest to %s is %s', (written, found) => {
  expect(nearest(written, ['checkout', 'search'])).toBe(found);
});

test.each([
  ['production/chekout', 'production/checkout'],
  ['prod/checkout', 'production/checkout'],
  ['staging/basket', 'staging/search'],
  ['test/basket', undefined],
])('the place nearest to %s is %s', (written, found) => {
  expect(nearestPlace(written, ['production/checkout', 'staging/search'])).toBe(found);
});

test('two names that have no letter in common are not near, however short', () => {
  expect(nearest('b', ['p'])).toBeUndefined();
  expect(nearest('b', ['B'])).toBe('B');
  expect(nearest('ab', ['ac'])).toBe('ac');
});
