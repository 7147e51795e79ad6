import { jsonFieldsIn } from './json-text.ts';
import type { Position } from './log/record.ts';
import type { RecordFilter } from './record-filter.ts';
import { isFiltering, readFilter } from './record-filter.ts';

// What is kept beside the generations of one store: what each was made for, and how far that went.

/**
 * - `running`: somebody folds it, or was killed doing so (`seenAt` tells).
 * - `paused`: it waits to be resumed. - `complete`: it was folded to where it was asked to go.
 */
export type GenerationState = 'running' | 'paused' | 'complete';

export type GenerationNote = {
  /** Null: nobody noted it then. */
  readonly madeAt: number | null;
  /** Principal of the key that its operations are signed with, or `projector`. */
  readonly madeBy: string;
  readonly why: string;
  readonly filter: RecordFilter;
  /** Where it was asked to stop; null: at the end of the log. */
  readonly to: Position | null;
  readonly state: GenerationState;
  /** When whoever folds it was last heard of. */
  readonly seenAt: number;
  /** Records a second at most; null: as fast as it goes. */
  readonly rate: number | null;
  /** Share of the remembered checks that are made all the same, and what the choice follows from. */
  readonly sampleShare: number;
  readonly seed: number;
  /** The generation that readers used when they were switched to this one. */
  readonly switchedFrom: string | null;
};

export const generationPrefix = 'generation/';
export const noteKey = (generation: string): string => `${generationPrefix}${generation}`;

/** There while somebody asks whoever folds it to pause: apart from the note, which the one who folds rewrites. */
export const pauseKey = (generation: string): string => `generation-pause/${generation}`;

/** The highest generation that was dropped: its name is not given again, for the log tells of it. */
export const droppedKey = 'generation-dropped';

export const writeNote = (note: GenerationNote): string => JSON.stringify({ version: 1, ...note });

/** Reads a note back; undefined where it is damaged or a newer release's. */
export const readNote = (value: string): GenerationNote | undefined => {
  const kept = jsonFieldsIn(value);
  if (kept?.['version'] !== 1) return undefined;
  const { version: _, ...note } = kept;
  const filter = readFilter(note['filter']);
  const { madeAt, madeBy, why, to, state, seenAt, rate, sampleShare, seed } =
    note as Partial<GenerationNote>;
  const isWhole =
    [seenAt, sampleShare, seed].every((field) => typeof field === 'number') &&
    [madeAt, to, rate].every((field) => field === null || typeof field === 'number') &&
    typeof madeBy === 'string' &&
    typeof why === 'string' &&
    (note['switchedFrom'] === null || typeof note['switchedFrom'] === 'string') &&
    (state === 'running' || state === 'paused' || state === 'complete');
  return filter !== undefined && isWhole
    ? ({ ...note, filter } as unknown as GenerationNote)
    : undefined;
};

/** The records that a generation is folded from, as its note says; null: all. */
export const filterOf = (note: GenerationNote | undefined): RecordFilter | null =>
  note !== undefined && isFiltering(note.filter) ? note.filter : null;

/** Generations that are kept beside the one in use and the one before it, so that nothing grows for ever. */
const generationsKeptMax = 2;

/** How long after it was last heard of a generation counts as being folded, milliseconds. */
const seenWithinMs = 60_000;

const numberOf = (generation: string): number => Number(/^g([0-9]+)$/.exec(generation)?.[1] ?? 0);

/** The one that a projector makes where there is none; it has no filter, and nobody else begins it. */
export const firstGeneration: string = 'g1';

/** The name of a generation that stands behind all these, and behind the first. */
export const nextGeneration = (known: readonly string[]): string =>
  `g${Math.max(numberOf(firstGeneration), ...known.map(numberOf)) + 1}`;

export const higherOf = (one: string | undefined, other: string): string =>
  one !== undefined && numberOf(one) > numberOf(other) ? one : other;

/** The oldest of those that nobody uses or folds, beyond what is kept. */
export const beyondKept = (
  known: readonly string[],
  isUsed: (generation: string) => boolean,
): readonly string[] => {
  const idle = known.filter((generation) => !isUsed(generation));
  const newestFirst = idle.toSorted((one, other) => numberOf(other) - numberOf(one));
  return newestFirst.slice(generationsKeptMax).toReversed();
};

/** Whether somebody folds it at this time. */
export const isBeingFolded = (note: GenerationNote | undefined, nowMs: number): boolean =>
  note?.state === 'running' && nowMs - note.seenAt < seenWithinMs;
