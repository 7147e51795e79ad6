import { expect, test } from 'vitest';
import type { Membership } from '../../../services/adapters/kafka/membership.ts';
import { openMembership } from '../../../services/adapters/kafka/membership.ts';

/** What the subscription and the lease are told of a member, in order. */
const open = (): Membership & { readonly told: readonly string[] } => {
  const told: string[] = [];
  const membership = openMembership(
    (partitions) => told.push(`has ${partitions.join(',') || 'none'}`),
    (why) => told.push(`over: ${why}`),
  );
  return { ...membership, told };
};

test('while the group is shared out anew a member has nothing, and then what it is given', () => {
  const { told, joined, rejoining } = open();
  joined('a', [0, 1]);
  rejoining();
  joined('a', [1]);
  expect(told).toEqual(['has 0,1', 'has none', 'has 1']);
});

test('a member whose rejoining was given up, and who is a member still, has what it had', () => {
  const { told, joined, rejoining, acknowledged } = open();
  joined('a', [0]);
  rejoining();
  acknowledged();
  acknowledged();
  expect(told).toEqual(['has 0', 'has none', 'has 0']);
});

test('an acknowledgement without rejoining is no news', () => {
  const { told, joined, acknowledged } = open();
  acknowledged();
  joined('a', []);
  acknowledged();
  expect(told).toEqual(['has none']);
});

test('a member that was put out and let in under another name begins anew', () => {
  const { told, joined, rejoining } = open();
  joined('a', [0]);
  rejoining();
  joined('b', [0]);
  expect(told).toEqual(['has 0', 'has none', 'over: it was silent for longer than its lease']);
});
