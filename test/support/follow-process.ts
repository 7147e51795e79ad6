// A process that follows one embedded log, for many-processes.laws.test.ts: says which positions it was given, and
// when it lost the partition.
import { writeSync } from 'node:fs';
import { openSqliteFile } from '../../services/adapters/sqlite/file.ts';
import { openSqliteRecordLog } from '../../services/adapters/sqlite/record-log.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { value } from './records.ts';

const [path = '', group = '', leaseMs = ''] = process.argv.slice(2);
const clock = createSystemClock();
const say = (line: string): number => writeSync(1, `${line}\n`);

const file = value(await openSqliteFile(path, { create: true, sleep: clock.sleep }));
const log = value(
  await openSqliteRecordLog(file, {
    name: 'shared',
    partitions: 1,
    ...clock,
    leaseMs: Number(leaseMs),
  }),
);
const subscription = await log.subscribe(group, {
  startFrom: async () => 0,
  onBatch: async ({ records }) => {
    for (const { position } of records) say(`position ${position}`);
  },
  onLost: () => say('lost'),
});
say('ready');
await subscription.ended;
