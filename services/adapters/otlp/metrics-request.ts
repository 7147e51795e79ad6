import type { DecodedMetrics } from '../../core/telemetry/point.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { MetricsProblem, OtlpContentType, ReadMetrics } from '../../ports/otlp.ts';
import { AttributeMemo } from './attributes.ts';
import { WrongShape } from './json-fields.ts';
import { readJsonRequest } from './json-request.ts';
import { parseJson } from './json-text.ts';
import { METRICS_LIMITS, type MetricsLimits } from './limits.ts';
import { PointCollector } from './point-collector.ts';
import { MalformedProtobuf } from './protobuf-reader.ts';
import { readProtobufRequest } from './protobuf-request.ts';

/** A reader for a program's life: it remembers the attributes it has read (see AttributeMemo). */
export const openMetricsReader = (limits: MetricsLimits = METRICS_LIMITS): ReadMetrics => {
  const memo = new AttributeMemo();
  return (bytes, contentType) => decodeMetricsRequest(bytes, contentType, limits, memo);
};

/**
 * Reads the request durations out of one ExportMetricsServiceRequest (the MetricsData that the
 * Collector's Kafka exporter writes is the same on the wire). Metrics no judge uses are stepped
 * over, so faults inside them go unseen. Never throws.
 */
export const decodeMetricsRequest = (
  bytes: Uint8Array,
  contentType: OtlpContentType,
  limits: MetricsLimits = METRICS_LIMITS,
  memo: AttributeMemo = new AttributeMemo(),
): Result<DecodedMetrics, MetricsProblem> => {
  if (bytes.byteLength > limits.requestBytesMax) {
    const message = `the request has ${bytes.byteLength} bytes, ${limits.requestBytesMax} are allowed`;
    return fail({ code: 'otlp-too-large', message, max: limits.requestBytesMax });
  }
  const collector = new PointCollector(limits);
  switch (contentType) {
    case 'application/x-protobuf':
      return decodeProtobuf(bytes, limits, memo, collector);
    case 'application/json':
      return decodeJson(bytes, limits, collector);
  }
};

const decodeProtobuf = (
  bytes: Uint8Array,
  limits: MetricsLimits,
  memo: AttributeMemo,
  collector: PointCollector,
): Result<DecodedMetrics, MetricsProblem> => {
  try {
    readProtobufRequest(bytes, limits, memo, collector);
  } catch (fault) {
    if (!(fault instanceof MalformedProtobuf)) throw fault;
    return fail({ code: 'otlp-malformed', message: fault.message, offset: fault.offset });
  }
  return ok(collector.result());
};

const decodeJson = (
  bytes: Uint8Array,
  limits: MetricsLimits,
  collector: PointCollector,
): Result<DecodedMetrics, MetricsProblem> => {
  const request = parseJson(bytes, limits);
  if (!request.ok) return request;
  try {
    readJsonRequest(request.value, limits, collector);
  } catch (fault) {
    if (!(fault instanceof WrongShape)) throw fault;
    return fail({ code: 'otlp-wrong-shape', message: fault.message, path: fault.path });
  }
  return ok(collector.result());
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
