import { expect, test } from 'vitest';
import { openChance } from '../../../services/dev/simulate/chance.ts';
import { openLife, openScheduler, settleTicks } from '../../../services/dev/simulate/scheduler.ts';
import {
  instanceOf,
  openSimulatedStore,
  rewritten,
} from '../../../services/dev/simulate/simulated-store.ts';
import type { SimulatedStore } from '../../../services/dev/simulate/simulated-store.ts';
import type { Checkpoint } from '../../../services/ports/read-model-store.ts';
import { value } from '../../support/records.ts';

// The simulated store is the memory store, which has passed its contract; here is what the simulation does to it.

const at = (next: number): Checkpoint => ({
  logId: 'log',
  next,
  lastDigest: `digest of ${next - 1}`,
  foldVersion: 1,
  rowsDigest: `rows at ${next}`,
});

const openStore = (): { readonly store: SimulatedStore; readonly run: () => Promise<void> } => {
  const scheduler = openScheduler({
    startMs: 0,
    chance: openChance(1, 0),
    turnOf: () => 'runs',
    crash: () => undefined,
    impatience: () => 0,
    settle: settleTicks,
    trace: undefined,
  });
  return {
    store: openSimulatedStore(scheduler, {
      committed: () => undefined,
      told: () => undefined,
      checkpointRead: () => undefined,
      switched: async () => undefined,
      dropped: () => undefined,
      rebuildBegun: async () => undefined,
    }),
    run: async () => {
      while (await scheduler.step());
    },
  };
};

const threeSteps = async (): Promise<SimulatedStore> => {
  const { store, run } = openStore();
  const port = store.open(openLife('projector'));
  for (const next of [1, 2, 3]) {
    const committed = port.commit('g1', {
      from: next === 1 ? undefined : at(next - 1),
      to: at(next),
      writes: [{ model: 'marker', key: `${next}`, value: 'row' }],
    });
    await run();
    expect(value(await committed)).toBe('committed');
  }
  return store;
};

test('a store that is put back to an earlier state has its rows and its checkpoint', async () => {
  const store = await threeSteps();
  store.replace(await instanceOf(store.instance().history.slice(0, 2)));
  const { store: held } = store.instance();
  expect(value(await held.checkpoint('g1'))).toEqual(at(2));
  expect(value(await held.dump('g1'))).toEqual(['marker\n1\nrow', 'marker\n2\nrow']);
});

test('read models of another release say so, and are the same rows', async () => {
  const store = await threeSteps();
  const { store: held } = await instanceOf(rewritten(store.instance().history, 'g1', 9));
  expect(value(await held.checkpoint('g1'))).toEqual({ ...at(3), foldVersion: 9 });
  expect(value(await held.dump('g1'))).toHaveLength(3);
});

test('nothing happens before its turn', async () => {
  const { store, run } = openStore();
  const port = store.open(openLife('projector'));
  let isAnswered = false;
  void port.current().then(() => {
    isAnswered = true;
  });
  await settleTicks();
  expect(isAnswered).toBe(false);
  await run();
  expect(isAnswered).toBe(true);
});
