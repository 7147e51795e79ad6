import type { Temporality } from '../../core/telemetry/point.ts';
import {
  identifyResource,
  lengthPrefixed,
  type PointAttributes,
  readPointAttributes,
  type ResourceIdentity,
} from './attributes.ts';
import { attributesIn } from './json-attributes.ts';
import {
  eachObject,
  fieldOf,
  inObject,
  isObject,
  type JsonObject,
  listIn,
  textIn,
  within,
  WrongShape,
} from './json-fields.ts';
import { HistogramObjects, numberPoint, refusedPoint, timeIn } from './json-points.ts';
import type { MetricsLimits } from './limits.ts';
import {
  type DurationStream,
  isRefused,
  openDurations,
  openLevels,
  openUnjudged,
  type PointCollector,
  temporalityOf,
} from './point-collector.ts';
import type { WantedMetric, WantedMetrics } from './wanted-metrics.ts';

/**
 * Reads an ExportMetricsServiceRequest that JSON.parse has parsed, and gives the points of wanted
 * metrics to `collector`. Throws WrongShape.
 */
export const readJsonRequest = (
  request: unknown,
  wanted: WantedMetrics,
  limits: MetricsLimits,
  collector: PointCollector,
): void =>
  within(
    () => '$',
    () => {
      if (!isObject(request)) throw new WrongShape('not an object', '');
      eachObject(request, 'resourceMetrics', (resourceMetrics) =>
        readResource(resourceMetrics, wanted, limits, collector),
      );
    },
  );

const readResource = (
  resourceMetrics: JsonObject,
  wanted: WantedMetrics,
  limits: MetricsLimits,
  collector: PointCollector,
): void => {
  const resource = inObject(resourceMetrics, 'resource', (child) =>
    identifyResource(attributesIn(child, limits), wanted, limits),
  );
  eachObject(resourceMetrics, 'scopeMetrics', (scopeMetrics) => {
    const scope = inObject(scopeMetrics, 'scope', (child) => scopeText(child, limits));
    eachObject(scopeMetrics, 'metrics', (object) => {
      const metric = wanted.named(textIn(object, 'name'));
      if (metric === undefined) return;
      const unit = textIn(object, 'unit');
      readMetric(object, { resource, scope, metric, unit, limits, collector });
    });
  });
};

/** The scope as one text; null where its attributes are too large. */
const scopeText = (scope: JsonObject, limits: MetricsLimits): string | null => {
  const name = textIn(scope, 'name');
  const version = textIn(scope, 'version');
  const attributes = attributesIn(scope, limits);
  return attributes.tooLarge ? null : lengthPrefixed([name, version, attributes.canonical()]);
};

/** A metric that is wanted, and what is around it. */
type Around = {
  readonly resource: ResourceIdentity;
  readonly scope: string | null;
  readonly metric: WantedMetric;
  readonly unit: string;
  readonly limits: MetricsLimits;
  readonly collector: PointCollector;
};

const levelKinds = ['gauge', 'sum'] as const;
const otherKinds = ['summary', 'histogram', 'exponentialHistogram'] as const;

const readMetric = (object: JsonObject, around: Around): void => {
  const { resource, scope, metric, unit, limits, collector } = around;
  for (const kind of metric.isLevel ? otherKinds : [...levelKinds, ...otherKinds]) {
    inObject(object, kind, (data) => {
      const points = listIn(data, 'dataPoints');
      if (points.length === 0) return;
      const opened =
        kind === 'histogram' || kind === 'exponentialHistogram'
          ? openDurations(resource, scope, metric.name, unit, temporalityIn(data))
          : openUnjudged(resource, scope, metric.name);
      if (!opened.ok) return collector.reject(opened.reason, points.length, resource);
      const { stream } = opened;
      const histograms = new HistogramObjects(stream.unit, limits);
      for (const one of points)
        readPoint(
          one,
          around,
          stream,
          (point, attributes) => {
            if (isRefused(stream))
              return collector.addRefused(stream, refusedPoint(point), attributes);
            const raw =
              kind === 'histogram' ? histograms.explicit(point) : histograms.exponential(point);
            collector.addDurations(stream, raw, attributes);
          },
          () => collector.addMalformed(stream, timeIn(one)),
        );
    });
  }
  for (const kind of metric.isLevel ? levelKinds : []) {
    inObject(object, kind, (data) => {
      const points = listIn(data, 'dataPoints');
      const sum = {
        monotonic: fieldOf(data, 'isMonotonic') === true,
        temporality: temporalityIn(data),
      };
      const ofSum = kind === 'sum' ? sum : null;
      const opened = openLevels(resource, scope, metric.name, unit, ofSum, limits);
      if (!opened.ok) return collector.reject(opened.reason, points.length, resource);
      for (const one of points)
        readPoint(
          one,
          around,
          null,
          (point, attributes) => collector.addLevel(opened.stream, numberPoint(point), attributes),
          () => collector.reject('point-malformed', 1, resource),
        );
    });
  }
};

const TEMPORALITY_NAMES = [
  'AGGREGATION_TEMPORALITY_UNSPECIFIED',
  'AGGREGATION_TEMPORALITY_DELTA',
  'AGGREGATION_TEMPORALITY_CUMULATIVE',
];

const temporalityIn = (data: JsonObject): Temporality | null => {
  const value = fieldOf(data, 'aggregationTemporality');
  if (typeof value === 'string') return temporalityOf(TEMPORALITY_NAMES.indexOf(value));
  return typeof value === 'number' ? temporalityOf(value) : null;
};

/** A fault in the shape of one point rejects that point alone. */
const readPoint = (
  point: unknown,
  { resource, metric, limits, collector }: Around,
  stream: DurationStream | null,
  add: (point: JsonObject, attributes: PointAttributes) => void,
  onMalformed: () => void,
): void => {
  if (!collector.admits(resource, stream)) return;
  try {
    if (!isObject(point)) throw new WrongShape('not an object', '');
    add(point, readPointAttributes(attributesIn(point, limits), metric.attributes, limits));
  } catch (fault) {
    if (!(fault instanceof WrongShape)) throw fault;
    onMalformed();
  }
};
