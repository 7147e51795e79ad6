import type { Points, SamplePoint } from '../../samples/sample.ts';
import type { PointRefusal, Temporality } from '../../telemetry/point.ts';
import { isUncounted, pointRefusals } from '../../telemetry/point.ts';
import { maySeveralSend } from '../../telemetry/series-sender.ts';
import { absurdIn } from './absurd-durations.ts';
import type { Cohort } from './cohorts.ts';
import type { MetricWindow } from '../judge/judged-window.ts';
import type { JudgedAs } from './judged-as.ts';
import { newerNames } from './judged-as.ts';
import type { Loudness } from '../noise/loud.ts';
import { loudnessOf } from '../noise/loud.ts';
import type { MetricPolicy } from '../policy/policy.ts';
import type { Bases, BasesDraft, Counted } from './stream-bases.ts';
import { openBases } from './stream-bases.ts';
import { durationsIn, isSpoilt, waitingOf } from './waiting-durations.ts';
import type { WaitingDurations } from './waiting-durations.ts';
import type { OverflownMetrics } from './overflown.ts';
import { overflownIn, withoutUnknown } from './overflown.ts';
import { withProbed, withoutProbes } from './probes.ts';
import { countersIn } from './stuck-deltas.ts';
import { asOneSender, twinsIn } from './twins.ts';
import type { ToldPoint } from './twins.ts';
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
  /** Why it is not known how many requests there were, or how long they took; absent: it is, or it is a level. */
  readonly refused?: PointRefusal;
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
    ...(point.refused !== null && { refused: point.refused }),
  };
};

/**
 * Why a point of a window has become nothing.
 * - `not-judged`: of probes (`withoutProbes`);
 * - `implausible`: no server can have counted so much, alone or with the others; of its durations alone: see `isSpoilt`;
 * - `loud`: see `loudnessOf`, and of levels `wildIn`;
 * - `over-limit`: one cumulative stream too many;
 * - `start-shared`: several senders under one name, whose points or counters cannot be told apart, or that may be one (`twins.ts`);
 * - `older-name`: its sender says the same under the newer name of the metric;
 * - `durations-implausible`: more of its durations, or of its cohort's, than a few are beyond what a request can take, so
 *   nobody knows how long its requests took;
 * - `attributes-overflown`: it counts, but the SDK had no room for its attributes, so which requests failed nobody knows;
 * - `other-buckets`, `other-unit`: it cannot be told together with the others of its metric;
 * - a `PointRefusal`: nobody could count its requests, or tell how long they took; `start-missing` also where a start moves on
 *   with its counter, `temporality-unspecified` where deltas look like a counter (`stuck-deltas.ts`).
 */
export type WindowExclusion =
  | PointRefusal
  | 'duplicate'
  | 'not-judged'
  | 'implausible'
  | 'loud'
  | 'before-opening'
  | 'over-limit'
  | 'start-shared'
  | 'older-name'
  | 'durations-implausible'
  | 'attributes-overflown'
  | 'other-buckets'
  | 'other-unit';

export const noWindowExclusions: { readonly [Reason in WindowExclusion]: number } = {
  duplicate: 0,
  'not-judged': 0,
  implausible: 0,
  loud: 0,
  'before-opening': 0,
  'over-limit': 0,
  'start-shared': 0,
  'older-name': 0,
  'durations-implausible': 0,
  'attributes-overflown': 0,
  'other-buckets': 0,
  'other-unit': 0,
  ...(Object.fromEntries(pointRefusals.map((reason) => [reason, 0])) as {
    readonly [Reason in PointRefusal]: 0;
  }),
};
type Exclusions = { -readonly [Reason in WindowExclusion]: number };

