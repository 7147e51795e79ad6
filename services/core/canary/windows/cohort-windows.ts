import type { Points, SamplePoint } from '../../samples/sample.ts';
import type { Temporality } from '../../telemetry/point.ts';
import type { Cohort } from './cohorts.ts';
import type { MetricWindow } from '../judge/judged-window.ts';
import type { JudgedAs } from './judged-as.ts';
import { newerNames } from './judged-as.ts';
import type { Loudness } from '../noise/loud.ts';
import { loudnessOf } from '../noise/loud.ts';
import type { MetricPolicy } from '../policy/policy.ts';
import type { Bases, Counted } from './stream-bases.ts';
import { openBases } from './stream-bases.ts';
import { durationsIn, isSpoilt, waitingOf } from './waiting-durations.ts';
import type { WaitingDurations } from './waiting-durations.ts';
import { openMetric } from './window-metrics.ts';

// From the points of one window to what the judge sees of it.

/** A point that waits for its window to close. Plain JSON. */
export type PendingPoint = {
  readonly cohort: Cohort;
  /** Who sent it, as far as telemetry tells. */
  readonly sender: string;
  readonly instance: string | null;
  /** Name of the OpenTelemetry metric. */
  readonly name: string;
  readonly unit: string;
  readonly series: string;
  /** Null: a level, which is of one moment. */
  readonly temporality: Temporality | null;
  readonly startMs: number;
  readonly timeMs: number;
  /** How far its own time is from its receipt. */
  readonly delayMs: number;
  /** The metrics of the policy that are made of it; at least one. */
  readonly judgedAs: readonly JudgedAs[];
  readonly count: number;
  readonly errors: number;
  /** 0 where the point counts requests. */
  readonly level: number;
  readonly durations: WaitingDurations | null;
};

/** A point of a record that passed the door. */
export const pendingPointOf = (
  sample: Points,
  point: SamplePoint,
  cohort: Cohort,
  judgedAs: readonly JudgedAs[],
): PendingPoint => {
  const origin = sample.origins[point.origin];
  if (origin === undefined) throw new RangeError('a point without an origin passed the door');
  const { namespace, version, deployment, target, instance } = origin;
  return {
    cohort,
    sender: JSON.stringify([namespace, version, deployment, target, instance]),
    instance,
    name: origin.metric,
    unit: origin.unit,
    series: point.series,
    temporality: point.level === null ? origin.temporality : null,
    startMs: point.start,
    timeMs: point.time,
    delayMs: Math.abs(point.receivedAt - point.time),
    judgedAs,
    count: point.count,
    errors: point.errors,
    level: point.level ?? 0,
    durations: waitingOf(sample, point),
  };
};

/**
 * Why a point of a window has become nothing.
 * - `implausible`: no server can have counted so much, alone or with the others; of its durations alone: see `isSpoilt`;
 * - `loud`: see `loudnessOf`, and of levels `wildIn`;
 * - `over-limit`: one cumulative stream too many;
 * - `start-shared`: several senders under one name and one start, whose counters cannot be told apart;
 * - `older-name`: its sender says the same under the newer name of the metric;
 * - `other-buckets`, `other-unit`: it cannot be told together with the others of its metric.
 */
export type WindowExclusion =
  | 'duplicate'
  | 'implausible'
  | 'loud'
  | 'before-opening'
  | 'over-limit'
  | 'start-shared'
  | 'older-name'
  | 'other-buckets'
  | 'other-unit';

export const noWindowExclusions: { readonly [Reason in WindowExclusion]: number } = {
  duplicate: 0,
  implausible: 0,
  loud: 0,
  'before-opening': 0,
  'over-limit': 0,
  'start-shared': 0,
  'older-name': 0,
  'other-buckets': 0,
  'other-unit': 0,
};
type Exclusions = { -readonly [Reason in WindowExclusion]: number };

export type WindowTaken = {
  readonly bases: Bases;
  /** In the order of the policy. */
  readonly metrics: readonly MetricWindow[];
  readonly excluded: { readonly [Reason in WindowExclusion]: number };
  /** Of `metrics`, by place, those that show nothing because of somebody loud. */
  readonly leftOut: readonly number[];
};

/** Requests that a cohort may add in a window. Far above any service, and sums over all windows stay whole numbers. */
const requestsMax = 1_000_000_000;

/**
 * What the points of a window add, in the order of their time, whatever the order in which they came. A cumulative value
 * counts from the one before it; the first of a stream counts from zero if it is known to have begun after the opening
 * (`openBases`), else it is only the base. A delta counts if it began after the opening, or from the one before it on where
 * its start does not move.
 */
export const takeWindow = (
  metrics: readonly MetricPolicy[],
  before: Bases,
  points: readonly PendingPoint[],
  openedAtMs: number,
): WindowTaken => {
  const excluded: Exclusions = { ...noWindowExclusions };
  const distinct = distinctPoints(points);
  excluded.duplicate = points.length - distinct.length;
  const bases = openBases(before, openedAtMs);
  const counted = plausible(
    withoutOlderNames(countedIn(bases, distinct, excluded), excluded),
    excluded,
  );
  const loudness = loudnessOf(voicesOf(counted));
  const drafts = metrics.map((metric) => openMetric(metric));
  for (const { point, added } of heard(counted, loudness, excluded)) {
    const isCoarsened = point.durations !== null && isSpoilt(point.durations);
    for (const as of point.judgedAs)
      drafts[as.metric]?.addRequests(point.cohort, withBuckets(point, added), as, isCoarsened);
  }
  for (const point of distinct)
    if (point.temporality === null)
      for (const { metric } of point.judgedAs) drafts[metric]?.addLevel(point.cohort, point);
  const isAllHeard =
    loudness.verdict === 'nobody' &&
    excluded['over-limit'] + excluded['start-shared'] + excluded.implausible === 0;
  const leftOut = new Set<number>();
  const shown = drafts.map((draft, index) =>
    draft.close((reason, count) => {
      excluded[reason] += count;
      if (reason === 'loud') leftOut.add(index);
    }),
  );
  if (loudness.verdict === 'say-nothing')
    for (const [index, { judged }] of metrics.entries()) if (judged !== 'level') leftOut.add(index);
  // Where requests were left out, a cohort would seem to have lost them.
  return {
    bases: bases.close(),
    metrics: isAllHeard ? shown : withoutTraffic(shown),
    excluded,
    leftOut: [...leftOut],
  };
};

