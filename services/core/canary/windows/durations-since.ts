import type { Exponential } from './durations.ts';
import { downscaled } from './durations.ts';

/**
 * What a cumulative exponential histogram has counted since an earlier value of the same stream. Its scale may have
 * fallen meanwhile, and then the lower one counts. Undefined: the two do not fit; also where a bucket holds less than
 * before, because what counts as zero may have widened.
 */
export const exponentialSince = (base: Exponential, now: Exponential): Exponential | undefined => {
  if (base.unit !== now.unit || now.scale > base.scale) return undefined;
  const from = base.scale === now.scale ? base : downscaled(base, now.scale);
  const zeroCount = now.zeroCount - from.zeroCount;
  const counts = countsSince(from.counts, now.counts, from.offset - now.offset);
  return zeroCount < 0 || counts === undefined ? undefined : { ...now, zeroCount, counts };
};

/**
 * Whether a bucket holds less than before that cannot have become zero: what counts as zero widens from below, so of what
 * was widened nothing is left under the lowest bucket that is not empty.
 */
export const hasFallenBucket = (base: Exponential, now: Exponential): boolean => {
  if (base.unit !== now.unit || now.scale > base.scale) return false;
  const from = base.scale === now.scale ? base : downscaled(base, now.scale);
  const lowest = now.counts.findIndex((count) => count > 0);
  if (lowest < 0) return false;
  return from.counts.some((before, index) => {
    const at = index + from.offset - now.offset;
    return at > lowest && (now.counts[at] ?? 0) < before;
  });
};

/** `shift`: how many buckets further up the first of `base` lies. Undefined: some bucket held more before. */
export const countsSince = (
  base: readonly number[],
  now: readonly number[],
  shift: number,
): readonly number[] | undefined => {
  const counts = now.slice();
  for (let index = 0; index < base.length; index += 1) {
    const before = base[index] ?? 0;
    if (before === 0) continue;
    const at = index + shift;
    const count = counts[at];
    if (count === undefined || count < before) return undefined;
    counts[at] = count - before;
  }
  return counts;
};
