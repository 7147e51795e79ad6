import { appendBytesMax } from '../core/log/append-size.ts';
import type { NewRecord } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { RejectedPoints } from '../core/telemetry/point.ts';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import type { OtlpContentType } from '../ports/otlp.ts';
import type { RecordLog } from '../ports/record-log.ts';
import type { Appender } from './appender.ts';
import { openAppender } from './appender.ts';
import { bodyOf } from './body.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { codeHeader, problemResponse, refuse, retryAfter, statusOf } from './problems.ts';

export type Signal = 'metrics' | 'traces' | 'logs';

/** Room that an append needs beside the body: header names and values. */
const headerBytes = 1024;
/** One request becomes one record, so the log's limit is the request's, counted unpacked. */
export const otlpBytesMax: number = appendBytesMax - headerBytes;

export type Telemetry = {
  readonly post: (signal: Signal, request: HttpRequest) => Promise<HttpResponse>;
  readonly queued: () => number;
};

/**
 * OTLP over HTTP. A body is appended as it came, unpacked; metrics only after they were read, so that nobody who
 * follows the stream meets what cannot be. Faulty answers are in OTLP's own form, with our code in a header.
 */
export const openTelemetry = (ports: Pick<GatewayPorts, 'telemetry' | 'otlp'>): Telemetry => {
  const streams: { readonly [Name in Signal]: Stream | null } = {
    metrics: openStream(ports.telemetry.metrics),
    traces: ports.telemetry.traces === null ? null : openStream(ports.telemetry.traces),
    logs: ports.telemetry.logs === null ? null : openStream(ports.telemetry.logs),
  };

  const take = async (
    signal: Signal,
    request: HttpRequest,
    contentType: OtlpContentType,
  ): Promise<Result<readonly RejectedPoints[], Problem>> => {
    const bytes = await readBody(ports.otlp.gunzip, request);
    if (!bytes.ok) return bytes;
    const rejected = signal === 'metrics' ? readMetrics(ports, bytes.value, contentType) : ok([]);
    if (!rejected.ok) return rejected;
    // An empty protobuf is an export of nothing.
    if (bytes.value.length > 0) {
      const appended = await streams[signal]?.append(recordOf(contentType, bytes.value));
      if (appended !== undefined && !appended.ok) return appended;
    }
    return rejected;
  };

  return {
    post: async (signal, request) => {
      const contentType = contentTypeOf(request);
      if (contentType === undefined)
        return problemResponse({
          code: 'content-type-unsupported',
          message: 'the content type must be application/x-protobuf or application/json',
        });
      const taken = await take(signal, request, contentType);
      return taken.ok
        ? success(ports, signal, contentType, taken.value)
        : failure(ports, contentType, taken.problem);
    },
    queued: () => Object.values(streams).reduce((sum, stream) => sum + (stream?.queued() ?? 0), 0),
  };
};

const contentTypeOf = ({ header }: HttpRequest): OtlpContentType | undefined => {
  const type = (header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  return type === 'application/x-protobuf' || type === 'application/json' ? type : undefined;
};

const readBody = async (
  gunzip: GatewayPorts['otlp']['gunzip'],
  request: HttpRequest,
): Promise<Result<Uint8Array, Problem>> => {
  const encoding = (request.header('content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip')
    return refuse('content-encoding-unsupported', 'the content encoding must be gzip or identity');
  const body = await bodyOf(request, otlpBytesMax, 'body-too-large');
  return body.ok && encoding === 'gzip' ? gunzip(body.value, otlpBytesMax) : body;
};

const readMetrics = (
  { otlp }: Pick<GatewayPorts, 'otlp'>,
  bytes: Uint8Array,
  contentType: OtlpContentType,
): Result<readonly RejectedPoints[], Problem> => {
  const decoded = otlp.readMetrics(bytes, contentType);
  return decoded.ok
    ? ok(decoded.value.rejected)
    : refuse(decoded.problem.code, decoded.problem.message);
};

const noKey = new Uint8Array();
const utf8 = new TextEncoder();

const recordOf = (contentType: OtlpContentType, value: Uint8Array): NewRecord => ({
  key: noKey,
  headers: [{ name: 'content-type', value: utf8.encode(contentType) }],
  value,
});

const success = (
  { otlp }: Pick<GatewayPorts, 'otlp'>,
  signal: Signal,
  contentType: OtlpContentType,
  rejected: readonly RejectedPoints[],
): HttpResponse => ({
  status: 200,
  headers: { 'content-type': contentType },
  // With nothing rejected the answers to all three signals are the same bytes.
  body: otlp.writeMetricsResponse(contentType, signal === 'metrics' ? rejected : []),
});

const failure = (
  { otlp }: Pick<GatewayPorts, 'otlp'>,
  contentType: OtlpContentType,
  problem: Problem,
): HttpResponse => {
  // OTLP senders try again on 503 and drop on other answers; telemetry that came twice is counted once.
  const status = statusOf(problem.code) < 500 ? statusOf(problem.code) : 503;
  return {
    status,
    headers: {
      'content-type': contentType,
      [codeHeader]: problem.code,
      ...(status === 503 ? retryAfter : {}),
    },
    body: otlp.writeStatus(contentType, rpcCodeOf(status), `${problem.code}: ${problem.message}`),
  };
};

/** google.rpc.Code */
const [invalidArgument, resourceExhausted, unavailable] = [3, 8, 14];

const rpcCodeOf = (status: number): number => {
  if (status === 503) return unavailable;
  return status === 413 ? resourceExhausted : invalidArgument;
};

type Stream = Pick<Appender, 'append' | 'queued'>;

/** Telemetry has no key and no order of its own: it goes to the partitions in turn. */
const openStream = (log: RecordLog): Stream => {
  const appenders = Array.from({ length: log.partitions }, (_, partition) =>
    openAppender(log, partition),
  );
  let turn = 0;
  return {
    append: (record) => {
      const appender = appenders[turn++ % appenders.length];
      if (appender === undefined) throw new RangeError(`${log.name} has no partitions`);
      return appender.append(record);
    },
    queued: () => appenders.reduce((sum, appender) => sum + appender.queued(), 0),
  };
};
