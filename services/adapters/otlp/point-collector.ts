import type {
  DurationUnit,
  PointRefusal,
  PointRejection,
  Temporality,
} from '../../core/telemetry/point.ts';
import { attributeRefusals } from '../../core/telemetry/point.ts';
import { timeless } from '../../core/telemetry/telemetry-point.ts';
import type {
  DecodedTelemetry,
  LostPoints,
  PointAttribute,
  PointValue,
  TelemetryPoint,
} from '../../core/telemetry/telemetry-point.ts';
import { failureSaid } from '../../core/telemetry/status-said.ts';
import { unreadAttributes, withSenderDigit } from '../../core/telemetry/series-sender.ts';
import {
  byName,
  digestOf,
  lengthPrefixed,
  type PointAttributes,
  type ResourceIdentity,
} from './attributes.ts';
import { NO_BUCKETS, type ReadBuckets } from './buckets.ts';
import type { MetricsLimits } from './limits.ts';

/** AggregationTemporality of OTLP: 0 is unspecified, 1 delta, 2 cumulative. */
export const temporalityOf = (value: number): Temporality | null =>
  value === 1 ? 'delta' : value === 2 ? 'cumulative' : null;

const NO_RECORDED_VALUE_FLAG = 1;

/** Everything the points of one metric have in common. */
export type PointStream = Omit<
  TelemetryPoint,
  'series' | 'attributes' | 'startMs' | 'timeMs' | 'value' | 'unit'
> & {
  readonly digest: string;
  readonly ofResource: readonly PointAttribute[];
  readonly isOneSender: boolean;
};
export type DurationStream = PointStream & {
  readonly unit: DurationUnit;
  readonly temporality: Temporality;
  /** Why none of its points can be taken; null: each may be. */
  readonly refusal: PointRefusal | null;
};
/** The stream of a metric whose points are refused, all of them. */
export type RefusedStream = DurationStream & { readonly refusal: PointRefusal };
export const isRefused = (stream: DurationStream): stream is RefusedStream =>
  stream.refusal !== null;
export type LevelStream = PointStream & { readonly unit: string };

export type Opened<Stream> =
  | { readonly ok: true; readonly stream: Stream }
  | { readonly ok: false; readonly reason: PointRejection };

const refused = (reason: PointRejection): Opened<never> => ({ ok: false, reason });

/** Names the stream of a metric within a resource and scope, or says why it cannot be used. */
const openStream = (
  resource: ResourceIdentity,
  scopeCanonical: string | null,
  metric: string,
): Opened<PointStream> => {
  if (!resource.ok) return resource;
  if (scopeCanonical === null) return refused('attributes-too-large');
  const { environment, namespace, component, version, deploymentId, instance, target } = resource;
  const { kept: ofResource, isOneSender } = resource;
  const digest = withSenderDigit(
    digestOf(lengthPrefixed([resource.canonical, scopeCanonical, metric])),
    isOneSender,
  );
  const sender = { environment, namespace, component, version, deploymentId, instance, target };
  return { ok: true, stream: { ...sender, metric, digest, ofResource, isOneSender } };
};

// Nothing is counted of what is refused with its metric, but a sample names a unit and a temporality, and a stream of
// requests has these. Cumulative, as the next point that is taken of such a series may tell of the refused one, too.
const unitUnsaid: DurationUnit = 's';
const temporalityUnsaid: Temporality = 'cumulative';

/** No scope that could be read has this text. */
const unreadScope = '';

/** The stream of a histogram of durations. */
export const openDurations = (
  resource: ResourceIdentity,
  scopeCanonical: string | null,
  metric: string,
  unit: string,
  temporality: Temporality | null,
): Opened<DurationStream> => {
  const opened = openStream(resource, scopeCanonical ?? unreadScope, metric);
  if (!opened.ok) return opened;
  const known = unit === 's' || unit === 'ms' ? unit : null;
  return {
    ok: true,
    stream: {
      ...opened.stream,
      unit: known ?? unitUnsaid,
      temporality: temporality ?? temporalityUnsaid,
      refusal: refusalOf(scopeCanonical, known, temporality),
    },
  };
};

