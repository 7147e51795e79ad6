import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, test } from 'vitest';
import { createHttpClient } from '../../services/adapters/http/client.ts';
import { serveHttp } from '../../services/adapters/http/server.ts';
import { decodeMetricsRequest } from '../../services/adapters/otlp/metrics-request.ts';
import { toHttp } from '../../services/core/markers/http-wire.ts';
import type { Gateway, GatewayStartPorts } from '../../services/gateway/start.ts';
import { startGateway } from '../../services/gateway/start.ts';
import type { GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { signed, tools, trusts } from '../support/given.ts';
import { planned } from '../support/markers.ts';
import { value } from '../support/records.ts';

const running: Gateway[] = [];
afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.stop();
});

const portsOf = (house: GatewayHouse): GatewayStartPorts => ({
  ...house.ports,
  serve: serveHttp,
  host: '127.0.0.1',
  port: 0,
  otlpPort: 0,
  onError: (error) => {
    throw error;
  },
});

const start = async (
  house: GatewayHouse,
  over: Partial<GatewayStartPorts> = {},
): Promise<Gateway> => {
  const gateway = value(await startGateway({ ...portsOf(house), ...over }));
  running.push(gateway);
  return gateway;
};

describe('a gateway that runs', () => {
  test('takes a marker over the wire', async () => {
    const house = await openGatewayHouse([trusts('ci')]);
    const { port } = await start(house);
    const { headers, body } = toHttp(tools.text, await signed('ci', planned(), 'plan'));
    const client = createHttpClient(`http://127.0.0.1:${port}`);
    const answer = value(
      await client({ method: 'POST', path: '/v1/markers', headers, body }, 10_000),
    );
    expect(answer.status).toBe(201);
    expect(JSON.parse(Buffer.from(answer.body).toString())).toMatchObject({ position: 2 });
  });

  test('takes what the OpenTelemetry SDK exports, on a port of its own and on the main one', async () => {
    const house = await openGatewayHouse();
    const { otlpPorts } = await start(house);
    expect(new Set(otlpPorts).size).toBe(2);
    for (const port of otlpPorts) await exportOnce(port);
    const records = value(await house.metrics.read(0, 0, 10));
    expect(records).toHaveLength(2);
    for (const record of records) {
      const decoded = value(decodeMetricsRequest(record.value, 'application/x-protobuf'));
      expect(decoded.points).toMatchObject([
        { component: 'checkout', version: '2.0.0', environment: 'production', count: 3, errors: 0 },
        { component: 'checkout', count: 1, errors: 1 },
      ]);
    }
  });

  test('stops, and its ports are free again', async () => {
    const house = await openGatewayHouse();
    const gateway = await start(house);
    await gateway.stop();
    const again = await start(house, { port: gateway.port, otlpPort: gateway.otlpPorts[0] ?? 0 });
    expect([again.port, ...again.otlpPorts]).toEqual([gateway.port, ...gateway.otlpPorts]);
  });
});

describe('a gateway that cannot start', () => {
  test('says which port is taken, and leaves none open', async () => {
    const house = await openGatewayHouse();
    const first = await start(house);
    const taken = await startGateway({ ...portsOf(house), port: first.port });
    expect(taken).toMatchObject({
      problem: { code: 'port-taken', hint: expect.stringContaining('PLIMSOLL_PORT') },
    });
    const opened: number[] = [];
    const otlpTaken = await startGateway({
      ...portsOf(house),
      otlpPort: first.port,
      serve: async (handler, options) => {
        const server = await serveHttp(handler, options);
        if (server.ok) opened.push(server.value.port);
        return server;
      },
    });
    expect(otlpTaken).toMatchObject({
      problem: { code: 'port-taken', hint: expect.stringContaining('PLIMSOLL_OTLP_PORT') },
    });
    const [left = 0] = opened;
    const client = createHttpClient(`http://127.0.0.1:${left}`);
    expect(await client({ method: 'GET', path: '/healthz', headers: {} }, 5000)).toMatchObject({
      ok: false,
    });
  });
});

const exportOnce = async (port: number): Promise<void> => {
  const provider = new MeterProvider({
    resource: resourceFromAttributes({
      'service.name': 'checkout',
      'service.version': '2.0.0',
      'deployment.environment.name': 'production',
    }),
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: `http://127.0.0.1:${port}/v1/metrics` }),
        exportIntervalMillis: 60_000,
      }),
    ],
  });
  const duration = provider
    .getMeter('shop')
    .createHistogram('http.server.request.duration', { unit: 's' });
  for (const status of [200, 200, 200, 503])
    duration.record(0.02, { 'http.response.status_code': status });
  await provider.shutdown();
};
