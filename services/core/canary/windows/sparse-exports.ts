import type { Cohort } from './cohorts.ts';
import { isUncounted } from '../../telemetry/point.ts';
import type { ByCohort } from './by-cohort.ts';
import { byCohort, sumLately } from './by-cohort.ts';
import type { CountedPoint, PendingPoint } from './cohort-windows.ts';
import { exportGapMs } from './stream-bases.ts';
import type { Bases } from './stream-bases.ts';

// How many of the requests that a window counts are of before it. Who exports less often than windows are long, or loses
// exports, tells several windows in one: rates and durations stay what they are, but how many requests a version had in
// that window is not what it seems, and windows in which it told nothing are not compared.

/** Plain JSON. */
export type SparseExports = {
  /** Of each sender and temporality, its newest export. */
  readonly newest: {
    readonly [sender: string]: {
      readonly timeMs: number;
      readonly startMs: number;
      /** When began what it tells of; null: nobody knows. */
      readonly beganMs: number | null;
    };
  };
  /** Requests of the window they were counted in, and of before it (`sumLately`). */
  readonly within: ByCohort<number>;
  readonly before: ByCohort<number>;
  /** Windows since one of before it came. */
  readonly since: ByCohort<number>;
};

export const noSparseExports: SparseExports = {
  newest: {},
  within: { canary: 0, baseline: 0 },
  before: { canary: 0, baseline: 0 },
  since: { canary: 0, baseline: 0 },
};

/** An export that comes late by less is of its window. */
const longerBy = 1.5;
/** As much of a version is lost and made up for without harm: the tolerance is a fifth. */
const beforeShareMax = 0.1;
/** Where the limit of silence is short, a sparse exporter is remembered from one export to the next all the same. */
const rememberedMin = 24;
/** Beyond it senders are not told from new ones, whose first export says nothing. */
const sendersMax = 5_000;

/** With the points of a window, and what was counted of them; `windowsKept`: those of the limit of silence. */
export const closeSparseExports = (
  { newest, within, before, since }: SparseExports,
  due: readonly PendingPoint[],
  counted: readonly CountedPoint[],
  windowMs: number,
  windowsKept: number,
  openedAtMs: number,
): SparseExports => {
  const next = new Map(Object.entries(newest));
  const more = { within: { canary: 0, baseline: 0 }, before: { canary: 0, baseline: 0 } };
  for (const one of exportsOf(due, counted)) {
    const { cohort, sender, timeMs, startMs, isDelta, count } = one;
    const last = next.get(sender);
    // Meters are read one after the other.
    const isSame = last !== undefined && timeMs < last.timeMs + Math.min(exportGapMs, windowMs / 4);
    const beganMs =
      isSame && (!isDelta || startMs === last.startMs)
        ? last.beganMs
        : beginningOf(one, last, openedAtMs);
    if (!isSame && (last !== undefined || next.size < sendersMax))
      next.set(sender, { timeMs, startMs, beganMs });
    const spanMs = beganMs === null ? 0 : timeMs - beganMs;
    const part = spanMs > longerBy * windowMs ? 1 - windowMs / spanMs : 0;
    more.before[cohort] += count * part;
    more.within[cohort] += count * (1 - part);
  }
  const remembered = Math.max(windowsKept, rememberedMin);
  const sinceThen = byCohort((cohort) =>
    more.before[cohort] > 0 ? 0 : Math.min(remembered, since[cohort] + 1),
  );
  return {
    newest: Object.fromEntries(next),
    within: byCohort((cohort) => sumLately(within[cohort], more.within[cohort], windowsKept)),
    // Of who tells of no requests any more both sums fall alike, and what was sparse once would be so for ever.
    before: byCohort((cohort) =>
      sinceThen[cohort] < remembered
        ? sumLately(before[cohort], more.before[cohort], windowsKept)
        : 0,
    ),
    since: sinceThen,
  };
};

/** When began what an export tells of; null: nobody knows. */
const beginningOf = (
  { startMs, isDelta }: Export,
  last: SparseExports['newest'][string] | undefined,
  openedAtMs: number,
): number | null => {
  // A start of before the opening is that of the process, of whatever temporality; so is one of deltas that does not move.
  if (startMs < openedAtMs || (isDelta && startMs === last?.startMs)) return last?.timeMs ?? null;
  return isDelta ? startMs : Math.max(startMs, last?.timeMs ?? startMs);
};

/** One sender's points of one time, and of one temporality. */
type Export = {
  readonly cohort: Cohort;
  readonly sender: string;
  readonly isDelta: boolean;
  readonly timeMs: number;
  /** The latest of them, of deltas where a series was silent for longer than others. */
  startMs: number;
  count: number;
};

/** In the order of time. What is not counted tells when its sender exported, all the same. */
const exportsOf = (
  due: readonly PendingPoint[],
  counted: readonly CountedPoint[],
): readonly Export[] => {
  const all = new Map<string, Export>();
  const add = (point: PendingPoint, count: number): void => {
    const { cohort, temporality, timeMs, startMs, refused } = point;
    // Of what was refused neither start nor time need be its own.
    if (temporality === null || isUncounted(refused)) return;
    const sender = `${cohort} ${temporality} ${point.sender}`;
    const key = `${timeMs} ${sender}`;
    const isDelta = temporality === 'delta';
    const known = all.get(key) ?? { cohort, sender, isDelta, timeMs, startMs, count: 0 };
    known.startMs = Math.max(known.startMs, startMs);
    known.count += count;
    all.set(key, known);
  };
  for (const point of due) add(point, 0);
  for (const { point, added } of counted) add(point, added.count);
  return [...all.values()].toSorted(
    (left, right) => left.timeMs - right.timeMs || (left.sender < right.sender ? -1 : 1),
  );
};

/** Two streams of one series that were told this close together are two at once, and not one after the other. */
const togetherMs = 60_000;

/**
 * Whether several send under one name, as far as that shows: without an instance id, or as two counters of one series at
 * once. Their exports look closer together than they are, each of them.
 */
export const areSendersShared = (
  { newest }: Pick<SparseExports, 'newest'>,
  { ofSeries }: Pick<Bases, 'ofSeries'>,
): boolean =>
  Object.keys(newest).some((sender) => sender.endsWith(unnamedEnding)) ||
  Object.values(ofSeries).some(areTwoAtOnce);

/** How a sender ends (`pendingPointOf`) that names no instance. */
const unnamedEnding = ',null]';

const areTwoAtOnce = (streams: Bases['ofSeries'][string]): boolean => {
  const all = Object.entries(streams).map(([start, { timeMs }]) => ({
    startMs: Number(start),
    timeMs,
  }));
  return all.some((one) =>
    all.some(
      (other) =>
        one.startMs < other.startMs &&
        other.startMs < one.timeMs &&
        Math.abs(one.timeMs - other.timeMs) < togetherMs,
    ),
  );
};

/** Whether more than a small part of the requests that either cohort told lately was of before the window they came in. */
export const areSparse = ({ within, before }: SparseExports): boolean =>
  (['canary', 'baseline'] as const).some(
    (cohort) => before[cohort] > beforeShareMax * (before[cohort] + within[cohort]),
  );
