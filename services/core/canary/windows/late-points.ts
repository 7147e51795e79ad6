import { thousandths } from '../statistics/rounding.ts';
import type { Cohort } from './cohorts.ts';
import type { PendingPoint } from './cohort-windows.ts';

// How much of what the cohorts send comes too late to be judged. Whole exports are late, not those of requests that
// failed, so what is heard says of errors and durations what all would say. But it does not say how many requests there
// were, nor what those say whom nobody hears.

type ByCohort<Of> = { readonly [Name in Cohort]: Of };

/** Plain JSON. */
export type LatePoints = {
  /** Late since the newest window closed, by fingerprint. */
  readonly waiting: ByCohort<readonly number[]>;
  /** Points that came in time, and that came late, a part of which is forgotten with every window. */
  readonly heard: ByCohort<number>;
  readonly late: ByCohort<number>;
  /** Fingerprints of the points of the newest windows, by window: what comes twice is late at most once. */
  readonly known: readonly (readonly number[])[];
};

/** While one record is folded. */
export type LatePointsDraft = {
  readonly waiting: ByCohort<number[]>;
} & Omit<LatePoints, 'waiting'>;

export const noLatePoints: LatePoints = {
  waiting: { canary: [], baseline: [] },
  heard: { canary: 0, baseline: 0 },
  late: { canary: 0, baseline: 0 },
  known: [],
};

/** One export of three servers that a Collector sent again, too late, is less; more than this is seldom chance. */
const lateShareMax = 0.03;
/** The sums keep n / (n + 2) with each of the n windows of the limit of silence: they are those of about its last half. */
const forgottenWindows = 2;
/** More late ones of a cohort in a window are not counted: these are too many already. */
const waitingMax = 10_000;
/** Windows, and points in them, that are known again. Beyond it the oldest are forgotten. */
const knownWindowsMax = 24;
const knownMax = 200_000;

type Identity = Pick<PendingPoint, 'cohort' | 'series' | 'startMs' | 'timeMs'>;

export const openLatePoints = ({ waiting, ...rest }: LatePoints): LatePointsDraft => ({
  ...rest,
  waiting: { canary: [...waiting.canary], baseline: [...waiting.baseline] },
});

export const addLate = ({ waiting }: LatePointsDraft, point: Identity): void => {
  const ofCohort = waiting[point.cohort];
  if (ofCohort.length < waitingMax) ofCohort.push(fingerprintOf(point));
};

/** With the points of a window that closes; `pending`: those of the windows to come. */
export const closeLatePoints = (
  { waiting, heard, late, known }: LatePointsDraft,
  due: readonly Identity[],
  pending: readonly Identity[],
  windowsKept: number,
): LatePointsDraft => {
  const fingerprints = { canary: new Set<number>(), baseline: new Set<number>() };
  for (const point of due) fingerprints[point.cohort].add(fingerprintOf(point));
  const inTime = [...fingerprints.canary, ...fingerprints.baseline];
  const isAnyLate = waiting.canary.length + waiting.baseline.length > 0;
  const others = new Set(
    isAnyLate ? [...known.flat(), ...inTime, ...pending.map(fingerprintOf)] : [],
  );
  const newIn = (cohort: Cohort): ReadonlySet<number> =>
    new Set(waiting[cohort].filter((fingerprint) => !others.has(fingerprint)));
  const newlyLate = { canary: newIn('canary'), baseline: newIn('baseline') };
  const keptPart = windowsKept / (windowsKept + forgottenWindows);
  const kept = (
    before: ByCohort<number>,
    more: ByCohort<ReadonlySet<number>>,
  ): ByCohort<number> => ({
    canary: thousandths(before.canary * keptPart + more.canary.size),
    baseline: thousandths(before.baseline * keptPart + more.baseline.size),
  });
  return {
    waiting: { canary: [], baseline: [] },
    heard: kept(heard, fingerprints),
    late: kept(late, newlyLate),
    known: newest([...known, [...inTime, ...newlyLate.canary, ...newlyLate.baseline]]),
  };
};

const newest = (windows: readonly (readonly number[])[]): readonly (readonly number[])[] => {
  let left = knownMax;
  let from = windows.length;
  while (from > 0 && windows.length - from < knownWindowsMax) {
    left -= windows[from - 1]?.length ?? 0;
    if (left < 0) break;
    from -= 1;
  }
  return windows.slice(from);
};

/** Whether more than a small part of the points of either cohort came too late lately. */
export const areManyLate = ({ heard, late }: Pick<LatePoints, 'heard' | 'late'>): boolean =>
  isMany(heard.canary, late.canary) || isMany(heard.baseline, late.baseline);

const isMany = (heard: number, late: number): boolean => late > lateShareMax * (heard + late);

/**
 * 31 bits (FNV-1a): where a hundred thousand points are known, one late point of twenty thousand is taken for one of them.
 * Of a series, which is two digests behind each other, the ends of both tell enough.
 */
const fingerprintOf = ({ series, startMs, timeMs }: Identity): number => {
  const { length } = series;
  let hash = mixed(0x811c9dc5, series, (length >> 1) - endLength, length >> 1);
  hash = mixed(hash, series, length - endLength, length);
  for (const ms of [startMs, timeMs])
    hash = Math.imul(Math.imul(hash ^ (ms | 0), prime) ^ (ms / 2 ** 32), prime);
  return (hash ^ (hash >>> 15)) >>> 1;
};

const endLength = 8;
const prime = 0x01000193;

const mixed = (before: number, text: string, from: number, to: number): number => {
  let hash = before;
  for (let index = Math.max(0, from); index < to; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), prime);
  return hash;
};
