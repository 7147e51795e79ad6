import { roundMs } from './stream-bases.ts';
import { isUncounted } from '../../telemetry/point.ts';
import type { PointRefusal, Temporality } from '../../telemetry/point.ts';

// Requests of senders that may be of either cohort: whether somebody told of some in a window. Nobody's evidence.

/** Plain JSON. */
type EitherPoint = {
  /** Null: a delta. Else its series and start. */
  readonly stream: string | null;
  readonly startMs: number;
  readonly timeMs: number;
  readonly count: number;
  /** Whether nobody could count it. */
  readonly isRefused: boolean;
};

/** Plain JSON. */
export type EitherPoints = {
  readonly waiting: readonly EitherPoint[];
  /** More came than may wait. */
  readonly isFull: boolean;
  /** What the counters had last. */
  readonly counts: { readonly [stream: string]: number };
  /** The end of the newest window in which some told of requests; null: none did. */
  readonly toldMs: number | null;
};

/** While one record is folded. */
export type EitherPointsDraft = {
  readonly waiting: EitherPoint[];
  isFull: boolean;
} & Omit<EitherPoints, 'waiting' | 'isFull'>;

export const noEitherPoints: EitherPoints = {
  waiting: [],
  isFull: false,
  counts: {},
  toldMs: null,
};

const waitingMax = 10_000;
const streamsMax = 2_000;

export const openEitherPoints = ({ waiting, ...rest }: EitherPoints): EitherPointsDraft => ({
  ...rest,
  waiting: [...waiting],
});

/** `timeMs`: within what waits for its window, also where its own time is not. */
export const addEither = (
  draft: EitherPointsDraft,
  {
    series,
    temporality,
    startMs,
    timeMs,
    count,
    refused,
  }: {
    readonly series: string;
    readonly temporality: Temporality;
    readonly startMs: number;
    readonly timeMs: number;
    readonly count: number;
    readonly refused: PointRefusal | null;
  },
): void => {
  const isRefused = isUncounted(refused);
  if (count === 0 && !isRefused) return;
  const stream = temporality === 'delta' ? null : `${series} ${startMs}`;
  if (draft.waiting.length < waitingMax)
    draft.waiting.push({ stream, startMs, timeMs, count, isRefused });
  else draft.isFull = true;
};

/**
 * With what came before `endMs`, in the order of its time. A counter tells of requests where it has another value than
 * before, and the first time where it may have begun after the opening: one that serves nobody any more does not.
 */
export const closeEitherPoints = (
  before: EitherPointsDraft,
  endMs: number,
  openedAtMs: number,
): EitherPointsDraft => {
  const { waiting, isFull, counts } = before;
  if (waiting.length === 0) return before;
  const due = waiting.filter(({ timeMs }) => timeMs < endMs);
  const next = { ...counts };
  let streams = Object.keys(next).length;
  let tell = isFull;
  for (const { stream, startMs, timeMs, count, isRefused } of due.toSorted(inOrder)) {
    if (stream === null || isRefused) {
      tell ||= timeMs >= openedAtMs;
      continue;
    }
    const last = next[stream];
    // A counter that is first heard after all have exported may be one whose start moves on.
    const isNew = startMs >= openedAtMs || timeMs > openedAtMs + roundMs;
    tell ||= last === undefined ? isNew : last !== count && timeMs >= openedAtMs;
    if (last === undefined && streams >= streamsMax) {
      tell = true;
      continue;
    }
    if (last === undefined) streams += 1;
    next[stream] = count;
  }
  const left = waiting.filter(({ timeMs }) => timeMs >= endMs);
  return {
    waiting: left,
    isFull: isFull && left.length >= waitingMax,
    counts: next,
    toldMs: tell ? endMs : before.toldMs,
  };
};

/** So many times the limit of silence: who exports seldom, or serves in bursts, is not forgotten in between. */
const rememberedFor = 4;

/** Whether requests in the window that ends then may be missed by either cohort. */
export const isEitherTold = (
  { toldMs }: Pick<EitherPoints, 'toldMs'>,
  endMs: number,
  noDataMs: number,
): boolean => toldMs !== null && endMs - toldMs <= rememberedFor * noDataMs;

const inOrder = (left: EitherPoint, right: EitherPoint): number =>
  left.timeMs - right.timeMs || left.count - right.count;
