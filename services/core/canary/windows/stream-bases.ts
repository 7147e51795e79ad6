import type { Temporality } from '../../telemetry/point.ts';
import { maySeveralSend, unreadAttributes } from '../../telemetry/series-sender.ts';
import type { AbsurdLately } from './absurd-durations.ts';
import { noAbsurdLately } from './absurd-durations.ts';
import type { Durations, Exponential } from './durations.ts';
import type { Fallen } from './stream-falls.ts';
import { fallenBy } from './stream-falls.ts';
import type { Probed } from './probes.ts';
import { neverProbed } from './probes.ts';
import { familyOf, openStarts, wasPartOf } from './stream-starts.ts';
import type { StuckDeltas } from './stuck-deltas.ts';
import { noStuckDeltas } from './stuck-deltas.ts';
import type { Twins } from './twins.ts';
import { noTwins } from './twins.ts';
import { countsSince, exponentialSince, hasFallenBucket } from './durations-since.ts';

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
  /** Of the newest point. */
  readonly timeMs: number;
  readonly count: number;
  readonly errors: number;
  readonly durations: ExplicitBase | Exponential | null;
  readonly fallen?: Fallen;
  /** Of a stream that was told under several starts, that of the newest point. */
  readonly saidStartMs?: number;
};

type BasesOfSeries = { readonly [startMs: number]: Base };

/** All series of one metric of one sender that began together before the opening. */
type Family = {
  /** Exports seen, up to `exportsMax`, and the time of the newest of them. */
  readonly exports: number;
  readonly lastMs: number;
  /** Requests that its series counted since their bases. */
  readonly counted: number;
};

/** What the next points of cumulative streams are measured from. Plain JSON. */
export type Bases = {
  /** Bounds of explicit histograms, each list once. */
  readonly layouts: readonly (readonly number[])[];
  readonly streams: number;
  /** By series, then by the start of the stream. */
  readonly ofSeries: { readonly [series: string]: BasesOfSeries };
  readonly families: { readonly [name: string]: Family };
  /** Of series of deltas, the start of the newest point that began before the opening. */
  readonly begun: { readonly [series: string]: number };
  /** Families of several senders with one name and one start, such as workers of one process; of deltas without the start. */
  readonly shared: { readonly [name: string]: true };
  /** Cumulative series whose newest point was refused: what the next one adds is not of its window alone. */
  readonly gaps: { readonly [series: string]: true };
  readonly absurdLately: AbsurdLately;
  readonly twins: Twins;
  readonly stuck: StuckDeltas;
  readonly probed: Probed;
  /** Shared names or gaps could not be remembered any more, so nobody knows what any window shows of requests. */
  readonly isUnknowable: boolean;
};

export const noBases: Bases = {
  layouts: [],
  streams: 0,
  ofSeries: {},
  families: {},
  begun: {},
  shared: {},
  gaps: {},
  absurdLately: noAbsurdLately,
  twins: noTwins,
  stuck: noStuckDeltas,
  probed: neverProbed,
  isUnknowable: false,
};

/** Streams of one analysis that something is known of, and different lists of bounds among them. */
const streamsMax = 20_000;
const layoutsMax = 100;

/** Points this close together are of one export. */
export const exportGapMs = 500;
/** One export may be lost in part, so two must have shown nothing of a series before it is new. */
const exportsBefore = 2;
const exportsMax: number = exportsBefore + 1;
/** Who sends at all has exported once by then: several under one name, each with a start of its own, are all known. */
export const roundMs = 60_000;

/**
 * One stream of cumulative values. A series that starts again is another stream: so a reset is never a difference,
 * and two senders that cannot be told apart do not pass for one that resets with every export.
 */
export const streamOf = (series: string, startMs: number): string => `${series}:${startMs}`;

