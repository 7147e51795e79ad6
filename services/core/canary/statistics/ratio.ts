/** Ends are ratios; null: open on that side. */
export type RatioInterval = { readonly low: number | null; readonly high: number | null };

/** An end of an interval, of which nothing is known where it is infinite. */
export const openWhereInfinite = (ratio: number): number | null =>
  Number.isFinite(ratio) ? ratio : null;

/** Of the intervals that people are shown. */
export const intervalConfidence = 0.99;
