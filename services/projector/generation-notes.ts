import {
  droppedKey,
  higherOf,
  noteKey,
  pauseKey,
  readNote,
  writeNote,
} from '../core/generation-note.ts';
import { fail, ok } from '../core/result.ts';
import type { GenerationNotes } from '../ports/projecting.ts';
import { storeProblem } from './project.ts';

/** Beside the generations of a store, under the keys of core/generation-note.ts. */
export const generationNotes: GenerationNotes = {
  load: async ({ aside }, generation) => {
    const key = noteKey(generation);
    const read = await aside.read([key]);
    if (!read.ok) return fail(storeProblem(read.problem));
    const kept = read.value.get(key);
    if (kept === undefined) return ok(undefined);
    const note = readNote(kept);
    return note === undefined
      ? fail({
          code: 'corrupt',
          message: `the note of generation ${generation} cannot be read, and nobody knows what it was folded from: drop it, or rebuild if readers use it`,
        })
      : ok(note);
  },

  save: async ({ aside }, generation, note) => {
    const written = await aside.write([{ key: noteKey(generation), value: writeNote(note) }]);
    return written.ok ? written : fail(storeProblem(written.problem));
  },

  /** Rows first: a note without rows is harmless, rows of a filtered generation without a note are not. */
  drop: async (store, generation) => {
    const dropped = await store.drop(generation);
    if (!dropped.ok) return fail(storeProblem(dropped.problem));
    const read = await store.aside.read([droppedKey]);
    if (!read.ok) return fail(storeProblem(read.problem));
    const forgotten = await store.aside.write([
      { key: noteKey(generation), value: null },
      { key: pauseKey(generation), value: null },
      { key: droppedKey, value: higherOf(read.value.get(droppedKey), generation) },
    ]);
    return forgotten.ok ? forgotten : fail(storeProblem(forgotten.problem));
  },

  namesTaken: async (store) => {
    const known = await store.generations();
    if (!known.ok) return fail(storeProblem(known.problem));
    const read = await store.aside.read([droppedKey]);
    if (!read.ok) return fail(storeProblem(read.problem));
    return ok([...known.value, ...read.value.values()]);
  },

  isPauseAsked: async ({ aside }, generation) => {
    const read = await aside.read([pauseKey(generation)]);
    return read.ok ? ok(read.value.size > 0) : fail(storeProblem(read.problem));
  },

  askPause: async ({ aside }, generation, isAsked) => {
    const written = await aside.write([
      { key: pauseKey(generation), value: isAsked ? 'asked' : null },
    ]);
    return written.ok ? written : fail(storeProblem(written.problem));
  },
};
