import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, expect, test } from 'vitest';
import {
  offerToOtel,
  openOtelHistogram,
} from '../../../services/adapters/telemetry/own-metrics.ts';
import { counter, gauge } from '../../../services/core/own-metrics/family.ts';
import type { MetricFamily } from '../../../services/core/own-metrics/family.ts';
import { openHistogram } from '../../../services/core/own-metrics/histogram.ts';
import { lagRecords, refusals } from '../../../services/core/own-metrics/shared-names.ts';
import { applySeconds } from '../../../services/projector/measurements.ts';

afterEach(() => metrics.disable());

type Read = readonly [name: string, unit: string, attributes: object, value: unknown];

/** An SDK that the operator brings along; answers what it read. */
const openSdk = (): { readonly read: () => Promise<readonly Read[]> } => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  return {
    read: async () => {
      await provider.forceFlush();
      const read = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap((scope) => scope.metrics)
        .flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes, value }): Read => [
            descriptor.name,
            descriptor.unit,
            attributes,
            value,
          ]),
        );
      await provider.shutdown();
      return read;
    },
  };
};

test('an SDK reads the same numbers as they stand then, by the names of OpenTelemetry', async () => {
  const sdk = openSdk();
  let lag = 3;
  const state = openHistogram([1]).read();
  await offerToOtel((): readonly MetricFamily[] => [
    gauge(lagRecords, [{ labels: { service: 'projector' }, value: lag }]),
    counter(refusals, [{ labels: { service: 'gateway', code: 'not-found' }, value: 2 }]),
    { ...applySeconds, kind: 'histogram', points: [{ labels: {}, state }] },
  ]);
  await offerToOtel(async () => [
    gauge({ ...lagRecords, otelName: 'asked' }, [{ labels: { environment: 'staging' }, value: 1 }]),
  ]);
  lag = 7;
  expect(await sdk.read()).toEqual([
    ['plimsoll.lag.records', '{record}', { 'plimsoll.service': 'projector' }, 7],
    [
      'plimsoll.refusals',
      '{refusal}',
      { 'plimsoll.service': 'gateway', 'plimsoll.code': 'not-found' },
      2,
    ],
    ['asked', '{record}', { 'deployment.environment.name': 'staging' }, 1],
  ]);
});

test('a duration goes to the histogram that OpenTelemetry has for it', async () => {
  const sdk = openSdk();
  const record = openOtelHistogram(applySeconds, [0.001, 1], { 'messaging.system': 'kafka' });
  record(0.5);
  record(3);
  expect(await sdk.read()).toMatchObject([
    [
      'messaging.process.duration',
      's',
      { 'messaging.system': 'kafka' },
      { count: 2, sum: 3.5, buckets: { boundaries: [0.001, 1], counts: [0, 1, 1] } },
    ],
  ]);
});

test('without an SDK the names are read, and then nothing', async () => {
  let reads = 0;
  await offerToOtel(() => {
    reads += 1;
    return [gauge(lagRecords, [])];
  });
  openOtelHistogram(applySeconds, [1], {})(5);
  expect(reads).toBe(1);
});
