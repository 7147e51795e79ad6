import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { partitionOfKey, sampleKey } from '../../../services/core/samples/key.ts';

test('a key names environment and component, and no two pairs have the same', () => {
  expect(sampleKey({ environment: 'production', component: 'checkout' })).toBe(
    'production/checkout',
  );
  expect(sampleKey({ environment: 'a/b', component: 'ü' })).toBe('a%2Fb/%C3%BC');
  fc.assert(
    fc.property(fc.tuple(fc.string(), fc.string()), fc.tuple(fc.string(), fc.string()), (a, b) => {
      const [left, right] = [a, b].map(([environment, component]) =>
        sampleKey({ environment, component }),
      );
      expect(left === right).toBe(a[0] === b[0] && a[1] === b[1]);
    }),
  );
});

test('the partition is that of FNV-1a, as its authors publish it, so every program finds the same', () => {
  const wholeHash = (key: string): number => partitionOfKey(key, 2 ** 32);
  expect(wholeHash('')).toBe(0x811c9dc5);
  expect(wholeHash('a')).toBe(0xe40c292c);
  expect(wholeHash('foobar')).toBe(0xbf9cf968);
  expect(partitionOfKey('production/checkout', 12)).toBe(wholeHash('production/checkout') % 12);
});

test('keys spread over the partitions', () => {
  const counts = Array<number>(12).fill(0);
  for (let index = 0; index < 1_200; index++) {
    const partition = partitionOfKey(`production/service-${index}`, 12);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(50);
});
