import { isUncounted } from '../../telemetry/point.ts';
import type { ByCohort } from './by-cohort.ts';
import { byCohort, sumLately } from './by-cohort.ts';
import type { Cohort } from './cohorts.ts';
import type { PendingPoint } from './cohort-windows.ts';
import { mayBeFailed } from './judged-as.ts';

// How much of what the cohorts send comes too late to be judged. Whole exports are late, not those of requests that
// failed, so what is heard says of errors and durations what all would say. But it does not say how many requests there
// were, nor what those say whom nobody hears. Where failed requests are late while the others are not, or nobody can count
// them, or knows of which version they are, it says nothing of errors, either: what else is heard was chosen by them.

/** Points that tell of failed requests, or may, and the others. */
type Heard = {
  readonly heardFailed: ByCohort<number>;
  readonly unheardFailed: ByCohort<number>;
  readonly heardOthers: ByCohort<number>;
  readonly unheardOthers: ByCohort<number>;
};

/** Plain JSON. */
export type LatePoints = {
  /** Late since the newest window closed, by fingerprint. */
  readonly waiting: ByCohort<readonly number[]>;
  /** Those of them that tell of failed requests, or may. */
  readonly waitingFailed: ByCohort<readonly number[]>;
  /** Points that came in time, and that came late, a part of which is forgotten with every window. */
  readonly heard: ByCohort<number>;
  readonly late: ByCohort<number>;
  /** Not heard is what was late, what nobody can count, and what may be of either cohort; remembered for more windows. */
  readonly lately: Heard;
  /** Not heard is what was late, and what nobody can count; remembered four times as long, for failures may be rare. */
  readonly longer: Heard;
  /** Fingerprints of the points of the newest windows, by window: what comes twice is late at most once. */
  readonly known: readonly (readonly number[])[];
};

/** While one record is folded. */
export type LatePointsDraft = {
  readonly waiting: ByCohort<number[]>;
  readonly waitingFailed: ByCohort<number[]>;
} & Omit<LatePoints, 'waiting' | 'waitingFailed'>;

const nothingHeard: Heard = {
  heardFailed: { canary: 0, baseline: 0 },
  unheardFailed: { canary: 0, baseline: 0 },
  heardOthers: { canary: 0, baseline: 0 },
  unheardOthers: { canary: 0, baseline: 0 },
};

export const noLatePoints: LatePoints = {
  waiting: { canary: [], baseline: [] },
  waitingFailed: { canary: [], baseline: [] },
  heard: { canary: 0, baseline: 0 },
  late: { canary: 0, baseline: 0 },
  lately: nothingHeard,
  longer: nothingHeard,
  known: [],
};

/** One export of three servers that a Collector sent again, too late, is less; more than this is seldom chance. */
const lateShareMax = 0.03;
/** That failed requests are not heard is their own doing where they are so many, and so many times the share of the others. */
const unheardFailedMin = 3;
const unheardFailedTimes = 1.5;
/** A sum of less is none. */
const nothing = 0.1;
/** Where exports are a minute apart that is too few for some failed requests: what is asked of these is remembered longer. */
const failedWindowsMin = 8;
/** More late ones of a cohort in a window are not counted: these are too many already. */
const waitingMax = 10_000;
/** Windows, and points in them, that are known again. Beyond it the oldest are forgotten. */
const knownWindowsMax = 24;
const knownMax = 200_000;

type Identity = Pick<PendingPoint, 'cohort' | 'series' | 'startMs' | 'timeMs' | 'count'>;
type Told = Identity & Pick<PendingPoint, 'errors' | 'refused' | 'judgedAs'>;

/** How many points of a window tell of requests that may be of either cohort. */
export type EitherTells = { readonly failed: number; readonly others: number };
export const noEitherTells: EitherTells = { failed: 0, others: 0 };

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

