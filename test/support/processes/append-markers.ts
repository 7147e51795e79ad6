// A process that makes first use of an installation and appends markers, as a command does: settings from the
// environment, a name and a count as its arguments. Says `ready`, waits for a line on its input, then opens the
// foundation and says after each append which marker it was told lies where, a JSON line each.
import { writeSync } from 'node:fs';
import { openFoundation } from '../../../services/adapters/foundation/foundation.ts';
import { readKey } from '../../../services/adapters/foundation/open-keys.ts';
import { signMarker } from '../../../services/core/markers/wire.ts';
import { parseSettings } from '../../../services/core/settings.ts';
import { markerOf } from '../given.ts';
import { logged, place } from '../markers.ts';
import { value } from '../records.ts';

const [name = '', appends = ''] = process.argv.slice(2);
const settings = value(parseSettings(process.env));
const say = (line: string): number => writeSync(1, `${line}\n`);
say('ready');
await new Promise((go) => process.stdin.once('data', go));

const foundation = openFoundation(settings);
const log = value(await foundation.stream('log'));
const signer = value(await readKey(settings.dataFolder, 'local'));
const { codec, text } = foundation.tools;
for (let at = 0; at < Number(appends); at += 1) {
  const says = logged(`${at}.0.0`, { slot: place('production', name) });
  const marker = markerOf(name, says, `${name}/${at}`, foundation.clock.nowMs());
  const [appended] = value(await log.append(0, [await signMarker(codec, text, marker, signer)]));
  say(JSON.stringify({ marker: marker.marker, position: appended?.position }));
}
await foundation.close();
process.exit(0);
