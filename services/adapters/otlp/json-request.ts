import type { Temporality } from '../../core/telemetry/point.ts';
import { identifyResource, lengthPrefixed, readPointAttributes } from './attributes.ts';
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
import { exponentialPoint, histogramPoint } from './json-points.ts';
import type { MetricsLimits } from './limits.ts';
import {
  openStream,
  type PointCollector,
  type PointStream,
  REQUEST_METRICS,
  temporalityOf,
} from './point-collector.ts';

/**
 * Reads an ExportMetricsServiceRequest that JSON.parse has parsed, and gives the points of request
 * metrics to `collector`. Throws WrongShape.
 */
export const readJsonRequest = (
  request: unknown,
  limits: MetricsLimits,
  collector: PointCollector,
): void =>
  within(
    () => '$',
    () => {
      if (!isObject(request)) throw new WrongShape('not an object', '');
      eachObject(request, 'resourceMetrics', (resourceMetrics) =>
        readResource(resourceMetrics, limits, collector),
      );
    },
  );

const readResource = (
  resourceMetrics: JsonObject,
  limits: MetricsLimits,
  collector: PointCollector,
): void => {
  const identity = inObject(resourceMetrics, 'resource', (resource) =>
    identifyResource(attributesIn(resource, limits), limits),
  );
  eachObject(resourceMetrics, 'scopeMetrics', (scopeMetrics) => {
    const scope = inObject(scopeMetrics, 'scope', (child) => scopeText(child, limits));
    eachObject(scopeMetrics, 'metrics', (metric) => {
      const name = textIn(metric, 'name');
      if (!REQUEST_METRICS.includes(name)) return;
      const unit = textIn(metric, 'unit');
      readMetric(metric, limits, collector, (temporality) =>
        openStream(identity, scope, name, unit, temporality),
      );
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

type OpenStream = (temporality: Temporality | null) => ReturnType<typeof openStream>;

const readMetric = (
  metric: JsonObject,
  limits: MetricsLimits,
  collector: PointCollector,
  open: OpenStream,
): void => {
  for (const kind of ['gauge', 'sum', 'summary']) {
    inObject(metric, kind, (data) =>
      collector.reject('metric-type-unsupported', listIn(data, 'dataPoints').length),
    );
  }
  for (const kind of ['histogram', 'exponentialHistogram'] as const) {
    inObject(metric, kind, (data) => {
      const points = listIn(data, 'dataPoints');
      const opened = open(temporalityIn(data));
      if (!opened.ok) return collector.reject(opened.reason, points.length);
      for (const point of points) readPoint(point, kind, limits, collector, opened.stream);
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
  kind: 'histogram' | 'exponentialHistogram',
  limits: MetricsLimits,
  collector: PointCollector,
  stream: PointStream,
): void => {
  if (!collector.admits()) return;
  try {
    if (!isObject(point)) throw new WrongShape('not an object', '');
    const raw = kind === 'histogram' ? histogramPoint(point) : exponentialPoint(point);
    collector.add(stream, raw, readPointAttributes(attributesIn(point, limits)));
  } catch (fault) {
    if (!(fault instanceof WrongShape)) throw fault;
    collector.reject('point-malformed');
  }
};
