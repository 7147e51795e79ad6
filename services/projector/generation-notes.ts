import type { GenerationNote } from '../core/generation-note.ts';
import { droppedKey, higherOf, noteKey, readNote, writeNote } from '../core/generation-note.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { ProjectionProblem } from '../ports/projecting.ts';
import type { Generation, ReadModelStore } from '../ports/read-model-store.ts';
import { storeProblem } from './project.ts';

/**
 * What a generation was made for; undefined where nobody noted it: it is folded from all records. A note that cannot
 * be read is `corrupt`, for what was left out must not be folded in by mistake.
 */
export const loadNote = async (
  { aside }: ReadModelStore,
  generation: Generation,
): Promise<Result<GenerationNote | undefined, ProjectionProblem>> => {
  const key = noteKey(generation);
  const read = await aside.read([key]);
  if (!read.ok) return fail(storeProblem(read.problem));
  const kept = read.value.get(key);
  if (kept === undefined) return ok(undefined);
  const note = readNote(kept);
  return note === undefined
    ? fail({
        code: 'corrupt',
        message: `the note of generation ${generation} cannot be read: nobody knows what it was folded from`,
      })
    : ok(note);
};

export const saveNote = async (
  { aside }: ReadModelStore,
  generation: Generation,
  note: GenerationNote,
): Promise<Result<void, ProjectionProblem>> => {
  const written = await aside.write([{ key: noteKey(generation), value: writeNote(note) }]);
  return written.ok ? written : fail(storeProblem(written.problem));
};

/** Drops a generation's rows, then its note. */
export const dropGeneration = async (
  store: ReadModelStore,
  generation: Generation,
): Promise<Result<void, ProjectionProblem>> => {
  const dropped = await store.drop(generation);
  if (!dropped.ok) return fail(storeProblem(dropped.problem));
  const read = await store.aside.read([droppedKey]);
  if (!read.ok) return fail(storeProblem(read.problem));
  const forgotten = await store.aside.write([
    { key: noteKey(generation), value: null },
    { key: droppedKey, value: higherOf(read.value.get(droppedKey), generation) },
  ]);
  return forgotten.ok ? ok(undefined) : fail(storeProblem(forgotten.problem));
};

/** The names that no new generation may have. */
export const namesTaken = async (
  store: ReadModelStore,
): Promise<Result<readonly Generation[], ProjectionProblem>> => {
  const known = await store.generations();
  if (!known.ok) return fail(storeProblem(known.problem));
  const read = await store.aside.read([droppedKey]);
  if (!read.ok) return fail(storeProblem(read.problem));
  return ok([...known.value, ...read.value.values()]);
};
