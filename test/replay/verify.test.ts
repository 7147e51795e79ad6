import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { openSqliteFile } from '../../services/adapters/sqlite/file.ts';
import { openSqliteReadModelStore } from '../../services/adapters/sqlite/read-model-store.ts';
import { positionKey } from '../../services/core/read-models.ts';
import { newestPosition } from '../../services/core/row-position.ts';
import { orderedModels } from '../../services/core/read-models.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { foldToEnd } from '../../services/projector/catch-up.ts';
import { emptyStore, openedAtMs, tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { audience } from '../support/markers.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { found, generation, plant, quiet, verified, verifierOf } from '../support/verifier.ts';

const folder = scratchFolder();
const recordsMade = 240;

const aLog = async (): Promise<RecordLog> => {
  let nowMs = openedAtMs;
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => (nowMs += 1000) });
  value(await log.append(0, await hostileLog({ seed: 7, audience, records: recordsMade })));
  return log;
};

const project = async (log: RecordLog, store: ReadModelStore, to?: number): Promise<void> => {
  const ports = { log, store, tools, audience, pinnedLogId: null };
  value(await foldToEnd(ports, generation, to === undefined ? {} : { to }));
  await store.switchTo(undefined, generation);
};

const path = join(folder, `${randomUUID()}.db`);
const sqliteStore = async (at = path): Promise<ReadModelStore> => {
  const file = value(await openSqliteFile(at, { create: true, sleep: async () => undefined }));
  return openSqliteReadModelStore(file, { audience, orderedModels });
};

