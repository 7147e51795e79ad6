// A projector as a process of its own: settings from the environment, the lease in milliseconds as its argument. Says
// what the projector tells, a JSON line each. A line on its input chooses what happens at its next commit, or asks
// for the status.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openFoundation } from '../../../services/adapters/foundation/foundation.ts';
import { parseSettings } from '../../../services/core/settings.ts';
import type { ReadModelStore } from '../../../services/ports/read-model-store.ts';
import { startProjector } from '../../../services/projector/start.ts';
import { value } from '../records.ts';

const leaseMs = Number(process.argv[2]);
const settings = value(parseSettings(process.env));
// Written at once, so that what was said is known also when this process is killed right after.
const say = (event: object): number => writeSync(1, `${JSON.stringify(event)}\n`);

let atNextCommit = '';
const faulty = (store: ReadModelStore): ReadModelStore => ({
  ...store,
  commit: async (generation, step) => {
    const fault = atNextCommit;
    atNextCommit = '';
    const die = (): boolean => process.kill(process.pid, 'SIGKILL');
    if (fault === 'die before commit') die();
    if (fault === 'sleep before commit') {
      say({ event: 'falls-asleep', from: step.from?.next });
      process.kill(process.pid, 'SIGSTOP');
    }
    const committing = store.commit(generation, step);
    if (fault === 'die in commit') setImmediate(die);
    const committed = await committing;
    if (fault === 'die after commit') die();
    return committed;
  },
});

const foundation = openFoundation(settings, { leaseMs });
const projector = startProjector({
  log: value(await foundation.stream('log')),
  store: faulty(value(await foundation.store())),
  tools: foundation.tools,
  audience: settings.audience,
  pinnedLogId: settings.logId,
  clock: foundation.clock,
  tell: say,
});
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'status') say({ event: 'status', ...projector.status() });
  else if (line === 'stop') void projector.stop();
  else atNextCommit = line;
});
const problem = await projector.ended;
say({ event: 'ended', code: problem?.code ?? null, message: problem?.message ?? null });
await foundation.close();
process.exit(problem === undefined ? 0 : 1);
