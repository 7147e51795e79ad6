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

/**
 * A pair is kept as so many numbers of a list: total and events of the canary, then of the baseline. Lists that
 * are written to belong to whoever asks.
 */
export const pairLength = 4;

export const addPair = (sums: number[], at: number, { canary, baseline }: RatePair): void => {
  sums[at] = (sums[at] ?? 0) + canary.total;
  sums[at + 1] = (sums[at + 1] ?? 0) + canary.events;
  sums[at + 2] = (sums[at + 2] ?? 0) + baseline.total;
  sums[at + 3] = (sums[at + 3] ?? 0) + baseline.events;
};

export const pairOf = (sums: readonly number[], at: number): RatePair => ({
  canary: { total: sums[at] ?? 0, events: sums[at + 1] ?? 0 },
  baseline: { total: sums[at + 2] ?? 0, events: sums[at + 3] ?? 0 },
});

/** So much of the smaller cohort's part, and so many deviations beyond it, may a window's traffic be split otherwise. */
const splitApart = 0.1;
const splitDeviations = 5;

/**
 * Whether the requests of a window are split between the cohorts plainly otherwise than those of a block since its last
 * split. Of the block's numbers, and of what they were by then (null: there was none), the first is the canary's requests,
 * and the third the baseline's.
 */
export const isSplitOtherwise = (
  block: readonly number[],
  from: number,
  split: readonly number[] | null,
  canary: number,
  baseline: number,
): boolean => {
  const canaryBefore = (block[from] ?? 0) - (split?.[0] ?? 0);
  const baselineBefore = (block[from + 2] ?? 0) - (split?.[2] ?? 0);
  const before = canaryBefore + baselineBefore;
  const now = canary + baseline;
  if (before === 0 || now === 0) return false;
  const share = (canaryBefore + canary) / (before + now);
  const variance = now * share * (1 - share) * (1 + now / before);
  const allowed =
    splitApart * now * Math.min(share, 1 - share) + splitDeviations * Math.sqrt(variance);
  return Math.abs(canary - (now * canaryBefore) / before) > allowed;
};
