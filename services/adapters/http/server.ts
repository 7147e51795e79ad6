import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { HttpHandler, HttpRequest, HttpResponse, HttpServer } from '../../ports/http.ts';

const headerBytesMax = 16 * 1024;
const headersWithinMs = 10_000;
const requestWithinMs = 30_000;
const idleConnectionMs = 30_000;
const connectionsMax = 2000;

export type ServeProblem = {
  readonly code: 'port-taken' | 'refused';
  readonly message: string;
};

/** Serves a handler over HTTP/1.1. Port 0 takes a free one. */
export const serveHttp = (
  handler: HttpHandler,
  options: {
    readonly host: string;
    readonly port: number;
    /** Told what a handler threw; never shown to the caller. */
    readonly onError: (error: unknown) => void;
  },
): Promise<Result<HttpServer, ServeProblem>> => {
  const server = createServer(
    {
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersWithinMs,
      requestTimeout: requestWithinMs,
      keepAliveTimeout: idleConnectionMs,
    },
    (incoming, outgoing) => {
      void answer(handler, incoming, outgoing, options.onError);
    },
  );
  server.maxConnections = connectionsMax;
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
      const { port } = server.address() as AddressInfo;
      done(
        ok({
          port,
          close: (withinMs) =>
            new Promise<void>((closed) => {
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

const answer = async (
  handler: HttpHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  onError: (error: unknown) => void,
): Promise<void> => {
  let response: HttpResponse;
  try {
    response = await handler(requestOf(incoming));
  } catch (error) {
    onError(error);
    response = {
      status: 500,
      headers: { 'content-type': 'application/problem+json' },
      body: '{"type":"about:blank","title":"Internal error","status":500,"code":"internal"}',
    };
  }
  // A body that was not read to its end would be taken for the next request.
  const headers = incoming.complete
    ? response.headers
    : { ...response.headers, connection: 'close' };
  outgoing.writeHead(response.status, headers);
  outgoing.end(incoming.method === 'HEAD' ? undefined : response.body);
};

const requestOf = (incoming: IncomingMessage): HttpRequest => {
  const [path, search] = splitOnce(incoming.url ?? '/', '?');
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
    body: (bytesMax) => readBody(incoming, bytesMax),
  };
};

const splitOnce = (text: string, mark: string): readonly [string, string] => {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};

const readBody = async (
  incoming: IncomingMessage,
  bytesMax: number,
): Promise<Result<Uint8Array, 'too-large' | 'cut-off'>> => {
  if (Number(incoming.headers['content-length'] ?? 0) > bytesMax) return fail('too-large');
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) return fail('too-large');
      chunks.push(chunk);
    }
  } catch {
    return fail('cut-off');
  }
  return ok(Buffer.concat(chunks));
};
