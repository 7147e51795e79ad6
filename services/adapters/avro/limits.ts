/** Array items of one record, all arrays together. No record of ours comes near it. */
export const arrayItemsMax = 10_000;

/** Records inside records. */
export const nestingMax = 32;

/**
 * Whole numbers, as far as avsc 5.7.9 keeps them: it refuses more than this …
 */
export const wholeNumberMax = 9_007_199_254_740_990;
/** … and writes what is below -2^52 as another number, without a word. */
export const wholeNumberMin: number = -(2 ** 52);
