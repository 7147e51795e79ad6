// A replay as a process of its own: settings from the environment. It dies at the commit that the first argument names.
import { createMemoryReadModelStore } from '../../../services/adapters/memory/read-model-store.ts';
import { openFoundation } from '../../../services/adapters/foundation/foundation.ts';
import { orderedModels } from '../../../services/core/read-models.ts';
import { noFilter } from '../../../services/core/record-filter.ts';
import { ok } from '../../../services/core/result.ts';
import { parseSettings } from '../../../services/core/settings.ts';
import type { ReadModelStore } from '../../../services/ports/read-model-store.ts';
import { foldToEnd } from '../../../services/projector/catch-up.ts';
import { generationNotes } from '../../../services/projector/generation-notes.ts';
import { openReplay } from '../../../services/replay/replay.ts';
import { value } from '../records.ts';

const [diesAt = '0'] = process.argv.slice(2);
const settings = value(parseSettings(process.env));
let commits = 0;
const mortal = (store: ReadModelStore): ReadModelStore => ({
  ...store,
  commit: async (generation, step) => {
    commits += 1;
    const committed = store.commit(generation, step);
    // Nobody knows whether it arrived.
    if (commits === Number(diesAt)) process.kill(process.pid, 'SIGKILL');
    return committed;
  },
});

const foundation = openFoundation(settings);
const replay = openReplay({
  log: value(await foundation.stream('log')),
  store: mortal(value(await foundation.store())),
  ...{ tools: foundation.tools, clock: foundation.clock, fold: foldToEnd },
  notes: generationNotes,
  ...{ audience: settings.audience, pinnedLogId: settings.logId },
  scratch: async () => ok(createMemoryReadModelStore({ orderedModels })),
});
value(
  await replay.run(
    {
      ...{ filter: { ...noFilter, components: ['checkout'] }, to: null },
      ...{ sampleShare: 0.05, seed: 1, rate: 800 },
      by: { principal: 'admin', reason: 'to be killed' },
    },
    {},
  ),
);
await foundation.close();
process.exit(0);
