import { expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { ProjectionPorts } from '../../services/ports/projecting.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { foldToEnd } from '../../services/projector/catch-up.ts';
import { applyBatch, loadState } from '../../services/projector/project.ts';
import { emptyStore, openedAtMs, tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { audience } from '../support/markers.ts';
import { value } from '../support/records.ts';

// A step whose rows came from a store that stood in for ours for a moment: an empty one after a failover, or that of
// another log, which stands at the same position.

const generation = 'g1';
const stepAt = 40;

const folded = async (seed: number): Promise<ProjectionPorts> => {
  const records = await hostileLog({ seed, audience, records: 60 });
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => openedAtMs });
  value(await log.append(0, records));
  const ports = { log, store: emptyStore(), tools, audience, pinnedLogId: null };
  value(await foldToEnd(ports, generation, { to: stepAt }));
  return ports;
};

const stepWithRowsOf = async (other: ReadModelStore): Promise<void> => {
  const ports = await folded(3);
  const { store } = ports;
  const before = value(await store.dump(generation));
  const state = value(await loadState(ports, generation));
  const records = value(await ports.log.read(0, stepAt, 20));
  const mixed = { ...ports, store: { ...store, rows: other.rows } };
  const applied = await applyBatch(mixed, generation, state, records);
  expect(applied).toMatchObject({ ok: false, problem: { code: 'gap' } });
  expect(value(await store.dump(generation))).toEqual(before);
};

test('rows of an empty store are not taken for rows that are not there', () =>
  stepWithRowsOf(emptyStore()));

test('rows of the store of another log are not taken for ours, though it stands where ours does', async () =>
  stepWithRowsOf((await folded(4)).store));

test('keys of the store of another log do not go with our checkpoint', async () => {
  const ports = await folded(3);
  const { store: other } = await folded(4);
  let scans = 0;
  const mixed: ReadModelStore = {
    ...ports.store,
    scan: (...asked) => ((scans += 1) === 1 ? other : ports.store).scan(...asked),
  };
  const state = value(await loadState({ ...ports, store: mixed }, generation));
  expect(state?.trust).toEqual(value(await loadState(ports, generation))?.trust);
  expect(scans).toBeGreaterThan(1);
});
