import type { DurationUnit, PointRejection, Temporality } from '../../core/telemetry/point.ts';
import type {
  DecodedTelemetry,
  PointAttribute,
  PointValue,
  TelemetryPoint,
} from '../../core/telemetry/telemetry-point.ts';
import { withSenderDigit } from '../../core/telemetry/series-sender.ts';
import {
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
};
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

/** The stream of a histogram of durations. */
export const openDurations = (
  resource: ResourceIdentity,
  scopeCanonical: string | null,
  metric: string,
  unit: string,
  temporality: Temporality | null,
): Opened<DurationStream> => {
  const opened = openStream(resource, scopeCanonical, metric);
  if (!opened.ok) return opened;
  if (unit !== 's' && unit !== 'ms') return refused('unit-unknown');
  if (temporality === null) return refused('temporality-unspecified');
  return { ok: true, stream: { ...opened.stream, unit, temporality } };
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
  /** 0 where the point has none. */
  sum: number;
  buckets: ReadBuckets;
  flags: number;
};

export const blankPoint = (): RawPoint => ({
  startMs: 0,
  timeMs: 0,
  count: 0,
  sum: 0,
  buckets: NO_BUCKETS,
  flags: 0,
});

/** The numbers of a gauge's or sum's point. NaN where it has none. */
export type RawLevel = { timeMs: number; level: number; flags: number };

export const blankLevel = (): RawLevel => ({ timeMs: 0, level: NaN, flags: 0 });

/**
 * Whether a series may leave out when it began. A cumulative one with a `service.instance.id` is told from its own last
 * value (Prometheus receivers send such); two workers of one pod or host would look like a counter that resets all the time.
 */
const mayLackStart = ({ temporality, isOneSender }: DurationStream): boolean =>
  temporality === 'cumulative' && isOneSender;

const faultOf = (stream: DurationStream, point: RawPoint): PointRejection | null => {
  if (Number.isNaN(point.timeMs) || Number.isNaN(point.startMs)) return 'point-malformed';
  if ((point.flags & NO_RECORDED_VALUE_FLAG) !== 0) return 'no-recorded-value';
  if (point.timeMs === 0) return 'time-missing';
  if (point.startMs === 0 && !mayLackStart(stream)) return 'start-missing';
  if (point.startMs > point.timeMs) return 'start-after-time';
  if (Number.isNaN(point.count)) return 'count-invalid';
  if (point.count > Number.MAX_SAFE_INTEGER) return 'count-too-large';
  if (!(point.sum >= 0 && point.sum < Infinity)) return 'sum-invalid';
  const { tooMany, boundsFit, total, negative } = point.buckets;
  if (tooMany) return 'too-many-buckets';
  if (!boundsFit) return 'bounds-invalid';
  if (total !== null && total !== point.count) return 'buckets-mismatch';
  return negative > 0 ? 'negative-durations' : null;
};

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
  return [...ofResource, ...others].toSorted((a, b) => (a.name < b.name ? -1 : 1));
};

/** Gathers the points of one request, and counts those it cannot take. */
export class PointCollector {
  readonly #limits: MetricsLimits;
  readonly #points: TelemetryPoint[] = [];
  readonly #rejected = new Map<PointRejection, number>();
  #admitted = 0;

  constructor(limits: MetricsLimits) {
    this.#limits = limits;
  }

  /** Whether one more point may be read; if not, it is counted as rejected. Ask once for each point. */
  admits(): boolean {
    if (this.#admitted < this.#limits.pointsMax) {
      this.#admitted++;
      return true;
    }
    this.reject('too-many-points');
    return false;
  }

  reject(reason: PointRejection, count: number = 1): void {
    if (count > 0) this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + count);
  }

  addDurations(stream: DurationStream, point: RawPoint, attributes: PointAttributes): void {
    if (!attributes.ok) return this.reject(attributes.reason);
    const fault = faultOf(stream, point);
    if (fault !== null) return this.reject(fault);
    const { count, startMs, timeMs } = point;
    this.#add(stream, attributes, startMs, timeMs, {
      kind: 'durations',
      temporality: stream.temporality,
      count,
      errors: attributes.failed ? count : 0,
      durations: point.buckets.durations,
    });
  }

  addLevel(stream: LevelStream, point: RawLevel, attributes: PointAttributes): void {
    if (!attributes.ok) return this.reject(attributes.reason);
    const fault = levelFaultOf(point);
    if (fault !== null) return this.reject(fault);
    const { timeMs, level } = point;
    // -0 is a zero like any other, and JSON has one only.
    this.#add(stream, attributes, timeMs, timeMs, {
      kind: 'level',
      level: level === 0 ? 0 : level,
    });
  }

  // Field by field, as this is done for every point: a spread copies by name.
  #add(
    stream: DurationStream | LevelStream,
    attributes: PointAttributes & { readonly ok: true },
    startMs: number,
    timeMs: number,
    value: PointValue,
  ): void {
    this.#points.push({
      environment: stream.environment,
      namespace: stream.namespace,
      component: stream.component,
      version: stream.version,
      deploymentId: stream.deploymentId,
      instance: stream.instance,
      target: stream.target,
      series: stream.digest + attributes.digest,
      metric: stream.metric,
      unit: stream.unit,
      attributes: withResource(stream.ofResource, attributes.kept),
      startMs,
      timeMs,
      value,
    });
  }

  result(): DecodedTelemetry {
    const rejected = [...this.#rejected]
      .map(([reason, count]) => ({ reason, count }))
      .sort((left, right) => (left.reason < right.reason ? -1 : 1));
    const refusedPoints = rejected.reduce((total, { count }) => total + count, 0);
    return { points: this.#points, rejected, dataPoints: this.#points.length + refusedPoints };
  }
}
