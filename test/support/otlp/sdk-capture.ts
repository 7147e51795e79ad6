import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';

export type SdkSettings = {
  readonly temporality: 'delta' | 'cumulative';
  readonly buckets: 'explicit' | 'exponential';
  readonly resource: Readonly<Record<string, string>>;
};

/** One request as the server saw it: seconds it took, and its attributes. */
export type ServedRequest = {
  readonly seconds: number;
  readonly attributes: Readonly<Record<string, string | number>>;
};

/**
 * Lets the real OpenTelemetry SDK measure requests (and, of each batch, 1,000 bytes more and a hundredth of a CPU for
 * each request) and export them over HTTP to a loopback server,
 * once after each batch. Answers with the bodies as they arrived.
 */
export const captureSdkExports = async (
  settings: SdkSettings,
  batches: readonly (readonly ServedRequest[])[],
): Promise<readonly Uint8Array[]> => {
  const bodies: Uint8Array[] = [];
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const provider = new MeterProvider({
    resource: resourceFromAttributes({ ...settings.resource }),
    views: [
      {
        instrumentName: 'http.server.request.duration',
        aggregation:
          settings.buckets === 'exponential'
            ? { type: AggregationType.EXPONENTIAL_HISTOGRAM }
            : { type: AggregationType.DEFAULT },
      },
    ],
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({
          url: `http://127.0.0.1:${port}/v1/metrics`,
          temporalityPreference:
            settings.temporality === 'delta'
              ? AggregationTemporality.DELTA
              : AggregationTemporality.CUMULATIVE,
        }),
        exportIntervalMillis: 60_000,
      }),
    ],
  });
  try {
    const meter = provider.getMeter('shop', '1.2.3');
    const duration = meter.createHistogram('http.server.request.duration', { unit: 's' });
    const other = meter.createCounter('shop.carts');
    const memory = meter.createUpDownCounter('process.memory.usage', { unit: 'By' });
    const cpu = meter.createGauge('process.cpu.utilization', { unit: '1' });
    for (const batch of batches) {
      for (const served of batch) duration.record(served.seconds, { ...served.attributes });
      other.add(1);
      memory.add(1_000);
      cpu.record(batch.length / 100);
      await provider.forceFlush();
    }
    await provider.shutdown();
  } finally {
    server.close();
  }
  return bodies;
};
