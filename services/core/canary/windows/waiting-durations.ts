import { packCounts, unpackCounts } from '../../samples/packed-counts.ts';
import type { Points, SamplePoint } from '../../samples/sample.ts';
import { bytesOfText, textOfBytes } from './byte-text.ts';
import type { Durations } from './durations.ts';
import { isBeyondPlausible, plausibleScaleMin } from './durations.ts';

/**
 * Buckets of a point that waits for its window: as the record had them, a tenth of what lists of numbers take. Plain
 * JSON. `first`, and `offset`, are those of the first bucket that is not empty.
 */
export type WaitingDurations =
  | {
      readonly shape: 'explicit';
      readonly bounds: readonly number[];
      readonly first: number;
      /** `packCounts`, as text. */
      readonly packed: string;
    }
  | {
      readonly shape: 'exponential';
      readonly unit?: 'ms';
      readonly scale: number;
      readonly zeroCount: number;
      readonly offset: number;
      readonly packed: string;
    };

/** Of a point that passed the door; null: it has none. */
export const waitingOf = (
  { origins, bounds }: Points,
  { origin, durations }: SamplePoint,
): WaitingDurations | null => {
  if (durations === null) return null;
  const { scale, zeroCount, offset } = durations;
  const packed = textOfBytes(durations.counts);
  if (durations.bounds === null) {
    const unit = origins[origin]?.unit === 'ms' ? { unit: 'ms' as const } : {};
    return { shape: 'exponential', ...unit, scale, zeroCount, offset, packed };
  }
  const seconds = bounds[durations.bounds]?.seconds;
  if (seconds === undefined) throw new RangeError('buckets without bounds passed the door');
  return { shape: 'explicit', bounds: seconds, first: offset, packed };
};

/** The same of a histogram. */
export const waitingFrom = (durations: Durations): WaitingDurations => {
  const { first, bytes } = packCounts(durations.counts);
  const packed = textOfBytes(bytes);
  const { shape } = durations;
  if (shape === 'explicit') return { shape, bounds: durations.bounds, first, packed };
  const { counts: _counts, ...rest } = durations;
  return { ...rest, offset: bytes.length === 0 ? 0 : durations.offset + first, packed };
};

export const durationsIn = (waiting: WaitingDurations): Durations => {
  const counts = countsIn(waiting);
  if (waiting.shape === 'exponential') {
    const { packed: _packed, ...rest } = waiting;
    return { ...rest, counts };
  }
  const { shape, bounds, first } = waiting;
  const all = Array<number>(bounds.length + 1).fill(0);
  for (let index = 0; index < counts.length; index += 1) all[first + index] = counts[index] ?? 0;
  return { shape, bounds, counts: all };
};

const countsIn = ({ packed }: WaitingDurations): readonly number[] => {
  const counts = unpackCounts(bytesOfText(packed));
  if (counts === undefined) throw new RangeError('buckets that no writer packs passed the door');
  return counts;
};

/** Nobody who counts requests is content with so few buckets: 4 would do from 0.1 us to 36 hours. */
const scaleMin = -1;

/**
 * Whether one absurd duration has spoilt a histogram: its sender had to widen all buckets to make room for it, and
 * added up with others it would widen theirs.
 */
export const isSpoilt = (waiting: WaitingDurations): boolean => {
  if (waiting.shape === 'explicit' || waiting.packed === '') return false;
  const { scale, offset, unit } = waiting;
  if (scale >= plausibleScaleMin) return false;
  return scale < scaleMin || isBeyondPlausible(unit, scale, offset, countsIn(waiting).length);
};
