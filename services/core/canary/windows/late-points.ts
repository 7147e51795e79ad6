import { isUncounted } from '../../telemetry/point.ts';
import { thousandths } from '../statistics/rounding.ts';
import type { Cohort } from './cohorts.ts';
import type { PendingPoint } from './cohort-windows.ts';

// How much of what the cohorts send comes too late to be judged. Whole exports are late, not those of requests that
// failed, so what is heard says of errors and durations what all would say. But it does not say how many requests there
// were, nor what those say whom nobody hears. Where failed requests are late while the others are not, it says nothing of
// errors, either.

type ByCohort<Of> = { readonly [Name in Cohort]: Of };

/** Plain JSON. */
export type LatePoints = {
  /** Late since the newest window closed, by fingerprint. */
  readonly waiting: ByCohort<readonly number[]>;
  /** Those of them that tell of failed requests, or may. */
  readonly waitingFailed: ByCohort<readonly number[]>;
  /** Points that came in time, and that came late, a part of which is forgotten with every window. */
  readonly heard: ByCohort<number>;
  readonly late: ByCohort<number>;
  /** Those that tell of failed requests, or may, and the others; these are remembered for more windows. */
  readonly heardFailed: ByCohort<number>;
  readonly lateFailed: ByCohort<number>;
  readonly heardOthers: ByCohort<number>;
  readonly lateOthers: ByCohort<number>;
  /** Fingerprints of the points of the newest windows, by window: what comes twice is late at most once. */
  readonly known: readonly (readonly number[])[];
};

/** While one record is folded. */
export type LatePointsDraft = {
  readonly waiting: ByCohort<number[]>;
  readonly waitingFailed: ByCohort<number[]>;
} & Omit<LatePoints, 'waiting' | 'waitingFailed'>;

export const noLatePoints: LatePoints = {
  waiting: { canary: [], baseline: [] },
  waitingFailed: { canary: [], baseline: [] },
  heard: { canary: 0, baseline: 0 },
  late: { canary: 0, baseline: 0 },
  heardFailed: { canary: 0, baseline: 0 },
  lateFailed: { canary: 0, baseline: 0 },
  heardOthers: { canary: 0, baseline: 0 },
  lateOthers: { canary: 0, baseline: 0 },
  known: [],
};

/** One export of three servers that a Collector sent again, too late, is less; more than this is seldom chance. */
const lateShareMax = 0.03;
/** Late points of failed requests are of their own doing where they are so many, and so many times the share of the others. */
const lateFailedMin = 3;
const lateFailedTimes = 1.5;
/** The sums keep n / (n + 2) with each of the n windows of the limit of silence: they are those of about its last half. */
const forgottenWindows = 2;
/** Where exports are a minute apart that is too few for some failed requests: what is asked of these is remembered longer. */
const failedWindowsMin = 8;
/** More late ones of a cohort in a window are not counted: these are too many already. */
const waitingMax = 10_000;
/** Windows, and points in them, that are known again. Beyond it the oldest are forgotten. */
const knownWindowsMax = 24;
const knownMax = 200_000;

type Identity = Pick<PendingPoint, 'cohort' | 'series' | 'startMs' | 'timeMs' | 'count'>;
type Told = Identity & Pick<PendingPoint, 'errors' | 'refused'>;

export const openLatePoints = ({
  waiting,
  waitingFailed,
  ...rest
}: LatePoints): LatePointsDraft => ({
  ...rest,
  waiting: { canary: [...waiting.canary], baseline: [...waiting.baseline] },
  waitingFailed: { canary: [...waitingFailed.canary], baseline: [...waitingFailed.baseline] },
});

export const addLate = ({ waiting, waitingFailed }: LatePointsDraft, point: Told): void => {
  const ofCohort = waiting[point.cohort];
  if (ofCohort.length >= waitingMax) return;
  const fingerprint = fingerprintOf(point);
  ofCohort.push(fingerprint);
  if (mayBeFailed(point)) waitingFailed[point.cohort].push(fingerprint);
};

/** Of what was refused nobody knows. */
const mayBeFailed = ({ errors, refused }: Told): boolean => errors > 0 || isUncounted(refused);