/** Bases while the points of a window are taken, in the order of their time. */
export type BasesDraft = {
  /**
   * What was counted since the base. The value is the next base.
   * - `new`: all of it, because it began after the opening;
   * - `unknown`: how much of it is since the opening nobody knows;
   * - `lost`: nor that of a series which is known to have counted before: requests were there that nobody can count;
   * - `start-shared`: nobody knows whose it is. Once that is certain, it is said of all series that its senders began
   *   together, or a cohort's errors could count without its requests. Of two whose starts are as near as those of one that
   *   reckons it anew, it is said of that point alone: from then on they are two.
   */
  readonly take: (
    series: string,
    startMs: number,
    timeMs: number,
    value: Counted,
  ) => Counted | 'new' | 'unknown' | 'lost' | 'over-limit' | 'start-shared';
  /**
   * Whether a delta counts. One that began before the opening does not, unless the delta before it began at that very
   * moment: a start that does not move is that of the process, and such a sender means what came since.
   */
  readonly takeDelta: (
    series: string,
    startMs: number,
  ) => 'new' | 'unknown' | 'over-limit' | 'start-shared';
  /** Two points of one identity say different things: from now on that family is `start-shared`. */
  readonly share: (series: string, startMs: number, temporality: Temporality) => void;
  /** A point of the series was refused. */
  readonly refuse: (series: string, temporality: Temporality) => void;
  /** Whether what a cumulative point adds is partly of a time before its window; asked once for each. */
  readonly takeGap: (series: string) => boolean;
  /** Whether nobody knows what any window shows of requests. */
  readonly isUnknowable: () => boolean;
  readonly close: () => Bases;
};

/**
 * A stream that began after the opening counts from zero, unless it began with this very value: whoever does not know
 * the start says so (the true reset point of the data model). That is a base where its series was never seen, and where it
 * was, what came between is lost. So it is of a series whose start is moved on, to where another was told already.
 *
 * Of a stream that is older, a first value or one that fell may hold what came before. But most SDKs give all series of
 * a metric the start of the process, and export all of them each time: one that two exports did not have is new, such
 * as the first error of a route. Not to count it would leave out errors of old servers alone, for those of the canary
 * began after the opening. It counts if it is no more than its sender has counted since; so does what began again.
 * `windowMs`: how often is exported, where that is known.
 */