const refusalOf = (
  scopeCanonical: string | null,
  unit: DurationUnit | null,
  temporality: Temporality | null,
): PointRefusal | null => {
  if (scopeCanonical === null) return 'attributes-too-large';
  if (unit === null) return 'unit-unknown';
  return temporality === null ? 'temporality-unspecified' : null;
};

/** The stream of what is no histogram, under the name of durations: there were requests, in a form that is not judged. */
export const openUnjudged = (
  resource: ResourceIdentity,
  scopeCanonical: string | null,
  metric: string,
): Opened<RefusedStream> => {
  const opened = openDurations(resource, scopeCanonical, metric, unitUnsaid, temporalityUnsaid);
  const refusal = 'metric-type-unsupported';
  return opened.ok ? { ok: true, stream: { ...opened.stream, refusal } } : refused(refusal);
};

/** The stream of a gauge; of a sum, if it may fall and says its value since it began. */
export const openLevels = (
  resource: ResourceIdentity,
  scopeCanonical: string | null,
  metric: string,
  unit: string,
  sum: { readonly monotonic: boolean; readonly temporality: Temporality | null } | null,
  limits: MetricsLimits,
): Opened<LevelStream> => {
  const opened = openStream(resource, scopeCanonical, metric);
  if (!opened.ok) return opened;
  if (unit.length > limits.unitCharsMax) return refused('string-too-long');
  if (sum?.monotonic === true) return refused('sum-monotonic');
  if (sum?.temporality === null) return refused('temporality-unspecified');
  if (sum?.temporality === 'delta') return refused('sum-delta');
  return { ok: true, stream: { ...opened.stream, unit } };
};

/** The numbers of a histogram's point as they were on the wire. NaN where JSON held something else. */
export type RawPoint = {
  startMs: number;
  timeMs: number;
  count: number;
  buckets: ReadBuckets;
  flags: number;
};

export const blankPoint = (): RawPoint => ({
  startMs: 0,
  timeMs: 0,
  count: 0,
  buckets: NO_BUCKETS,
  flags: 0,
});

/** All that is read of a point that is refused with its metric. */
export type RefusedPoint = Pick<RawPoint, 'startMs' | 'timeMs' | 'flags'>;

/** The numbers of a gauge's or sum's point. NaN where it has none. */
export type RawLevel = { timeMs: number; level: number; flags: number };

export const blankLevel = (): RawLevel => ({ timeMs: 0, level: NaN, flags: 0 });

/**
 * Whether a series may leave out when it began. A cumulative one with a `service.instance.id` is told from its own last
 * value (Prometheus receivers send such); two workers of one pod or host would look like a counter that resets all the time.
 */
const mayLackStart = ({ temporality, isOneSender }: DurationStream): boolean =>
  temporality === 'cumulative' && isOneSender;

const faultOf = (stream: DurationStream, point: RawPoint): PointRefusal | null => {
  if (Number.isNaN(point.timeMs) || Number.isNaN(point.startMs)) return 'point-malformed';
  if (point.timeMs === 0) return 'time-missing';
  if (point.startMs === 0 && !mayLackStart(stream)) return 'start-missing';
  if (point.startMs > point.timeMs) return 'start-after-time';
  if (Number.isNaN(point.count)) return 'count-invalid';
  // The next one is what larger ones are rounded to.
  if (point.count >= Number.MAX_SAFE_INTEGER) return 'count-too-large';
  const { tooMany, boundsFit, total } = point.buckets;
  if (tooMany) return 'too-many-buckets';
  if (!boundsFit) return 'bounds-invalid';
  return total !== null && total !== point.count ? 'buckets-mismatch' : null;
};

/** So many durations below zero, and so many of all, one clock makes that was set back once; but not most. */
const negativeMax = 10;
const negativeShareMax = 0.01;

const areDurationsNone = ({ count, buckets: { negative } }: RawPoint): boolean =>
  2 * negative > count || (negative > negativeMax && negative > negativeShareMax * count);

/** Far above any gauge (bytes of a data centre), and squares of it stay numbers. */
const LEVEL_MAX = 1e18;

const levelFaultOf = ({ timeMs, level, flags }: RawLevel): PointRejection | null => {
  if (Number.isNaN(timeMs)) return 'point-malformed';
  if ((flags & NO_RECORDED_VALUE_FLAG) !== 0) return 'no-recorded-value';
  if (timeMs === 0) return 'time-missing';
  return level >= 0 && level <= LEVEL_MAX ? null : 'level-invalid';
};

