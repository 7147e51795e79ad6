import { expect, test } from 'vitest';
import type { FoldState } from '../../services/core/projection.ts';
import type { LogRecord } from '../../services/core/log/record.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { applyBatch, loadState } from '../../services/projector/project.ts';
import { again, by, emptyStore, portsOf, recordsOf, trusts } from '../support/given.ts';
import { audience, planned, started } from '../support/markers.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

/** Folds record by record; says at which it asked the store for rows of markers. The first ones are folded before. */
const foldWatched = async (records: readonly LogRecord[], before: number) => {
  const store = emptyStore();
  const first = await applyBatch(portsOf(store), 'g', undefined, records.slice(0, before));
  const asked: number[] = [];
  const outcomes: string[] = [];
  let at = before;
  const watched: ReadModelStore = {
    ...store,
    rows: (generation, keys) => {
      if (keys.some(({ model }) => model === 'marker')) asked.push(at);
      return store.rows(generation, keys);
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
  return { asked, outcomes };
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

test('who goes on from rows that others wrote asks for each', async () => {
  const { asked, outcomes } = await foldWatched(await recordsOf(...history), 2);
  expect(asked).toEqual([2, 3, 4]);
  expect(outcomes).toEqual(['applied', 'applied', 'duplicate']);
});