export const openBases = (before: Bases, openedAtMs: number, windowMs = 0): BasesDraft => {
  let all: { [series: string]: { [startMs: number]: Base } } | undefined;
  // Those of `before` are its own; a series is copied when it first changes.
  const copied = new Set<string>();
  let { streams } = before;
  let begun: { [series: string]: number } | undefined;
  let shared: { [name: string]: true } | undefined;
  let isAnyShared = Object.keys(before.shared).length > 0;
  const gaps = new Set(Object.keys(before.gaps));
  let { isUnknowable } = before;
  const isShared = (name: string): boolean =>
    isAnyShared && (shared ?? before.shared)[name] === true;
  const setShared = (name: string): void => {
    shared ??= { ...before.shared };
    shared[name] = true;
    isAnyShared = true;
  };
  /** Whether one more can be remembered. */
  const hasRoom = (): boolean => {
    if (streams >= streamsMax) isUnknowable = true;
    if (isUnknowable) return false;
    streams += 1;
    return true;
  };
  const layouts = openLayouts(before.layouts);
  const families = openFamilies(before.families);
  const starts = openStarts(() => all ?? before.ofSeries, openedAtMs);
  /** Whether another stream of the series was told so late that this one, older than the opening, cannot have followed it. */
  const isTold = (series: string, startMs: number, timeMs: number, known: BasesOfSeries): boolean =>
    // In the order of time nothing later was told before.
    timeMs > openedAtMs + roundMs &&
    Object.keys(known).some(
      (other) =>
        Number(other) !== startMs &&
        Math.max(Number(other), families.toldMs(series, Number(other))) > openedAtMs + roundMs,
    );

  return {
    take: (series, saidStartMs, timeMs, value) => {
      const startMs = starts.of(series, saidStartMs, value.count);
      if (isShared(familyName(series, startMs)) || isShared(familyName(series, saidStartMs)))
        return 'start-shared';
      const held = (all ??= { ...before.ofSeries });
      const known = held[series];
      const ofSeries = copied.has(series) ? (known ?? {}) : { ...known };
      const base = ofSeries[startMs];
      if (base === undefined && (streams >= streamsMax || hasManyStarts(known)))
        return 'over-limit';
      const own = baseOf(value, timeMs, layouts);
      const added = base === undefined ? undefined : since(base, value, own);
      const hasFallen = base !== undefined && added === undefined;
      const { count } = value;
      const stepped =
        base !== undefined && (hasFallen || base.fallen !== undefined)
          ? fallenBy({ before: base, hasFallen, count, startMs, timeMs })
          : null;
      // Asked before the point is one of those that are known.
      const isOther = base === undefined && known !== undefined && count > 0;
      const isMoved =
        isOther &&
        startMs >= openedAtMs &&
        !maySeveralSend(series) &&
        hasOutrun(known, { startMs, timeMs, count, windowMs });
      const isParted = base === undefined && wasPartOf(known, startMs);
      const set = (atMs: number, one: Base): void => {
        if (ofSeries[atMs] === undefined) streams += 1;
        starts.told(series, atMs, one.timeMs, one.count);
        ofSeries[atMs] = one;
        held[series] = ofSeries;
        copied.add(series);
      };
      // A point without a start has that of its stream; of a stream without one nobody knows more.
      const ownMs = startMs === 0 || saidStartMs === 0 ? startMs : saidStartMs;
      const isOneStart = ownMs === startMs && base?.saidStartMs === undefined;
      if (stepped === 'several' || (hasFallen && maySeveralSend(series))) {
        const { fallen: _ofBoth, saidStartMs: lastMs = startMs, ...last } = base ?? own;
        if (isOneStart || streams + 2 > streamsMax) setShared(familyName(series, startMs));
        else {
          // From here on each start has its own.
          if (lastMs === startMs || ofSeries[lastMs] === undefined) set(lastMs, last);
          set(ownMs, own);
        }
        return 'start-shared';
      }
      const next = isOneStart ? own : { ...own, saidStartMs: ownMs };
      set(startMs, stepped === null ? next : { ...next, fallen: stepped.fallen });
      if (isParted || stepped?.isDoubtful === true) return 'start-shared';
      if (startMs >= openedAtMs) {
        if (added !== undefined) return added;
        if (base !== undefined) return 'new';
        if (isMoved) return 'lost';
        if (timeMs > startMs) return 'new';
        return isOther ? 'lost' : 'unknown';
      }
      const family = families.at(series, startMs, timeMs);
      if (added === undefined) {
        const isNew = base !== undefined || family.exportsBefore >= exportsBefore;
        if (isNew && count <= family.counted) return 'new';
        return isOther && family.exportsBefore === 0 && isTold(series, startMs, timeMs, known)
          ? 'lost'
          : 'unknown';
      }
      family.counted += added.count;
      return added;
    },
    takeDelta: (series, startMs) => {
      if (isShared(familyOf(series))) return 'start-shared';
      if (startMs >= openedAtMs) return 'new';
      const known = (begun ?? before.begun)[series];
      if (known === startMs) return 'new';
      if (known === undefined && streams >= streamsMax) return 'over-limit';
      if (known === undefined) streams += 1;
      begun ??= { ...before.begun };
      begun[series] = startMs;
      return 'unknown';
    },
    share: (series, startMs, temporality) => {
      // Each delta begins anew.
      const name = temporality === 'delta' ? familyOf(series) : familyName(series, startMs);
      if (!isShared(name) && hasRoom()) setShared(name);
    },
    refuse: (series, temporality) => {
      if (temporality === 'cumulative' && !gaps.has(series) && hasRoom()) gaps.add(series);
    },
    takeGap: (series) => {
      if (gaps.size === 0) return false;
      // It may be of any series, so it is never filled.
      if (gaps.has(familyOf(series) + unreadAttributes)) return true;
      const isGap = gaps.delete(series);
      if (isGap) streams -= 1;
      return isGap;
    },
    isUnknowable: () => isUnknowable,
    close: () => ({
      ...(all === undefined
        ? before
        : { layouts: layouts.all, ofSeries: all, families: families.close() }),
      streams,
      begun: begun ?? before.begun,
      shared: shared ?? before.shared,
      gaps: Object.fromEntries([...gaps].map((series) => [series, true] as const)),
      absurdLately: before.absurdLately,
      twins: before.twins,
      stuck: before.stuck,
      probed: before.probed,
      isUnknowable,
    }),
  };
};

