import type { GenerationNote } from '../core/generation-note.ts';
import { noteKey, readNote } from '../core/generation-note.ts';
import type { MetricFamily, MetricName } from '../core/own-metrics/family.ts';
import { gauge, pointOf } from '../core/own-metrics/family.ts';
import type { ProjectionPorts } from '../ports/projecting.ts';
import type { Generation, ReadModelStore } from '../ports/read-model-store.ts';

const generationProgress: MetricName = {
  name: 'plimsoll_generation_progress_ratio',
  otelName: 'plimsoll.generation.progress',
  unit: '1',
  help: 'Share of the log that is folded into a generation that is in use or being made',
};
const generationCurrent: MetricName = {
  name: 'plimsoll_generation_current',
  otelName: 'plimsoll.generation.current',
  unit: '1',
  help: '1: the generation that readers use',
};
const logEnd: MetricName = {
  name: 'plimsoll_log_end_position',
  otelName: 'plimsoll.log.end',
  unit: '{record}',
  help: 'The next position that the log will give',
};

/** More stand side by side only by mistake. */
const generationsMax = 20;

/**
 * How the generations of the read models stand, whoever folds them: the one in use, and those that are on their way to
 * where they were asked to go. What is done and only kept stays behind the log for good, and tells nobody anything.
 * What cannot be reached is left out.
 */
export const readStanding = async ({
  log,
  store,
}: Pick<ProjectionPorts, 'log' | 'store'>): Promise<readonly MetricFamily[]> => {
  const [range, current, known] = await Promise.all([
    log.range(0),
    store.current(),
    store.generations(),
  ]);
  const end = range.ok ? range.value.end : null;
  const generations = known.ok ? known.value.slice(-generationsMax) : [];
  const notes = await notesOf(store, generations);
  const left = new Set([...notes.values()].map(({ switchedFrom }) => switchedFrom));
  const isOnItsWay = (generation: Generation): boolean =>
    current.ok && generation === current.value
      ? true
      : !left.has(generation) && notes.get(generation)?.state !== 'complete';
  const progress = await Promise.all(
    generations.filter(isOnItsWay).map(async (generation) => {
      const checkpoint = await store.checkpoint(generation);
      if (!checkpoint.ok || end === null) return [];
      const next = checkpoint.value?.next ?? 0;
      const to = Math.min(end, notes.get(generation)?.to ?? end);
      return pointOf({ generation }, to === 0 ? 1 : Math.min(1, next / to));
    }),
  );
  return [
    gauge(logEnd, pointOf({}, end)),
    gauge(generationProgress, progress.flat()),
    gauge(
      generationCurrent,
      current.ok && current.value !== undefined ? pointOf({ generation: current.value }, 1) : [],
    ),
  ];
};

/** The notes that can be read. */
const notesOf = async (
  { aside }: ReadModelStore,
  generations: readonly Generation[],
): Promise<ReadonlyMap<Generation, GenerationNote>> => {
  const read = await aside.read(generations.map(noteKey));
  const notes = new Map<Generation, GenerationNote>();
  for (const generation of generations) {
    const kept = read.ok ? read.value.get(noteKey(generation)) : undefined;
    const note = kept === undefined ? undefined : readNote(kept);
    if (note !== undefined) notes.set(generation, note);
  }
  return notes;
};
