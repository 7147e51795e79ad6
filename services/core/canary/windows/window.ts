/** A window by which something can be found again. */
export type WindowMark = { readonly index: number; readonly startMs: number };
