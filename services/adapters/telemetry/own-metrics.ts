import { metrics } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import type { Labels, MetricName } from '../../core/own-metrics/family.ts';
import type { ReadMetrics } from '../../ports/own-metrics.ts';

const meterName = 'plimsoll';

type Read = ReadMetrics | (() => Promise<ReturnType<ReadMetrics>>);

/**
 * Offers the families of a service to the OpenTelemetry API. Without an SDK, which an operator brings along by
 * `NODE_OPTIONS=--import=…`, they are read once, for their names. A histogram cannot be read from outside: see
 * `openOtelHistogram`.
 */
export const offerToOtel = async (read: Read): Promise<void> => {
  const meter = metrics.getMeter(meterName);
  for (const { name, kind, otelName, unit, help } of await read()) {
    if (kind === 'histogram') continue;
    const options = { unit, description: help };
    const instrument =
      kind === 'counter'
        ? meter.createObservableCounter(otelName, options)
        : meter.createObservableGauge(otelName, options);
    instrument.addCallback(async (result) => {
      const family = (await read()).find((each) => each.name === name);
      if (family === undefined || family.kind === 'histogram') return;
      for (const { labels, value } of family.points) result.observe(value, attributesOf(labels));
    });
  }
};

/** The same values for OpenTelemetry as for our own histogram. */
export const openOtelHistogram = (
  { otelName, unit, help }: MetricName,
  bounds: readonly number[],
  attributes: Attributes,
): ((value: number) => void) => {
  const histogram = metrics.getMeter(meterName).createHistogram(otelName, {
    unit,
    description: help,
    advice: { explicitBucketBoundaries: [...bounds] },
  });
  return (value) => histogram.record(value, attributes);
};

/** OpenTelemetry's own names where it has one. */
const attributeNames: { readonly [label: string]: string } = {
  environment: 'deployment.environment.name',
  code: 'plimsoll.code',
};

const attributesOf = (labels: Labels): Attributes =>
  Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [
      attributeNames[name] ?? `plimsoll.${name}`,
      value,
    ]),
  );
