import type { Divergence } from './judge.ts';
import type { Ground, ScheduleOptions, ScheduleResult } from './schedule.ts';
import { runSchedule } from './schedule.ts';

/** The smallest schedule found that ends in the same way. */
export type Shrunk = {
  readonly options: ScheduleOptions;
  readonly result: ScheduleResult;
  readonly tries: number;
};

const triesMax = 400;

/**
 * Leaves out faults, more and more at a time where that goes well, and what emitters say, as long as the schedule
 * still diverges with the same code.
 */
export const shrink = async (ground: Ground, failed: ScheduleResult): Promise<Shrunk> => {
  const wanted: Divergence['code'] | undefined = failed.divergence?.code;
  let options: ScheduleOptions = { seed: failed.seed };
  let result = failed;
  let tries = 0;
  const attempt = async (tried: ScheduleOptions): Promise<boolean> => {
    if (tries >= triesMax) return false;
    tries += 1;
    const again = await runSchedule(ground, tried);
    if (again.divergence?.code !== wanted) return false;
    options = tried;
    result = again;
    return true;
  };

  for (let groupsMax = 16; groupsMax >= 1; groupsMax = Math.floor(groupsMax / 2))
    await attempt({ ...options, groupsMax });
  for (let size = failed.drawn; size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0)
    for (let from = 0; from < result.drawn; from += size) {
      const without = new Set(options.without);
      for (let fault = from; fault < from + size; fault++) without.add(fault);
      await attempt({ ...options, without });
    }
  return { options, result, tries };
};

/** Everything that happens in a schedule, a line each. */
export const traceOf = async (
  ground: Ground,
  options: ScheduleOptions,
): Promise<readonly string[]> => {
  const lines: string[] = [];
  await runSchedule(ground, { ...options, trace: (line) => void lines.push(line) });
  return lines;
};
