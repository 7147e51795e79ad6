// A program that emits, for emitter-and-command.test.ts: options and what it tells come as JSON. It says what became of
// each, and stays until somebody ends it.
import { writeSync } from 'node:fs';
import type { EmitterOptions } from '../../../services/sdk/emitter-options.ts';
import { createEmitter } from '../../../services/sdk/emitter.ts';
import type { MarkerToTell } from '../../../services/sdk/marker-to-tell.ts';

const [options = '', told = ''] = process.argv.slice(2);
const emitter = await createEmitter(JSON.parse(options) as EmitterOptions);
if (!emitter.ok) throw new Error(emitter.problem.message);
for (const marker of JSON.parse(told) as readonly MarkerToTell[])
  writeSync(1, `${JSON.stringify(await emitter.value.emit(marker))}\n`);
setInterval(() => undefined, 60_000);