const familyName = (series: string, startMs: number): string => streamOf(familyOf(series), startMs);

/** Of one series: each start is looked at for each new one. Who restarts every five seconds takes forty minutes for it. */
const startsMax = 500;

const hasManyStarts = (known: BasesOfSeries | undefined): boolean =>
  known !== undefined && Object.keys(known).length >= startsMax;

/** A family while the points of a window are taken. */
type FamilyDraft = { exports: number; exportsBefore: number; lastMs: number; counted: number };

/** Of so many requests a server that began anew has not as many again in less time than it was there before. */
const outrunMin = 10;
/** Of fewer it may by chance, but not in so small a part of the time since its newest point. */
const outrunTimes = 20;

/** A stream that is told for the first time. */
type Told = {
  readonly startMs: number;
  readonly timeMs: number;
  readonly count: number;
  readonly windowMs: number;
};

/**
 * Whether a stream cannot have followed the newest one of its series, as it has counted as much: it began before that one
 * was told for the last time, or did so in less time, or in no time. Of one sender that is a start which is moved while its
 * counter goes on, unless it may have been forgotten.
 */
const hasOutrun = (known: BasesOfSeries, told: Told): boolean => {
  const [last, before] = Object.entries(known)
    .map(([start, { timeMs, count }]) => ({ startMs: Number(start), timeMs, count }))
    .toSorted((left, right) => right.timeMs - left.timeMs);
  if (last === undefined || told.count < last.count) return false;
  const ageMs = told.timeMs - told.startMs;
  const lifeMs = last.timeMs - last.startMs;
  return (
    told.startMs <= last.timeMs ||
    (((last.count >= outrunMin && ageMs < lifeMs) ||
      ageMs * outrunTimes < told.timeMs - last.timeMs) &&
      !mayBeForgotten(told, last, before))
  );
};

/** Who makes counters of deltas (a Collector) forgets a series that is silent for so long, and begins it anew. */
const forgottenMs = 120_000;
/** An exporter that moves its starts is silent from one export to the next, and may lose one. */
const forgottenWindows = 3;
/** More at once than so many times what it had in its time before is no request that comes back. */
const paceTimesMax = 4;

/** Whether a silence is so long that who makes counters of deltas may have forgotten them. */
export const mayHaveForgotten = (silentMs: number, windowMs: number): boolean =>
  silentMs >= Math.max(forgottenMs, forgottenWindows * windowMs);

type Life = Pick<Told, 'startMs' | 'timeMs' | 'count'>;

/**
 * Whether a stream may be one that was forgotten in a silence, and counts the requests of one export since: no more than
 * these can be, and not once more the sum of all before. A counter that goes on tells of more each time.
 */
const mayBeForgotten = (told: Told, last: Life, before: Life | undefined): boolean => {
  if (!mayHaveForgotten(told.startMs - last.timeMs, told.windowMs)) return false;
  const isRising = before !== undefined && before.count < last.count && last.count < told.count;
  const [ageMs, lifeMs] = [told.timeMs - told.startMs, last.timeMs - last.startMs];
  const isPlausible =
    told.count < outrunMin || told.count * lifeMs <= paceTimesMax * last.count * ageMs;
  return ageMs >= exportGapMs && !isRising && isPlausible;
};

