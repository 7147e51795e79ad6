import { fail, ok, type Result } from '../../core/result.ts';
import type { DecodedMetrics } from '../../core/telemetry/point.ts';
import type { DecodedTelemetry, Selection } from '../../core/telemetry/telemetry-point.ts';
import { requestPointOf } from '../../core/telemetry/telemetry-point.ts';
import type {
  MetricsProblem,
  OtlpContentType,
  ReadMetrics,
  ReadTelemetry,
} from '../../ports/otlp.ts';
import { WrongShape } from './json-fields.ts';
import { readJsonRequest } from './json-request.ts';
import { parseJson } from './json-text.ts';
import { METRICS_LIMITS, type MetricsLimits } from './limits.ts';
import { PointCollector } from './point-collector.ts';
import { MalformedProtobuf } from './protobuf-reader.ts';
import { readProtobufRequest } from './protobuf-request.ts';
import { WantedMetrics } from './wanted-metrics.ts';

/** A reader for a program's life: it remembers the attributes it has read (see AttributeMemo). */
export const openTelemetryReader = (limits: MetricsLimits = METRICS_LIMITS): ReadTelemetry => {
  let ready: { readonly selection: Selection; readonly wanted: WantedMetrics } | undefined;
  return (bytes, contentType, selection) => {
    if (ready?.selection !== selection) ready = { selection, wanted: new WantedMetrics(selection) };
    return decodeTelemetry(bytes, contentType, ready.wanted, limits);
  };
};

/**
 * Reads the points of wanted metrics out of one ExportMetricsServiceRequest (the MetricsData that the
 * Collector's Kafka exporter writes is the same on the wire). Metrics nobody wants are stepped
 * over, so faults inside them go unseen. Never throws.
 */
export const decodeTelemetry = (
  bytes: Uint8Array,
  contentType: OtlpContentType,
  wanted: WantedMetrics,
  limits: MetricsLimits = METRICS_LIMITS,
): Result<DecodedTelemetry, MetricsProblem> => {
  if (bytes.byteLength > limits.requestBytesMax) {
    const message = `the request has ${bytes.byteLength} bytes, ${limits.requestBytesMax} are allowed`;
    return fail({ code: 'otlp-too-large', message, max: limits.requestBytesMax });
  }
  const collector = new PointCollector(limits);
  switch (contentType) {
    case 'application/x-protobuf':
      return decodeProtobuf(bytes, wanted, limits, collector);
    case 'application/json':
      return decodeJson(bytes, wanted, limits, collector);
  }
};

const decodeProtobuf = (
  bytes: Uint8Array,
  wanted: WantedMetrics,
  limits: MetricsLimits,
  collector: PointCollector,
): Result<DecodedTelemetry, MetricsProblem> => {
  try {
    readProtobufRequest(bytes, wanted, limits, collector);
  } catch (fault) {
    if (!(fault instanceof MalformedProtobuf)) throw fault;
    return fail({ code: 'otlp-malformed', message: fault.message, offset: fault.offset });
  }
  return ok(collector.result());
};

const decodeJson = (
  bytes: Uint8Array,
  wanted: WantedMetrics,
  limits: MetricsLimits,
  collector: PointCollector,
): Result<DecodedTelemetry, MetricsProblem> => {
  const request = parseJson(bytes, limits);
  if (!request.ok) return request;
  try {
    readJsonRequest(request.value, wanted, limits, collector);
  } catch (fault) {
    if (!(fault instanceof WrongShape)) throw fault;
    return fail({ code: 'otlp-wrong-shape', message: fault.message, path: fault.path });
  }
  return ok(collector.result());
};

/** What is read where no policy says more: durations of requests, to count them and their errors. */
export const REQUEST_SELECTION: Selection = {
  metrics: new Map(
    ['http.server.request.duration', 'rpc.server.call.duration', 'rpc.server.duration'].map(
      (name) => [name, []],
    ),
  ),
  levels: new Set(),
  targetAttributes: [],
  usualTargetAttributes: [],
  cohortAttributes: [],
};

/** `openTelemetryReader` for requests alone. */
export const openMetricsReader = (limits: MetricsLimits = METRICS_LIMITS): ReadMetrics => {
  const wanted = new WantedMetrics(REQUEST_SELECTION);
  return (bytes, contentType) => requestsIn(decodeTelemetry(bytes, contentType, wanted, limits));
};

/** `decodeTelemetry` for requests alone. */
export const decodeMetricsRequest = (
  bytes: Uint8Array,
  contentType: OtlpContentType,
  limits: MetricsLimits = METRICS_LIMITS,
): Result<DecodedMetrics, MetricsProblem> => openMetricsReader(limits)(bytes, contentType);

const requestsIn = (
  decoded: Result<DecodedTelemetry, MetricsProblem>,
): Result<DecodedMetrics, MetricsProblem> => {
  if (!decoded.ok) return decoded;
  const { points, rejected, dataPoints } = decoded.value;
  const requests = points.flatMap((point) => requestPointOf(point) ?? []);
  return ok({ points: requests, rejected, dataPoints });
};

const ENCODINGS: Readonly<Record<string, OtlpContentType>> = {
  'application/x-protobuf': 'application/x-protobuf',
  'application/json': 'application/json',
  otlp_proto: 'application/x-protobuf',
  otlp_json: 'application/json',
};

const JSON_FIRST_BYTE = 0x7b;

/**
 * The encoding of a body. `declared` is a Content-Type, or the Collector's name for the encoding;
 * null where nobody said: then the first byte tells, as no OTLP protobuf begins with `{`. The
 * answer is null for a declared encoding that is neither.
 */
export const otlpContentTypeOf = (
  declared: string | null,
  bytes: Uint8Array,
): OtlpContentType | null => {
  if (declared === null) {
    return bytes[0] === JSON_FIRST_BYTE ? 'application/json' : 'application/x-protobuf';
  }
  const name = declared.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return Object.hasOwn(ENCODINGS, name) ? (ENCODINGS[name] ?? null) : null;
};
