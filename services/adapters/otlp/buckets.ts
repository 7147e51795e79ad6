import type { Durations } from '../../core/canary/windows/durations.ts';
import type { DurationUnit } from '../../core/telemetry/point.ts';

/** Counts of one list that are kept; those beyond are only added up. */
const COUNTS_READ_MAX = 4096;

/** A list of bucket counts while it is read. NaN where JSON held something else. */
export class BucketCounts {
  readonly list: number[] = [];
  total: number = 0;
  tooMany: boolean = false;

  add(count: number): void {
    this.total += count;
    if (this.list.length < COUNTS_READ_MAX) this.list.push(count);
    else this.tooMany = true;
  }
}

/** Explicit bounds in seconds. The same list of a sender is built once, and its points share it. */
export type ExplicitBounds = {
  /** Whether they rise, and are numbers from 0 on. */
  readonly fit: boolean;
  readonly seconds: readonly number[];
  /** How many there were: a last one of Infinity is left out, because the last bucket is open anyway. */
  readonly sent: number;
};

const MS_PER_SECOND = 1000;

export const explicitBounds = (sent: readonly number[], unit: DurationUnit): ExplicitBounds => {
  const bounds = sent.at(-1) === Infinity ? sent.slice(0, -1) : sent;
  const seconds = unit === 'ms' ? bounds.map((bound) => bound / MS_PER_SECOND) : bounds;
  // Asked this way round, NaN does not rise.
  const rises = (bound: number, index: number): boolean => bound > (seconds[index - 1] ?? -1);
  const fit = seconds.every(
    (bound, index) => bound >= 0 && bound < Infinity && rises(bound, index),
  );
  return { fit, seconds, sent: sent.length };
};

/** What the buckets of one point come down to. */
export type ReadBuckets = {
  readonly durations: Durations | null;
  /** Sum of all buckets; null where the point tells no distribution. */
  readonly total: number | null;
  readonly boundsFit: boolean;
  readonly tooMany: boolean;
  /** How many are below zero, as far as the buckets tell. */
  readonly negative: number;
};

export const NO_BUCKETS: ReadBuckets = {
  durations: null,
  total: null,
  boundsFit: true,
  tooMany: false,
  negative: 0,
};

export const explicitBuckets = (
  { list, total, tooMany }: BucketCounts,
  bounds: ExplicitBounds,
  bucketsMax: number,
): ReadBuckets => {
  if (list.length === 0) return NO_BUCKETS;
  const overflow = bounds.sent - bounds.seconds.length;
  const counts = overflow === 0 ? list : list.slice(0, -overflow);
  if (overflow > 0) {
    const last = counts.length - 1;
    counts[last] = (counts[last] ?? 0) + (list.at(-1) ?? 0);
  }
  return {
    // A single bucket says no more than the count.
    durations:
      bounds.seconds.length === 0 ? null : { shape: 'explicit', bounds: bounds.seconds, counts },
    total,
    boundsFit: bounds.fit && bounds.sent === list.length - 1,
    tooMany: tooMany || list.length > bucketsMax,
    negative: 0,
  };
};

/** An exponential histogram as it is on the wire. */
export type RawExponential = {
  scale: number;
  zeroCount: number;
  offset: number;
  readonly positive: BucketCounts;
  readonly negative: BucketCounts;
};

export const blankExponential = (): RawExponential => ({
  scale: 0,
  zeroCount: 0,
  offset: 0,
  positive: new BucketCounts(),
  negative: new BucketCounts(),
});

/** Scales of the OpenTelemetry data model. */
const [SCALE_MIN, SCALE_MAX] = [-10, 20];
/** Powers of two between which every double above 0 lies. */
const [OCTAVE_MIN, OCTAVE_MAX] = [-1075, 1024];

export const exponentialBuckets = (
  { scale, zeroCount, offset: first, positive, negative }: RawExponential,
  unit: DurationUnit,
  bucketsMax: number,
): ReadBuckets => {
  const { list } = positive;
  let [from, to] = [0, list.length];
  while (from < to && list[from] === 0) from++;
  while (to > from && list[to - 1] === 0) to--;
  const counts = from === 0 && to === list.length ? list : list.slice(from, to);
  const offset = counts.length === 0 ? 0 : first + from;
  const perOctave = 2 ** scale;
  return {
    durations: {
      shape: 'exponential',
      ...(unit === 'ms' ? { unit } : {}),
      scale,
      // A clock that was set back made them: below 0 is too short for any bucket. Refused, one request would keep its
      // counter from being judged for ever.
      zeroCount: zeroCount + negative.total,
      offset,
      counts,
    },
    total: zeroCount + positive.total + negative.total,
    boundsFit:
      Number.isInteger(scale) &&
      scale >= SCALE_MIN &&
      scale <= SCALE_MAX &&
      Number.isInteger(offset) &&
      offset >= OCTAVE_MIN * perOctave &&
      offset + counts.length <= OCTAVE_MAX * perOctave,
    tooMany: positive.tooMany || counts.length > bucketsMax,
    negative: negative.total,
  };
};
