import type { Ground, ScheduleResult } from './schedule.ts';
import { runSchedule } from './schedule.ts';
import { shrink, traceOf } from './shrink.ts';
import type { Tally } from './tally.ts';
import { addSchedule, noTally } from './tally.ts';

const shrunkMax = 3;

export const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Says what diverged, how to see it again, and the smallest schedule that does the same. */
const tellDivergence = async (
  ground: Ground,
  failed: ScheduleResult,
  shrinks: boolean,
): Promise<void> => {
  say(`\nseed ${failed.seed}: ${failed.divergence?.code}: ${failed.divergence?.message}`);
  say(`the whole schedule: npm run simulate -- --schedules 1 --seed ${failed.seed} --trace`);
  if (!shrinks) return;
  const { options, result, tries } = await shrink(ground, failed);
  say(
    `the smallest of ${tries} tries has ${result.faults} of ${failed.faults} faults and ends with ${result.divergence?.code}: ${result.divergence?.message}`,
  );
  for (const line of await traceOf(ground, options)) say(line);
};

/** Runs one seed after the other until `isOver`, or with `first` to the first divergence, which is then not shrunk. */
export const runSchedules = async (
  ground: Ground,
  how: {
    readonly seed: number;
    readonly first: boolean;
    readonly isOver: (tally: Tally) => boolean;
    readonly onSchedule?: (tally: Tally) => void;
  },
): Promise<Tally> => {
  const tally = noTally();
  for (let seed = how.seed; !how.isOver(tally); seed++) {
    const result = await runSchedule(ground, { seed });
    addSchedule(tally, result);
    if (result.divergence !== null && tally.divergences <= shrunkMax)
      await tellDivergence(ground, result, !how.first);
    how.onSchedule?.(tally);
    if (how.first && tally.divergences > 0) break;
  }
  return tally;
};