const openFamilies = (
  before: Bases['families'],
): {
  readonly at: (series: string, startMs: number, timeMs: number) => FamilyDraft;
  /** The time of its newest export; 0: it had none. */
  readonly toldMs: (series: string, startMs: number) => number;
  readonly close: () => Bases['families'];
} => {
  const changed = new Map<string, FamilyDraft>();
  const draftOf = (name: string): FamilyDraft => {
    const known = changed.get(name);
    if (known !== undefined) return known;
    const { exports, lastMs, counted } = before[name] ?? { exports: 0, lastMs: 0, counted: 0 };
    const draft = { exports, exportsBefore: Math.max(0, exports - 1), lastMs, counted };
    changed.set(name, draft);
    return draft;
  };
  // Series of one family come one after the other.
  let last: { prefix: string; startMs: number; draft: FamilyDraft } | undefined;
  const familyAt = (series: string, startMs: number): FamilyDraft => {
    const prefix = familyOf(series);
    if (last?.startMs === startMs && last.prefix === prefix) return last.draft;
    last = { prefix, startMs, draft: draftOf(streamOf(prefix, startMs)) };
    return last.draft;
  };
  return {
    at: (series, startMs, timeMs) => {
      const family = familyAt(series, startMs);
      if (family.exports > 0 && timeMs < family.lastMs + exportGapMs) return family;
      family.exportsBefore = family.exports;
      family.exports = Math.min(exportsMax, family.exports + 1);
      family.lastMs = timeMs;
      return family;
    },
    toldMs: (series, startMs) => {
      const name = familyName(series, startMs);
      return (changed.get(name) ?? before[name])?.lastMs ?? 0;
    },
    close: () => {
      const all: { [name: string]: Family } = { ...before };
      for (const [name, { exports, lastMs, counted }] of changed)
        all[name] = { exports, lastMs, counted };
      return all;
    },
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

const baseOf = (value: Counted, timeMs: number, layouts: Layouts): Base => {
  const { count, errors, durations } = value;
  if (durations === null || durations.shape === 'exponential')
    return { timeMs, count, errors, durations };
  const layout = layouts.placeOf(durations.bounds);
  if (layout === undefined) return { timeMs, count, errors, durations: null };
  const { counts } = durations;
  let first = 0;
  let last = counts.length - 1;
  while (first < last && counts[first] === 0) first += 1;
  while (last > first && counts[last] === 0) last -= 1;
  const kept = counts.slice(first, last + 1);
  return { timeMs, count, errors, durations: { shape: 'explicit', layout, first, counts: kept } };
};

/**
 * Undefined: a count that fell, or a bucket, was reset by a sender that did not say so. Buckets of another
 * layout are no proof of that; what they hold may be older than the opening, so then only requests are counted.
 * `next` is the value as a base.
 */
const since = (base: Base, value: Counted, next: Base): Counted | undefined => {
  if (value.count < base.count) return undefined;
  const count = value.count - base.count;
  const errors = Math.min(Math.max(0, value.errors - base.errors), count);
  const from = base.durations;
  const to = value.durations;
  if (from?.shape === 'exponential' && to?.shape === 'exponential') {
    const durations = exponentialSince(from, to) ?? null;
    if (durations === null && hasFallenBucket(from, to)) return undefined;
    return { count, errors, durations };
  }
  const isAlike =
    from?.shape === 'explicit' &&
    next.durations?.shape === 'explicit' &&
    from.layout === next.durations.layout;
  if (!isAlike || to?.shape !== 'explicit') return { count, errors, durations: null };
  const counts = countsSince(from.counts, to.counts, from.first);
  if (counts === undefined) return undefined;
  return { count, errors, durations: { shape: 'explicit', bounds: to.bounds, counts } };
};
