import type { ProjectionProblem } from '../ports/projecting.ts';
import type { GenerationNote } from '../core/generation-note.ts';
import { droppedKey, higherOf, noteKey, readNote, writeNote } from '../core/generation-note.ts';
import type { Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Checkpoint, Generation, StoreProblem } from '../ports/read-model-store.ts';
import type { ReadProblem } from '../ports/record-log.ts';
import type { ReplayProblem } from '../ports/replaying.ts';
import type { ReplayPorts } from './ports.ts';

// What is asked of the store about one generation, in the words of replay.

export const storeFailed = ({ code, message }: StoreProblem): Result<never, ReplayProblem> =>
  refuse(code === 'corrupt' ? 'corrupt' : 'unreachable', message);

export const refuse = (
  code: ReplayProblem['code'],
  message: string,
): Result<never, ReplayProblem> => fail({ code, message });

/** Of a generation that a projector made by itself. */
export const madeByProjector: Pick<GenerationNote, 'madeBy' | 'why'> = {
  madeBy: 'projector',
  why: 'made by a projector',
};

/** Undefined: nobody noted anything. */
export const loadNote = async (
  { store }: ReplayPorts,
  generation: Generation,
): Promise<Result<GenerationNote | undefined, ReplayProblem>> => {
  const key = noteKey(generation);
  const read = await store.aside.read([key]);
  if (!read.ok) return storeFailed(read.problem);
  const kept = read.value.get(key);
  if (kept === undefined) return ok(undefined);
  const note = readNote(kept);
  return note === undefined
    ? refuse('corrupt', `the note of generation ${generation} cannot be read: drop it`)
    : ok(note);
};

export const saveNote = async (
  { store }: ReplayPorts,
  generation: Generation,
  note: GenerationNote,
): Promise<Result<void, ReplayProblem>> => {
  const saved = await store.aside.write([{ key: noteKey(generation), value: writeNote(note) }]);
  return saved.ok ? saved : storeFailed(saved.problem);
};

/** Rows first: a note without rows is harmless, rows of a filtered generation without a note are not. */
export const dropGeneration = async (
  { store }: ReplayPorts,
  generation: Generation,
): Promise<Result<void, ReplayProblem>> => {
  const dropped = await store.drop(generation);
  if (!dropped.ok) return storeFailed(dropped.problem);
  const read = await store.aside.read([droppedKey]);
  if (!read.ok) return storeFailed(read.problem);
  const forgotten = await store.aside.write([
    { key: noteKey(generation), value: null },
    { key: droppedKey, value: higherOf(read.value.get(droppedKey), generation) },
  ]);
  return forgotten.ok ? ok(undefined) : storeFailed(forgotten.problem);
};

/** The names that no new generation may have. */
export const namesTaken = async ({
  store,
}: ReplayPorts): Promise<Result<readonly Generation[], ReplayProblem>> => {
  const known = await store.generations();
  if (!known.ok) return storeFailed(known.problem);
  const read = await store.aside.read([droppedKey]);
  if (!read.ok) return storeFailed(read.problem);
  return ok([...known.value, ...read.value.values()]);
};

export const loadCheckpoint = async (
  { store }: ReplayPorts,
  generation: Generation,
): Promise<Result<Checkpoint, ReplayProblem>> => {
  const read = await store.checkpoint(generation);
  if (!read.ok) return storeFailed(read.problem);
  return read.value === undefined
    ? refuse('generation-unknown', `there is no generation ${generation}`)
    : ok(read.value);
};

export const logEnd = async ({ log }: ReplayPorts): Promise<Result<Position, ReplayProblem>> => {
  const range = await log.range(0);
  return range.ok ? ok(range.value.end) : refuse(readCode(range.problem), range.problem.message);
};

/** Why the log could not be read, as a projection tells it. */
export const readCode = ({ code }: ReadProblem): ProjectionProblem['code'] => {
  switch (code) {
    case 'corrupt':
    case 'archive-damaged':
      return code;
    case 'before-start':
    case 'beyond-end':
      return 'log-shortened';
    case 'unreachable':
    case 'closed':
      return 'unreachable';
  }
};

export const currentOf = async ({
  store,
}: ReplayPorts): Promise<Result<Generation | undefined, ReplayProblem>> => {
  const current = await store.current();
  return current.ok ? current : storeFailed(current.problem);
};

/** The generation that readers were switched from to this one, if it is still there. */
export const previousOf = async (
  ports: ReplayPorts,
  current: Generation | undefined,
): Promise<Result<Generation | undefined, ReplayProblem>> => {
  if (current === undefined) return ok(undefined);
  const note = await loadNote(ports, current);
  if (!note.ok) return note;
  const from = note.value?.switchedFrom ?? null;
  if (from === null) return ok(undefined);
  const checkpoint = await ports.store.checkpoint(from);
  if (!checkpoint.ok) return storeFailed(checkpoint.problem);
  return ok(checkpoint.value === undefined ? undefined : from);
};
