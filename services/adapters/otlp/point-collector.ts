import type {
  DecodedMetrics,
  DurationUnit,
  PointRejection,
  RequestPoint,
  Temporality,
} from '../../core/telemetry/point.ts';
import {
  digestOf,
  lengthPrefixed,
  type PointAttributes,
  type ResourceIdentity,
} from './attributes.ts';
import type { MetricsLimits } from './limits.ts';

/** The metrics a judge of requests uses, by their OpenTelemetry names. */
export const REQUEST_METRICS: readonly string[] = [
  'http.server.request.duration',
  'rpc.server.call.duration',
  'rpc.server.duration',
];

/** AggregationTemporality of OTLP: 0 is unspecified, 1 delta, 2 cumulative. */
export const temporalityOf = (value: number): Temporality | null =>
  value === 1 ? 'delta' : value === 2 ? 'cumulative' : null;

const NO_RECORDED_VALUE_FLAG = 1;

/** Everything the points of one metric have in common. */
export type PointStream = Omit<
  RequestPoint,
  'series' | 'startMs' | 'timeMs' | 'count' | 'errors'
> & { readonly digest: string };

/** Names the stream of a metric within a resource and scope, or says why it cannot be used. */
export const openStream = (
  resource: ResourceIdentity,
  scopeCanonical: string | null,
  metric: string,
  unit: string,
  temporality: Temporality | null,
):
  | { readonly ok: true; readonly stream: PointStream }
  | { readonly ok: false; readonly reason: PointRejection } => {
  if (!resource.ok) return resource;
  if (scopeCanonical === null) return { ok: false, reason: 'attributes-too-large' };
  if (unit !== 's' && unit !== 'ms') return { ok: false, reason: 'unit-unknown' };
  if (temporality === null) return { ok: false, reason: 'temporality-unspecified' };
  const { environment, namespace, component, version, deploymentId, instance } = resource;
  const digest = digestOf(lengthPrefixed([resource.canonical, scopeCanonical, metric]));
  const durationUnit: DurationUnit = unit;
  return {
    ok: true,
    stream: {
      ...{ environment, namespace, component, version, deploymentId, instance },
      ...{ metric, temporality, unit: durationUnit, digest },
    },
  };
};

/** The numbers of a data point as they were on the wire. NaN where JSON held something else. */
export type RawPoint = {
  startMs: number;
  timeMs: number;
  count: number;
  /** 0 where the point has none. */
  sum: number;
  /** Sum of all buckets; null where the point tells no distribution. */
  bucketsTotal: number | null;
  /** Explicit bounds rise, and are one fewer than the buckets. */
  boundsFit: boolean;
  flags: number;
};

export const blankPoint = (): RawPoint => ({
  startMs: 0,
  timeMs: 0,
  count: 0,
  sum: 0,
  bucketsTotal: null,
  boundsFit: true,
  flags: 0,
});

const faultOf = (point: RawPoint): PointRejection | null => {
  if (Number.isNaN(point.timeMs) || Number.isNaN(point.startMs)) return 'point-malformed';
  if ((point.flags & NO_RECORDED_VALUE_FLAG) !== 0) return 'no-recorded-value';
  if (point.timeMs === 0) return 'time-missing';
  if (point.startMs === 0) return 'start-missing';
  if (point.startMs > point.timeMs) return 'start-after-time';
  if (Number.isNaN(point.count)) return 'count-invalid';
  if (point.count > Number.MAX_SAFE_INTEGER) return 'count-too-large';
  if (!(point.sum >= 0 && point.sum < Infinity)) return 'sum-invalid';
  if (!point.boundsFit) return 'bounds-invalid';
  if (point.bucketsTotal !== null && point.bucketsTotal !== point.count) return 'buckets-mismatch';
  return null;
};

/** Gathers the points of one request, and counts those it cannot take. */
export class PointCollector {
  readonly #limits: MetricsLimits;
  readonly #points: RequestPoint[] = [];
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

  add(stream: PointStream, point: RawPoint, attributes: PointAttributes): void {
    const fault = attributes.tooLarge ? 'attributes-too-large' : faultOf(point);
    if (fault !== null) return this.reject(fault);
    this.#points.push({
      environment: stream.environment,
      namespace: stream.namespace,
      component: stream.component,
      version: stream.version,
      deploymentId: stream.deploymentId,
      instance: stream.instance,
      series: stream.digest + attributes.digest,
      metric: stream.metric,
      temporality: stream.temporality,
      startMs: point.startMs,
      timeMs: point.timeMs,
      count: point.count,
      errors: attributes.failed ? point.count : 0,
      unit: stream.unit,
    });
  }

  result(): DecodedMetrics {
    const rejected = [...this.#rejected]
      .map(([reason, count]) => ({ reason, count }))
      .sort((left, right) => (left.reason < right.reason ? -1 : 1));
    const refused = rejected.reduce((total, { count }) => total + count, 0);
    return { points: this.#points, rejected, dataPoints: this.#points.length + refused };
  }
}
