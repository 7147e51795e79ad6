import type { PointRejection, Temporality } from '../../core/telemetry/point.ts';
import {
  AttributeList,
  identifyResource,
  lengthPrefixed,
  type PointAttributes,
  readPointAttributes,
  type ResourceIdentity,
} from './attributes.ts';
import type { MetricsLimits } from './limits.ts';
import {
  blankLevel,
  blankPoint,
  isRefused,
  openDurations,
  openLevels,
  openUnjudged,
  type PointCollector,
  type RefusedStream,
  temporalityOf,
} from './point-collector.ts';
import { readKeyValue, resourceAttributesIn } from './protobuf-attributes.ts';
import {
  AttributeRange,
  EXPONENTIAL_POINT_ATTRIBUTES,
  HISTOGRAM_POINT_ATTRIBUTES,
  HistogramPoints,
  NUMBER_POINT_ATTRIBUTES,
  readNumberPoint,
  readRefusedPoint,
  REFUSED_EXPONENTIAL,
  REFUSED_HISTOGRAM,
  REFUSED_NUMBER,
  REFUSED_SUMMARY,
  type RefusedFields,
} from './protobuf-points.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import type { WantedMetric, WantedMetrics } from './wanted-metrics.ts';

/** The field numbers of opentelemetry/proto/metrics/v1/metrics.proto, as far as they are read. */
const REQUEST_RESOURCE_METRICS = 1;
const RESOURCE_METRICS = { scopeMetrics: 2 } as const;
const SCOPE_METRICS = { scope: 1, metrics: 2 } as const;
const SCOPE = { name: 1, version: 2, attributes: 3 } as const;
const METRIC = {
  name: 1,
  unit: 3,
  gauge: 5,
  sum: 7,
  histogram: 9,
  exponentialHistogram: 10,
  summary: 11,
} as const;
const METRIC_DATA = { dataPoints: 1, temporality: 2, isMonotonic: 3 } as const;
/** Of a longer unit only so much is read, which is still too long. */
const UNIT_BYTES_MAX = 512;

/**
 * Walks an ExportMetricsServiceRequest in protobuf, and gives the points of wanted metrics to
 * `collector`. Throws MalformedProtobuf.
 *
 * Fields may come in any order (a histogram writes its temporality after its points), so a message
 * is walked twice: for what its children need to know, stepping over them by their length, then
 * for the children. Nothing is built for a metric that is not taken.
 */
export const readProtobufRequest = (
  bytes: Uint8Array,
  wanted: WantedMetrics,
  limits: MetricsLimits,
  collector: PointCollector,
): void => {
  const walk = new RequestWalk(new ProtobufReader(bytes), wanted, limits, collector);
  walk.request(bytes.byteLength);
};

/** The resource and scope around a metric, read when the first metric that is taken asks for them. */
type Surroundings = {
  readonly resource: () => ResourceIdentity;
  readonly scope: () => string | null;
};

class RequestWalk {
  readonly #reader: ProtobufReader;
  readonly #wanted: WantedMetrics;
  readonly #limits: MetricsLimits;
  readonly #collector: PointCollector;

  constructor(
    reader: ProtobufReader,
    wanted: WantedMetrics,
    limits: MetricsLimits,
    collector: PointCollector,
  ) {
    this.#reader = reader;
    this.#wanted = wanted;
    this.#limits = limits;
    this.#collector = collector;
  }