export type WindowTaken = {
  readonly bases: Bases;
  /** In the order of the policy. */
  readonly metrics: readonly MetricWindow[];
  readonly excluded: { readonly [Reason in WindowExclusion]: number };
  /** What was counted, before anything was left out of it. */
  readonly counted: readonly CountedPoint[];
  /** What is left of it, of requests that the traffic is made of (without that metric: errors, latency): each request once. */
  readonly asTraffic: readonly CountedPoint[];
  /** Points whose requests nobody knows, for whatever reason. */
  readonly unknown: readonly PendingPoint[];
  /** Of `metrics`, by place, those that show nothing because of somebody loud. */
  readonly leftOut: readonly number[];
  /** Requests were left out that nobody knows whose they are, or how many. */
  readonly isUnheard: boolean;
  /** Nobody knows how long requests took that are known otherwise. */
  readonly isUnmeasured: boolean;
  /** Of `metrics`, by place, those that show only a part (`withoutOverflown`). */
  readonly overflown: OverflownMetrics;
};

/** Requests that a cohort may add in a window. Far above any service, and sums over all windows stay whole numbers. */
const requestsMax = 1_000_000_000;

/**
 * What the points of a window add, in the order of their time, whatever the order in which they came. A cumulative value
 * counts from the one before it; the first of a stream counts from zero if it is known to have begun after the opening
 * (`openBases`), else it is only the base. A delta counts if it began after the opening, or from the one before it on where
 * its start does not move. `isUnknown`: other requests of this time were left out, and nobody knows whose. `windowMs`: its length, where exports are as
 * often as windows.
 */
export const takeWindow = (
  metrics: readonly MetricPolicy[],
  before: Bases,
  points: readonly PendingPoint[],
  openedAtMs: number,
  isUnknown = false,
  windowMs = 0,
): WindowTaken => {
  const excluded: Exclusions = { ...noWindowExclusions };
  const bases = openBases(before, openedAtMs, windowMs);
  const probed = withProbed(before.probed, points);
  const asked = withoutProbes(probed, points);
  excluded['not-judged'] = points.length - asked.length;
  const { distinct, contradicted } = distinctPoints(asOneSender(before.twins, asked), bases);
  excluded.duplicate = asked.length - distinct.length;
  const { doubtful, twins } = twinsIn(before.twins, distinct);
  const { counters, stuck } = countersIn(before.stuck, distinct, windowMs);
  const { counted: all, unknown } = countedIn(
    bases,
    distinct,
    { contradicted, doubtful, counters },
    excluded,
  );
  const { left, isNewerSent, differing } = withoutOlderNames(all, excluded);
  const counted = plausible(left, excluded, unknown);
  const loudness = loudnessOf(voicesOf(counted));
  const { absurd, lately } = absurdIn(counted, before.absurdLately);
  const unmeasured = unmeasuredMetrics(metrics, counted, absurd, excluded);
  const overflown = overflownIn(counted);
  excluded['attributes-overflown'] += overflown.points;
  const drafts = metrics.map((metric) => openMetric(metric));
  for (const { point, added } of heard(counted, loudness, excluded)) {
    const isCoarsened = point.durations !== null && isSpoilt(point.durations);
    const shown = absurd.has(point) ? { ...added, durations: null } : withBuckets(point, added);
    for (const as of point.judgedAs)
      if (as.isOverflown !== true)
        drafts[as.metric]?.addRequests(point.cohort, shown, as, isCoarsened);
  }
  for (const point of distinct)
    if (point.temporality === null)
      for (const { metric } of point.judgedAs) drafts[metric]?.addLevel(point.cohort, point);
  const unknownOf = unknownMetrics(
    [...unknown.filter((point) => !isNewerSent(point)), ...differing],
    isUnknown || bases.isUnknowable() ? metrics : [],
  );
  const isUnheard = excluded['start-shared'] + unknownOf.canary.size + unknownOf.baseline.size > 0;
  const isAllHeard =
    loudness.verdict === 'nobody' &&
    !isUnheard &&
    excluded['over-limit'] + excluded.implausible === 0;
  const leftOut = new Set<number>();
  const shown = drafts.map((draft, metric) =>
    withoutUnknown(
      draft.close((reason, count) => {
        excluded[reason] += count;
        if (reason === 'loud') leftOut.add(metric);
      }),
      unknownOf.canary.has(metric) || unmeasured.canary.has(metric),
      unknownOf.baseline.has(metric) || unmeasured.baseline.has(metric),
    ),
  );
  if (loudness.verdict === 'say-nothing')
    for (const { point } of counted) for (const { metric } of point.judgedAs) leftOut.add(metric);
  // Where requests were left out, a cohort would seem to have lost them.
  return {
    bases: { ...bases.close(), absurdLately: lately, twins, stuck, probed },
    counted: all,
    asTraffic: asTraffic(metrics, counted),
    unknown,
    metrics: isAllHeard ? shown : withoutTraffic(shown),
    excluded,
    leftOut: [...leftOut],
    isUnheard,
    isUnmeasured: unmeasured.canary.size + unmeasured.baseline.size > 0,
    overflown: overflown.metrics,
  };
};

