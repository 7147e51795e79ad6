// One instance of the shop: POST /checkout, measured by the OpenTelemetry SDK, exported every second.
// It says {"port":N} once it listens, and ends on SIGTERM, after its last export.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { metrics } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BankUnavailable, builds, checkOut, parseCart } from './checkout.ts';
import type { Build } from './checkout.ts';

const exportEveryMs = 1_000;
const lastExportWithinMs = 2_000;
const bodyCharsMax = 10_000;

const { values } = parseArgs({
  options: {
    build: { type: 'string' },
    version: { type: 'string' },
    component: { type: 'string' },
    environment: { type: 'string' },
    instance: { type: 'string' },
    /** Base address of an OTLP/HTTP receiver. */
    otlp: { type: 'string' },
    /** The canary's deployment. What runs already does not know its own. */
    deployment: { type: 'string' },
  },
});

const needed = (name: 'build' | 'version' | 'component' | 'environment' | 'instance' | 'otlp') => {
  const value = values[name];
  if (value === undefined) throw new Error(`the shop needs --${name}`);
  return value;
};

const buildNamed = (name: string): Build => {
  const build = builds.find((known) => known === name);
  if (build === undefined) throw new Error(`--build must be one of ${builds.join(', ')}`);
  return build;
};

const build = buildNamed(needed('build'));
const meters = new MeterProvider({
  resource: resourceFromAttributes({
    'service.name': needed('component'),
    'service.version': needed('version'),
    'service.instance.id': needed('instance'),
    'deployment.environment.name': needed('environment'),
    ...(values.deployment === undefined ? {} : { 'deployment.id': values.deployment }),
  }),
  readers: [
    new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: `${needed('otlp')}/v1/metrics` }),
      exportIntervalMillis: exportEveryMs,
      exportTimeoutMillis: exportEveryMs,
    }),
  ],
});
/** Those of OpenTelemetry's semantic conventions; the SDK's own are made for milliseconds. */
const boundariesSeconds = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;
// As in any service: what measures knows the API alone, and the SDK stands behind it.
metrics.setGlobalMeterProvider(meters);
const duration = metrics.getMeter('demo-shop').createHistogram('http.server.request.duration', {
  unit: 's',
  advice: { explicitBucketBoundaries: [...boundariesSeconds] },
});

type Answer = { readonly status: number; readonly text: string; readonly errorType?: string };

const answerTo = (method: string, path: string, body: string): Answer => {
  if (path !== '/checkout') return { status: 404, text: 'there is only /checkout' };
  if (method !== 'POST') return { status: 405, text: 'POST a cart' };
  const cart = parseCart(body);
  if (cart === undefined) return { status: 400, text: 'that is no cart' };
  try {
    return { status: 200, text: `${checkOut(build, cart)} cents` };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const status = error instanceof BankUnavailable ? 503 : 500;
    return { status, text: error.message, errorType: error.name };
  }
};

const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const startedMs = performance.now();
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += String(chunk);
    if (body.length > bodyCharsMax) break;
  }
  const { method = 'GET', url = '/' } = request;
  const { status, text, errorType } = answerTo(method, url, body);
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
  duration.record((performance.now() - startedMs) / 1_000, {
    'http.request.method': method,
    'http.route': url === '/checkout' ? url : '',
    'http.response.status_code': status,
    ...(errorType === undefined ? {} : { 'error.type': errorType }),
  });
};

const server = createServer((request, response) => {
  serve(request, response).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  const end = (): void => process.exit(0);
  // Where nobody takes the last export, it is given up.
  setTimeout(end, lastExportWithinMs);
  meters.shutdown().then(end, end);
});
