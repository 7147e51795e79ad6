import { expect, test } from 'vitest';
import { openTurn } from '../../../services/adapters/system/turn.ts';

const workMs = 5;

test('after some work others have their turn', async () => {
  const turn = openTurn();
  for (let round = 0; round < 3; round++) {
    let hadTurn = false;
    setImmediate(() => (hadTurn = true));
    const begunMs = performance.now();
    while (performance.now() - begunMs < workMs);
    await turn();
    expect(hadTurn).toBe(true);
  }
});
