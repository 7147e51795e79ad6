import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createMemoryIds } from '../../../services/adapters/memory/ids.ts';
import { createIds } from '../../../services/adapters/system/ids.ts';
import { idsContract } from '../../contract/ids.contract.ts';

idsContract('system ids', (nowMs) => createIds({ nowMs, randomBytes }));
idsContract('memory ids', (nowMs) => createMemoryIds('a seed', nowMs));

test('system ids: the bits are laid out as RFC 9562 shows them', () => {
  // The time is that of its example in A.6; the random bytes are all ones.
  const ids = createIds({
    nowMs: () => 0x017f22e279b0,
    randomBytes: (count) => new Uint8Array(count).fill(0xff),
  });
  expect(ids.uuidV7()).toBe('017f22e2-79b0-77ff-bfff-ffffffffffff');
  expect(ids.uuidV7()).toBe('017f22e2-79b0-7800-bfff-ffffffffffff');
});

test('memory ids: the same seed gives the same ids, another seed others', () => {
  const [first, second, other] = ['seed', 'seed', 'other'].map((seed) => {
    const ids = createMemoryIds(seed, () => 0);
    return [ids.uuidV7(), ids.uuidV7()];
  });
  expect(first).toEqual(second);
  expect(first).not.toEqual(other);
});
