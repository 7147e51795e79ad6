/** Counts of one rate: of `total`, `events` had what is counted (errors; requests slower than a boundary). */
export type RateCounts = { readonly total: number; readonly events: number };

/** Of how many requests a point says that they were good, and by which attribute it says so of most of them. */
export type Said = { readonly good: number; readonly by: string };

/**
 * `said` is absent where nothing says so of any request; `clientErrors` (requests that were answered with errors of the
 * client's, which are no events) where there are none.
 */
export type SaidCounts = RateCounts & { readonly said?: Said; readonly clientErrors?: number };

/** One rate in both cohorts, in the same window. */
export type RatePair = { readonly canary: RateCounts; readonly baseline: RateCounts };

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

/** The same in a list that begins with them, and that belongs to whoever asks. */
export const addPair = (sums: number[], { canary, baseline }: RatePair): void => {
  sums[0] = (sums[0] ?? 0) + canary.total;
  sums[1] = (sums[1] ?? 0) + canary.events;
  sums[2] = (sums[2] ?? 0) + baseline.total;
  sums[3] = (sums[3] ?? 0) + baseline.events;
};

/** So much of the smaller cohort's part, and so many deviations beyond it, may a window's traffic be split otherwise. */
const splitApart = 0.1;
const splitDeviations = 5;

/**
 * Whether the requests of a window are split between the cohorts plainly otherwise than those of a block since its last
 * split. Of `block`, and of what it was by then (null: there was none), the first number is the canary's requests, and the
 * third the baseline's.
 */
export const isSplitOtherwise = (
  block: readonly number[],
  split: readonly number[] | null,
  canary: number,
  baseline: number,
): boolean => {
  const canaryBefore = (block[0] ?? 0) - (split?.[0] ?? 0);
  const baselineBefore = (block[2] ?? 0) - (split?.[2] ?? 0);
  const before = canaryBefore + baselineBefore;
  const now = canary + baseline;
  if (before === 0 || now === 0) return false;
  const share = (canaryBefore + canary) / (before + now);
  const variance = now * share * (1 - share) * (1 + now / before);
  const allowed =
    splitApart * now * Math.min(share, 1 - share) + splitDeviations * Math.sqrt(variance);
  return Math.abs(canary - (now * canaryBefore) / before) > allowed;
};

/** Of a list that begins with its sums. */
export const pairOf = ([
  canaryTotal = 0,
  canaryEvents = 0,
  baselineTotal = 0,
  baselineEvents = 0,
]: readonly number[]): RatePair => ({
  canary: { total: canaryTotal, events: canaryEvents },
  baseline: { total: baselineTotal, events: baselineEvents },
});
