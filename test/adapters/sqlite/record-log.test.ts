import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSqliteFile } from '../../../services/adapters/sqlite/file.ts';
import type { SqliteFile } from '../../../services/adapters/sqlite/file.ts';
import { openSqliteRecordLog } from '../../../services/adapters/sqlite/record-log.ts';
import type { SqliteRecordLog } from '../../../services/adapters/sqlite/record-log.ts';
import { createSystemClock } from '../../../services/adapters/system/clock.ts';
import { recordLogContract } from '../../contract/record-log.contract.ts';
import { eventually } from '../../support/eventually.ts';
import { record, text, value } from '../../support/records.ts';
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

test('headers of any names and bytes come back, those that JSON must escape too', async () => {
  const file = await openFile(freshPath());
  const log = await openLog(file);
  const utf8 = new TextEncoder();
  // What stands between headers in the table is the likeliest to be taken for their end.
  const part = fc.string({
    unit: fc.constantFrom('"', '\\', '[', ']', ',', 'a', '\u007f', '\n', 'é', '☃'),
  });
  const bytes = fc.oneof(
    part.map((content) => utf8.encode(content)),
    fc.uint8Array(),
  );
  const headers = fc.array(fc.record({ name: part, value: bytes }), { maxLength: 5 });
  const property = fc.asyncProperty(
    fc.array(fc.record({ key: bytes, headers, value: bytes }), { minLength: 1, maxLength: 20 }),
    async (records) => {
      const { end } = value(await log.range(0));
      value(await log.append(0, records));
      const read = value(await log.read(0, end, records.length));
      expect(read.map(text)).toEqual(records.map(text));
    },
  );
  await fc.assert(property, { numRuns: 40 });
  file.close();
});

test('a member that stops lets go at once: nobody waits until its lease runs out', async () => {
  const path = freshPath();
  const pair = [await openFile(path), await openFile(path)] as const;
  const leaseMs = 3_600_000;
  const idle = { startFrom: async () => 0, onBatch: async () => undefined };
  const one = await (await openLog(pair[0], { leaseMs })).subscribe('group', idle);
  const two = await (await openLog(pair[1], { leaseMs })).subscribe('group', idle);
  expect([one.owned(), two.owned()]).toEqual([[0, 1], []]);
  await one.stop();
  await eventually('the other took over', () => two.owned().length === 2);
  await two.stop();
  for (const file of pair) file.close();
});

test('a clock that is set back makes no lease longer', async () => {
  const path = freshPath();
  let nowMs = 1_000_000;
  const dead = await openFile(path);
  const idle = { startFrom: async () => 0, onBatch: async () => undefined };
  await (await openLog(dead, { leaseMs: 300, nowMs: () => nowMs })).subscribe('group', idle);
  // As if it were killed: it renews nothing and releases nothing.
  dead.close();

  nowMs = 5_000;
  const file = await openFile(path);
  const log = await openLog(file, { leaseMs: 300, nowMs: () => nowMs });
  const subscription = await log.subscribe('group', idle);
  expect(subscription.owned()).toEqual([0, 1]);
  await subscription.stop();
  file.close();
});

test('a clock that goes back does not take the log with it', async () => {
  const times = [50, 40, 60];
  const file = await openFile(freshPath());
  const log = await openLog(file, { nowMs: () => times.shift() ?? 0 });
  for (const content of ['a', 'b', 'c']) value(await log.append(0, [record(content)]));
  const stored = value(await log.read(0, 0, 10));
  expect(stored.map(({ appendedAtMs }) => appendedAtMs)).toEqual([50, 50, 60]);
  file.close();
});
