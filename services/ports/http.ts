import type { Result } from '../core/result.ts';
import type { Stop } from './clock.ts';

export type HttpRequest = {
  readonly method: string;
  /** Path without the query, as it was sent: still percent-encoded. */
  readonly path: string;
  /** Decoded. Of a name that stands twice the first value counts. */
  readonly query: ReadonlyMap<string, string>;
  /** Looked up in lower case. Of a header that stands twice the values are joined by `, `. */
  readonly header: (name: string) => string | undefined;
  /**
   * Reads the body once, up to a size. `cut-off`: the connection ended before the body did. `busy`: so many bodies
   * are being read at once that there is no room for this one.
   */
  readonly body: (
    bytesMax: number,
  ) => Promise<Result<Uint8Array, 'too-large' | 'cut-off' | 'busy'>>;
};

export type HttpResponse = {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string | Uint8Array;
  /**
   * What goes on after `body`, for as long as it is pending: an answer without an end of its own. It should end soon
   * after `sink.gone`. A rejection cuts the connection.
   */
  readonly stream?: (sink: HttpSink) => Promise<void>;
};

export type HttpSink = {
  /** Settles when more may be written; false: the reader is gone, or takes nothing for so long that it is cut off. */
  readonly write: (text: string) => Promise<boolean>;
  /** Aborts when the reader is gone or the server closes. */
  readonly gone: Stop;
};

/** Answers one request. A rejection becomes a bare 500: nothing of it reaches the caller. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;

export type HttpServer = {
  readonly port: number;
  /** Takes no new requests, lets those that run finish within the given time, then closes all connections. */
  readonly close: (withinMs: number) => Promise<void>;
};

/**
 * - `no-connection`: nothing was sent.
 * - `unreachable`: no answer, or none in time; it may have been done all the same.
 * - `refused`: an answer that is no HTTP, or larger than asked for.
 */
export type HttpClientProblem = {
  readonly code: 'no-connection' | 'unreachable' | 'refused';
  readonly message: string;
};

/** Sends one request to a fixed base address; follows no redirects. */
export type HttpClient = (
  request: {
    readonly method: 'GET' | 'POST';
    readonly path: string;
    readonly headers: { readonly [name: string]: string };
    readonly body?: Uint8Array;
  },
  withinMs: number,
) => Promise<
  Result<
    {
      readonly status: number;
      readonly header: (name: string) => string | undefined;
      readonly body: Uint8Array;
    },
    HttpClientProblem
  >
>;
