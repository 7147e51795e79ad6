import type { Durations } from '../canary/windows/durations.ts';
import { packCounts } from './packed-counts.ts';
import type { PackedDurations } from './sample.ts';

/** The buckets of a point as a record holds them; `boundsAt` finds the place of its bounds in the record's list. */
export const packDurations = (
  durations: Durations,
  boundsAt: (bounds: readonly number[]) => number,
): PackedDurations => {
  const { first, bytes } = packCounts(durations.counts);
  if (durations.shape === 'explicit')
    return {
      bounds: boundsAt(durations.bounds),
      scale: 0,
      zeroCount: 0,
      offset: first,
      counts: bytes,
    };
  const { scale, zeroCount, offset } = durations;
  const from = bytes.length === 0 ? 0 : offset + first;
  return { bounds: null, scale, zeroCount, offset: from, counts: bytes };
};
