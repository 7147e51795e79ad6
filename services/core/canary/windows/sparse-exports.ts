import { thousandths } from '../statistics/rounding.ts';
import type { Cohort } from './cohorts.ts';
import type { CountedPoint } from './cohort-windows.ts';

// How many of the requests that a window counts are of before it. Who exports less often than windows are long, or loses
// exports, tells several windows in one: rates and durations stay what they are, but how many requests a version had in
// that window is not what it seems, and windows in which it told nothing are not compared.

type ByCohort<Of> = { readonly [Name in Cohort]: Of };

/** Plain JSON. */
export type SparseExports = {
  /** Of each sender, its newest export, and the start of it where that was a delta. */
  readonly newest: {
    readonly [sender: string]: { readonly timeMs: number; readonly startMs: number | null };
  };
  /** Requests of the window they were counted in, and of before it; a part is forgotten with every window. */
  readonly within: ByCohort<number>;
  readonly before: ByCohort<number>;
};

export const noSparseExports: SparseExports = {
  newest: {},
  within: { canary: 0, baseline: 0 },
  before: { canary: 0, baseline: 0 },
};

/** An export that comes late by less is of its window. */
const longerBy = 1.5;
/** As much of a version is lost and made up for without harm: the tolerance is a fifth. */
const beforeShareMax = 0.1;
const forgottenWindows = 2;
/** Beyond it senders are not told from new ones, whose first export says nothing. */
const sendersMax = 5_000;

/** With what a window counted; `windowsKept`: those of the limit of silence. */
export const closeSparseExports = (
  { newest, within, before }: SparseExports,
  counted: readonly CountedPoint[],
  windowMs: number,
  windowsKept: number,
  openedAtMs: number,
): SparseExports => {
  const next = new Map(Object.entries(newest));
  const more = { within: { canary: 0, baseline: 0 }, before: { canary: 0, baseline: 0 } };
  for (const one of exportsOf(counted)) {
    const { cohort, timeMs, startMs, count } = one;
    const last = next.get(one.sender);
    if (last !== undefined || next.size < sendersMax) next.set(one.sender, { timeMs, startMs });
    // A start that does not move from one delta to the next is that of the process; so is one of before the opening.
    const isOwn = startMs !== null && startMs !== last?.startMs && startMs >= openedAtMs;
    const beganMs = isOwn ? startMs : last?.timeMs;
    const spanMs = beganMs === undefined ? 0 : timeMs - beganMs;
    const part = spanMs > longerBy * windowMs ? 1 - windowMs / spanMs : 0;
    more.before[cohort] += count * part;
    more.within[cohort] += count * (1 - part);
  }
  const kept = windowsKept / (windowsKept + forgottenWindows);
  const added = (sums: ByCohort<number>, of: ByCohort<number>): ByCohort<number> => ({
    canary: thousandths(sums.canary * kept + of.canary),
    baseline: thousandths(sums.baseline * kept + of.baseline),
  });
  return {
    newest: Object.fromEntries(next),
    within: added(within, more.within),
    before: added(before, more.before),
  };
};

/** One sender's points of one time. */
type Export = {
  readonly cohort: Cohort;
  readonly sender: string;
  readonly timeMs: number;
  /** The latest start of its deltas; null: it has none. */
  startMs: number | null;
  count: number;
};

/** In the order of time. */
const exportsOf = (counted: readonly CountedPoint[]): readonly Export[] => {
  const all = new Map<string, Export>();
  for (const { point, added } of counted) {
    const { cohort, temporality, timeMs } = point;
    const sender = `${cohort} ${point.sender}`;
    const key = `${timeMs} ${sender}`;
    const startMs = temporality === 'delta' ? point.startMs : null;
    const known = all.get(key);
    if (known === undefined) all.set(key, { cohort, sender, timeMs, startMs, count: added.count });
    else {
      known.count += added.count;
      if (startMs !== null) known.startMs = Math.max(known.startMs ?? startMs, startMs);
    }
  }
  return [...all.values()].toSorted(
    (left, right) => left.timeMs - right.timeMs || (left.sender < right.sender ? -1 : 1),
  );
};

/** Whether more than a small part of the requests that either cohort told lately was of before the window they came in. */
export const areSparse = ({ within, before }: SparseExports): boolean =>
  (['canary', 'baseline'] as const).some(
    (cohort) => before[cohort] > beforeShareMax * (before[cohort] + within[cohort]),
  );
