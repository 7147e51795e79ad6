import type { ScheduleResult } from './schedule.ts';

/** What came of some schedules, added up. */
export type Tally = {
  schedules: number;
  faults: number;
  divergences: number;
  readonly byName: Map<string, number>;
  readonly refusals: Map<string, number>;
};

export const noTally = (): Tally => ({
  schedules: 0,
  faults: 0,
  divergences: 0,
  byName: new Map(),
  refusals: new Map(),
});

export const addSchedule = (
  tally: Tally,
  { faults, byName, refusals, divergence }: ScheduleResult,
): void =>
  addTally(tally, {
    schedules: 1,
    faults,
    divergences: divergence === null ? 0 : 1,
    byName,
    refusals,
  });

export const addTally = (
  tally: Tally,
  more: Readonly<Omit<Tally, 'byName' | 'refusals'>> & Pick<ScheduleResult, 'byName' | 'refusals'>,
): void => {
  tally.schedules += more.schedules;
  tally.faults += more.faults;
  tally.divergences += more.divergences;
  addCounts(tally.byName, more.byName);
  addCounts(tally.refusals, more.refusals);
};

const addCounts = (counts: Map<string, number>, more: ReadonlyMap<string, number>): void => {
  for (const [name, count] of more) counts.set(name, (counts.get(name) ?? 0) + count);
};
