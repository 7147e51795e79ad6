import { createServer as createTls } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { ownCertificate } from './own-certificate.ts';

// Servers on loopback that behave as gateways and what stands before them do on bad days.

export type BadGateway = {
  readonly url: string;
  /** Connections that it was asked for. */
  readonly asked: () => number;
  readonly close: () => Promise<void>;
};

const listening = async (server: Server, scheme: string): Promise<BadGateway> => {
  const sockets = new Set<Socket>();
  let asked = 0;
  server.on('connection', (socket: Socket) => {
    asked += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    asked: () => asked,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((done) => void server.close(() => done()));
    },
  };
};

/** Does this once the first bytes of a request have come. */
const onRequest = (act: (socket: Socket) => void): Promise<BadGateway> =>
  listening(
    createServer((socket) => socket.once('data', () => act(socket))),
    'http',
  );

const answering = (status: string, contentType: string, body: string): Promise<BadGateway> =>
  onRequest((socket) =>
    socket.end(
      `HTTP/1.1 ${status}\r\ncontent-type: ${contentType}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    ),
  );

const everyMs = 50;

/** A byte now and then, for as long as somebody listens. */
const dripping = (written: string) => (socket: Socket) => {
  let at = 0;
  const timer = setInterval(() => void socket.write(written[at++ % written.length] ?? ''), everyMs);
  socket.on('close', () => clearInterval(timer));
};

const flooding = (socket: Socket): void => {
  const piece = Buffer.alloc(1024 * 1024, 'x');
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n');
  socket.on('drain', more);
  more();
};

const dead = async (): Promise<BadGateway> => {
  const gateway = await listening(createServer(), 'http');
  await gateway.close();
  return { ...gateway, close: async () => undefined };
};

/** By what is wrong with them. */
export const badGateways: { readonly [fault: string]: () => Promise<BadGateway> } = {
  'killed: nobody listens': dead,
  'hung: it takes the connection and the request, and never answers': () =>
    onRequest(() => undefined),
  'half-open: it never reads': () =>
    listening(
      createServer({ pauseOnConnect: true }, () => undefined),
      'http',
    ),
  'dead in the middle: it hangs up on the request': () => onRequest((socket) => socket.destroy()),
  'talking garbage': () => onRequest((socket) => socket.end(Buffer.alloc(4096, 0xff))),
  'dripping a head that never ends': () =>
    onRequest((socket) => {
      socket.write('HTTP/1.1 201 Created\r\nx: ');
      dripping('drip')(socket);
    }),
  'dripping a body that never ends': () =>
    onRequest((socket) => {
      socket.write('HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n\r\n');
      dripping(' ')(socket);
    }),
  'flooding the answer': () => onRequest(flooding),
  'cutting its answer off': () =>
    onRequest((socket) =>
      socket.end(
        'HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"deployment":',
      ),
    ),
  'failing with 500': () => answering('500 Internal Server Error', 'text/html', '<h1>Oops</h1>'),
  'busy with 503': () =>
    answering('503 Service Unavailable', 'application/problem+json', '{"code":"busy"}'),
  'a proxy that wants a password': () =>
    answering('407 Proxy Authentication Required', 'text/html', '<h1>Log in</h1>'),
  'a web server that knows no such page': () =>
    answering('404 Not Found', 'text/html', '<h1>Not found</h1>'),
  'a captive portal that likes everything': () =>
    answering('200 OK', 'text/html', '<h1>Welcome</h1>'),
  'sending elsewhere': () => answering('302 Found', 'text/html', ''),
  'showing a certificate that nobody signed': () =>
    listening(
      createTls(ownCertificate(), (_request, response) => void response.end('{}')),
      'https',
    ),
  'speaking no TLS where TLS is asked for': async () => {
    const plain = await onRequest((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    return { ...plain, url: plain.url.replace('http:', 'https:') };
  },
};
