import {
  AttributeList,
  identifyResource,
  lengthPrefixed,
  readPointAttributes,
  valueText,
} from './attributes.ts';
import type { MetricsLimits } from './limits.ts';
import {
  blankPoint,
  openStream,
  type PointCollector,
  type PointStream,
  type RawPoint,
  REQUEST_METRICS,
  temporalityOf,
} from './point-collector.ts';

/** JSON that is not an OTLP request. Stays inside this folder: the door turns it into a value. */
export class WrongShape extends Error {
  readonly path: string;

  constructor(message: string, path: string) {
    super(message);
    this.path = path;
  }
}

type JsonObject = { readonly [key: string]: unknown };

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A field by its JSON name (`timeUnixNano`), or by its name in the .proto file (`time_unix_nano`).
 * Only own fields count, so `__proto__` or `constructor` in the input mean nothing. Null is absent.
 */
const fieldOf = (object: JsonObject, name: string): unknown => {
  if (Object.hasOwn(object, name)) return object[name] ?? undefined;
  const protoName = protoNameOf(name);
  return Object.hasOwn(object, protoName) ? (object[protoName] ?? undefined) : undefined;
};

/** Only our own names come here, so this stays small. */
const protoNames = new Map<string, string>();

const protoNameOf = (name: string): string => {
  const known = protoNames.get(name);
  if (known !== undefined) return known;
  const protoName = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  protoNames.set(name, protoName);
  return protoName;
};

const childOf = (object: JsonObject, name: string, path: string): JsonObject | undefined => {
  const child = fieldOf(object, name);
  if (child === undefined) return undefined;
  if (!isObject(child)) throw new WrongShape('not an object', `${path}.${name}`);
  return child;
};

const listOf = (object: JsonObject, name: string, path: string): readonly unknown[] => {
  const list = fieldOf(object, name) ?? [];
  if (!Array.isArray(list)) throw new WrongShape('not a list', `${path}.${name}`);
  return list;
};

const childrenOf = (
  object: JsonObject,
  name: string,
  path: string,
): readonly { readonly child: JsonObject; readonly path: string }[] =>
  listOf(object, name, path).map((child, index) => {
    const childPath = `${path}.${name}[${index}]`;
    if (!isObject(child)) throw new WrongShape('not an object', childPath);
    return { child, path: childPath };
  });

const textOf = (object: JsonObject, name: string, path: string): string => {
  const text = fieldOf(object, name) ?? '';
  if (typeof text !== 'string') throw new WrongShape('not a string', `${path}.${name}`);
  return text;
};

/**
 * Reads an ExportMetricsServiceRequest that JSON.parse has parsed, and gives the points of request
 * metrics to `collector`. Throws WrongShape.
 */
export const readJsonRequest = (
  request: unknown,
  limits: MetricsLimits,
  collector: PointCollector,
): void => {
  if (!isObject(request)) throw new WrongShape('not an object', '$');
  for (const resourceMetrics of childrenOf(request, 'resourceMetrics', '$')) {
    const resource = childOf(resourceMetrics.child, 'resource', resourceMetrics.path) ?? {};
    const attributes = attributesOf(resource, `${resourceMetrics.path}.resource`, limits);
    const identity = identifyResource(attributes, limits);
    const scopes = childrenOf(resourceMetrics.child, 'scopeMetrics', resourceMetrics.path);
    for (const scopeMetrics of scopes) {
      const scope = scopeOf(scopeMetrics.child, scopeMetrics.path, limits);
      for (const metric of childrenOf(scopeMetrics.child, 'metrics', scopeMetrics.path)) {
        const name = textOf(metric.child, 'name', metric.path);
        if (!REQUEST_METRICS.includes(name)) continue;
        const unit = textOf(metric.child, 'unit', metric.path);
        readMetric(metric.child, metric.path, limits, collector, (temporality) =>
          openStream(identity, scope, name, unit, temporality),
        );
      }
    }
  }
};

/** The scope as one text; null where its attributes are too large. */
const scopeOf = (scopeMetrics: JsonObject, path: string, limits: MetricsLimits): string | null => {
  const scope = childOf(scopeMetrics, 'scope', path) ?? {};
  const scopePath = `${path}.scope`;
  const name = textOf(scope, 'name', scopePath);
  const version = textOf(scope, 'version', scopePath);
  const attributes = attributesOf(scope, scopePath, limits);
  return attributes.tooLarge ? null : lengthPrefixed([name, version, attributes.canonical()]);
};

type OpenStream = (temporality: ReturnType<typeof temporalityOf>) => ReturnType<typeof openStream>;

const readMetric = (
  metric: JsonObject,
  path: string,
  limits: MetricsLimits,
  collector: PointCollector,
  open: OpenStream,
): void => {
  for (const kind of ['gauge', 'sum', 'summary']) {
    const data = childOf(metric, kind, path);
    if (data === undefined) continue;
    const points = listOf(data, 'dataPoints', `${path}.${kind}`);
    collector.reject('metric-type-unsupported', points.length);
  }
  for (const kind of ['histogram', 'exponentialHistogram'] as const) {
    const data = childOf(metric, kind, path);
    if (data === undefined) continue;
    const points = listOf(data, 'dataPoints', `${path}.${kind}`);
    const opened = open(temporalityIn(data));
    if (!opened.ok) {
      collector.reject(opened.reason, points.length);
      continue;
    }
    for (const point of points) readPoint(point, kind, limits, collector, opened.stream);
  }
};

const TEMPORALITY_NAMES = [
  'AGGREGATION_TEMPORALITY_UNSPECIFIED',
  'AGGREGATION_TEMPORALITY_DELTA',
  'AGGREGATION_TEMPORALITY_CUMULATIVE',
];

