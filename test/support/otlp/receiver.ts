import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';

// A receiver of OTLP/HTTP for traces and logs, as a Collector has it: both encodings, read by the protocol's own
// definitions. What they do not name is refused.

const { root } = protobuf.parse(readFileSync(new URL('./export.proto', import.meta.url), 'utf8'));
const requestTypes: { readonly [path: string]: protobuf.Type } = {
  '/v1/traces': root.lookupType('otlp.ExportTraceServiceRequest'),
  '/v1/logs': root.lookupType('otlp.ExportLogsServiceRequest'),
};

export type Received = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly encoding: 'protobuf' | 'json';
  /** In the JSON form of the protocol, attributes as plain objects, whatever it came in. */
  readonly request: unknown;
};

export type Receiver = {
  readonly url: string;
  readonly received: readonly Received[];
  readonly close: () => Promise<void>;
};

type Answer = {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array | string;
};

/** Listens on loopback. `answer` says what each request is answered; left out: that it was taken. */
export const startReceiver = async (
  answer: (taken: Received) => Answer = ({ encoding }) => ({
    status: 200,
    type: encoding === 'json' ? 'application/json' : 'application/x-protobuf',
    body: encoding === 'json' ? '{}' : '',
  }),
): Promise<Receiver> => {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const take = async (): Promise<void> => {
      const taken = receivedOf(request, await bodyOf(request));
      received.push(taken);
      const { status, type, body } = answer(taken);
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    take().catch((fault: unknown) => response.writeHead(400).end(String(fault)));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
};

const receivedOf = ({ url: asked = '', headers }: IncomingMessage, body: Buffer): Received => {
  const [url = ''] = asked.split('?', 1);
  const isJson = headers['content-type'] === 'application/json';
  if (!isJson && headers['content-type'] !== 'application/x-protobuf')
    throw new Error(`content-type ${headers['content-type']}`);
  return {
    ...{ path: url, headers, encoding: isJson ? 'json' : 'protobuf' },
    request: plain(isJson ? decodeJson(url, body) : decodeProtobuf(url, body)),
  };
};

const typeFor = (path: string): protobuf.Type => {
  const type = requestTypes[path];
  if (type === undefined) throw new Error(`nothing is received at ${path}`);
  return type;
};

const decodeProtobuf = (path: string, body: Buffer): unknown => {
  const type = typeFor(path);
  const decoded = type.decode(body);
  // What our own definitions do not name would be dropped in silence: it must come out as long as it went in.
  if (type.encode(decoded).finish().length !== body.length)
    throw new Error('there are fields that the protocol does not have');
  return type.toObject(decoded, { longs: String, bytes: String });
};

const decodeJson = (path: string, body: Buffer): unknown => {
  const type = typeFor(path);
  const json: unknown = JSON.parse(body.toString('utf8'));
  // Ids are hex digits in the JSON form, which protobufjs takes for base64.
  const decoded = type.fromObject(mapIds(json, 'hex', 'base64') as { [name: string]: unknown });
  const again = type.toObject(decoded, { longs: String, bytes: String });
  expectSame(mapIds(json, 'hex', 'base64'), again);
  return again;
};

/** What was written is what was read: no field under a name that the protocol does not have. */
const expectSame = (json: unknown, again: object): void => {
  const names = (value: unknown): readonly string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, item]) => [name, ...names(item)])
      : [];
  if (names(json).toSorted().join() !== names(again).toSorted().join())
    throw new Error('there are fields that the protocol does not have');
};

const idNames: ReadonlySet<string> = new Set(['traceId', 'spanId', 'parentSpanId']);

const mapIds = (value: unknown, from: BufferEncoding, to: BufferEncoding): unknown => {
  if (Array.isArray(value)) return value.map((item) => mapIds(item, from, to));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]: [string, unknown]) => [
      name,
      idNames.has(name) && typeof item === 'string'
        ? Buffer.from(item, from).toString(to)
        : mapIds(item, from, to),
    ]),
  );
};

const plain = (request: unknown): unknown => mapIds(plainAttributes(request), 'base64', 'hex');

/** `[{key, value: {stringValue}}]` as `{key: value}`; no name may stand twice. */
const plainAttributes = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plainAttributes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]: [string, unknown]) => {
      if (name !== 'attributes') return [name, plainAttributes(item)];
      const pairs = (item as readonly { readonly key: string; readonly value: object }[]).map(
        ({ key, value: typed }) => [key, Object.values(typed)[0]] as const,
      );
      if (new Set(pairs.map(([key]) => key)).size !== pairs.length)
        throw new Error('an attribute stands twice');
      return [name, Object.fromEntries(pairs)];
    }),
  );
};

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
};

/** The spans of all that was received, in order. */
export const spansOf = ({ received }: Pick<Receiver, 'received'>): readonly Plain[] =>
  received.flatMap(({ request }) =>
    listIn(request, 'resourceSpans').flatMap((one) =>
      listIn(one, 'scopeSpans').flatMap((scope) =>
        listIn(scope, 'spans').map((span) => ({ ...span, resource: resourceOf(one) })),
      ),
    ),
  );

/** The log records of all that was received, in order. */
export const logsOf = ({ received }: Pick<Receiver, 'received'>): readonly Plain[] =>
  received.flatMap(({ request }) =>
    listIn(request, 'resourceLogs').flatMap((one) =>
      listIn(one, 'scopeLogs').flatMap((scope) =>
        listIn(scope, 'logRecords').map((record) => ({ ...record, resource: resourceOf(one) })),
      ),
    ),
  );

export type Plain = { readonly [name: string]: unknown };

const listIn = (value: unknown, name: string): readonly Plain[] =>
  ((value as Plain)[name] ?? []) as readonly Plain[];

const resourceOf = (value: Plain): unknown => (value['resource'] as Plain)['attributes'];
