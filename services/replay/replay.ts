import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { Generation } from '../ports/read-model-store.ts';
import type { ReplayProblem, Replaying } from '../ports/replaying.ts';
import { diffGenerations } from './diff.ts';
import { currentOf, loadCheckpoint, refuse } from './generations.ts';
import { planReplay } from './plan.ts';
import type { ReplayPorts } from './ports.ts';
import { runReplay } from './run.ts';
import { statusOf } from './status.ts';
import { back, drop, dropBeyondKept, switchTo } from './switch.ts';

/** Everything that operators do with generations, on one log and one store. */
export const openReplay = (ports: ReplayPorts): Replaying => ({
  trust: async (generation) => {
    const current = generation === null ? await currentOf(ports) : ok(generation);
    if (!current.ok || current.value === undefined) return undefined;
    // A fold to where it stands folds nothing, and brings its state.
    const stands = await ports.fold(ports, current.value, { to: 1 });
    return stands.ok ? stands.value.state.trust : undefined;
  },
  plan: (choice, watch) => planReplay(ports, choice, watch),
  run: (wish, watch) => runReplay(ports, wish, watch),
  pause: (generation) => pause(ports, generation),
  status: () => statusOf(ports),
  diff: (first, second, watch) => diffGenerations(ports, first, second, watch),
  switchTo: (generation, options) => switchTo(ports, generation, options),
  back: (options) => back(ports, options),
  drop: (generation, options) => drop(ports, generation, options),
  dropBeyondKept: () => dropBeyondKept(ports),
});

const pause = async (
  ports: ReplayPorts,
  generation: Generation,
): Promise<Result<void, ReplayProblem>> => {
  const checkpoint = await loadCheckpoint(ports, generation);
  if (!checkpoint.ok) return checkpoint;
  const note = await ports.notes.load(ports.store, generation);
  if (!note.ok) return note;
  if (note.value?.state !== 'running')
    return refuse('generation-unknown', `no replay folds generation ${generation} at this time`);
  return ports.notes.askPause(ports.store, generation, true);
};
