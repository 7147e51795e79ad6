import { thousandths } from '../statistics/rounding.ts';
import type { Cohort } from './cohorts.ts';
import type { Durations } from './durations.ts';
import { countBeyondPlausible } from './durations.ts';

// Durations beyond what a request can take. A few count as the longest; where they are many nobody knows how long the
// requests of their cohort took.

/** Of newer requests how many there were, and how many of them took longer than one can; none, while none did. Plain JSON. */
export type AbsurdLately = {
  readonly [Name in Cohort]: { readonly requests: number; readonly beyond: number };
};

const noneLately = { requests: 0, beyond: 0 };
export const noAbsurdLately: AbsurdLately = { canary: noneLately, baseline: noneLately };

/** What a clock makes that was set once; and of all so few that as the longest they show nowhere. */
const fewMax = 10;
const fewShareMax = 0.005;
/** Of more requests the older count for less, so a few in each window are many before long. */
const requestsKept = 2_000;

const areMany = ({ requests, beyond }: AbsurdLately[Cohort]): boolean =>
  2 * beyond > requests || (beyond > fewMax && beyond > fewShareMax * requests);

type Added = {
  readonly point: { readonly cohort: Cohort };
  readonly added: { readonly count: number; readonly durations: Durations | null };
};

/** `absurd`: those with more than a few, by themselves or with others of their cohort, of this window and before. */
export const absurdIn = <Of extends Added>(
  counted: readonly Of[],
  before: AbsurdLately,
): { readonly absurd: ReadonlySet<Of['point']>; readonly lately: AbsurdLately } => {
  const beyondOf = new Map<Of['point'], number>();
  for (const { point, added } of counted) {
    const beyond = added.durations === null ? 0 : countBeyondPlausible(added.durations);
    if (beyond > 0) beyondOf.set(point, beyond);
  }
  if (beyondOf.size === 0 && before.canary.beyond + before.baseline.beyond === 0)
    return { absurd: new Set(), lately: noAbsurdLately };
  const sums = { canary: { ...before.canary }, baseline: { ...before.baseline } };
  for (const { point, added } of counted) {
    sums[point.cohort].requests += added.count;
    sums[point.cohort].beyond += beyondOf.get(point) ?? 0;
  }
  const absurd = new Set<Of['point']>();
  for (const { point, added } of counted) {
    const beyond = beyondOf.get(point) ?? 0;
    if (beyond === 0) continue;
    if (areMany({ requests: added.count, beyond }) || areMany(sums[point.cohort]))
      absurd.add(point);
  }
  return { absurd, lately: { canary: keptOf(sums.canary), baseline: keptOf(sums.baseline) } };
};

const keptOf = ({ requests, beyond }: AbsurdLately[Cohort]): AbsurdLately[Cohort] => {
  const part = Math.min(1, requestsKept / requests);
  const kept = beyond === 0 ? 0 : thousandths(beyond * part);
  return kept === 0 ? noneLately : { requests: thousandths(requests * part), beyond: kept };
};