/** Calls of others that a policy judges, too, are no requests of a server. */
const asTraffic = (
  metrics: readonly MetricPolicy[],
  counted: readonly CountedPoint[],
): readonly CountedPoint[] => {
  const kind = (['traffic', 'errors', 'latency'] as const).find((one) =>
    metrics.some(({ judged }) => judged === one),
  );
  return counted.filter(({ point }) =>
    point.judgedAs.some(({ metric }) => metrics[metric]?.judged === kind),
  );
};

type UnknownMetrics = { readonly [Name in Cohort]: ReadonlySet<number> };

/** The places of the metrics that these points would have been of; of `all` those that are made of requests. */
const unknownMetrics = (
  points: readonly PendingPoint[],
  all: readonly MetricPolicy[],
): UnknownMetrics => {
  const ofRequests = all.flatMap(({ judged }, metric) => (judged === 'level' ? [] : [metric]));
  const unknown = { canary: new Set(ofRequests), baseline: new Set(ofRequests) };
  for (const { cohort, judgedAs } of points)
    for (const { metric } of judgedAs) unknown[cohort].add(metric);
  return unknown;
};

/**
 * The places of the metrics of latency to which requests belong of which nobody knows how long they took: those of points
 * without durations, and of absurd ones.
 */
const unmeasuredMetrics = (
  all: readonly MetricPolicy[],
  counted: readonly CountedPoint[],
  absurd: ReadonlySet<PendingPoint>,
  excluded: Exclusions,
): UnknownMetrics => {
  const unmeasured = { canary: new Set<number>(), baseline: new Set<number>() };
  for (const { point, added } of counted) {
    const isAbsurd = absurd.has(point);
    if (!isAbsurd && (point.refused === undefined || added.count === 0)) continue;
    const places = point.judgedAs.filter(({ metric }) => all[metric]?.judged === 'latency');
    for (const { metric } of places) unmeasured[point.cohort].add(metric);
    if (isAbsurd && places.length > 0) excluded['durations-implausible'] += 1;
  }
  return unmeasured;
};

/** A histogram without bounds has one bucket: it says how many, and that nobody can tell how long they took. */
const withBuckets = ({ durations, refused }: PendingPoint, added: Counted): Counted =>
  durations === null && refused === undefined
    ? { ...added, durations: { shape: 'explicit', bounds: [], counts: [added.count] } }
    : added;

/** Requests with what they add to the window. */
export type CountedPoint = { readonly point: PendingPoint; readonly added: Counted };

/**
 * `unknown`: points whose requests in this window nobody knows. `doubtful`: those that may say what others say; `counters`: deltas that may be none. Whose streams nobody can tell apart is left out with all
 * that it says: what is left of it (the health checks of a server whose requests are left out) is like nobody's traffic.
 */