/** With the points of a window that closes; `pending`: those of the windows to come; `unknown`: those that nobody can count. */
export const closeLatePoints = (
  before: LatePointsDraft,
  due: readonly Told[],
  pending: readonly Identity[],
  windowsKept: number,
  either: EitherTells = noEitherTells,
  unknown: readonly Identity[] = [],
): LatePointsDraft => {
  const { waiting, waitingFailed, known } = before;
  const [inTime, failed, refused, refusedFailed] = [sets(), sets(), sets(), sets()];
  // What came twice is unknown twice.
  const uncounted = new Set(unknown.map(fingerprintOf));
  for (const point of due) {
    const { cohort } = point;
    const fingerprint = fingerprintOf(point);
    const isRefused = isUncounted(point.refused) || uncounted.has(fingerprint);
    inTime[cohort].add(fingerprint);
    if (isRefused) refused[cohort].add(fingerprint);
    if (mayBeFailed(point)) (isRefused ? refusedFailed : failed)[cohort].add(fingerprint);
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
    (sums: ByCohort<number>, more: (cohort: Cohort) => number): ByCohort<number> =>
      byCohort((cohort) => {
        const sum = sumLately(sums[cohort], more(cohort), windows);
        // Of who tells nothing any more all sums fall alike, and late once would be late for ever.
        return sum < nothing ? 0 : sum;
      });
  const kept = keptOver(windowsKept);
  const keptLonger = keptOver(Math.max(windowsKept, failedWindowsMin));
  const keptLongest = keptOver(4 * Math.max(windowsKept, failedWindowsMin));
  const othersIn = (cohort: Cohort): number =>
    inTime[cohort].size - refused[cohort].size - failed[cohort].size;
  const refusedOthersIn = (cohort: Cohort): number =>
    refused[cohort].size - refusedFailed[cohort].size;
  const { lately, longer } = before;
  return {
    waiting: { canary: [], baseline: [] },
    waitingFailed: { canary: [], baseline: [] },
    heard: kept(before.heard, (cohort) => inTime[cohort].size),
    late: kept(before.late, (cohort) => newlyLate[cohort].size),
    lately: {
      heardFailed: keptLonger(lately.heardFailed, (cohort) => failed[cohort].size),
      unheardFailed: keptLonger(
        lately.unheardFailed,
        (cohort) => newlyFailed[cohort].size + refusedFailed[cohort].size + either.failed,
      ),
      heardOthers: keptLonger(lately.heardOthers, othersIn),
      unheardOthers: keptLonger(
        lately.unheardOthers,
        (cohort) =>
          newlyLate[cohort].size -
          newlyFailed[cohort].size +
          refusedOthersIn(cohort) +
          either.others,
      ),
    },
    longer: {
      heardFailed: keptLongest(longer.heardFailed, (cohort) => failed[cohort].size),
      unheardFailed: keptLongest(
        longer.unheardFailed,
        (cohort) => newlyFailed[cohort].size + refusedFailed[cohort].size,
      ),
      heardOthers: keptLongest(longer.heardOthers, othersIn),
      unheardOthers: keptLongest(
        longer.unheardOthers,
        (cohort) => newlyLate[cohort].size - newlyFailed[cohort].size + refusedOthersIn(cohort),
      ),
    },
    known: newest([...known, [...ofWindow, ...newlyLate.canary, ...newlyLate.baseline]]),
  };
};

const sets = (): ByCohort<Set<number>> => ({ canary: new Set(), baseline: new Set() });

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

/** Whether more than a small part of the points of either cohort came too late lately, or of its failed requests was not heard. */
export const areManyLate = (of: LatePoints): boolean =>
  areExportsLate(of) || areFailedUnheard(of, 'canary') || areFailedUnheard(of, 'baseline');

/** Whether more than a small part of the points of either cohort came too late lately, whatever they tell of. */
export const areExportsLate = (of: LatePoints): boolean =>
  shareOf(of.heard.canary, of.late.canary) > lateShareMax ||
  shareOf(of.heard.baseline, of.late.baseline) > lateShareMax;

/** Whether failed requests of a cohort were not heard while its others were: then it fails more than it seems to. */
export const areFailedUnheard = ({ lately, longer }: LatePoints, cohort: Cohort): boolean =>
  [lately, longer].some((of) => areFailedUnheardIn(of, cohort));

const areFailedUnheardIn = (
  { heardFailed, unheardFailed, heardOthers, unheardOthers }: Heard,
  cohort: Cohort,
): boolean => {
  if (unheardFailed[cohort] < unheardFailedMin) return false;
  const ofFailed = shareOf(heardFailed[cohort], unheardFailed[cohort]);
  const ofOthers = shareOf(heardOthers[cohort], unheardOthers[cohort]);
  // Where most is unheard, all that failed is not so many times more; then it goes by what is left of either.
  const isLeftOut = unheardFailedTimes * (1 - ofFailed) < 1 - ofOthers;
  return isLeftOut || ofFailed > Math.max(lateShareMax, unheardFailedTimes * ofOthers);
};

const shareOf = (heard: number, unheard: number): number =>
  unheard > 0 ? unheard / (heard + unheard) : 0;

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
