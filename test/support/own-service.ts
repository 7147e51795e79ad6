// A service of the reader's own, as far as telemetry goes: the OpenTelemetry SDK, set up as the README's section says.
// It serves nobody: durations are drawn from a seed. It ends on SIGTERM, after its last
// export.
import { parseArgs } from 'node:util';
import { metrics } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { seededRandom } from '../../services/dev/canary-climates/random.ts';

const { values } = parseArgs({
  options: {
    otlp: { type: 'string', default: '' },
    version: { type: 'string', default: '' },
    /** Empty: what runs already does not know its own. */
    deployment: { type: 'string', default: '' },
    /** Requests that fail, and how many times slower than usual they are. */
    errors: { type: 'string', default: '0' },
    slower: { type: 'string', default: '1' },
    histogram: { type: 'string', default: 'explicit' },
    temporality: { type: 'string', default: 'cumulative' },
    seed: { type: 'string', default: '1' },
  },
});

const durationName = 'http.server.request.duration';
const everyMs = 1_000;
const meters = new MeterProvider({
  resource: resourceFromAttributes({
    'service.name': 'checkout',
    'service.version': values.version,
    'service.instance.id': `checkout-${values.version}`,
    'deployment.environment.name': 'production',
    ...(values.deployment === '' ? {} : { 'deployment.id': values.deployment }),
  }),
  views:
    values.histogram === 'exponential'
      ? [
          {
            instrumentName: durationName,
            aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
          },
        ]
      : [],
  readers: [
    new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({
        url: `${values.otlp}/v1/metrics`,
        temporalityPreference:
          values.temporality === 'delta'
            ? AggregationTemporality.DELTA
            : AggregationTemporality.CUMULATIVE,
      }),
      exportIntervalMillis: everyMs,
      exportTimeoutMillis: everyMs,
    }),
  ],
});
metrics.setGlobalMeterProvider(meters);

const random = seededRandom(Number(values.seed), Number(values.version.replaceAll('.', '')));
const meter = metrics.getMeter('own-service');
const duration = meter.createHistogram(durationName, {
  unit: 's',
  // What the semantic conventions advise.
  advice: {
    explicitBucketBoundaries: [
      0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ],
  },
});
meter
  .createObservableGauge('process.cpu.utilization', { unit: '1' })
  .addCallback((result) => result.observe(0.4 + 0.004 * random()));
meter
  .createObservableUpDownCounter('process.memory.usage', { unit: 'By' })
  .addCallback((result) => result.observe(Math.round(300e6 + 1e6 * random())));

const tickMs = 50;
const requestsPerTick = 25;
const medianSeconds = 0.08;

const serve = (): void => {
  const isFailing = random() < Number(values.errors);
  // Durations spread by some two thirds to either side.
  const spread = Math.exp(random() + random() + random() - 1.5);
  duration.record(medianSeconds * spread * Number(values.slower), {
    'http.request.method': 'POST',
    'http.route': '/pay',
    'http.response.status_code': isFailing ? 500 : 200,
    ...(isFailing ? { 'error.type': '500' } : {}),
  });
};
const serving = setInterval(() => {
  for (let request = 0; request < requestsPerTick; request++) serve();
}, tickMs);

process.once('SIGTERM', () => {
  clearInterval(serving);
  const end = (): void => process.exit(0);
  meters.shutdown().then(end, end);
});