  request(end: number): void {
    this.#reader.each(0, end, REQUEST_RESOURCE_METRICS, (start, childEnd) =>
      this.#resourceMetrics(start, childEnd),
    );
  }

  #resourceMetrics(start: number, end: number): void {
    const resource = once(() => this.#resource(start, end));
    this.#reader.each(start, end, RESOURCE_METRICS.scopeMetrics, (scopeStart, scopeEnd) => {
      const scope = once(() => this.#scope(scopeStart, scopeEnd));
      this.#reader.each(scopeStart, scopeEnd, SCOPE_METRICS.metrics, (metricStart, metricEnd) =>
        this.#metric(metricStart, metricEnd, { resource, scope }),
      );
    });
  }

  #resource(start: number, end: number): ResourceIdentity {
    const attributes = resourceAttributesIn(this.#reader, start, end, this.#limits);
    return identifyResource(attributes, this.#wanted, this.#limits);
  }

  /** The scope as one text; null where its attributes are too large. */
  #scope(start: number, end: number): string | null {
    const reader = this.#reader;
    const attributes = new AttributeList(this.#limits);
    let name = '';
    let version = '';
    this.#reader.each(start, end, SCOPE_METRICS.scope, (scopeStart, scopeEnd) => {
      reader.at = scopeStart;
      while (reader.next(scopeEnd)) {
        if (reader.field === SCOPE.name) name = reader.string(scopeEnd);
        else if (reader.field === SCOPE.version) version = reader.string(scopeEnd);
        else reader.skip(scopeEnd);
      }
      this.#attributes(scopeStart, scopeEnd, SCOPE.attributes, attributes);
    });
    return attributes.tooLarge ? null : lengthPrefixed([name, version, attributes.canonical()]);
  }

  #metric(start: number, end: number, around: Surroundings): void {
    const reader = this.#reader;
    let metric: WantedMetric | undefined;
    let unit = '';
    reader.at = start;
    while (reader.next(end)) {
      if (reader.field === METRIC.name) {
        const nameEnd = reader.lengthEnd(end);
        metric = this.#wanted.namedIn(reader.bytes, reader.at, nameEnd);
        reader.at = nameEnd;
      } else if (reader.field === METRIC.unit) {
        const unitEnd = reader.lengthEnd(end);
        const readEnd = Math.min(unitEnd, reader.at + UNIT_BYTES_MAX);
        unit = reader.bytes.toString('utf8', reader.at, readEnd);
        reader.at = unitEnd;
      } else {
        reader.skip(end);
      }
    }
    if (metric === undefined) return;

    reader.at = start;
    while (reader.next(end)) {
      const kind = reader.field;
      switch (kind) {
        case METRIC.histogram:
        case METRIC.exponentialHistogram: {
          const dataEnd = reader.lengthEnd(end);
          this.#histogram(reader.at, dataEnd, kind, metric, unit, around);
          reader.at = dataEnd;
          break;
        }
        case METRIC.gauge:
        case METRIC.sum: {
          const dataEnd = reader.lengthEnd(end);
          if (metric.isLevel) this.#levels(reader.at, dataEnd, kind, metric, unit, around);
          else this.#unjudged(reader.at, dataEnd, REFUSED_NUMBER, metric, around);
          reader.at = dataEnd;
          break;
        }
        case METRIC.summary: {
          const dataEnd = reader.lengthEnd(end);
          this.#unjudged(reader.at, dataEnd, REFUSED_SUMMARY, metric, around);
          reader.at = dataEnd;
          break;
        }
        default:
          reader.skip(end);
      }
    }
  }

  /** What a histogram or a sum says of all its points. */
  #dataHead(
    start: number,
    end: number,
    kind: number,
  ): { readonly temporality: Temporality | null; readonly monotonic: boolean } {
    const reader = this.#reader;
    let temporality = 0;
    let monotonic = false;
    reader.at = start;
    while (reader.next(end)) {
      if (reader.field === METRIC_DATA.temporality) temporality = reader.varint(end);
      else if (reader.field === METRIC_DATA.isMonotonic && kind === METRIC.sum)
        monotonic = reader.varint(end) !== 0;
      else reader.skip(end);
    }
    return { temporality: temporalityOf(temporality), monotonic };
  }

  #histogram(
    start: number,
    end: number,
    kind: typeof METRIC.histogram | typeof METRIC.exponentialHistogram,
    metric: WantedMetric,
    unit: string,
    around: Surroundings,
  ): void {
    const { temporality } = this.#dataHead(start, end, kind);
    const opened = openDurations(around.resource(), around.scope(), metric.name, unit, temporality);
    if (!opened.ok) {
      this.#rejectAll(start, end, opened.reason, around);
      return;
    }
    const { stream } = opened;
    if (isRefused(stream)) {
      const fields = kind === METRIC.histogram ? REFUSED_HISTOGRAM : REFUSED_EXPONENTIAL;
      this.#refuseAll(start, end, fields, metric, stream, around);
      return;
    }
    const points = new HistogramPoints(this.#reader, stream.unit, this.#limits);
    this.#reader.each(start, end, METRIC_DATA.dataPoints, (pointStart, pointEnd) => {
      if (!this.#collector.admits(around.resource(), stream)) return;
      const point = blankPoint();
      const range = new AttributeRange(pointStart);
      let field: number;
      if (kind === METRIC.histogram) {
        points.readExplicit(pointEnd, point, range);
        field = HISTOGRAM_POINT_ATTRIBUTES;
      } else {
        points.readExponential(pointEnd, point, range);
        field = EXPONENTIAL_POINT_ATTRIBUTES;
      }
      this.#collector.addDurations(stream, point, this.#pointAttributes(metric, range, field));
    });
  }

  #unjudged(
    start: number,
    end: number,
    fields: RefusedFields,
    metric: WantedMetric,
    around: Surroundings,
  ): void {
    const opened = openUnjudged(around.resource(), around.scope(), metric.name);
    if (!opened.ok) this.#rejectAll(start, end, opened.reason, around);
    else this.#refuseAll(start, end, fields, metric, opened.stream, around);
  }

  /** Every point of a metric that says nothing but that there were requests, and when. */
  #refuseAll(
    start: number,
    end: number,
    fields: RefusedFields,
    metric: WantedMetric,
    stream: RefusedStream,
    around: Surroundings,
  ): void {
    this.#reader.each(start, end, METRIC_DATA.dataPoints, (pointStart, pointEnd) => {
      if (!this.#collector.admits(around.resource(), stream)) return;
      const point = blankPoint();
      const range = new AttributeRange(pointStart);
      readRefusedPoint(this.#reader, pointEnd, fields, point, range);
      const attributes = this.#pointAttributes(metric, range, fields.attributes);
      this.#collector.addRefused(stream, point, attributes);
    });
  }

  #levels(
    start: number,
    end: number,
    kind: typeof METRIC.gauge | typeof METRIC.sum,
    metric: WantedMetric,
    unit: string,
    around: Surroundings,
  ): void {
    const sum = kind === METRIC.sum ? this.#dataHead(start, end, kind) : null;
    const opened = openLevels(
      around.resource(),
      around.scope(),
      metric.name,
      unit,
      sum,
      this.#limits,
    );
    if (!opened.ok) {
      this.#rejectAll(start, end, opened.reason, around);
      return;
    }
    const { stream } = opened;
    this.#reader.each(start, end, METRIC_DATA.dataPoints, (pointStart, pointEnd) => {
      if (!this.#collector.admits(around.resource(), null)) return;
      const point = blankLevel();
      const range = new AttributeRange(pointStart);
      readNumberPoint(this.#reader, pointEnd, point, range);
      const attributes = this.#pointAttributes(metric, range, NUMBER_POINT_ATTRIBUTES);
      this.#collector.addLevel(stream, point, attributes);
    });
  }

  /** Counts the points of a metric that cannot be taken, without reading them. */
  #rejectAll(start: number, end: number, reason: PointRejection, around: Surroundings): void {
    let points = 0;
    this.#reader.each(start, end, METRIC_DATA.dataPoints, () => points++);
    this.#collector.reject(reason, points, around.resource());
  }

  #pointAttributes(metric: WantedMetric, range: AttributeRange, field: number): PointAttributes {
    return metric.memo.recall(this.#reader.bytes, range.start, range.end, () => {
      const attributes = new AttributeList(this.#limits);
      this.#attributes(range.start, range.end, field, attributes);
      return readPointAttributes(attributes, metric.attributes, this.#limits);
    });
  }

  #attributes(start: number, end: number, field: number, into: AttributeList): void {
    this.#reader.each(start, end, field, (pairStart, pairEnd) =>
      readKeyValue(this.#reader, pairStart, pairEnd, this.#limits, into),
    );
  }
}

const once = <Value>(read: () => Value): (() => Value) => {
  let known: { readonly value: Value } | null = null;
  return () => (known ??= { value: read() }).value;
};
