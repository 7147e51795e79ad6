import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { requestType } from './otlp/requests.ts';

export type Collector = {
  /** Base address of its OTLP/HTTP receiver. */
  readonly url: string;
  readonly exports: () => number;
  readonly close: () => Promise<void>;
};

/**
 * As much of the OpenTelemetry Collector as a canary needs: an OTLP/HTTP receiver with two exporters, the file exporter
 * (one JSON export a line) and OTLP/HTTP to `forwardTo`. Whoever it forwards to answers the sender.
 */
export const startCollector = async (path: string, forwardTo: string): Promise<Collector> => {
  writeFileSync(path, '');
  let exports = 0;
  const server = createServer((request, response) => {
    const take = async (): Promise<void> => {
      const body = await bodyOf(request);
      const unpacked = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      const json = requestType.toObject(requestType.decode(unpacked), { longs: String });
      appendFileSync(path, `${JSON.stringify(json)}\n`);
      exports += 1;
      const { status } = await fetch(`${forwardTo}/v1/metrics`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: new Uint8Array(unpacked),
      });
      response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end();
    };
    take().catch(() => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    exports: () => exports,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
};

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
};
