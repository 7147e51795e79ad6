import type { GenerationNote } from '../core/generation-note.ts';
import { filterOf, firstGeneration, isBeingFolded } from '../core/generation-note.ts';
import type { Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { Generation } from '../ports/read-model-store.ts';
import type { GenerationStatus, ReplayProblem } from '../ports/replaying.ts';
import { currentOf, logEnd, madeByProjector, previousOf, storeFailed } from './generations.ts';
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
    const note = await ports.notes.load(ports.store, generation);
    if (!note.ok) return note;
    const isCurrent = generation === current.value;
    const isPrevious = generation === previous.value;
    const told = await tell(ports, generation, note.value, { isCurrent, isPrevious }, end.value);
    if (!told.ok) return told;
    // Dropped meanwhile.
    if (told.value !== undefined) found.push(told.value);
  }
  return ok(found.toSorted(byNumber));
};

/** How one generation stands; undefined where it is gone. A note that cannot be read is as if there were none. */
export const statusOfOne = async (
  ports: ReplayPorts,
  generation: Generation,
): Promise<Result<GenerationStatus | undefined, ReplayProblem>> => {
  const current = await currentOf(ports);
  if (!current.ok) return current;
  const previous = await previousOf(ports, current.value);
  if (!previous.ok) return previous;
  const end = await logEnd(ports);
  if (!end.ok) return end;
  const note = await ports.notes.load(ports.store, generation);
  if (!note.ok && note.problem.code !== 'corrupt') return note;
  const used = {
    isCurrent: generation === current.value,
    isPrevious: generation === previous.value,
  };
  return tell(ports, generation, note.ok ? note.value : undefined, used, end.value);
};

const tell = async (
  ports: ReplayPorts,
  generation: Generation,
  note: GenerationNote | undefined,
  { isCurrent, isPrevious }: Pick<GenerationStatus, 'isCurrent' | 'isPrevious'>,
  end: Position,
): Promise<Result<GenerationStatus | undefined, ReplayProblem>> => {
  const checkpoint = await ports.store.checkpoint(generation);
  if (!checkpoint.ok) return storeFailed(checkpoint.problem);
  if (checkpoint.value === undefined) return ok(undefined);
  const counts = await ports.store.counts(generation);
  if (!counts.ok) return storeFailed(counts.problem);
  const { next, foldVersion, rowsDigest } = checkpoint.value;
  // Projectors note nothing of the first, nor of what readers used before there were notes.
  const isOfProjector = isCurrent || isPrevious || generation === firstGeneration;
  const made = note ?? (isOfProjector ? madeByProjector : undefined);
  return ok({
    ...{ generation, isCurrent, isPrevious },
    state: stateOf(note, isCurrent || isPrevious, ports.clock.nowMs()),
    rows: [...counts.value.values()].reduce((sum, rows) => sum + rows, 0),
    next,
    lag: Math.max(0, end - next),
    foldVersion,
    rowsDigest,
    madeAt: note?.madeAt ?? null,
    madeBy: made?.madeBy ?? null,
    why: made?.why ?? null,
    filter: filterOf(note),
    to: note?.to ?? null,
    rate: note?.rate ?? null,
  });
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
