import { expect, test } from 'vitest';
import { addInOrder } from '../../../services/dev/simulate/blocks.ts';
import type { Tally } from '../../../services/dev/simulate/tally.ts';
import { noTally } from '../../../services/dev/simulate/tally.ts';

const block = (faults: number, divergences = 0): Tally => ({
  schedules: 10,
  faults,
  divergences,
  byName: new Map([['crash', faults]]),
  refusals: new Map(),
});

test('blocks that end out of order are added up only as far as none is missing', () => {
  const all = noTally();
  const add = addInOrder(41, all);
  const reached = [
    [51, block(2, 1)] as const,
    [71, block(4)] as const,
    [41, block(1)] as const,
    [61, block(3)] as const,
  ].map(([seed, ended]) => {
    add(seed, ended);
    const { schedules, faults, divergences, byName } = all;
    return [schedules, faults, divergences, byName.get('crash') ?? 0];
  });
  expect(reached).toEqual([
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [20, 3, 1, 3],
    [40, 10, 1, 10],
  ]);
});
