import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteFile } from '../../../services/adapters/sqlite/file.ts';
import type { SqliteFile } from '../../../services/adapters/sqlite/file.ts';
import { openSqliteReadModelStore } from '../../../services/adapters/sqlite/read-model-store.ts';
import { createSystemClock } from '../../../services/adapters/system/clock.ts';
import type { ReadModelStore } from '../../../services/ports/read-model-store.ts';
import { readModelStoreContract } from '../../contract/read-model-store.contract.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

// One file for all, an audience of its own for each: so the suite also proves that audiences keep apart.
const path = join(scratchFolder(), 'store.db');
let audiences = 0;
const clock = createSystemClock();

readModelStoreContract('sqlite read-model store', async () => {
  const audience = `test-${(audiences += 1)}`;
  const used: SqliteFile[] = [];
  const open = async (): Promise<ReadModelStore> => {
    const file = value(await openSqliteFile(path, { create: true, sleep: clock.sleep }));
    used.push(file);
    return openSqliteReadModelStore(file, { audience, orderedModels: ['timeline'] });
  };
  return {
    store: await open(),
    reopen: open,
    close: async () => {
      for (const file of used) file.close();
    },
  };
});

test('a file of the first layout is brought up to this one when it is opened, with all that is in it', async () => {
  const old = join(scratchFolder(), 'old.db');
  const options = { audience: 'local', orderedModels: ['timeline'] };
  const file = value(await openSqliteFile(old, { create: true, sleep: clock.sleep }));
  const rowsDigest = '0'.repeat(32);
  const to = { logId: 'log-1', next: 1, lastDigest: 'of 0', foldVersion: 1, rowsDigest };
  const step = { from: undefined, to, writes: [{ model: 'timeline', key: 'a', value: 'kept' }] };
  value(await openSqliteReadModelStore(file, options).commit('g1', step));
  file.close();
  const database = new DatabaseSync(old);
  database.exec(
    'ALTER TABLE store_generations DROP COLUMN rows_digest; DROP TABLE store_aside; PRAGMA user_version = 1;',
  );
  database.close();

  // Two at once: whoever is slower finds it done.
  const opened = await Promise.all(
    [1, 2].map(() => openSqliteFile(old, { create: false, sleep: clock.sleep })),
  );
  for (const [index, each] of opened.entries()) {
    const store = openSqliteReadModelStore(value(each), options);
    value(await store.aside.write([{ key: `${index}`, value: 'new' }]));
    expect(value(await store.aside.read(['0'])).get('0')).toBe('new');
    expect(value(await store.dump('g1'))).toEqual(['timeline\na\nkept']);
  }
  for (const each of opened) value(each).close();
});

test('steps of the generation that readers use are synced, others no later than the switch to it', async () => {
  const file = value(
    await openSqliteFile(join(scratchFolder(), 'synced.db'), { create: true, sleep: clock.sleep }),
  );
  const synced: string[] = [];
  const watched: SqliteFile = {
    ...file,
    write: (work, durability = 'synced') => {
      synced.push(durability);
      return file.write(work, durability);
    },
  };
  const store = openSqliteReadModelStore(watched, { audience: 'local', orderedModels: [] });
  const at = (next: number) => ({
    ...{ logId: 'log-1', next, lastDigest: `of ${next}`, foldVersion: 1 },
    rowsDigest: '0'.repeat(32),
  });
  value(await store.commit('g1', { from: undefined, to: at(1), writes: [] }));
  value(await store.switchTo(undefined, 'g1'));
  value(await store.commit('g1', { from: at(1), to: at(2), writes: [] }));
  expect(synced).toEqual(['unsynced', 'synced', 'synced']);
  file.close();
});
