import type { MetricFamily, MetricName } from '../core/own-metrics/family.ts';
import { gauge, pointOf } from '../core/own-metrics/family.ts';
import type { ProjectionPorts } from '../ports/projecting.ts';

const generationProgress: MetricName = {
  name: 'plimsoll_generation_progress_ratio',
  otelName: 'plimsoll.generation.progress',
  unit: '1',
  help: 'Share of the log that is folded into a generation of the read models',
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

/** How the generations of the read models stand, whoever folds them. What cannot be reached is left out. */
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
  const progress = await Promise.all(
    generations.map(async (generation) => {
      const checkpoint = await store.checkpoint(generation);
      if (!checkpoint.ok || end === null) return [];
      const next = checkpoint.value?.next ?? 0;
      return pointOf({ generation }, end === 0 ? 1 : Math.min(1, next / end));
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
