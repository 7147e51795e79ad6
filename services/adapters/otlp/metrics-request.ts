import { isUtf8 } from 'node:buffer';
import type { DecodedMetrics } from '../../core/telemetry/point.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { MetricsProblem, OtlpContentType, ReadMetrics } from '../../ports/otlp.ts';
import { AttributeMemo } from './attributes.ts';
import { WrongShape } from './json-fields.ts';
import { readJsonRequest } from './json-request.ts';
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
  const oversize = oversizeOf(bytes, limits);
  if (oversize !== null) return fail(oversize);
  if (!isUtf8(bytes)) {
    return fail({ code: 'otlp-malformed', message: 'not JSON: not UTF-8', offset: null });
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
    return notJson(fault.message, text);
  }
  try {
    readJsonRequest(request, limits, collector);
  } catch (fault) {
    if (!(fault instanceof WrongShape)) throw fault;
    return fail({ code: 'otlp-wrong-shape', message: fault.message, path: fault.path });
  }
  return ok(collector.result());
};

const JSON_REASON_CHARS_MAX = 200;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_BRACKET, CLOSE_BRACKET] = [0x5b, 0x5d];
const [OPEN_BRACE, CLOSE_BRACE] = [0x7b, 0x7d];

const COMMA = 0x2c;

/** Whether JSON text nests too deep or has too many parts, looked at before anything is built of it. */
const oversizeOf = (bytes: Uint8Array, limits: MetricsLimits): MetricsProblem | null => {
  let depth = 0;
  let parts = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      parts++;
      if (++depth > limits.jsonDepthMax) {
        const message = `JSON is nested deeper than ${limits.jsonDepthMax}`;
        return { code: 'otlp-too-deep', message, offset: at };
      }
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
    } else if (byte === COMMA) {
      parts++;
    }
  }
  if (parts <= limits.jsonPartsMax) return null;
  const message = `JSON has ${parts} objects, lists and commas, ${limits.jsonPartsMax} are allowed`;
  return { code: 'otlp-too-large', message, max: limits.jsonPartsMax };
};

/**
 * V8 tells the character in its message, or cites the text around it, or says that the text ended
 * too early.
 */
const notJson = (reason: string, text: string): Result<never, MetricsProblem> => {
  const message = `not JSON: ${reason}`.slice(0, JSON_REASON_CHARS_MAX);
  const character = /at position (\d+)/.exec(reason)?.[1];
  const endedEarly = reason.endsWith('end of JSON input');
  if (character === undefined && !endedEarly) {
    return fail({ code: 'otlp-malformed', message, offset: null });
  }
  const before = character === undefined ? text : text.slice(0, Number(character));
  return fail({ code: 'otlp-malformed', message, offset: Buffer.byteLength(before) });
};

const ENCODINGS: Readonly<Record<string, OtlpContentType>> = {
  'application/x-protobuf': 'application/x-protobuf',
  'application/json': 'application/json',
  otlp_proto: 'application/x-protobuf',
  otlp_json: 'application/json',
};

const JSON_FIRST_BYTE = OPEN_BRACE;

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
