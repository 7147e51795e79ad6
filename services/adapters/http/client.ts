import type { IncomingMessage } from 'node:http';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { HttpClient, HttpClientProblem } from '../../ports/http.ts';
import { shownUrl } from './shown-url.ts';

const answerBytesMax = 16 * 1024 * 1024;

type Answer = Result<
  {
    readonly status: number;
    readonly header: (name: string) => string | undefined;
    readonly body: Uint8Array;
  },
  HttpClientProblem
>;

/** A client for one base address, http or https. One request a connection: commands live for one request. */
export const createHttpClient = (baseUrl: string): HttpClient => {
  const isSecure = baseUrl.startsWith('https:');
  // An `import` of node:http reads all that it exports, a WebSocket client among it: 50 ms that nobody needs.
  const { request: send } = isSecure
    ? process.getBuiltinModule('node:https')
    : process.getBuiltinModule('node:http');
  // Before a certificate was found good nothing is sent.
  const connected = isSecure ? 'secureConnect' : 'connect';
  // Who is told of an outage need not know the password.
  const name = shownUrl(baseUrl);
  return (request, withinMs) =>
    new Promise<Answer>((settle) => {
      const { method, headers, body } = request;
      const outgoing = send(`${baseUrl}${request.path}`, {
        method,
        headers: {
          ...headers,
          ...(body === undefined ? {} : { 'content-length': String(body.length) }),
        },
        agent: false,
      });
      const timer = setTimeout(() => outgoing.destroy(new Error('no answer in time')), withinMs);
      const finish = (answer: Answer): void => {
        clearTimeout(timer);
        settle(answer);
      };
      let isConnected = false;
      outgoing.once('socket', (socket) => socket.once(connected, () => (isConnected = true)));
      outgoing.once('error', (error) =>
        finish(noAnswer(isConnected ? 'unreachable' : 'no-connection', name, error)),
      );
      outgoing.once('response', (incoming) => {
        void readAnswer(incoming).then(finish, (error: unknown) =>
          finish(noAnswer('unreachable', name, error)),
        );
      });
      outgoing.end(body);
    });
};

/** By events: an iterator over a stream loads more of Node. Rejects where the answer is cut off. */
const readAnswer = (incoming: IncomingMessage): Promise<Answer> =>
  new Promise((settle, refuse) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= answerBytesMax) return void chunks.push(chunk);
      incoming.destroy();
      settle(
        fail({
          code: 'refused',
          message: `the answer is larger than ${answerBytesMax} bytes`,
        }),
      );
    });
    incoming.once('error', refuse);
    incoming.once('close', () => {
      if (!incoming.complete) refuse(new Error('the answer was cut off'));
    });
    incoming.once('end', () =>
      settle(
        ok({
          status: incoming.statusCode ?? 0,
          header: (name) => {
            const value = Object.hasOwn(incoming.headers, name)
              ? incoming.headers[name]
              : undefined;
            return Array.isArray(value) ? value.join(', ') : value;
          },
          body: Buffer.concat(chunks),
        }),
      ),
    );
  });

const noAnswer = (code: 'no-connection' | 'unreachable', name: string, error: unknown): Answer =>
  fail({
    code,
    message: `${name}: ${error instanceof Error ? error.message : String(error)}`,
  });
