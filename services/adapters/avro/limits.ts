/** Array items of one record, all arrays together. No record of ours comes near it. */
export const arrayItemsMax = 10_000;

/** Records inside records. */
export const nestingMax = 32;

/** Whole numbers, plus or minus: the bound of avsc, just below 2^53. */
export const wholeNumberMax = 9_007_199_254_740_990;
