import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, expect, test } from 'vitest';
import { measureService } from '../../../services/adapters/telemetry/own-metrics.ts';

afterEach(() => metrics.disable());

test('an SDK that the operator brings along reads lag and outcomes of each service', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  let applied = 3;
  measureService('projector', () => ({
    lagRecords: 7,
    totals: { applied, 'dead-letter:signature-bad': 1 },
  }));
  measureService('gateway', () => ({ lagRecords: null, totals: { '200': 5 } }));
  applied = 4;
  await provider.forceFlush();
  const read = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap((scope) => scope.metrics)
    .flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => [
        descriptor.name,
        attributes['plimsoll.service'],
        attributes['plimsoll.outcome'],
        value,
      ]),
    );
  expect(read).toEqual([
    ['plimsoll.lag', 'projector', undefined, 7],
    ['plimsoll.outcomes', 'projector', 'applied', 4],
    ['plimsoll.outcomes', 'projector', 'dead-letter:signature-bad', 1],
    ['plimsoll.outcomes', 'gateway', '200', 5],
  ]);
  await provider.shutdown();
});

test('without an SDK nothing is read', () => {
  measureService('projector', () => {
    throw new Error('nobody asks');
  });
});
