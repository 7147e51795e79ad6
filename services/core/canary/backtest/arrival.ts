import { timeless } from '../../telemetry/telemetry-point.ts';
import { exportGapMs } from '../windows/stream-bases.ts';
import { windowMsMax } from '../windows/window-length.ts';

// A capture tells when a point was measured, and not when it was received. So the latest time so far is what time it
// is, as far as a second sender is as late: one clock that is ahead of all others moves no time.

/**
 * A line whose points are all further ahead than this comes after a gap in the capture, or from a clock that is wrong.
 * It is as long as the longest lateness.
 */
const aheadMsMax: number = 2 * windowMsMax;
/** After so many such lines in a row it was a gap. */
const aheadLinesMax = 20;

/** Anything that was measured at a time. What is `timeless` comes when the line before it did. */
export type Timed = { readonly timeMs: number };

export type Arrived<Point> = { readonly point: Point; readonly receivedAt: number };

export type Arrivals<Point extends Timed> = {
  /**
   * Takes the points of the next line in, and answers those that have arrived, in the order of their receipt. A line
   * may be held back until others say what time it is.
   */
  readonly add: (points: readonly Point[]) => readonly Arrived<Point>[];
  /** What is still held back at the end of the capture: nobody has confirmed those clocks. */
  readonly rest: () => readonly Arrived<Point>[];
};

/**
 * `untilMs`: time does not go on beyond it, so that one absurd clock cannot make windows without end. `senderOf`: whose
 * clock it is; without it all have one.
 */
export const openArrivals = <Point extends Timed>(
  sinceMs: number,
  untilMs: number,
  senderOf?: (point: Point) => string,
): Arrivals<Point> => {
  let clocks = openClocks();
  // The first clock may be the one that is wrong, and time never goes back: others are heard first.
  let isBegun = senderOf === undefined;
  let nowMs = sinceMs;
  let held: (readonly Point[])[] = [];

  /** Before the start, too, though nothing is judged there: what came then is not of the first window. */
  const receiptMs = (): number => {
    const toldMs = clocks.toldMs();
    return nowMs > sinceMs || toldMs === -Infinity ? nowMs : Math.min(nowMs, toldMs);
  };

  /** Points of one line, in the order of their times; those that are too far ahead do not move time. */
  const arrive = (points: readonly Point[]): readonly Arrived<Point>[] =>
    points.toSorted(byTime).map((point) => {
      if (isTimed(point) && point.timeMs <= nowMs + aheadMsMax) {
        const told = clocks.tell(senderOf?.(point) ?? '', point.timeMs);
        nowMs = Math.min(Math.max(nowMs, told), Math.max(nowMs, untilMs));
      }
      return { point, receivedAt: receiptMs() };
    });
  const release = (): readonly Arrived<Point>[] => {
    const released = held.flatMap(arrive);
    held = [];
    return released;
  };

  /** With fewer senders their clocks count as they come. */
  const begin = (): readonly Arrived<Point>[] => {
    isBegun = true;
    if (clocks.senders() < sendersMin) clocks = openClocks();
    return release();
  };

  return {
    add: (points) => {
      if (!points.some(isTimed)) return arrive(points);
      if (!isBegun) {
        held.push(points);
        for (const point of points.filter(isTimed))
          clocks.tell(senderOf?.(point) ?? '', point.timeMs);
        if (clocks.senders() < sendersMin && held.length < aheadLinesMax) return [];
        return begin();
      }
      if (earliestOf(points) <= nowMs + aheadMsMax) return [...release(), ...arrive(points)];
      held.push(points);
      if (held.length < aheadLinesMax) return [];
      nowMs = Math.min(Math.min(...held.map(earliestOf)), untilMs);
      return release();
    },
    rest: () => (isBegun ? release() : begin()),
  };
};

/** Exports in a row that are looked at: who is not among them has stopped. */
const exportsHeard = 6;
/** With fewer senders nobody knows which of them is wrong. */
const sendersMin = 3;

/** What time it is by the clocks of those who send now: the second latest of them; of fewer than three the latest. */
const openClocks = (): {
  readonly tell: (sender: string, timeMs: number) => number;
  /** What it answered last. */
  readonly toldMs: () => number;
  readonly senders: () => number;
} => {
  const newest = new Map<string, { readonly timeMs: number; readonly exportIndex: number }>();
  let exports = 0;
  let told = -Infinity;
  const now = (): number => {
    let [latest, second, heard] = [-Infinity, -Infinity, 0];
    for (const [sender, { timeMs, exportIndex }] of newest) {
      if (exportIndex <= exports - exportsHeard) {
        newest.delete(sender);
        continue;
      }
      heard += 1;
      second = Math.max(second, Math.min(latest, timeMs));
      latest = Math.max(latest, timeMs);
    }
    return heard < sendersMin ? latest : second;
  };
  return {
    senders: () => newest.size,
    toldMs: () => told,
    tell: (sender, timeMs) => {
      const beforeMs = newest.get(sender)?.timeMs ?? -Infinity;
      if (beforeMs >= timeMs) return told;
      if (timeMs >= beforeMs + exportGapMs) exports += 1;
      newest.set(sender, { timeMs, exportIndex: exports });
      told = now();
      return told;
    },
  };
};

const isTimed = ({ timeMs }: Timed): boolean => timeMs !== timeless;

/** Undefined: none of them tells a time. */
export const firstTimeOf = (points: readonly Timed[]): number | undefined => {
  const timed = points.filter(isTimed);
  return timed.length === 0 ? undefined : earliestOf(timed);
};

const earliestOf = (points: readonly Timed[]): number =>
  points.reduce(
    (earliest, point) => (isTimed(point) ? Math.min(earliest, point.timeMs) : earliest),
    Infinity,
  );

const byTime = (one: Timed, other: Timed): number => one.timeMs - other.timeMs;
