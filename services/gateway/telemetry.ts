import { appendBytesMax } from '../core/log/append-size.ts';
import type { NewRecord } from '../core/log/record.ts';
import { requestFaultText } from '../core/telemetry/request-fault.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { RejectedPoints } from '../core/telemetry/point.ts';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import type { OtlpContentType, Signal } from '../ports/otlp.ts';
import type { RecordLog } from '../ports/record-log.ts';
import type { Appender } from './appender.ts';
import { codeHeader } from '../core/markers/http-wire.ts';
import { openAppender } from './appender.ts';
import { bodyOf } from './body.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { challenge, problemResponse, refuse, retryAfter, statusOf } from './problems.ts';
import type { LeftOutPoints, Sender } from './sources.ts';
import { openSourceDoor, senderOf } from './sources.ts';

/** Room that an append needs beside the body: header names and values. */
const headerBytes = 1024;
/** What one record holds of a body; a larger one becomes several. */
export const otlpRecordBytesMax: number = appendBytesMax - headerBytes;
/** The largest body, counted unpacked: four times what OTLP recommends on the wire. */
export const otlpBytesMax: number = 16 * 1024 * 1024;
/** Bodies that wait to be unpacked or for the log, together. More are asked to come again. */
export const waitingBytesMax: number = 4 * otlpBytesMax;
/** A few packed bytes may become the largest body, so only so many are unpacked at once; the others wait. */
export const unpackedAtOnceMax = 4;

export type Telemetry = {
  readonly post: (signal: Signal, request: HttpRequest) => Promise<HttpResponse>;
  readonly queued: () => number;
  readonly leftOut: () => LeftOutPoints;
};

/**
 * OTLP over HTTP. A body is appended as it came, unpacked, and in several records where it is too large for one;
 * metrics only after they were read, so that nobody who follows the stream meets what cannot be. If the log fails
 * between two records, the sender is asked to send all again. Faulty answers are in OTLP's own form, with our code
 * in a header.
 */
