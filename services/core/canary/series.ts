import type { Temporality } from '../telemetry/point.ts';
import type { Cohort } from './cohorts.ts';
import type { ArmCounts } from './window.ts';
import { addCounts, noCounts } from './window.ts';

/** A point that waits for its window to close. */
export type PendingPoint = {
  readonly cohort: Cohort;
  readonly series: string;
  readonly temporality: Temporality;
  readonly startMs: number;
  readonly timeMs: number;
  /** How far its own time is from its receipt. */
  readonly delayMs: number;
  readonly count: number;
  readonly errors: number;
};

/** The last value of each cumulative stream, by `streamOf`: what the next one is measured from. */
export type Bases = { readonly [stream: string]: ArmCounts };

export type Taken = {
  readonly bases: Bases;
  readonly canary: ArmCounts;
  readonly baseline: ArmCounts;
  /** Points that were there already, and points that no server can have counted, alone or with the others. */
  readonly duplicates: number;
  readonly implausible: number;
  /** Points that began before the analysis, and streams beyond `streamsMax`. */
  readonly beforeOpening: number;
  readonly overLimit: number;
};

/** Cumulative streams of one analysis. */
const streamsMax = 20_000;
/** Requests that a cohort may add in a window. Far above any service, and sums over all windows stay whole numbers. */
const requestsMax = 1_000_000_000;

/**
 * One stream of cumulative values. A series that starts again is another stream: so a reset is never a difference,
 * and two senders that cannot be told apart do not pass for one that resets with every export.
 */
export const streamOf = (series: string, startMs: number): string => `${series}:${startMs}`;

/**
 * The requests that the points of a window add, in the order of their time. A cumulative value counts from the one
 * before it; the first of a stream counts from zero if the stream began after the opening, else it is only the base.
 * A delta counts if it began after the opening.
 */
export const takePoints = (
  before: Bases,
  points: readonly PendingPoint[],
  openedAtMs: number,
): Taken => {
  const bases = { ...before };
  let streams = Object.keys(before).length;
  const sums = { canary: noCounts, baseline: noCounts };
  const distinct = distinctPoints(points);
  let [implausible, beforeOpening, overLimit] = [0, 0, 0];
  for (const point of distinct) {
    const beganAfter = point.startMs >= openedAtMs;
    let added: ArmCounts | undefined;
    if (point.temporality === 'delta') {
      added = beganAfter ? valueOf(point) : undefined;
    } else {
      const stream = streamOf(point.series, point.startMs);
      const base = bases[stream];
      if (base === undefined && streams >= streamsMax) {
        overLimit += 1;
        continue;
      }
      if (base === undefined) streams += 1;
      added = base === undefined ? (beganAfter ? valueOf(point) : undefined) : since(base, point);
      bases[stream] = valueOf(point);
    }
    if (added === undefined) beforeOpening += 1;
    else if (sums[point.cohort].requests + added.requests > requestsMax) implausible += 1;
    else sums[point.cohort] = addCounts(sums[point.cohort], added);
  }
  const duplicates = points.length - distinct.length;
  return { bases, ...sums, duplicates, implausible, beforeOpening, overLimit };
};

const valueOf = ({ count, errors }: PendingPoint): ArmCounts => ({ requests: count, errors });

/** A value that fell was reset by a sender that did not say so: it counts from zero. */
const since = (base: ArmCounts, point: PendingPoint): ArmCounts => {
  if (point.count < base.requests) return valueOf(point);
  const requests = point.count - base.requests;
  return { requests, errors: Math.min(Math.max(0, point.errors - base.errors), requests) };
};

/**
 * Each (series, start, time) once, in the order of time. Of two that differ all the same the larger stands, whichever
 * came first.
 */
const distinctPoints = (points: readonly PendingPoint[]): readonly PendingPoint[] => {
  const byIdentity = new Map<string, PendingPoint>();
  for (const point of points) {
    const identity = `${streamOf(point.series, point.startMs)}:${point.timeMs}`;
    const other = byIdentity.get(identity);
    if (other === undefined || point.count > other.count) byIdentity.set(identity, point);
  }
  return [...byIdentity.values()].toSorted(
    (left, right) =>
      left.timeMs - right.timeMs ||
      left.startMs - right.startMs ||
      (left.series < right.series ? -1 : 1),
  );
};
