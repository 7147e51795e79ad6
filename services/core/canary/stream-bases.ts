import type { Durations, Exponential } from './durations.ts';
import { countsSince, exponentialSince } from './durations-since.ts';

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

/** What one stream had counted by its last point. */
export type Base = {
  readonly count: number;
  readonly errors: number;
  readonly durations: ExplicitBase | Exponential | null;
};

type BasesOfSeries = { readonly [startMs: number]: Base };

/** What the next points of cumulative streams are measured from. Plain JSON. */
export type Bases = {
  /** Bounds of explicit histograms, each list once. */
  readonly layouts: readonly (readonly number[])[];
  readonly streams: number;
  /** By series, then by the start of the stream. */
  readonly ofSeries: { readonly [series: string]: BasesOfSeries };
};

export const noBases: Bases = { layouts: [], streams: 0, ofSeries: {} };

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
  readonly take: (
    series: string,
    startMs: number,
    value: Counted,
  ) => Counted | 'first' | 'over-limit';
  readonly close: () => Bases;
};

export const openBases = (before: Bases): BasesDraft => {
  let all: { [series: string]: { [startMs: number]: Base } } | undefined;
  // Those of `before` are its own; a series is copied when it first changes.
  const copied = new Set<string>();
  let { streams } = before;
  const layouts = openLayouts(before.layouts);

  return {
    take: (series, startMs, value) => {
      all ??= { ...before.ofSeries };
      const ofSeries = copied.has(series) ? (all[series] ?? {}) : { ...all[series] };
      const base = ofSeries[startMs];
      if (base === undefined && streams >= streamsMax) return 'over-limit';
      if (base === undefined) streams += 1;
      const next = baseOf(value, layouts);
      ofSeries[startMs] = next;
      all[series] = ofSeries;
      copied.add(series);
      return base === undefined ? 'first' : since(base, value, next);
    },
    close: () => (all === undefined ? before : { layouts: layouts.all, streams, ofSeries: all }),
  };
};

type Layouts = {
  readonly all: readonly (readonly number[])[];
  /** The place of these bounds; undefined: there is none left. */
  readonly placeOf: (bounds: readonly number[]) => number | undefined;
};

const openLayouts = (before: readonly (readonly number[])[]): Layouts => {
  const all = [...before];
  // The bounds of one sender are one list in memory, so few are compared number by number.
  const places = new Map<readonly number[], number>();
  for (const [place, bounds] of all.entries()) places.set(bounds, place);
  return {
    all,
    placeOf: (bounds) => {
      const known = places.get(bounds);
      if (known !== undefined) return known;
      const equal = all.findIndex((other) => sameNumbers(other, bounds));
      if (equal < 0 && all.length >= layoutsMax) return undefined;
      const place = equal < 0 ? all.push(bounds) - 1 : equal;
      places.set(bounds, place);
      return place;
    },
  };
};

const sameNumbers = (left: readonly number[], right: readonly number[]): boolean =>
  left.length === right.length && left.every((number, index) => number === right[index]);

const baseOf = (value: Counted, layouts: Layouts): Base => {
  const { count, errors, durations } = value;
  if (durations === null || durations.shape === 'exponential') return { count, errors, durations };
  const layout = layouts.placeOf(durations.bounds);
  if (layout === undefined) return { count, errors, durations: null };
  const { counts } = durations;
  let first = 0;
  let last = counts.length - 1;
  while (first < last && counts[first] === 0) first += 1;
  while (last > first && counts[last] === 0) last -= 1;
  const kept = counts.slice(first, last + 1);
  return { count, errors, durations: { shape: 'explicit', layout, first, counts: kept } };
};

/**
 * A count that fell, or an explicit bucket, was reset by a sender that did not say so: it counts from zero. Buckets of
 * another layout are no proof of that; what they hold may be older than the opening, so then only requests are counted.
 * `next` is the value as a base.
 */
const since = (base: Base, value: Counted, next: Base): Counted => {
  if (value.count < base.count) return value;
  const count = value.count - base.count;
  const errors = Math.min(Math.max(0, value.errors - base.errors), count);
  const from = base.durations;
  const to = value.durations;
  if (from?.shape === 'exponential' && to?.shape === 'exponential')
    return { count, errors, durations: exponentialSince(from, to) ?? null };
  const isAlike =
    from?.shape === 'explicit' &&
    next.durations?.shape === 'explicit' &&
    from.layout === next.durations.layout;
  if (!isAlike || to?.shape !== 'explicit') return { count, errors, durations: null };
  const counts = countsSince(from.counts, to.counts, from.first);
  if (counts === undefined) return value;
  return { count, errors, durations: { shape: 'explicit', bounds: to.bounds, counts } };
};
