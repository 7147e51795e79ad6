import type { EitherTells } from './late-points.ts';
import { noEitherTells } from './late-points.ts';
import { roundMs } from './stream-bases.ts';
import { isUncounted } from '../../telemetry/point.ts';
import type { PointRefusal, Temporality } from '../../telemetry/point.ts';

// Requests of senders that may be of either cohort: whether somebody told of some in a window. Nobody's evidence.

/** Plain JSON. */
type EitherPoint = {
  /** Its series and start. */
  readonly stream: string;
  readonly isDelta: boolean;
  readonly startMs: number;
  readonly timeMs: number;
  readonly count: number;
  /** Whether nobody could count it. */
  readonly isRefused: boolean;
  readonly isFailed: boolean;
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
  /** How many points told of requests in the window that closed last. */
  readonly tells: EitherTells;
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
  tells: noEitherTells,
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
    isFailed,
  }: {
    readonly series: string;
    readonly temporality: Temporality;
    readonly startMs: number;
    readonly timeMs: number;
    readonly count: number;
    readonly refused: PointRefusal | null;
    readonly isFailed: boolean;
  },
): void => {
  const isRefused = isUncounted(refused);
  if (count === 0 && !isRefused) return;
  const stream = `${series} ${startMs}`;
  const isDelta = temporality === 'delta';
  if (draft.waiting.length < waitingMax)
    draft.waiting.push({ stream, isDelta, startMs, timeMs, count, isRefused, isFailed });
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
  if (waiting.length === 0 && before.tells === noEitherTells) return before;
  const due = waiting.filter(({ timeMs }) => timeMs < endMs);
  const next = { ...counts };
  let streams = Object.keys(next).length;
  const tells = { failed: 0, others: 0 };
  const tell = ({ isFailed }: EitherPoint): void => {
    tells[isFailed ? 'failed' : 'others'] += 1;
  };
  let newest: EitherPoint | undefined;
  for (const point of due.toSorted(inOrder)) {
    const { stream, isDelta, startMs, timeMs, count, isRefused } = point;
    const isTwice = newest !== undefined && inOrder(newest, point) === 0;
    newest = point;
    if (isTwice) continue;
    if (isDelta || isRefused) {
      if (timeMs >= openedAtMs) tell(point);
      continue;
    }
    const last = next[stream];
    // A counter that is first heard after all have exported may be one whose start moves on.
    const isNew = startMs >= openedAtMs || timeMs > openedAtMs + roundMs;
    const isLeftOut = last === undefined && streams >= streamsMax;
    const goesOn = last !== count && timeMs >= openedAtMs;
    if (isLeftOut || (last === undefined ? isNew : goesOn)) tell(point);
    if (isLeftOut) continue;
    if (last === undefined) streams += 1;
    next[stream] = count;
  }
  const left = waiting.filter(({ timeMs }) => timeMs >= endMs);
  const isTold = isFull || tells.failed + tells.others > 0;
  return {
    waiting: left,
    isFull: isFull && left.length >= waitingMax,
    counts: next,
    toldMs: isTold ? endMs : before.toldMs,
    tells: isTold ? tells : noEitherTells,
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
  left.timeMs - right.timeMs ||
  left.count - right.count ||
  Number(left.isRefused) - Number(right.isRefused) ||
  (left.stream < right.stream ? -1 : Number(left.stream > right.stream));