describe.each<readonly [string, () => Promise<ReadModelStore>]>([
  ['memory', async () => emptyStore()],
  ['sqlite', () => sqliteStore(join(folder, `${randomUUID()}.db`))],
])('read models in %s', (_name, openStore) => {
  const projected = async (): Promise<{
    readonly log: RecordLog;
    readonly store: ReadModelStore;
  }> => {
    const [log, store] = [await aLog(), await openStore()];
    await project(log, store);
    return { log, store };
  };

  test('that nobody touched are what the log says', async () => {
    const { log, store } = await projected();
    const verification = await verified(log, store, audience);
    expect(found(verification)).toEqual([]);
    expect(verification.rows).toBeGreaterThan(300);
    expect(verification.to).toBe(value(await log.range(0)).end);
  });

  test('are found wrong row by row: changed, missing, extra', async () => {
    const { log, store } = await projected();
    const [first, second] = value(await store.scan(generation, 'timeline', { rowsMax: 2 })).rows;
    await plant(store, [
      { model: 'timeline', key: first?.key ?? '', value: second?.value ?? '' },
      { model: 'timeline', key: second?.key ?? '', value: null },
      { model: 'timeline', key: positionKey(999_999), value: second?.value ?? '' },
      { model: 'nobody knows', key: 'x', value: '1' },
    ]);
    const verification = await verified(log, store, audience);
    expect(verification.divergent).toBe(4);
    expect(found(verification)).toEqual([
      'extra nobody knows x (no position)',
      expect.stringMatching(new RegExp(`^changed timeline ${first?.key} \\(\\d+\\)$`)),
      expect.stringMatching(new RegExp(`^missing timeline ${second?.key} \\(\\d+\\)$`)),
      `extra timeline ${positionKey(999_999)} (999999)`,
    ]);
    const [, changed] = verification.divergences;
    expect([changed?.stored, changed?.expected]).toEqual([second?.value, first?.value]);
  });

  test('of every kind are looked at, also those that nobody can list', async () => {
    const { log, store } = await projected();
    const models = [...value(await store.counts(generation)).keys()];
    expect(models).toEqual(
      expect.arrayContaining(['deployment', 'marker', 'slot', 'log', 'trust']),
    );
    for (const model of models) {
      const rows = (await everyRow(store)).filter((row) => row.model === model);
      const row = rows.at(-1);
      if (row === undefined) continue;
      await plant(store, [{ ...row, value: `${row.value} ` }]);
      const verification = await verified(log, store, audience);
      expect(verification.divergences).toMatchObject([{ model, key: row.key, why: 'changed' }]);
      await plant(store, [row]);
    }
    expect(found(await verified(log, store, audience))).toEqual([]);
  });

  test('whose digest is wrong are told, though no row is', async () => {
    const { log, store } = await projected();
    await plant(store, [], '0'.repeat(32));
    const verification = await verified(log, store, audience);
    expect(found(verification)).toEqual(['digest']);
    expect(verification.digest.stored).toBe('0'.repeat(32));
  });

  test('may be behind the log: they are compared as of where they stand', async () => {
    const [log, store] = [await aLog(), await openStore()];
    await project(log, store, 101);
    const verification = await verified(log, store, audience);
    expect([found(verification), verification.to]).toEqual([[], 101]);
  });

  test('are compared while a projector writes', async () => {
    const [log, store] = [await aLog(), await openStore()];
    await project(log, store, 60);
    let at = 60;
    const written: ReadModelStore = {
      ...store,
      // With every look the projector is a step further.
      rows: async (...asked) => {
        at = Math.min(at + 7, recordsMade);
        await project(log, store, at);
        return store.rows(...asked);
      },
    };
    const verification = await verified(log, written, audience);
    expect(found(verification)).toEqual([]);
    expect(verification.from).toBe(60);
    expect(verification.to).toBe(at);
    expect(at).toBeGreaterThan(100);
  });

  test('that go wrong between two looks are found by the second, which folds only what is new', async () => {
    const { log, store } = await projected();
    const verifier = await verifierOf(log, store, audience);
    expect(found(value(await verifier.verify(quiet)))).toEqual([]);
    const [row] = await everyRow(store);
    if (row === undefined) throw new Error('there is no row');
    await plant(store, [{ ...row, value: null }]);
    const progress: number[] = [];
    const second = value(
      await verifier.verify({
        ...quiet,
        onProgress: (part, { next }) => part === 'fold' && progress.push(next),
      }),
    );
    expect(second.divergent).toBe(1);
    expect(progress).toEqual([]);
  });

  test('that were restored to an earlier state are begun anew', async () => {
    const [log, store] = [await aLog(), await openStore()];
    await project(log, store);
    const verifier = await verifierOf(log, store, audience);
    value(await verifier.verify(quiet));
    const older = await openStore();
    await project(log, older, 50);
    const restored = await verifierOf(log, older, audience);
    expect(found(value(await restored.verify(quiet)))).toEqual([]);
    Object.assign(store, { checkpoint: older.checkpoint });
    expect(await verifier.verify(quiet)).toMatchObject({ problem: { code: 'went-back' } });
  });

  test('of another log are refused by name', async () => {
    const { store } = await projected();
    const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => openedAtMs });
    value(await log.append(0, await hostileLog({ seed: 8, audience, records: recordsMade + 60 })));
    const verifier = await verifierOf(log, store, audience);
    expect(await verifier.verify(quiet)).toMatchObject({ problem: { code: 'foreign-log' } });
  });

  test('may be left alone in the middle', async () => {
    const { log, store } = await projected();
    const verifier = await verifierOf(log, store, audience);
    expect(await verifier.verify({ ...quiet, isWanted: () => false })).toMatchObject({
      problem: { code: 'stopped' },
    });
  });
});

test('a row that SQLite finds damaged is named, and the others are compared', async () => {
  const [log, store] = [await aLog(), await sqliteStore()];
  await project(log, store);
  const key = value(await store.scan(generation, 'timeline', { rowsMax: 1 })).rows[0]?.key ?? '';
  const database = new DatabaseSync(path);
  database
    .prepare("UPDATE store_rows SET value = value || ' ' WHERE model = 'timeline' AND key = ?")
    .run(key);
  database.close();
  const verification = await verified(log, store, audience);
  expect(found(verification)).toEqual([`unreadable timeline ${key} (${Number(key)})`, 'cut']);
});

test.each<readonly [string, string, string, number | null]>([
  ['timeline', '000000000012', 'no row at all', 12],
  ['environment', 'production', '{"firstPosition":3,"lastPosition":17}', 17],
  ['retention', 'tiers', '{"tiers":[{"set":{"position":9}},{"set":null}]}', 9],
  ['log', 'time', '{"timeMs":1795255200000}', null],
])('the newest record that a %s row tells of', (model, key, row, position) => {
  expect(newestPosition(model, key, row)).toBe(position);
});

const everyRow = async (
  store: ReadModelStore,
): Promise<readonly { readonly model: string; readonly key: string; readonly value: string }[]> => {
  const rows: { model: string; key: string; value: string }[] = [];
  let cursor: string | undefined;
  do {
    const page = value(await store.walk(generation, cursor, 100));
    rows.push(...page.rows);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return rows;
};
