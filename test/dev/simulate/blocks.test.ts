import { expect, test } from 'vitest';
import { openDoneInOrder } from '../../../services/dev/simulate/blocks.ts';
import type { Tally } from '../../../services/dev/simulate/tally.ts';

const block = (faults: number, divergences = 0): Tally => ({
  schedules: 10,
  faults,
  divergences,
  byName: new Map([['crash', faults]]),
  refusals: new Map(),
});

test('blocks that end out of order are added up only as far as none is missing', () => {
  const reached: (readonly number[])[] = [];
  const done = openDoneInOrder(41, ({ schedules, faults, divergences, byName }) =>
    reached.push([schedules, faults, divergences, byName.get('crash') ?? 0]),
  );
  done.add(51, block(2, 1));
  done.add(71, block(4));
  done.add(41, block(1));
  done.add(61, block(3));
  expect(reached).toEqual([
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [20, 3, 1, 3],
    [40, 10, 1, 10],
  ]);
});
