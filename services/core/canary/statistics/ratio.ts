/** Ends are ratios; null: open on that side. */
export type RatioInterval = { readonly low: number | null; readonly high: number | null };

/** Of the intervals that people are shown. */
export const intervalConfidence = 0.99;
