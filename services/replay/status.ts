import type { GenerationNote } from '../core/generation-note.ts';
import { filterOf, isBeingFolded } from '../core/generation-note.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { Generation } from '../ports/read-model-store.ts';
import type { GenerationStatus, ReplayProblem } from '../ports/replaying.ts';
import { currentOf, loadNote, logEnd, previousOf, storeFailed } from './generations.ts';
import type { ReplayPorts } from './ports.ts';

/** Every generation that the store holds. */
export const statusOf = async (
  ports: ReplayPorts,
): Promise<Result<readonly GenerationStatus[], ReplayProblem>> => {
  const current = await currentOf(ports);
  if (!current.ok) return current;
  const previous = await previousOf(ports, current.value);
  if (!previous.ok) return previous;
  const end = await logEnd(ports);
  if (!end.ok) return end;
  const known = await ports.store.generations();
  if (!known.ok) return storeFailed(known.problem);
  const found: GenerationStatus[] = [];
  for (const generation of known.value) {
    const checkpoint = await ports.store.checkpoint(generation);
    if (!checkpoint.ok) return storeFailed(checkpoint.problem);
    // Dropped meanwhile.
    if (checkpoint.value === undefined) continue;
    const counts = await ports.store.counts(generation);
    if (!counts.ok) return storeFailed(counts.problem);
    const note = await loadNote(ports, generation);
    if (!note.ok) return note;
    const { next, foldVersion, rowsDigest } = checkpoint.value;
    const isCurrent = generation === current.value;
    const isPrevious = generation === previous.value;
    found.push({
      generation,
      isCurrent,
      isPrevious,
      state: stateOf(note.value, isCurrent || isPrevious, ports.clock.nowMs()),
      rows: [...counts.value.values()].reduce((sum, rows) => sum + rows, 0),
      next,
      lag: Math.max(0, end.value - next),
      foldVersion,
      rowsDigest,
      madeAt: note.value?.madeAt ?? null,
      madeBy: note.value?.madeBy ?? null,
      why: note.value?.why ?? null,
      filter: filterOf(note.value),
      to: note.value?.to ?? null,
    });
  }
  return ok(found.toSorted(byNumber));
};

const stateOf = (
  note: GenerationNote | undefined,
  isUsed: boolean,
  nowMs: number,
): GenerationStatus['state'] => {
  if (note === undefined) return isUsed ? 'complete' : 'unfinished';
  if (note.state !== 'running') return note.state;
  return isBeingFolded(note, nowMs) ? 'running' : 'stopped';
};

const byNumber = (
  one: { readonly generation: Generation },
  other: { readonly generation: Generation },
): number =>
  one.generation.length - other.generation.length || (one.generation < other.generation ? -1 : 1);
