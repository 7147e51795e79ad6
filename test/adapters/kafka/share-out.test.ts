import { assert, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../services/adapters/kafka/share-out.ts';
import { partitionOfKey, sampleKey } from '../../../services/core/samples/key.ts';

const members = (...ids: readonly string[]) => ids.map((memberId) => ({ memberId }));
const twelve = Array.from({ length: 12 }, (_, index) => index);

test.each([
  [
    'two members have six partitions each, the oldest the first ones',
    ['b', 'a'],
    twelve,
    { a: [0, 1, 2, 3, 4, 5], b: [6, 7, 8, 9, 10, 11] },
  ],
  [
    'the order in which the broker names partitions does not matter',
    ['a', 'b'],
    [1, 0],
    { a: [0], b: [1] },
  ],
  [
    'of more members than partitions the youngest stand by',
    ['a', 'b', 'c', 'd', 'e'],
    [0, 1, 2, 3],
    { a: [0], b: [1], c: [2], d: [3] },
  ],
  ['one partition is of the oldest member, and others stand by', ['b', 'c', 'a'], [0], { a: [0] }],
])('%s', (_, ids, partitions, shares) => {
  const given = runsOf(members(...ids), [{ topic: 'samples', partitions }]);
  expect(
    Object.fromEntries(given.map(({ memberId, assignment }) => [memberId, assignment['samples']])),
  ).toEqual(shares);
});

test('every partition has one owner, and no member two more than another', () => {
  assert(
    property(integer({ min: 1, max: 9 }), integer({ min: 1, max: 40 }), (count, size) => {
      const partitions = Array.from({ length: size }, (_, index) => index);
      const ids = Array.from({ length: count }, (_, index) => `member ${index}`);
      const shares = runsOf(members(...ids), [{ topic: 'samples', partitions }]).map(
        ({ assignment }) => assignment['samples'] ?? [],
      );
      expect(shares.flat().toSorted((one, other) => one - other)).toEqual(partitions);
      const sizes = shares.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes, size >= count ? Infinity : 0)).toBeLessThan(2);
    }),
  );
});

test('canaries of environments and components that have one number in both names go to both of two analysers', () => {
  const [first] = runsOf(members('a', 'b'), [{ topic: 'samples', partitions: twelve }]);
  const owned = new Set(first?.assignment['samples']);
  const keys = Array.from({ length: 200 }, (_, index) =>
    sampleKey({ environment: `pr-${index}`, component: `shop-${index}` }),
  );
  const share = keys.filter((key) => owned.has(partitionOfKey(key, 12))).length / keys.length;
  expect(share).toBeGreaterThan(0.35);
  expect(share).toBeLessThan(0.65);
});
