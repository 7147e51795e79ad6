import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../services/dev/canary-climates/random.ts';
import type { Build, Cart } from '../../../services/dev/demo/checkout.ts';
import { BankUnavailable, checkOut, parseCart } from '../../../services/dev/demo/checkout.ts';
import { nextCart } from '../../../services/dev/demo/customers.ts';

const cart: Cart = { cents: 1_299, percentOff: 0, bank: 'answers' };

describe('the shop', () => {
  test.each<Build>(['1.0.0', '2.0.0', '2.0.0-fixed'])('%s charges what the cart costs', (build) => {
    expect(checkOut(build, cart)).toBe(1_299n);
    expect(checkOut(build, { ...cart, cents: 4_000, percentOff: 15 })).toBe(3_400n);
  });

  test('a discount that is no whole number of cents is rounded, except by the bug of 2.0.0', () => {
    const discounted = { ...cart, percentOff: 15 };
    expect(checkOut('1.0.0', discounted)).toBe(1_104n);
    expect(checkOut('2.0.0-fixed', discounted)).toBe(1_104n);
    expect(() => checkOut('2.0.0', discounted)).toThrow(RangeError);
  });

  test('a silent bank fails any release', () => {
    expect(() => checkOut('1.0.0', { ...cart, bank: 'silent' })).toThrow(BankUnavailable);
  });

  test.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['no bank', '{"cents":1,"percentOff":0}'],
    ['half a cent', '{"cents":1.5,"percentOff":0,"bank":"answers"}'],
    ['a price below zero', '{"cents":-1,"percentOff":0,"bank":"answers"}'],
    ['a discount above 100 %', '{"cents":1,"percentOff":101,"bank":"answers"}'],
  ])('%s is no cart', (_, body) => {
    expect(parseCart(body)).toBeUndefined();
  });

  test('a cart that was sent is the cart that arrives', () => {
    expect(parseCart(JSON.stringify(cart))).toEqual(cart);
  });
});

describe('the customers', () => {
  const carts = (seed: number, count: number): readonly Cart[] => {
    const random = seededRandom(seed, 2);
    return Array.from({ length: count }, () => nextCart(random));
  };
  const failedShare = (build: Build, sent: readonly Cart[]): number =>
    sent.filter((one) => {
      try {
        checkOut(build, one);
        return false;
      } catch {
        return true;
      }
    }).length / sent.length;

  test('the same seed brings the same carts, another seed others', () => {
    expect(carts(7, 50)).toEqual(carts(7, 50));
    expect(carts(7, 50)).not.toEqual(carts(8, 50));
  });

  test('the bug meets some 8 % of them, and what any release suffers about one in two thousand', () => {
    const sent = carts(1, 200_000);
    expect(failedShare('2.0.0', sent)).toBeCloseTo(0.0805, 2);
    expect(failedShare('1.0.0', sent)).toBeCloseTo(0.0005, 3);
    expect(failedShare('2.0.0-fixed', sent)).toBe(failedShare('1.0.0', sent));
  });
});