const countedIn = (
  bases: BasesDraft,
  points: readonly PendingPoint[],
  {
    contradicted,
    doubtful,
    counters,
  }: {
    readonly contradicted: ReadonlySet<PendingPoint>;
    readonly doubtful: ReadonlySet<ToldPoint>;
    readonly counters: ReadonlySet<ToldPoint>;
  },
  excluded: Exclusions,
): { readonly counted: readonly CountedPoint[]; readonly unknown: PendingPoint[] } => {
  const counted: CountedPoint[] = [];
  const unknown: PendingPoint[] = [];
  const shared = new Set<string>();
  for (const point of points) {
    const { temporality, series, startMs, timeMs, refused } = point;
    if (temporality === null) continue;
    if (refused !== undefined) excluded[refused] += 1;
    if (isUncounted(refused) || contradicted.has(point)) {
      if (refused === undefined) excluded['start-shared'] += 1;
      unknown.push(point);
      bases.refuse(series, temporality);
      continue;
    }
    if (temporality === 'cumulative' && bases.takeGap(series)) unknown.push(point);
    const value = countedBy(point);
    const taken =
      temporality === 'delta'
        ? bases.takeDelta(series, startMs)
        : bases.take(series, startMs, timeMs, value);
    if (taken === 'over-limit' || taken === 'start-shared') {
      excluded[taken] += 1;
      // What finds no room is what is new: failures, as a rule.
      if (taken === 'over-limit') unknown.push(point);
      else shared.add(senderOf(point));
    } else if (taken === 'lost') {
      excluded['start-missing'] += 1;
      unknown.push(point);
    } else if (taken === 'unknown') excluded['before-opening'] += 1;
    else if (counters.has(point)) {
      excluded['temporality-unspecified'] += 1;
      unknown.push(point);
    } else if (doubtful.has(point)) excluded['start-shared'] += 1;
    else counted.push({ point, added: taken === 'new' ? value : taken });
  }
  if (shared.size === 0) return { counted, unknown };
  const left = counted.filter(({ point }) => !shared.has(senderOf(point)));
  excluded['start-shared'] += counted.length - left.length;
  return { counted: left, unknown };
};

const senderOf = ({ cohort, sender }: PendingPoint): string => `${cohort} ${sender}`;

const countedBy = ({ count, errors, durations }: PendingPoint): Counted => ({
  count,
  errors,
  durations: durations === null ? null : durationsIn(durations),
});

/** `differing`: of who fails more under the older name than under the newer one, which is not to say the same twice. */
const withoutOlderNames = (
  counted: readonly CountedPoint[],
  excluded: Exclusions,
): {
  readonly differing: readonly PendingPoint[];
  readonly left: readonly CountedPoint[];
  readonly isNewerSent: (point: PendingPoint) => boolean;
} => {
  let sent: ReadonlySet<string> | undefined;
  const isNewerSent = ({ name, sender }: PendingPoint): boolean => {
    const newer = newerNames.get(name);
    if (newer === undefined) return false;
    sent ??= new Set(counted.map(({ point }) => `${point.name} ${point.sender}`));
    return sent.has(`${newer} ${sender}`);
  };
  const left = counted.filter(({ point }) => !isNewerSent(point));
  excluded['older-name'] += counted.length - left.length;
  return { left, isNewerSent, differing: differingIn(counted, left, isNewerSent) };
};

const differingIn = (
  counted: readonly CountedPoint[],
  left: readonly CountedPoint[],
  isNewerSent: (point: PendingPoint) => boolean,
): readonly PendingPoint[] => {
  if (left.length === counted.length) return [];
  const failed = failuresBySender(counted);
  return counted.flatMap(({ point }) => {
    if (!isNewerSent(point)) return [];
    const { name, sender } = point;
    const byNewer = failed.get(`${newerNames.get(name) ?? ''} ${sender}`) ?? 0;
    return (failed.get(`${name} ${sender}`) ?? 0) > byNewer ? [point] : [];
  });
};

