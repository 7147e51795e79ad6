import { setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { HttpHandler, HttpRequest, HttpResponse, HttpServer } from '../../ports/http.ts';
import { bodyReader, discardRest } from './body.ts';
import type { BodyRoom } from './body.ts';

export type HttpLimits = {
  /** Request line and headers together. */
  readonly headerBytesMax: number;
  readonly headersWithinMs: number;
  /** From the first byte to the last of the body. */
  readonly requestWithinMs: number;
  /** From the first byte of an answer to its last: who does not listen holds no connection for ever. */
  readonly answerWithinMs: number;
  /** Of an answer without end: a reader that takes nothing for so long is cut off. */
  readonly streamStallsMs: number;
  readonly idleConnectionMs: number;
  /** How often the times above are looked at. */
  readonly lookEveryMs: number;
  readonly connectionsMax: number;
  /** All bodies together that are being read. */
  readonly bodiesBytesMax: number;
  /** Of a body that nobody wanted, so much is read and thrown away before the connection is given up. */
  readonly discardBytesMax: number;
  readonly discardWithinMs: number;
};

const defaultLimits: HttpLimits = {
  headerBytesMax: 16 * 1024,
  headersWithinMs: 10_000,
  requestWithinMs: 30_000,
  answerWithinMs: 60_000,
  streamStallsMs: 10_000,
  idleConnectionMs: 30_000,
  lookEveryMs: 2000,
  connectionsMax: 2000,
  bodiesBytesMax: 256 * 1024 * 1024,
  discardBytesMax: 8 * 1024 * 1024,
  discardWithinMs: 2000,
};

export type ServeProblem = {
  readonly code: 'port-taken' | 'refused';
  readonly message: string;
};

export type ServeOptions = {
  readonly host: string;
  readonly port: number;
  /** Told what a handler threw; never shown to the caller. */
  readonly onError: (error: unknown) => void;
  readonly limits?: Partial<HttpLimits>;
};

/** Serves a handler over HTTP/1.1. Port 0 takes a free one. */
export const serveHttp = (
  handler: HttpHandler,
  options: ServeOptions,
): Promise<Result<HttpServer, ServeProblem>> => {
  const limits = { ...defaultLimits, ...options.limits };
  const exchanges = new WeakMap<Duplex, Exchange>();
  const room: BodyRoom = { bytesLeft: limits.bodiesBytesMax };
  const closing = new AbortController();
  // One listener for each stream, and there may be many.
  setMaxListeners(0, closing.signal);
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersWithinMs,
      requestTimeout: limits.requestWithinMs,
      keepAliveTimeout: limits.idleConnectionMs,
      connectionsCheckingInterval: limits.lookEveryMs,
    },
    (incoming, outgoing) => {
      const exchange: Exchange = { incoming, outgoing, room, isLast: false };
      exchanges.set(incoming.socket, exchange);
      void answer(handler, exchange, limits, closing.signal, options.onError);
    },
  );
  server.maxConnections = limits.connectionsMax;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    refuseGarbage(error, socket, exchanges.get(socket));
  });
  return new Promise((done) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${options.host}:${options.port}`;
      done(
        error.code === 'EADDRINUSE'
          ? fail({ code: 'port-taken', message: `${where} is taken by another program` })
          : fail({ code: 'refused', message: `cannot listen on ${where}: ${error.message}` }),
      );
    });
    server.listen(options.port, options.host, () => {
      server.on('error', options.onError);
      const { port } = server.address() as AddressInfo;
      done(
        ok({
          port,
          close: (withinMs) =>
            new Promise<void>((closed) => {
              closing.abort();
              const timer = setTimeout(() => server.closeAllConnections(), withinMs);
              server.close(() => {
                clearTimeout(timer);
                closed();
              });
              server.closeIdleConnections();
            }),
        }),
      );
    });
  });
};

/** One request and its answer. `isLast`: what came after it on the connection cannot be read. */
type Exchange = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly room: BodyRoom;
  isLast: boolean;
};

const answer = async (
  handler: HttpHandler,
  exchange: Exchange,
  limits: HttpLimits,
  closing: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> => {
  const { incoming, outgoing } = exchange;
  let response: HttpResponse;
  try {
    response = await handler(requestOf(incoming, exchange.room));
  } catch (error) {
    onError(error);
    response = problem(500, 'Internal Server Error', 'internal');
  }
  // Answered while the body still comes, the connection would be reset and many a client never see the answer.
  const isRead = await discardRest(incoming, limits.discardBytesMax, limits.discardWithinMs);
  if (response.stream !== undefined && incoming.method !== 'HEAD') {
    await streamAnswer(response, response.stream, exchange, limits, closing, onError);
    return;
  }
  try {
    outgoing.writeHead(response.status, {
      ...response.headers,
      'content-length': Buffer.byteLength(response.body),
      // What is left of an unread body would be taken for the next request.
      ...(isRead && !closing.aborted && !exchange.isLast ? {} : { connection: 'close' }),
    });
    outgoing.end(incoming.method === 'HEAD' ? undefined : response.body);
    const deaf = setTimeout(() => incoming.socket.destroy(), limits.answerWithinMs);
    deaf.unref();
    outgoing.once('close', () => clearTimeout(deaf));
  } catch (error) {
    onError(error);
    incoming.socket.destroy();
  }
};

const streamAnswer = async (
  response: HttpResponse,
  stream: NonNullable<HttpResponse['stream']>,
  { incoming, outgoing }: Exchange,
  { streamStallsMs }: HttpLimits,
  closing: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> => {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  outgoing.once('close', leave);
  closing.addEventListener('abort', leave);
  const taken = (): Promise<boolean> =>
    new Promise((done) => {
      const finish = (isTaken: boolean): void => {
        clearTimeout(stalled);
        outgoing.off('drain', drained);
        gone.signal.removeEventListener('abort', left);
        done(isTaken);
      };
      const drained = (): void => finish(true);
      const left = (): void => finish(false);
      const stalled = setTimeout(() => {
        incoming.socket.destroy();
        finish(false);
      }, streamStallsMs);
      outgoing.once('drain', drained);
      gone.signal.addEventListener('abort', left);
    });
  try {
    incoming.socket.setNoDelay(true);
    outgoing.writeHead(response.status, { ...response.headers, connection: 'close' });
    outgoing.flushHeaders();
    if (response.body.length > 0) outgoing.write(response.body);
    await stream({
      write: async (text) => !gone.signal.aborted && (outgoing.write(text) || (await taken())),
      gone: gone.signal,
    });
    outgoing.end();
  } catch (error) {
    onError(error);
    incoming.socket.destroy();
  } finally {
    closing.removeEventListener('abort', leave);
  }
};

/** What came is not HTTP, too large or too slow. Told where nothing else is being said on this connection. */
const refuseGarbage = (
  error: NodeJS.ErrnoException,
  socket: Duplex,
  exchange: Exchange | undefined,
): void => {
  const isAnswering = exchange !== undefined && !exchange.outgoing.writableFinished;
  if (isAnswering && exchange.incoming.complete) {
    // The request before it is whole and gets its answer.
    exchange.isLast = true;
    return;
  }
  if (!socket.writable || (isAnswering && exchange.outgoing.headersSent)) {
    socket.destroy();
    return;
  }
  const { status, title, headers, body } = garbageProblem(error.code);
  const fields: HttpResponse['headers'] = {
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const head = Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${head}\r\n${body}`);
};

