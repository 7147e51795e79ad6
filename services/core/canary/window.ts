/** Requests of one cohort, and how many of them failed. */
export type ArmCounts = { readonly requests: number; readonly errors: number };

/** A window by which something can be found again. */
export type WindowMark = { readonly index: number; readonly startMs: number };
