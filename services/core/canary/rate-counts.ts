/** Counts of one rate: of `total`, `events` had what is counted (errors; requests slower than a boundary). */
export type RateCounts = { readonly total: number; readonly events: number };

/** One rate in both cohorts, in the same window. */
export type RatePair = { readonly canary: RateCounts; readonly baseline: RateCounts };

export const noRate: RateCounts = { total: 0, events: 0 };

export const addRates = (left: RateCounts, right: RateCounts): RateCounts => ({
  total: left.total + right.total,
  events: left.events + right.events,
});

/** Only a pair with something in both cohorts can say anything about their difference. */
export const isPairedRate = ({ canary, baseline }: RatePair): boolean =>
  canary.total > 0 && baseline.total > 0;
