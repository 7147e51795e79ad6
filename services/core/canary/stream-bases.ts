import type { Durations } from './durations.ts';
import { durationsSince } from './durations-since.ts';

/** What a stream counts. */
export type Counted = {
  readonly count: number;
  readonly errors: number;
  /** Null: not known. */
  readonly durations: Durations | null;
};

/** Explicit buckets from the first to the last that is not empty, with the place of their bounds. */
type ExplicitBase = {
  readonly shape: 'explicit';
  readonly layout: number;
  readonly first: number;
  readonly counts: readonly number[];
};
type BaseDurations = ExplicitBase | Extract<Durations, { readonly shape: 'exponential' }>;

export type Base = Omit<Counted, 'durations'> & { readonly durations: BaseDurations | null };

/** What cumulative streams had counted by their last points: their next ones are measured from it. Plain JSON. */
export type Bases = {
  /** Bounds of explicit histograms, each list once. */
  readonly layouts: readonly (readonly number[])[];
  /** By `streamOf`. */
  readonly streams: { readonly [stream: string]: Base };
};

export const noBases: Bases = { layouts: [], streams: {} };

/** Cumulative streams of one analysis, and different lists of bounds among them. */
const streamsMax = 20_000;
const layoutsMax = 100;

/**
 * One stream of cumulative values. A series that starts again is another stream: so a reset is never a difference,
 * and two senders that cannot be told apart do not pass for one that resets with every export.
 */
export const streamOf = (series: string, startMs: number): string => `${series}:${startMs}`;

/** Bases while the points of a window are taken, in the order of their time. */
export type BasesDraft = {
  /** What was counted since the base; `first`: there was none. The value is the next base. */
  readonly take: (stream: string, value: Counted) => Counted | 'first' | 'over-limit';
  readonly close: () => Bases;
};

export const openBases = (before: Bases): BasesDraft => {
  let streams: { [stream: string]: Base } | undefined;
  let left = 0;
  const layouts = [...before.layouts];
  const places = new Map<readonly number[] | string, number>();

  const placeOf = (bounds: readonly number[]): number | undefined => {
    const known = places.get(bounds) ?? places.get(bounds.join());
    if (known === undefined && layouts.length >= layoutsMax) return undefined;
    const place = known ?? layouts.push(bounds) - 1;
    places.set(bounds, place);
    places.set(bounds.join(), place);
    return place;
  };

  const packed = (durations: Durations | null): BaseDurations | null => {
    if (durations === null || durations.shape === 'exponential') return durations;
    const layout = placeOf(durations.bounds);
    if (layout === undefined) return null;
    const { counts } = durations;
    const first = Math.max(
      0,
      counts.findIndex((count) => count > 0),
    );
    const last = counts.findLastIndex((count) => count > 0);
    return { shape: 'explicit', layout, first, counts: counts.slice(first, last + 1) };
  };

  const unpacked = (base: BaseDurations | null): Durations | null => {
    if (base === null || base.shape === 'exponential') return base;
    const bounds = layouts[base.layout];
    if (bounds === undefined) throw new RangeError('a base has bounds that nobody knows');
    const counts = Array<number>(bounds.length + 1).fill(0);
    for (const [index, count] of base.counts.entries()) counts[base.first + index] = count;
    return { shape: 'explicit', bounds, counts };
  };

  return {
    take: (stream, value) => {
      if (streams === undefined) {
        streams = { ...before.streams };
        left = streamsMax - Object.keys(streams).length;
        for (const [place, bounds] of layouts.entries()) places.set(bounds.join(), place);
      }
      const base = streams[stream];
      if (base === undefined && left <= 0) return 'over-limit';
      if (base === undefined) left -= 1;
      const { count, errors } = value;
      streams[stream] = { count, errors, durations: packed(value.durations) };
      return base === undefined
        ? 'first'
        : since({ ...base, durations: unpacked(base.durations) }, value);
    },
    close: () => (streams === undefined ? before : { layouts, streams }),
  };
};

/**
 * A count that fell, or a bucket of it, was reset by a sender that did not say so: it counts from zero. Buckets of
 * another layout are no proof of that; what they hold may be older than the opening, so then only requests are counted.
 */
const since = (base: Counted, value: Counted): Counted => {
  if (value.count < base.count) return value;
  const count = value.count - base.count;
  const errors = Math.min(Math.max(0, value.errors - base.errors), count);
  if (base.durations === null || value.durations === null)
    return { count, errors, durations: null };
  const durations = durationsSince(base.durations, value.durations);
  if (durations === 'fell') return value;
  return { count, errors, durations: durations === 'differ' ? null : durations };
};
