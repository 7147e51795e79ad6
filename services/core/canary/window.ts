/** Requests of one cohort, and how many of them failed. */
export type ArmCounts = { readonly requests: number; readonly errors: number };

/** A window by which something can be found again. */
export type WindowMark = { readonly index: number; readonly startMs: number };

export const noCounts: ArmCounts = { requests: 0, errors: 0 };

export const addCounts = (left: ArmCounts, right: ArmCounts): ArmCounts => ({
  requests: left.requests + right.requests,
  errors: left.errors + right.errors,
});
