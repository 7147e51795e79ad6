import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteFile } from '../../../services/adapters/sqlite/file.ts';
import type { SqliteFile } from '../../../services/adapters/sqlite/file.ts';
import { openSqliteRecordLog } from '../../../services/adapters/sqlite/record-log.ts';
import type { SqliteRecordLog } from '../../../services/adapters/sqlite/record-log.ts';
import { createSystemClock } from '../../../services/adapters/system/clock.ts';
import { recordLogContract } from '../../contract/record-log.contract.ts';
import { record, value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const clock = createSystemClock();
const folder = scratchFolder();
let files = 0;
const freshPath = (): string => join(folder, `log-${(files += 1)}.db`);

const openFile = async (path: string): Promise<SqliteFile> =>
  value(await openSqliteFile(path, { create: true, sleep: clock.sleep }));

const openLog = async (
  file: SqliteFile,
  part: { nowMs?: () => number; name?: string; leaseMs?: number } = {},
): Promise<SqliteRecordLog> =>
  value(await openSqliteRecordLog(file, { name: 'test', partitions: 2, ...clock, ...part }));

const prunable = new WeakMap<object, SqliteRecordLog>();

// One file for all, a log of its own for each: so the suite also proves that logs in one file keep apart.
const sharedPath = freshPath();
let logs = 0;

recordLogContract(
  'sqlite record log',
  async () => {
    const name = `test-${(logs += 1)}`;
    const used: SqliteFile[] = [];
    const open = async (): Promise<SqliteRecordLog> => {
      const file = await openFile(sharedPath);
      used.push(file);
      const log = await openLog(file, { name });
      prunable.set(log, log);
      return log;
    };
    const log = await open();
    return {
      log,
      reopen: open,
      close: async () => {
        await log.close();
        for (const file of used) file.close();
      },
    };
  },
  {
    prune: async (log, partition, appendedBeforeMs) => {
      const sqlite = prunable.get(log);
      if (sqlite !== undefined) value(await sqlite.prune(partition, appendedBeforeMs));
    },
  },
);

test('a clock that goes back does not take the log with it', async () => {
  const times = [50, 40, 60];
  const file = await openFile(freshPath());
  const log = await openLog(file, { nowMs: () => times.shift() ?? 0 });
  for (const content of ['a', 'b', 'c']) value(await log.append(0, [record(content)]));
  const stored = value(await log.read(0, 0, 10));
  expect(stored.map(({ appendedAtMs }) => appendedAtMs)).toEqual([50, 50, 60]);
  file.close();
});
