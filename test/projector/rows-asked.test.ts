import { expect, test } from 'vitest';
import type { FoldState } from '../../services/core/projection.ts';
import type { LogRecord } from '../../services/core/log/record.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { applyBatch, loadState } from '../../services/projector/project.ts';
import { again, by, emptyStore, portsOf, recordsOf, trusts } from '../support/given.ts';
import { audience, planned, run, started } from '../support/markers.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

/**
 * Folds record by record; says at which it asked the store for rows of markers, and at which a step was refused. The
 * first ones are folded before.
 */
const foldWatched = async (records: readonly LogRecord[], before: number) => {
  const store = emptyStore();
  const first = await applyBatch(portsOf(store), 'g', undefined, records.slice(0, before));
  const asked: number[] = [];
  const refused: number[] = [];
  const outcomes: string[] = [];
  let at = before;
  const watched: ReadModelStore = {
    ...store,
    rows: (generation, keys) => {
      if (keys.some(({ model }) => model === 'marker')) asked.push(at);
      return store.rows(generation, keys);
    },
    commit: async (generation, step) => {
      const done = await store.commit(generation, step);
      if (done.ok && done.value !== 'committed') refused.push(at);
      return done;
    },
  };
  value(first);
  let state: FoldState | undefined = value(await loadState(portsOf(store), 'g'));
  for (; at < records.length; at += 1) {
    const done = value(await applyBatch(portsOf(watched), 'g', state, records.slice(at, at + 1)));
    ({ state } = done);
    outcomes.push(...done.outcomes.map(({ outcome }) => outcome));
  }
  expect(value(await store.dump('g'))).toEqual(pureFold(records, audience).dumpAt(records.length));
  return { asked, refused, outcomes };
};

const history = [
  trusts('ci'), // 1
  by('ci', planned()), // 2
  by('ci', started()), // 3
  again(2), // 4
];

test('who folds from the beginning knows which markers are new, and asks for one that is not', async () => {
  const { asked, outcomes } = await foldWatched(await recordsOf(...history), 1);
  expect(asked).toEqual([4]);
  expect(outcomes).toEqual(['trust', 'applied', 'applied', 'duplicate']);
});

test('who goes on from rows that others wrote takes markers for new, and looks where one is not', async () => {
  const { asked, refused, outcomes } = await foldWatched(await recordsOf(...history), 2);
  expect(refused).toEqual([4]);
  expect(asked).toEqual([4]);
  expect(outcomes).toEqual(['applied', 'applied', 'duplicate']);
});

test('where one marker came again it looks for the next ones, for a while', async () => {
  const fresh = Array.from({ length: 30 }, (_, number) =>
    by('ci', planned('2.0.0', { deployment: run(`other ${number}`) })),
  );
  const { asked, refused } = await foldWatched(await recordsOf(...history, ...fresh), 2);
  expect(refused).toEqual([4]);
  expect(asked).toEqual(Array.from({ length: 20 }, (_, number) => 4 + number));
});

test('a deployment that is planned again, by another marker, is the one that is there', async () => {
  const rerun = by('ci', planned('2.0.0', { attempt: 'run-2' }));
  const records = await recordsOf(...history.slice(0, 3), rerun);
  const { refused, outcomes } = await foldWatched(records, 4);
  expect(refused).toEqual([4]);
  expect(outcomes).toEqual(['applied']);
});
