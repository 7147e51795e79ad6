// A rebuild as a process of its own: settings from the environment. The first argument says where it dies.
import { openFoundation } from '../../../services/adapters/foundation/foundation.ts';
import { parseSettings } from '../../../services/core/settings.ts';
import type { ReadModelStore } from '../../../services/ports/read-model-store.ts';
import { rebuild } from '../../../services/projector/catch-up.ts';
import { value } from '../records.ts';

const [dies = 'nowhere'] = process.argv.slice(2);
const settings = value(parseSettings(process.env));
const dieAt = (place: string): void => {
  if (dies === place) process.kill(process.pid, 'SIGKILL');
};
let commits = 0;
const mortal = (store: ReadModelStore): ReadModelStore => ({
  ...store,
  commit: async (generation, step) => {
    commits += 1;
    if (commits === 2) dieAt('while it folds');
    return store.commit(generation, step);
  },
  switchTo: async (expected, generation) => {
    dieAt('before it switches');
    const switched = await store.switchTo(expected, generation);
    dieAt('after it switched');
    return switched;
  },
});

const foundation = openFoundation(settings);
value(
  await rebuild({
    log: value(await foundation.stream('log')),
    store: mortal(value(await foundation.store())),
    tools: foundation.tools,
    audience: settings.audience,
    pinnedLogId: settings.logId,
  }),
);
await foundation.close();
process.exit(0);
