import type { Durations } from '../canary/durations.ts';
import { packCounts, unpackCounts } from './packed-counts.ts';
import type { PackedDurations, Points, SamplePoint } from './sample.ts';

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

/** The buckets of a point that passed the door; null: it has none. */
export const durationsOf = (
  { origins, bounds }: Points,
  { origin, durations }: SamplePoint,
): Durations | null => {
  if (durations === null) return null;
  const { scale, zeroCount, offset } = durations;
  const counts = unpackCounts(durations.counts);
  if (counts === undefined) throw new RangeError('buckets that no writer packs passed the door');
  if (durations.bounds === null) {
    const unit = origins[origin]?.unit === 'ms' ? { unit: 'ms' as const } : {};
    return { shape: 'exponential', ...unit, scale, zeroCount, offset, counts };
  }
  const seconds = bounds[durations.bounds]?.seconds;
  if (seconds === undefined) throw new RangeError('buckets without bounds passed the door');
  const all = Array<number>(seconds.length + 1).fill(0);
  for (let index = 0; index < counts.length; index += 1) all[offset + index] = counts[index] ?? 0;
  return { shape: 'explicit', bounds: seconds, counts: all };
};
