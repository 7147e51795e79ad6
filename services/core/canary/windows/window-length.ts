import type { Cohort } from './cohorts.ts';
import type { Temporality } from '../../telemetry/point.ts';
import { maySeveralSend } from '../../telemetry/series-sender.ts';

/** The longest window that is measured. A policy may not ask for a longer one either. */
export const windowMsMax = 300_000;

/** An export interval this much longer than the base is the base, and a timer that is late. */
const jitterFactor = 1.1;
/** Longer intervals are rounded up to this, so that jitter leaves no window empty. */
const roundUpToMs = 1_000;

/** Receipts go on by this share of the base window before it is measured again: a large fleet sends all the time. */
const measuresPerWindow = 10;

/** A point as far as export intervals go. */
export type Seen = {
  readonly cohort: Cohort;
  /** One stream of exports: the times of its points are one export interval apart. */
  readonly stream: string;
  /** Null: of one moment, as levels are. */
  readonly temporality: Temporality | null;
  readonly startMs: number;
  readonly timeMs: number;
};

/** How long a window must be is still being measured. Plain JSON. */
export type Measuring = {
  readonly longestMs: number;
  /** Time of each stream's last measured point. */
  readonly lastMs: { readonly [stream: string]: number };
  /** Start of that point, of streams of deltas. */
  readonly lastStartMs: { readonly [stream: string]: number };
  /** Cohorts that told of requests. */
  readonly asked: { readonly canary: boolean; readonly baseline: boolean };
  /** Cohorts of which some stream has shown two points (`tellsInterval`). */
  readonly shown: { readonly canary: boolean; readonly baseline: boolean };
  /** Points not measured yet; the earliest of their times, or null. */
  readonly waiting: readonly Seen[];
  readonly waitingFromMs: number | null;
  /** The receipt at which it was measured last. */
  readonly measuredAtMs: number;
};

export const initialMeasuring: Measuring = {
  longestMs: 0,
  lastMs: {},
  lastStartMs: {},
  asked: { canary: false, baseline: false },
  shown: { canary: false, baseline: false },
  waiting: [],
  waitingFromMs: null,
  measuredAtMs: 0,
};

/** The window that the intervals seen so far ask for: the base, or the longest of them. */
const windowFor = (baseMs: number, longestMs: number): number =>
  longestMs <= baseMs * jitterFactor
    ? baseMs
    : Math.min(Math.ceil(longestMs / roundUpToMs) * roundUpToMs, Math.max(baseMs, windowMsMax));

/** A measuring whose list of waiting points belongs to whoever opened it, and grows in place. */
export type MeasuringDraft = Omit<Measuring, 'waiting' | 'waitingFromMs'> & {
  readonly waiting: Seen[];
  waitingFromMs: number | null;
};

export const openMeasuring = (measuring: Measuring): MeasuringDraft => ({
  ...measuring,
  waiting: [...measuring.waiting],
});

export const awaitMeasure = (draft: MeasuringDraft, seen: Seen): void => {
  draft.waiting.push(seen);
  draft.waitingFromMs = Math.min(draft.waitingFromMs ?? seen.timeMs, seen.timeMs);
};

export type Measured =
  | { readonly done: false; readonly measuring: MeasuringDraft }
  | { readonly done: true; readonly windowMs: number };

/**
 * Measures what lies behind the lateness (two windows, as long as they are by now), in the order of time and not of
 * arrival. Done when both cohorts have shown two points that tell an interval, or when the limit has passed: then the window is frozen.
 */
export const measure = (
  measuring: MeasuringDraft,
  receiptMs: number,
  baseMs: number,
  openedAtMs: number,
  limitMs: number,
): Measured => {
  const settledMs = (longestMs: number): number => receiptMs - 2 * windowFor(baseMs, longestMs);
  const isSettled = (timeMs: number): boolean => timeMs <= settledMs(measuring.longestMs);
  const { waitingFromMs, measuredAtMs } = measuring;
  const isDue = receiptMs >= measuredAtMs + baseMs / measuresPerWindow || isSettled(limitMs);
  if (!isDue) return { done: false, measuring };
  if (waitingFromMs === null || !isSettled(waitingFromMs))
    return isSettled(limitMs)
      ? { done: true, windowMs: windowFor(baseMs, measuring.longestMs) }
      : { done: false, measuring };

  const waiting = measuring.waiting.toSorted(byTime);
  const lastMs = { ...measuring.lastMs };
  const lastStartMs = { ...measuring.lastStartMs };
  const asked = { ...measuring.asked };
  const shown = { ...measuring.shown };
  let { longestMs } = measuring;
  let measured = 0;
  for (const seen of waiting) {
    if (seen.timeMs > settledMs(longestMs) || seen.timeMs > limitMs) break;
    measured += 1;
    if (seen.temporality !== null) asked[seen.cohort] = true;
    const before = lastMs[seen.stream];
    // A repeat, or one that came behind its successor, tells no interval.
    if (before !== undefined && seen.timeMs <= before) continue;
    const beganMs = beginningOf(seen, before, lastStartMs[seen.stream]);
    lastMs[seen.stream] = seen.timeMs;
    if (seen.temporality === 'delta') lastStartMs[seen.stream] = seen.startMs;
    // Of a delta that began before the opening nobody knows whose it is, nor is it counted.
    if (before === undefined || beganMs < openedAtMs) continue;
    longestMs = Math.max(longestMs, seen.timeMs - beganMs);
    if (tellsInterval(seen, asked)) shown[seen.cohort] = true;
    if (shown.canary && shown.baseline)
      return { done: true, windowMs: windowFor(baseMs, longestMs) };
  }
  if (limitMs <= settledMs(longestMs))
    return { done: true, windowMs: windowFor(baseMs, longestMs) };
  const rest = waiting.slice(measured);
  const next: MeasuringDraft = {
    longestMs,
    lastMs,
    lastStartMs,
    asked,
    shown,
    waiting: rest,
    waitingFromMs: rest[0]?.timeMs ?? null,
    measuredAtMs: receiptMs,
  };
  return { done: false, measuring: next };
};

/**
 * Whether two points of its stream are one export interval apart. Levels of several senders that nobody can tell apart (pods
 * without an instance id, or with one for all) are one stream, whose points are as far apart as these happen to export: no
 * start parts them, as it does requests. So they tell nothing, and those of who seems to be one sender tell only while no
 * requests of the cohort do.
 */
const tellsInterval = ({ temporality, stream, cohort }: Seen, asked: Measuring['asked']): boolean =>
  temporality !== null || !(asked[cohort] || maySeveralSend(stream));

/**
 * When began what a point tells of. A delta says it itself: its series may have been silent for a while, and several
 * senders that cannot be told apart are one series, whose points are closer together than the exports of any of them.
 * A start that does not move from one delta to the next is that of the process: such a sender means what came since.
 */
const beginningOf = (
  { temporality, startMs }: Seen,
  beforeMs: number = startMs,
  startBeforeMs: number | undefined,
): number => (temporality === 'delta' && startMs !== startBeforeMs ? startMs : beforeMs);

/** Of one time requests come first: levels ask whether there are any. */
const byTime = (left: Seen, right: Seen): number =>
  left.timeMs - right.timeMs ||
  Number(left.temporality === null) - Number(right.temporality === null) ||
  (left.stream < right.stream ? -1 : 1);
