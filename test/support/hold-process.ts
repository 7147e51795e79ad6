// A process that wants a file to itself, for held-file.test.ts: says `ready`, and at each line on its input tries to hold
// the file and says what came of it.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { holdFile } from '../../services/adapters/sqlite/held-file.ts';

const [path = ''] = process.argv.slice(2);
const say = (line: object): number => writeSync(1, `${JSON.stringify(line)}\n`);

say({ pid: process.pid });
createInterface({ input: process.stdin }).on('line', (line) => {
  const held = holdFile(path);
  say(held.ok ? { held: true } : { held: false, ...held.problem });
  if (held.ok && line === 'briefly') held.value();
});