export const openTelemetry = (
  ports: Pick<GatewayPorts, 'telemetry' | 'otlp' | 'sources'>,
): Telemetry => {
  const streams: { readonly [Name in Signal]: Stream | null } = {
    metrics: openStream(ports.telemetry.metrics),
    traces: ports.telemetry.traces === null ? null : openStream(ports.telemetry.traces),
    logs: ports.telemetry.logs === null ? null : openStream(ports.telemetry.logs),
  };

  const door = openSourceDoor(ports);
  let waitingBytes = 0;
  const takeBody = async (
    sender: Sender,
    signal: Signal,
    whole: Uint8Array,
    contentType: OtlpContentType,
  ): Promise<Result<readonly RejectedPoints[], Problem>> => {
    const stream = streams[signal];
    if (stream === null) return ok([]);
    const kept = door.keep(sender, signal, whole, contentType);
    if (!kept.ok) return kept;
    const { bytes, left } = kept.value;
    const leftOut: RejectedPoints = { reason: 'source-not-allowed', count: left };
    if (bytes === null) return ok(sumOf([leftOut]));
    const split = ports.otlp.split(signal, bytes, contentType, otlpRecordBytesMax);
    if (!split.ok) return fail(split.problem);
    const { pieces, lost } = split.value;
    // Only an answer to metrics can say that some were not taken.
    if (lost > 0 && signal !== 'metrics')
      return refuse('body-too-large', `${lost} ${signal} do not fit a record`);
    const rejected = signal === 'metrics' ? readMetrics(ports, pieces, contentType) : ok([]);
    if (!rejected.ok) return rejected;
    for (const piece of pieces) {
      // An empty protobuf is an export of nothing.
      if (piece.length === 0) continue;
      const appended = await stream.append(recordOf(contentType, piece));
      if (!appended.ok) return appended;
    }
    return ok(sumOf([...rejected.value, leftOut, { reason: 'point-too-large', count: lost }]));
  };

  const whileWaiting = async (
    bytes: number,
    work: () => Promise<Result<readonly RejectedPoints[], Problem>>,
  ): Promise<Result<readonly RejectedPoints[], Problem>> => {
    if (waitingBytes + bytes > waitingBytesMax)
      return refuse('busy', `${waitingBytes} bytes of telemetry wait for the log`);
    waitingBytes += bytes;
    try {
      return await work();
    } finally {
      waitingBytes -= bytes;
    }
  };

  const inTurn = openSlots(unpackedAtOnceMax);
  const take = async (
    sender: Sender,
    signal: Signal,
    request: HttpRequest,
    contentType: OtlpContentType,
  ): Promise<Result<readonly RejectedPoints[], Problem>> => {
    const encoding = (request.header('content-encoding') ?? 'identity').trim().toLowerCase();
    if (encoding !== 'identity' && encoding !== 'gzip')
      return refuse(
        'content-encoding-unsupported',
        'the content encoding must be gzip or identity',
      );
    const body = await bodyOf(request, otlpBytesMax, 'body-too-large');
    if (!body.ok) return body;
    return whileWaiting(body.value.length, async () => {
      if (encoding === 'identity') return takeBody(sender, signal, body.value, contentType);
      const unpacked = await inTurn(() => ports.otlp.gunzip(body.value, otlpBytesMax));
      if (!unpacked.ok) return unpacked;
      const { value } = unpacked;
      return whileWaiting(value.length, () => takeBody(sender, signal, value, contentType));
    });
  };

  return {
    post: async (signal, request) => {
      const contentType = contentTypeOf(request);
      const sender = senderOf(ports.sources, request);
      if (!sender.ok)
        return contentType === undefined
          ? problemResponse(sender.problem)
          : failure(ports, contentType, sender.problem);
      if (contentType === undefined)
        return problemResponse({
          code: 'content-type-unsupported',
          message: 'the content type must be application/x-protobuf or application/json',
        });
      const taken = await take(sender.value, signal, request, contentType);
      return taken.ok
        ? success(ports, signal, contentType, taken.value)
        : failure(ports, contentType, taken.problem);
    },
    queued: () => Object.values(streams).reduce((sum, stream) => sum + (stream?.queued() ?? 0), 0),
    leftOut: door.leftOut,
  };
};

const contentTypeOf = ({ header }: HttpRequest): OtlpContentType | undefined => {
  const type = (header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  return type === 'application/x-protobuf' || type === 'application/json' ? type : undefined;
};

const readMetrics = (
  { otlp }: Pick<GatewayPorts, 'otlp'>,
  pieces: readonly Uint8Array[],
  contentType: OtlpContentType,
): Result<readonly RejectedPoints[], Problem> => {
  const rejected: RejectedPoints[] = [];
  for (const piece of pieces) {
    const decoded = otlp.readMetrics(piece, contentType);
    if (!decoded.ok) return refuse(decoded.problem.code, requestFaultText(decoded.problem));
    rejected.push(...decoded.value.rejected);
  }
  return ok(rejected);
};

/** No reason twice, and none without points. */
const sumOf = (rejected: readonly RejectedPoints[]): readonly RejectedPoints[] => {
  const counts = new Map<RejectedPoints['reason'], number>();
  for (const { reason, count } of rejected)
    if (count > 0) counts.set(reason, (counts.get(reason) ?? 0) + count);
  return [...counts].map(([reason, count]) => ({ reason, count }));
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
      ...(status === 401 ? challenge : {}),
    },
    body: otlp.writeStatus(contentType, rpcCodeOf(status), `${problem.code}: ${problem.message}`),
  };
};

/** google.rpc.Code */
const invalidArgument = 3;
const rpcCodes: { readonly [status: number]: number } = {
  401: 16, // unauthenticated
  403: 7, // permission denied
  413: 8, // resource exhausted
  503: 14, // unavailable
};
const rpcCodeOf = (status: number): number => rpcCodes[status] ?? invalidArgument;

/** Lets so many pieces of work run at a time, in the order in which they came. */
const openSlots = (runningMax: number): (<Value>(work: () => Promise<Value>) => Promise<Value>) => {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < runningMax) running += 1;
    else await new Promise<void>((turn) => waiting.push(turn));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
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