/** With the points of a window that closes; `pending`: those of the windows to come. */
export const closeLatePoints = (
  before: LatePointsDraft,
  due: readonly Told[],
  pending: readonly Identity[],
  windowsKept: number,
): LatePointsDraft => {
  const { waiting, waitingFailed, known } = before;
  const inTime = { canary: new Set<number>(), baseline: new Set<number>() };
  const failed = { canary: new Set<number>(), baseline: new Set<number>() };
  for (const point of due) {
    const fingerprint = fingerprintOf(point);
    inTime[point.cohort].add(fingerprint);
    if (mayBeFailed(point)) failed[point.cohort].add(fingerprint);
  }
  const ofWindow = [...inTime.canary, ...inTime.baseline];
  const isAnyLate = waiting.canary.length + waiting.baseline.length > 0;
  const others = new Set(
    isAnyLate ? [...known.flat(), ...ofWindow, ...pending.map(fingerprintOf)] : [],
  );
  const newIn = (of: readonly number[]): ReadonlySet<number> =>
    new Set(of.filter((fingerprint) => !others.has(fingerprint)));
  const newlyLate = { canary: newIn(waiting.canary), baseline: newIn(waiting.baseline) };
  const newlyFailed = {
    canary: newIn(waitingFailed.canary),
    baseline: newIn(waitingFailed.baseline),
  };
  const keptOver =
    (windows: number) =>
    (
      sums: ByCohort<number>,
      more: ByCohort<ReadonlySet<number>>,
      less = none,
    ): ByCohort<number> => {
      const part = windows / (windows + forgottenWindows);
      const next = (cohort: Cohort): number =>
        thousandths(sums[cohort] * part + more[cohort].size - less[cohort].size);
      return { canary: next('canary'), baseline: next('baseline') };
    };
  const kept = keptOver(windowsKept);
  const keptLonger = keptOver(Math.max(windowsKept, failedWindowsMin));
  return {
    waiting: { canary: [], baseline: [] },
    waitingFailed: { canary: [], baseline: [] },
    heard: kept(before.heard, inTime),
    late: kept(before.late, newlyLate),
    heardFailed: keptLonger(before.heardFailed, failed),
    lateFailed: keptLonger(before.lateFailed, newlyFailed),
    heardOthers: keptLonger(before.heardOthers, inTime, failed),
    lateOthers: keptLonger(before.lateOthers, newlyLate, newlyFailed),
    known: newest([...known, [...ofWindow, ...newlyLate.canary, ...newlyLate.baseline]]),
  };
};

const none: ByCohort<ReadonlySet<number>> = { canary: new Set(), baseline: new Set() };

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

/** Whether more than a small part of the points of either cohort came too late lately, or of those of its failed requests. */
export const areManyLate = (of: LatePoints): boolean =>
  shareOf(of.heard.canary, of.late.canary) > lateShareMax ||
  shareOf(of.heard.baseline, of.late.baseline) > lateShareMax ||
  areFailedLate(of);

/** Whether the failed requests of either cohort came too late lately while its others came in time. */
export const areFailedLate = (of: LatePoints): boolean =>
  areFailedLateIn(of, 'canary') || areFailedLateIn(of, 'baseline');

const areFailedLateIn = (
  { heardFailed, lateFailed, heardOthers, lateOthers }: LatePoints,
  cohort: Cohort,
): boolean => {
  if (lateFailed[cohort] < lateFailedMin) return false;
  const ofFailed = shareOf(heardFailed[cohort], lateFailed[cohort]);
  const ofOthers = shareOf(heardOthers[cohort], lateOthers[cohort]);
  // Where most is late, all that failed is not so many times more; then it goes by what is left of either.
  const isLeftOut = lateFailedTimes * (1 - ofFailed) < 1 - ofOthers;
  return isLeftOut || ofFailed > Math.max(lateShareMax, lateFailedTimes * ofOthers);
};

const shareOf = (heard: number, late: number): number => (late > 0 ? late / (heard + late) : 0);

/**
 * 31 bits (FNV-1a): where a hundred thousand points are known, one late point of twenty thousand is taken for one of them.
 * Of a series, which is two digests behind each other, the ends of both tell enough.
 */
const fingerprintOf = ({ series, startMs, timeMs, count }: Identity): number => {
  const { length } = series;
  let hash = mixed(0x811c9dc5, series, (length >> 1) - endLength, length >> 1);
  hash = mixed(hash, series, length - endLength, length);
  // One that goes on counting at a time that stays is another.
  for (const number of [startMs, timeMs, count])
    hash = Math.imul(Math.imul(hash ^ (number | 0), prime) ^ (number / 2 ** 32), prime);
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