/** A histogram without bounds has one bucket: it says how many, and that nobody can tell how long they took. */
const withBuckets = ({ durations }: PendingPoint, added: Counted): Counted =>
  durations === null
    ? { ...added, durations: { shape: 'explicit', bounds: [], counts: [added.count] } }
    : added;

/** Requests with what they add to the window. */
type CountedPoint = { readonly point: PendingPoint; readonly added: Counted };

const countedIn = (
  bases: ReturnType<typeof openBases>,
  points: readonly PendingPoint[],
  excluded: Exclusions,
): readonly CountedPoint[] => {
  const counted: CountedPoint[] = [];
  for (const point of points) {
    const { temporality, series, startMs, timeMs } = point;
    if (temporality === null) continue;
    const value = countedBy(point);
    const taken =
      temporality === 'delta'
        ? bases.takeDelta(series, startMs)
        : bases.take(series, startMs, timeMs, value);
    if (taken === 'over-limit' || taken === 'start-shared') excluded[taken] += 1;
    else if (taken === 'unknown') excluded['before-opening'] += 1;
    else counted.push({ point, added: taken === 'new' ? value : taken });
  }
  return counted;
};

const countedBy = ({ count, errors, durations }: PendingPoint): Counted => ({
  count,
  errors,
  durations: durations === null ? null : durationsIn(durations),
});

const withoutOlderNames = (
  counted: readonly CountedPoint[],
  excluded: Exclusions,
): readonly CountedPoint[] => {
  if (!counted.some(({ point }) => newerNames.has(point.name))) return counted;
  const sent = new Set(counted.map(({ point }) => `${point.name} ${point.sender}`));
  const left = counted.filter(({ point: { name, sender } }) => {
    const newer = newerNames.get(name);
    return newer === undefined || !sent.has(`${newer} ${sender}`);
  });
  excluded['older-name'] += counted.length - left.length;
  return left;
};

const plausible = (
  counted: readonly CountedPoint[],
  excluded: Exclusions,
): readonly CountedPoint[] => {
  const requests = { canary: 0, baseline: 0 };
  const left = counted.filter(({ point: { cohort }, added: { count } }) => {
    if (requests[cohort] + count > requestsMax) return false;
    requests[cohort] += count;
    return true;
  });
  excluded.implausible += counted.length - left.length;
  return left;
};

const voicesOf = (
  counted: readonly CountedPoint[],
): { readonly canary: Map<string, number>; readonly baseline: Map<string, number> } => {
  const voices = { canary: new Map<string, number>(), baseline: new Map<string, number>() };
  for (const { point, added } of counted) {
    // Those without a name are no instance: nobody knows how many they are.
    if (point.instance === null) continue;
    const ofCohort = voices[point.cohort];
    ofCohort.set(point.sender, (ofCohort.get(point.sender) ?? 0) + added.count);
  }
  return voices;
};

const heard = (
  counted: readonly CountedPoint[],
  { verdict, loud }: Loudness,
  excluded: Exclusions,
): readonly CountedPoint[] => {
  if (verdict === 'nobody') return counted;
  const left = counted.filter(({ point }) => !loud[point.cohort].has(point.sender));
  excluded.loud += counted.length - left.length;
  return verdict === 'leave-out' ? left : [];
};

/** Nobody knows how many requests there were. */
export const withoutTraffic = (metrics: readonly MetricWindow[]): readonly MetricWindow[] =>
  metrics.map((metric) =>
    metric.judged === 'traffic' ? { ...metric, canary: null, baseline: null } : metric,
  );

/**
 * Each (series, start, time) once, in the order of time. Of two that differ all the same the larger stands, whichever
 * came first.
 */
const distinctPoints = (points: readonly PendingPoint[]): readonly PendingPoint[] => {
  const sorted = points.toSorted(inOrder);
  const distinct: PendingPoint[] = [];
  for (const point of sorted) {
    const before = distinct.at(-1);
    if (before === undefined || inOrder(before, point) !== 0) distinct.push(point);
    else if (isLarger(point, before)) distinct[distinct.length - 1] = point;
  }
  return distinct;
};

/** 0: they have one identity. */
const inOrder = (left: PendingPoint, right: PendingPoint): number =>
  left.timeMs - right.timeMs ||
  left.startMs - right.startMs ||
  (left.series === right.series ? 0 : left.series < right.series ? -1 : 1);

const isLarger = (point: PendingPoint, other: PendingPoint): boolean => {
  const more =
    point.count - other.count || point.level - other.level || point.errors - other.errors;
  return more === 0 ? textOf(point) > textOf(other) : more > 0;
};

/** All of a point that its numbers do not tell, and that makes a difference. */
const textOf = ({ cohort, sender, name, unit, temporality, durations }: PendingPoint): string =>
  JSON.stringify([cohort, sender, name, unit, temporality, durations]);