/** By name of the metric and sender. */
const failuresBySender = (counted: readonly CountedPoint[]): ReadonlyMap<string, number> => {
  const failed = new Map<string, number>();
  for (const { point, added } of counted) {
    const key = `${point.name} ${point.sender}`;
    failed.set(key, (failed.get(key) ?? 0) + added.errors);
  }
  return failed;
};

const plausible = (
  counted: readonly CountedPoint[],
  excluded: Exclusions,
  unknown: PendingPoint[],
): readonly CountedPoint[] => {
  const requests = { canary: 0, baseline: 0 };
  const left = counted.filter(({ point, added: { count } }) => {
    const { cohort } = point;
    const isPlausible = requests[cohort] + count <= requestsMax;
    if (isPlausible) requests[cohort] += count;
    else unknown.push(point);
    return isPlausible;
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
  withoutJudged(metrics, 'traffic');

/** Nobody knows how many of the requests failed. */
export const withoutErrors = (metrics: readonly MetricWindow[]): readonly MetricWindow[] =>
  withoutJudged(metrics, 'errors');

/** Nobody knows of which requests those are that are heard: routes take different times. */
export const withoutLatency = (metrics: readonly MetricWindow[]): readonly MetricWindow[] =>
  withoutJudged(metrics, 'latency');

const withoutJudged = (
  metrics: readonly MetricWindow[],
  judged: MetricWindow['judged'],
): readonly MetricWindow[] =>
  metrics.map((metric) =>
    metric.judged === judged ? { ...metric, canary: null, baseline: null } : metric,
  );

/**
 * Each (series, start, time) once, in the order of time. Where two differ all the same nobody knows which is true: where
 * several may send they are of two, and stay so; of one sender they contradict each other (two pods with one instance id, or
 * somebody who says it again with other numbers). Of levels the larger stands, whichever came first.
 */
const distinctPoints = (
  points: readonly PendingPoint[],
  bases: BasesDraft,
): {
  readonly distinct: readonly PendingPoint[];
  readonly contradicted: ReadonlySet<PendingPoint>;
} => {
  const sorted = points.toSorted((left, right) => inOrder(left, right) || bySize(left, right));
  const distinct: PendingPoint[] = [];
  const contradicted = new Set<PendingPoint>();
  for (const point of sorted) {
    const before = distinct.at(-1);
    if (before === undefined || inOrder(before, point) !== 0) distinct.push(point);
    else if (bySize(before, point) === 0) continue;
    else if (point.temporality !== null && maySeveralSend(point.series)) {
      bases.share(point.series, point.startMs, point.temporality);
      distinct.push(point);
    } else {
      distinct[distinct.length - 1] = point;
      if (point.temporality !== null) contradicted.add(point);
    }
  }
  return { distinct, contradicted };
};

/** 0: they have one identity. What was refused is none of its like: it says nothing that could differ. */
const inOrder = (left: PendingPoint, right: PendingPoint): number =>
  left.timeMs - right.timeMs ||
  left.startMs - right.startMs ||
  byText(left.series, right.series) ||
  byText(uncountedFor(left), uncountedFor(right));

const uncountedFor = ({ refused }: PendingPoint): string =>
  refused !== undefined && isUncounted(refused) ? refused : '';

export const byText = (left: string, right: string): number =>
  left === right ? 0 : left < right ? -1 : 1;

/** 0: they are equal in all that makes a difference. */
const bySize = (left: PendingPoint, right: PendingPoint): number =>
  left.count - right.count ||
  left.level - right.level ||
  left.errors - right.errors ||
  byText(textOf(left), textOf(right));

/** All of a point that its numbers do not tell, and that makes a difference. */
const textOf = ({
  cohort,
  sender,
  name,
  unit,
  temporality,
  durations,
  refused,
}: PendingPoint): string =>
  JSON.stringify([cohort, sender, name, unit, temporality, durations, refused]);
