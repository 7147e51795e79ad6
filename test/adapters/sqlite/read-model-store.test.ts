import { join } from 'node:path';
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