const withResource = (
  ofResource: readonly PointAttribute[],
  ofPoint: readonly PointAttribute[],
): readonly PointAttribute[] => {
  if (ofResource.length === 0) return ofPoint;
  const others = ofPoint.filter(({ name }) => ofResource.every((one) => one.name !== name));
  return [...ofResource, ...others].toSorted(byName);
};

/** With what its numbers would have said: whether its requests failed. */
const keptOf = ({
  kept,
  failed,
}: Extract<PointAttributes, { readonly ok: true }>): readonly PointAttribute[] =>
  failed ? [...kept, { name: failureSaid, value: 'yes' }].toSorted(byName) : kept;

/** No calendar knows a later one. */
const TIME_MAX_MS = 8_640_000_000_000_000;

const isTime = (timeMs: number): boolean => timeMs > 0 && timeMs <= TIME_MAX_MS;

/** A point that was refused. Of which time it is, the good points of its request tell, so it waits for them. */
type Refused = { readonly stream: DurationStream; readonly series: string } & Pick<
  TelemetryPoint,
  'attributes'
> & {
    readonly value: Extract<PointValue, { readonly kind: 'refused' }>;
    readonly startMs: number;
    /** Its own time, which may be wrong. */
    readonly ownMs: number;
  };

/** Gathers the points of one request, and counts those it cannot take. */
export class PointCollector {
  readonly #limits: MetricsLimits;
  readonly #points: TelemetryPoint[] = [];
  readonly #refusedPoints: Refused[] = [];
  readonly #rejected = new Map<PointRejection, number>();
  readonly #lost = new Map<string, LostPoints>();
  /** Streams of requests of which points were beyond the cap, by digest. */
  readonly #cut = new Set<string>();
  #admitted = 0;
  #refused = 0;
  #newestMs = 0;

  constructor(limits: MetricsLimits) {
    this.#limits = limits;
  }

  /**
   * Whether one more point may be read; if not, it is counted as rejected. Ask once for each point.
   * `stream`: that of requests, of which it must be known then that there were more; null: it is of levels.
   */
  admits(of: ResourceIdentity, stream: DurationStream | null): boolean {
    const { pointsMax } = this.#limits;
    if (this.#admitted < pointsMax) {
      this.#admitted++;
      return true;
    }
    if (stream === null || this.#cut.has(stream.digest) || this.#cut.size >= pointsMax) {
      this.reject('too-many-points', 1, of);
      return false;
    }
    this.#cut.add(stream.digest);
    this.#refuse(stream, 'too-many-points', unreadAttributes, [], 0, 0);
    return false;
  }

  /** Counts points that say nothing to anybody, not even that they were there. */
  reject(reason: PointRejection, count: number, of: ResourceIdentity | PointStream): void {
    if (count === 0) return;
    this.#count(reason, count);
    const place =
      'ok' in of && !of.ok ? null : { environment: of.environment, component: of.component };
    const key = JSON.stringify([reason, place]);
    const before = this.#lost.get(key)?.count ?? 0;
    this.#lost.set(key, { reason, count: before + count, of: place });
  }

