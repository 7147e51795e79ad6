import type { Durations } from './durations.ts';
import { downscaled } from './durations.ts';

/**
 * What a cumulative histogram has counted since an earlier value of the same stream. Its scale may have fallen
 * meanwhile, and then the lower one counts.
 * - `fell`: a bucket holds less than before, so it began anew;
 * - `differ`: the two do not fit. So do exponential ones with a bucket that fell: what counts as zero may have widened.
 */
export const durationsSince = (base: Durations, now: Durations): Durations | 'fell' | 'differ' => {
  if (base.shape === 'explicit' || now.shape === 'explicit') {
    if (base.shape !== 'explicit' || now.shape !== 'explicit') return 'differ';
    const { bounds } = now;
    if (bounds.length !== base.bounds.length) return 'differ';
    if (bounds !== base.bounds && bounds.some((bound, index) => bound !== base.bounds[index]))
      return 'differ';
    const counts = countsSince(base.counts, now.counts, 0);
    return counts === undefined ? 'fell' : { shape: 'explicit', bounds, counts };
  }
  if (base.unit !== now.unit || now.scale > base.scale) return 'differ';
  const from = base.scale === now.scale ? base : downscaled(base, now.scale);
  const zeroCount = now.zeroCount - from.zeroCount;
  const counts = countsSince(from.counts, now.counts, from.offset - now.offset);
  return zeroCount < 0 || counts === undefined ? 'differ' : { ...now, zeroCount, counts };
};

/** `shift`: how many buckets further up the first of `base` lies. Undefined: some bucket held more before. */
const countsSince = (
  base: readonly number[],
  now: readonly number[],
  shift: number,
): readonly number[] | undefined => {
  const counts = [...now];
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