type ProblemResponse = HttpResponse & { readonly title: string; readonly body: string };

const garbageProblem = (code: string | undefined): ProblemResponse => {
  if (code === 'HPE_HEADER_OVERFLOW')
    return problem(431, 'Request Header Fields Too Large', 'headers-too-large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return problem(408, 'Request Timeout', 'request-timeout');
  return problem(400, 'Bad Request', 'request-malformed');
};

const problem = (status: number, title: string, code: string): ProblemResponse => ({
  status,
  title,
  headers: {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'plimsoll-code': code,
  },
  body: JSON.stringify({ type: 'about:blank', title, status, code }),
});

const requestOf = (incoming: IncomingMessage, room: BodyRoom): HttpRequest => {
  const [path, search] = splitOnce(withoutAuthority(incoming.url ?? '/'), '?');
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search))
    if (!query.has(name)) query.set(name, value);
  return {
    method: incoming.method ?? 'GET',
    path,
    query,
    header: (name) => {
      const value = Object.hasOwn(incoming.headers, name) ? incoming.headers[name] : undefined;
      return Array.isArray(value) ? value.join(', ') : value;
    },
    body: bodyReader(incoming, room),
  };
};

/** A request target may be in absolute form (RFC 9112, 3.2.2): proxies send it so. */
const withoutAuthority = (target: string): string =>
  target.replace(/^https?:\/\/[^/?#]*(?=[/?]|$)/i, '') || '/';

const splitOnce = (text: string, mark: string): readonly [string, string] => {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};
