// A process that appends to one embedded log, for many-processes.laws.test.ts: says `ready`, waits for a line on its
// input, then appends and says after each answer what it was told, one JSON line each.
import { writeSync } from 'node:fs';
import { openSqliteFile } from '../../services/adapters/sqlite/file.ts';
import type { SqliteFile } from '../../services/adapters/sqlite/file.ts';
import { openSqliteRecordLog } from '../../services/adapters/sqlite/record-log.ts';
import type { SqliteRecordLog } from '../../services/adapters/sqlite/record-log.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { record, value } from './records.ts';

const [path = '', writer = '', appends = '', opens = ''] = process.argv.slice(2);
const clock = createSystemClock();
// Written at once, so that what was said is known also when this process is killed right after.
const say = (line: string): number => writeSync(1, `${line}\n`);

const open = async (): Promise<{ file: SqliteFile; log: SqliteRecordLog }> => {
  const file = value(await openSqliteFile(path, { create: true, sleep: clock.sleep }));
  const options = { name: 'shared', partitions: 1, ...clock };
  return { file, log: value(await openSqliteRecordLog(file, options)) };
};

let { file, log } = await open();
say('ready');
await new Promise((go) => process.stdin.once('data', go));

for (let at = 0; at < Number(appends); at += 1) {
  // As a series of commands would; a service keeps its file open.
  if (opens === 'each-time') {
    file.close();
    ({ file, log } = await open());
  }
  const contents = Array.from({ length: 1 + (at % 3) }, (_, part) => `${writer}/${at}/${part}`);
  const appended = value(await log.append(0, contents.map(record)));
  for (const [part, { position, appendedAtMs }] of appended.entries())
    say(JSON.stringify({ content: contents[part], position, appendedAtMs }));
}
file.close();
process.exit(0);
