import type { Alphabet } from './text-reader.ts';
import { isLowerHex, isTokenWord, isWord } from './text-reader.ts';

export type Part =
  | string
  | { readonly alphabet: Alphabet; readonly min: number; readonly max: number };

/**
 * What a vendor documents about how its tokens look: their beginnings and what follows, part by part, read from left to
 * right and never back.
 */
export type TokenFormat = {
  readonly kind: string;
  readonly starts: readonly string[];
  readonly parts: readonly Part[];
  /** What of it stands before its beginning. Without this no letter or digit may stand there. */
  readonly lead?: Exclude<Part, string>;
  /** Without a digit it is a word: what is drawn by chance seldom has none. */
  readonly hasDigit?: true;
};

export const longMax = 8192;

export const run = (alphabet: Alphabet, min: number, max: number = min): Exclude<Part, string> => ({
  alphabet,
  min,
  max,
});

export const words = (min: number, max: number = min): Exclude<Part, string> =>
  run(isWord, min, max);
export const tokens = (min: number, max: number = longMax): Exclude<Part, string> =>
  run(isTokenWord, min, max);
export const hex = (min: number, max: number = min): Exclude<Part, string> =>
  run(isLowerHex, min, max);

export const format = (
  kind: string,
  starts: readonly string[],
  ...parts: readonly Part[]
): TokenFormat => ({ kind, starts, parts });

/** A format whose beginning stands in its middle: `lead` is what stands before it. */
export const formatBehind = (
  lead: Exclude<Part, string>,
  kind: string,
  starts: readonly string[],
  ...parts: readonly Part[]
): TokenFormat => ({ kind, starts, parts, lead });
