import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { serveHttp } from '../../services/adapters/http/server.ts';
import { decodeMetricsRequest } from '../../services/adapters/otlp/metrics-request.ts';
import { knownSources } from '../../services/adapters/sources/known-sources.ts';
import { parseSources } from '../../services/core/telemetry/sources.ts';
import type { Gateway } from '../../services/gateway/start.ts';
import { startGateway } from '../../services/gateway/start.ts';
import { gatewayMetrics } from '../../services/gateway/measurements.ts';
import type { OtlpContentType } from '../../services/ports/otlp.ts';
import type { Answered, Asked, GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { tools } from '../support/given.ts';
import {
  goodPoint,
  histogram,
  jsonOf,
  protobufOf,
  requestOf,
  responseType,
} from '../support/otlp/requests.ts';
import type { OtlpRequest } from '../support/otlp/requests.ts';
import { openRaw } from '../support/raw-http.ts';
import { value } from '../support/records.ts';

const [protobuf, json] = ['application/x-protobuf', 'application/json'] as const;
const anyToken = 'the-token-of-the-collector';
const shortToken = 'too-short';
const shopToken = 'the-token-of-the-checkout-team';
const sources = knownSources(
  value(
    parseSources(
      `collector sha256:${tools.crypto.sha256HexOfText(anyToken)}\nshop ${shopToken} checkout,cart\nshort sha256:${tools.crypto.sha256HexOfText(shortToken)}`,
      tools.crypto,
    ),
  ),
);
const openHouse = (): Promise<GatewayHouse> => openGatewayHouse([], () => ({ sources }));

const ofService = (name: string, points: number): OtlpRequest =>
  requestOf([histogram(Array.from({ length: points }, () => goodPoint))], { 'service.name': name });
const checkout = ofService('checkout', 1);
const mixed: OtlpRequest = {
  resourceMetrics: [checkout, ofService('pay', 3), ofService('cart', 2)].flatMap(
    ({ resourceMetrics }) => resourceMetrics,
  ),
};

const bearer = (token: string): Asked['headers'] => ({ authorization: `Bearer ${token}` });
const componentsTaken = async (house: GatewayHouse): Promise<readonly string[]> =>
  value(await house.metrics.read(0, 0, 100)).flatMap(({ headers, value: body }) => {
    const type = Buffer.from(headers[0]?.value ?? []).toString() as OtlpContentType;
    return value(decodeMetricsRequest(body, type)).points.map(({ component }) => component);
  });
const rejectedIn = (answer: Answered): object =>
  answer.headers['content-type'] === json
    ? answer.json
    : responseType.toObject(responseType.decode(answer.bytes), { longs: String });
const countsOf = (house: GatewayHouse, family: string): object =>
  gatewayMetrics(house.app.status)().find(({ name }) => name === family)?.points ?? [];

describe.each([
  [protobuf, protobufOf],
  [json, jsonOf],
] as const)('%s', (contentType, encode) => {
  const send = (
    house: GatewayHouse,
    request: OtlpRequest,
    headers: Asked['headers'] = {},
    isPacked = false,
  ): Promise<Answered> =>
    house.sendTelemetry('/v1/metrics', {
      body: isPacked ? gzipSync(encode(request)) : encode(request),
      headers: {
        'content-type': contentType,
        ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
        ...headers,
      },
    });

  test.each([false, true])('of a known source is taken (gzip: %s)', async (isPacked) => {
    const house = await openHouse();
    const answer = await send(house, mixed, bearer(anyToken), isPacked);
    expect([answer.status, rejectedIn(answer)]).toEqual([200, {}]);
    expect(await componentsTaken(house)).toEqual(['checkout', 'pay', 'pay', 'pay', 'cart', 'cart']);
  });

  test.each<[string, Asked['headers'], string]>([
    ['no token', {}, 'token-missing'],
    ['another scheme', { authorization: `Basic ${anyToken}` }, 'token-missing'],
    ['a token without a scheme', { authorization: anyToken }, 'token-missing'],
    ['a token of nobody', bearer('the-token-of-the-collectoR'), 'token-unknown'],
    ['a short token of nobody', bearer('deadbeef'), 'token-unknown'],
    ['a token that is longer than any', bearer('t'.repeat(600)), 'token-unknown'],
    [
      'a token that is too short, although its digest is listed',
      bearer(shortToken),
      'token-unknown',
    ],
    ['the name of a source', bearer('collector-collector'), 'token-unknown'],
    ['the digest of a token', bearer(tools.crypto.sha256HexOfText(anyToken)), 'token-unknown'],
  ])('with %s is refused', async (_name, headers, code) => {
    const house = await openHouse();
    const answer = await send(house, checkout, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers).toMatchObject({
      'content-type': contentType,
      'www-authenticate': 'Bearer',
      'plimsoll-code': code,
    });
    expect(answer.text).toContain(`${code}: `);
    // google.rpc.Code 16: unauthenticated. In protobuf it is the first field.
    expect(contentType === json ? answer.json.code : answer.bytes[1]).toBe(16);
    expect(answer.text).not.toContain('the-token');
    expect(await componentsTaken(house)).toEqual([]);
    expect(countsOf(house, 'plimsoll_refusals')).toEqual([
      { labels: { service: 'gateway', code }, value: 1 },
    ]);
  });

  test.each([false, true])(
    'of a limited source counts for its services alone, and the sender hears of the rest (gzip: %s)',
    async (isPacked) => {
      const house = await openHouse();
      const answer = await send(house, mixed, bearer(shopToken), isPacked);
      expect(answer.status).toBe(200);
      expect(rejectedIn(answer)).toEqual({
        partialSuccess: { rejectedDataPoints: '3', errorMessage: 'source-not-allowed: 3' },
      });
      expect(await componentsTaken(house)).toEqual(['checkout', 'cart', 'cart']);
      await send(house, ofService('pay', 2), bearer(shopToken), isPacked);
      expect(value(await house.metrics.range(0)).end).toBe(1);
      expect(countsOf(house, 'plimsoll_telemetry_left_out_points')).toEqual([
        { labels: { source: 'shop' }, value: 5 },
      ]);
    },
  );

  test('needs no token where no sources are named', async () => {
    const house = await openGatewayHouse();
    expect((await send(house, mixed)).status).toBe(200);
    expect((await send(house, mixed, bearer('a-token-of-nobody'))).status).toBe(200);
    expect(await componentsTaken(house)).toHaveLength(12);
  });
});

test('traces of services that their source may not send are refused whole', async () => {
  const traces = (await openGatewayHouse()).metrics;
  const house = await openGatewayHouse([], ({ telemetry }) => ({
    sources,
    telemetry: { ...telemetry, traces },
  }));
  const spansOf = (name: string): object => ({
    resource: ofService(name, 0).resourceMetrics[0]?.resource,
    scopeSpans: [{ spans: [{ traceId: '01' }] }],
  });
  const post = (...names: readonly string[]): Promise<Answered> =>
    house.sendTelemetry('/v1/traces', {
      body: jsonOf({ resourceSpans: names.map(spansOf) }),
      headers: { 'content-type': json, ...bearer(shopToken) },
    });
  const refused = await post('checkout', 'pay');
  expect([refused.status, refused.headers['plimsoll-code'], refused.json.code]).toEqual([
    403,
    'source-not-allowed',
    7,
  ]);
  expect((await post('checkout', 'cart')).status).toBe(200);
  expect(value(await traces.range(0)).end).toBe(1);
});

test('who has no token learns nothing more: not of the type, not of the signal', async () => {
  const house = await openHouse();
  for (const path of ['/v1/metrics', '/v1/traces', '/v1/logs']) {
    const answer = await house.send('POST', path, { headers: { 'content-type': 'text/plain' } });
    expect([answer.status, answer.json.code]).toEqual([401, 'token-missing']);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  }
  expect((await house.app.telemetry(bodyless('GET', '/healthz'))).status).toBe(200);
});

test('of a body without a token not a byte is asked for', async () => {
  const house = await openHouse();
  for (const headers of [{}, bearer('a-token-of-nobody')]) {
    const answer = await house.app.telemetry(
      bodyless('POST', '/v1/metrics', { 'content-type': protobuf, ...headers }),
    );
    expect(answer.status).toBe(401);
  }
});

const bodyless = (
  method: string,
  path: string,
  headers: NonNullable<Asked['headers']> = {},
): Parameters<GatewayHouse['app']['telemetry']>[0] => ({
  method,
  path,
  query: new Map(),
  header: (name) => headers[name],
  body: () => {
    throw new Error('the body was read');
  },
});

describe('over the wire', () => {
  const running: Gateway[] = [];
  afterEach(async () => {
    for (const gateway of running.splice(0)) await gateway.stop();
  });
  const start = async (house: GatewayHouse): Promise<Gateway> => {
    const onError = (error: unknown): void => {
      throw error;
    };
    const gateway = value(
      await startGateway({
        ...house.ports,
        serve: serveHttp,
        host: '127.0.0.1',
        port: 0,
        otlpPort: 0,
        onError,
      }),
    );
    running.push(gateway);
    return gateway;
  };

  test('50 MB without a token are refused before the first of them is sent', async () => {
    const { otlpPorts } = await start(await openHouse());
    for (const port of otlpPorts) {
      const connection = await openRaw(port);
      connection.send(
        `POST /v1/metrics HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: ${protobuf}\r\ncontent-length: 50000000\r\n\r\n`,
      );
      const answer = await connection.received();
      connection.socket.destroy();
      expect(answer).toMatch(/^HTTP\/1\.1 401 /);
      expect(answer.toLowerCase()).toContain('\r\nwww-authenticate: bearer\r\n');
      expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
    }
  });

  test('the OpenTelemetry SDK sends with its token', async () => {
    const house = await openHouse();
    const { otlpPorts } = await start(house);
    for (const headers of [{ Authorization: `Bearer ${shopToken}` }, {}])
      await exportOnce(otlpPorts[0] ?? 0, headers);
    expect(await componentsTaken(house)).toEqual(['checkout']);
  });
});

const exportOnce = async (
  port: number,
  headers: { readonly [name: string]: string },
): Promise<void> => {
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': 'checkout' }),
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({
          url: `http://127.0.0.1:${port}/v1/metrics`,
          headers: { ...headers },
        }),
        exportIntervalMillis: 60_000,
      }),
    ],
  });
  const meter = provider.getMeter('shop');
  meter.createHistogram('http.server.request.duration', { unit: 's' }).record(0.02);
  await provider.shutdown();
};