const temporalityIn = (data: JsonObject): ReturnType<typeof temporalityOf> => {
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
  try {
    if (!isObject(point)) throw new WrongShape('not an object', '');
    const raw = kind === 'histogram' ? histogramPoint(point) : exponentialPoint(point);
    collector.add(stream, raw, readPointAttributes(attributesOf(point, '', limits)));
  } catch (fault) {
    if (!(fault instanceof WrongShape)) throw fault;
    collector.reject('point-malformed');
  }
};

const commonOf = (point: JsonObject): RawPoint => ({
  ...blankPoint(),
  startMs: nanosAsMs(fieldOf(point, 'startTimeUnixNano')),
  timeMs: nanosAsMs(fieldOf(point, 'timeUnixNano')),
  count: toCount(fieldOf(point, 'count')),
  sum: toDouble(fieldOf(point, 'sum')),
  flags: toCount(fieldOf(point, 'flags')),
});

const histogramPoint = (point: JsonObject): RawPoint => {
  const raw = commonOf(point);
  const buckets = listOf(point, 'bucketCounts', '');
  if (buckets.length === 0) return raw;
  const bounds = listOf(point, 'explicitBounds', '').map(toDouble);
  raw.bucketsTotal = totalOf(buckets);
  raw.boundsFit =
    bounds.length === buckets.length - 1 &&
    bounds.every((bound, index) => bound > (bounds[index - 1] ?? -Infinity));
  return raw;
};

const exponentialPoint = (point: JsonObject): RawPoint => {
  const raw = commonOf(point);
  const positive = childOf(point, 'positive', '') ?? {};
  const negative = childOf(point, 'negative', '') ?? {};
  raw.bucketsTotal =
    toCount(fieldOf(point, 'zeroCount')) +
    totalOf(listOf(positive, 'bucketCounts', '')) +
    totalOf(listOf(negative, 'bucketCounts', ''));
  return raw;
};

const totalOf = (buckets: readonly unknown[]): number =>
  buckets.reduce<number>((total, bucket) => total + toCount(bucket ?? undefined), 0);

const NANOS_PER_MS = 1_000_000;
const NANO_DIGITS_BELOW_MS = 6;

const isDigits = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{1,20}$/.test(value);

/** A uint64 of nanoseconds, as text or number, as whole milliseconds rounded down; NaN if it is none. */
const nanosAsMs = (value: unknown): number => {
  if (value === undefined) return 0;
  if (isDigits(value)) return Number(value.slice(0, -NANO_DIGITS_BELOW_MS));
  if (typeof value !== 'number' || !(value >= 0 && value < 2 ** 64)) return NaN;
  return Math.floor(value / NANOS_PER_MS);
};

/** A uint64, as text or number; above 2^53 rounded; NaN for anything else. */
const toCount = (value: unknown): number => {
  if (value === undefined) return 0;
  if (isDigits(value)) return Number(value);
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : NaN;
};

/** A double, as number or as the text protobuf's JSON has for what JSON cannot say; NaN for anything else. */
const toDouble = (value: unknown): number => {
  if (value === undefined) return 0;
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?(?:\d|Infinity$)/.test(value) ? Number(value) : NaN;
};

const attributesOf = (object: JsonObject, path: string, limits: MetricsLimits): AttributeList => {
  const attributes = new AttributeList(limits);
  for (const { key, value } of pairsOf(object, 'attributes', path, limits.attributeDepthMax)) {
    attributes.add(key, value);
  }
  return attributes;
};

const pairsOf = (
  object: JsonObject,
  name: string,
  path: string,
  depthLeft: number,
): readonly { readonly key: string; readonly value: string }[] =>
  childrenOf(object, name, path).map(({ child, path: childPath }) => ({
    key: textOf(child, 'key', childPath),
    value: valueOf(childOf(child, 'value', childPath) ?? {}, `${childPath}.value`, depthLeft),
  }));

/** An AnyValue as text (see `valueText`). */
const valueOf = (value: JsonObject, path: string, depthLeft: number): string => {
  if (depthLeft === 0) throw new WrongShape('nested too deep', path);
  const string = fieldOf(value, 'stringValue');
  if (typeof string === 'string') return valueText.string(string);
  const bool = fieldOf(value, 'boolValue');
  if (typeof bool === 'boolean') return valueText.bool(bool);
  const int = fieldOf(value, 'intValue');
  if (int !== undefined) return valueText.int(int64Text(int, path));
  const double = fieldOf(value, 'doubleValue');
  if (double !== undefined) return valueText.double(toDouble(double));
  const array = childOf(value, 'arrayValue', path);
  if (array !== undefined) {
    const items = childrenOf(array, 'values', path);
    return valueText.array(items.map((item) => valueOf(item.child, item.path, depthLeft - 1)));
  }
  const map = childOf(value, 'kvlistValue', path);
  if (map !== undefined) {
    const pairs = pairsOf(map, 'values', path, depthLeft - 1);
    return valueText.map(pairs.map((pair) => [pair.key, pair.value]));
  }
  const bytes = fieldOf(value, 'bytesValue');
  if (typeof bytes === 'string')
    return valueText.bytes(Buffer.from(bytes, 'base64').toString('hex'));
  if ((string ?? bool ?? bytes) !== undefined)
    throw new WrongShape('a value of another type', path);
  return '';
};

const int64Text = (value: unknown, path: string): string => {
  const whole = typeof value === 'number' && Number.isInteger(value);
  if (whole || (typeof value === 'string' && /^-?\d{1,19}$/.test(value))) {
    const exact = BigInt(value);
    if (BigInt.asIntN(64, exact) === exact) return exact.toString();
  }
  throw new WrongShape('not an int64', path);
};
