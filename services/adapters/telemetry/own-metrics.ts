import { metrics } from '@opentelemetry/api';
import type { MeasureService, OwnNumbers } from '../../ports/own-metrics.ts';

/**
 * Plimsoll's own metrics through the OpenTelemetry API. Without an SDK, which an operator brings along by
 * `NODE_OPTIONS=--import=…`, nothing is measured.
 */
export const measureService: MeasureService = (service, read) => {
  const meter = metrics.getMeter('plimsoll');
  const attributes = { 'plimsoll.service': service };
  meter
    .createObservableGauge('plimsoll.lag', {
      unit: '{record}',
      description: 'Records that wait for a service',
    })
    .addCallback((result) => {
      const { lagRecords } = read();
      if (lagRecords !== null) result.observe(lagRecords, attributes);
    });
  meter
    .createObservableCounter('plimsoll.outcomes', {
      unit: '{item}',
      description: 'What has become of records, requests and points, by outcome or code',
    })
    .addCallback((result) => {
      const { totals }: OwnNumbers = read();
      for (const [outcome, total] of Object.entries(totals))
        result.observe(total, { ...attributes, 'plimsoll.outcome': outcome });
    });
};