  #count(reason: PointRejection, count: number): void {
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + count);
  }

  addDurations(stream: DurationStream, point: RawPoint, attributes: PointAttributes): void {
    if ((point.flags & NO_RECORDED_VALUE_FLAG) !== 0)
      return this.reject('no-recorded-value', 1, stream);
    const { count, startMs, timeMs } = point;
    if (!attributes.ok) {
      const { reason, digest } = attributes;
      return this.#refuse(stream, reason, digest, [], startMs, timeMs);
    }
    const fault = faultOf(stream, point);
    if (fault !== null)
      return this.#refuse(stream, fault, attributes.digest, keptOf(attributes), startMs, timeMs);
    const { digest, kept } = attributes;
    const { temporality } = stream;
    const errors = attributes.failed ? count : 0;
    const value: PointValue = areDurationsNone(point)
      ? {
          kind: 'durations',
          temporality,
          count,
          errors,
          durations: null,
          refused: 'durations-negative',
        }
      : { kind: 'durations', temporality, count, errors, durations: point.buckets.durations };
    this.#add(stream, stream.digest + digest, kept, startMs, timeMs, value);
  }

  /** A point whose whole metric is refused. */
  addRefused(
    stream: RefusedStream,
    { startMs, timeMs, flags }: RefusedPoint,
    attributes: PointAttributes,
  ): void {
    const { refusal } = stream;
    if ((flags & NO_RECORDED_VALUE_FLAG) !== 0) return this.reject(refusal, 1, stream);
    if (attributes.ok)
      return this.#refuse(stream, refusal, attributes.digest, keptOf(attributes), startMs, timeMs);
    // Without its attributes it may be of any metric of that name, which only this reason says.
    this.#refuse(stream, attributes.reason, attributes.digest, [], startMs, timeMs);
  }

  /** A point of which nothing but its stream can be read, and perhaps its time. */
  addMalformed(stream: DurationStream, timeMs: number): void {
    this.#refuse(stream, 'point-malformed', unreadAttributes, [], 0, timeMs);
  }

  addLevel(stream: LevelStream, point: RawLevel, attributes: PointAttributes): void {
    if (!attributes.ok) return this.reject(attributes.reason, 1, stream);
    const fault = levelFaultOf(point);
    if (fault !== null) return this.reject(fault, 1, stream);
    const { timeMs, level } = point;
    // -0 is a zero like any other, and JSON has one only.
    this.#add(stream, stream.digest + attributes.digest, attributes.kept, timeMs, timeMs, {
      kind: 'level',
      level: level === 0 ? 0 : level,
    });
  }

  /** There were requests: whoever judges that window must know that it does not know them. */
  #refuse(
    stream: DurationStream,
    reason: PointRefusal,
    digest: string,
    kept: readonly PointAttribute[],
    startMs: number,
    timeMs: number,
  ): void {
    this.#count(reason, 1);
    this.#refused++;
    const series = stream.digest + digest;
    const attributes = attributeRefusals.has(reason) ? [] : kept;
    const value = { kind: 'refused', temporality: stream.temporality, reason } as const;
    // Its own time may be wrong, too, and one that stays would be the same point again.
    const ownMs = isTime(timeMs) ? timeMs : timeless;
    this.#refusedPoints.push({ stream, series, attributes, value, startMs, ownMs });
  }

  // Field by field, as this is done for every point: a spread copies by name.
  #add(
    stream: DurationStream | LevelStream,
    series: string,
    attributes: readonly PointAttribute[],
    startMs: number,
    timeMs: number,
    value: PointValue,
  ): void {
    if (timeMs > this.#newestMs) this.#newestMs = timeMs;
    this.#points.push({
      environment: stream.environment,
      namespace: stream.namespace,
      component: stream.component,
      version: stream.version,
      deploymentId: stream.deploymentId,
      instance: stream.instance,
      target: stream.target,
      series,
      metric: stream.metric,
      unit: stream.unit,
      attributes: withResource(stream.ofResource, attributes),
      startMs,
      timeMs,
      value,
    });
  }

  /** What was refused is of the newest time that good points of the request tell; without any, whoever received it says. */
  #addRefusedPoints(): void {
    const newestMs = this.#newestMs;
    for (const { stream, series, attributes, value, startMs, ownMs } of this.#refusedPoints) {
      const timeMs = newestMs > 0 ? newestMs : ownMs;
      const isBefore = isTime(startMs) && startMs <= Math.min(ownMs, timeMs);
      const fromMs = isBefore ? startMs : timeMs;
      const told: PointValue = newestMs > 0 ? value : { ...value, isTimeUnsure: true };
      this.#add(stream, series, attributes, fromMs, timeMs, told);
    }
    this.#refusedPoints.length = 0;
  }

  result(): DecodedTelemetry {
    this.#addRefusedPoints();
    const rejected = [...this.#rejected]
      .map(([reason, count]) => ({ reason, count }))
      .sort((left, right) => (left.reason < right.reason ? -1 : 1));
    const rejectedPoints = rejected.reduce((total, { count }) => total + count, 0);
    return {
      points: this.#points,
      rejected,
      lost: [...this.#lost.values()],
      dataPoints: this.#points.length - this.#refused + rejectedPoints,
    };
  }
}
