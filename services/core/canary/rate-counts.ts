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

/** A pair as four numbers, which is how many of them are kept: totals and events of the canary, then of the baseline. */
export type PairSums = readonly [
  canaryTotal: number,
  canaryEvents: number,
  baselineTotal: number,
  baselineEvents: number,
];

export const noSums: PairSums = [0, 0, 0, 0];

export const addToSums = (sums: PairSums, { canary, baseline }: RatePair): PairSums => [
  sums[0] + canary.total,
  sums[1] + canary.events,
  sums[2] + baseline.total,
  sums[3] + baseline.events,
];

export const pairOf = (sums: PairSums): RatePair => ({
  canary: { total: sums[0], events: sums[1] },
  baseline: { total: sums[2], events: sums[3] },
});
