import type { Line } from '../metrics/rate-test.ts';
import { equalShares } from '../metrics/rate-test.ts';
import type { MetricPolicy, MetricSource, Policy } from './policy.ts';

// How canaries are judged where nobody says otherwise. The figures of `standard` and `sensitive` are those that were
// simulated; `strict` is for where a false promotion costs more than a late one, and was not.

export type PresetName = 'standard' | 'sensitive' | 'strict';

/** Durations of requests as servers send them, by today's OpenTelemetry names and by those before. */
const requestDurations: MetricSource = {
  names: [
    'http.server.request.duration',
    'rpc.server.call.duration',
    'http.server.duration',
    'rpc.server.duration',
  ],
  where: [],
};

/**
 * The lowest bounds in wide use are 5 and 10 ms: a service that is faster than these could else never pass. A policy that
 * does not say it means this, so it is for good.
 */
export const fineBelowMsUsual = 10;

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

type Margins = {
  readonly errors: readonly [tolerance: Line, promote: Line];
  /** Of all quantiles; and of the shares of slow requests where buckets are too coarse for a shift. */
  readonly slower: readonly [tolerated: number, promote: number];
  readonly slowShares: readonly [tolerance: Line, promote: Line];
  /** Shares of a level. */
  readonly level: readonly [margin: number, promote: number];
};

const metrics = ({ errors, slower, slowShares, level }: Margins): readonly MetricPolicy[] => [
  {
    id: 'errors',
    weight: 0.5,
    critical: true,
    source: requestDurations,
    judged: 'errors',
    errors: null,
    tolerance: errors[0],
    promoteTolerance: errors[1],
  },
  {
    id: 'latency',
    weight: 0.35,
    critical: false,
    source: requestDurations,
    judged: 'latency',
    slower: slower[0],
    promoteSlower: slower[1],
    tolerance: slowShares[0],
    promoteTolerance: slowShares[1],
    fineBelowMs: fineBelowMsUsual,
  },
  levelOf('cpu', 'process.cpu.utilization', level),
  levelOf('memory', 'process.memory.usage', level),
  {
    id: 'traffic',
    weight: 0.05,
    critical: false,
    source: requestDurations,
    judged: 'traffic',
    least: 0.8,
    promoteLeast: 0.67,
  },
];

const levelOf = (
  id: string,
  metric: string,
  [margin, promoteMargin]: Margins['level'],
): MetricPolicy => ({
  id,
  weight: 0.05,
  critical: false,
  source: { names: [metric], where: [] },
  judged: 'level',
  worse: 'higher',
  margin,
  promoteMargin,
});

const line = (relative: number, absolute: number): Line => ({ relative, absolute });

const standard: Policy = {
  version: 2,
  windowMs: 5_000,
  warmUpMs: MINUTE_MS,
  soakMs: 5 * MINUTE_MS,
  deadlineMs: 30 * MINUTE_MS,
  bakeMs: 30 * MINUTE_MS,
  blockMs: 15_000,
  blockCapNats: 1.5,
  noDataMs: 2 * MINUTE_MS,
  restarts: { everyMs: 5 * MINUTE_MS, count: 5, weightEach: 0.03 },
  alpha: 0.01,
  beta: 0.05,
  vetoEvidence: 5,
  steps: [],
  metrics: metrics({
    errors: [line(1.1, 0.0005), line(1.5, 0.002)],
    slower: [1.0443, 1.139],
    slowShares: [line(1.1, 0.0005), line(1.25, 0.002)],
    level: [0.1, 0.2],
  }),
  targetAttribute: null,
  cohorts: null,
  rollouts: { beforeAfter: false, blueGreen: false },
  onSilence: 'page',
  onBehalf: 'ignore',
  frozen: 'warn',
  act: 'decide',
  flap: { windowMs: HOUR_MS, freeze: false },
  caps: { perComponentHour: 3, perHour: 20 },
  required: [],
};

const sensitive: Policy = {
  ...standard,
  metrics: metrics({
    errors: [equalShares, line(1.25, 0.001)],
    slower: [1, 1.09],
    slowShares: [equalShares, line(1.25, 0.001)],
    level: [0.1, 0.15],
  }),
};

const strict: Policy = {
  ...standard,
  warmUpMs: 2 * MINUTE_MS,
  soakMs: 15 * MINUTE_MS,
  deadlineMs: HOUR_MS,
  bakeMs: HOUR_MS,
  blockMs: 30_000,
  alpha: 0.001,
  beta: 0.01,
  metrics: metrics({
    errors: [equalShares, line(1.1, 0.0005)],
    slower: [1, 1.0443],
    slowShares: [equalShares, line(1.1, 0.0005)],
    level: [0.05, 0.1],
  }),
};

export const presets: { readonly [Name in PresetName]: Policy } = { standard, sensitive, strict };

export const presetNames: readonly PresetName[] = ['standard', 'sensitive', 'strict'];

/** What kind of metric is laid over when a metric is none of the preset's. */
export const presetMetric = <Kind extends MetricPolicy['judged']>(
  preset: Policy,
  judged: Kind,
): Extract<MetricPolicy, { readonly judged: Kind }> => {
  const found = preset.metrics.find((metric) => metric.judged === judged);
  if (found === undefined) throw new TypeError(`every preset judges ${judged}`);
  return found as Extract<MetricPolicy, { readonly judged: Kind }>;
};
