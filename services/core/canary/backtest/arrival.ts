import { windowMsMax } from '../window-length.ts';

// A capture tells when a point was measured, and not when it was received. So the latest time so far is what time it
// is, with one exception: a clock that is far ahead of all others.

/**
 * A line whose points are all further ahead than this comes after a gap in the capture, or from a clock that is wrong.
 * It is as long as the longest lateness.
 */
const aheadMsMax: number = 2 * windowMsMax;
/** After so many such lines in a row it was a gap. */
const aheadLinesMax = 20;

/** Anything that was measured at a time. */
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

/** `untilMs`: time does not go on beyond it, so that one absurd clock cannot make windows without end. */
export const openArrivals = <Point extends Timed>(
  sinceMs: number,
  untilMs: number,
): Arrivals<Point> => {
  let nowMs = sinceMs;
  let held: (readonly Point[])[] = [];

  /** Points of one line, in the order of their times; those that are too far ahead do not move time. */
  const arrive = (points: readonly Point[]): readonly Arrived<Point>[] =>
    points.toSorted(byTime).map((point) => {
      if (point.timeMs <= nowMs + aheadMsMax)
        nowMs = Math.min(Math.max(nowMs, point.timeMs), Math.max(nowMs, untilMs));
      return { point, receivedAt: nowMs };
    });
  const release = (): readonly Arrived<Point>[] => {
    const released = held.flatMap(arrive);
    held = [];
    return released;
  };

  return {
    add: (points) => {
      if (points.length === 0) return [];
      if (earliestOf(points) <= nowMs + aheadMsMax) return [...release(), ...arrive(points)];
      held.push(points);
      if (held.length < aheadLinesMax) return [];
      nowMs = Math.min(Math.min(...held.map(earliestOf)), untilMs);
      return release();
    },
    rest: release,
  };
};

const earliestOf = (points: readonly Timed[]): number =>
  points.reduce((earliest, { timeMs }) => Math.min(earliest, timeMs), Infinity);

const byTime = (one: Timed, other: Timed): number => one.timeMs - other.timeMs;
