import { openLatencySource, plainLatency, scale } from '../calibrate/latency.ts';
import type { LatencySource } from '../calibrate/latency.ts';
import { normal, wandering } from '../calibrate/random.ts';
import type { Random } from '../canary-climates/random.ts';
import {
  exponentialHistogram,
  explicitHistogram,
  exportLine,
  gauge,
  upDownSum,
} from './otlp-json.ts';
import type { Attributes, HistogramPoint, MetricJson, TemporalityName } from './otlp-json.ts';

/** How the instances of one version behave. */
export type CohortPlan = {
  readonly version: string;
  readonly instances: number;
  /** Requests a second of all of them, at a time in seconds after the start. */
  readonly rps: (second: number) => number;
  /** Errors per request, then. */
  readonly errors: (second: number) => number;
  /** How many times slower than usual, then. */
  readonly slower: (second: number) => number;
  /** CPU of an instance as a multiple of the usual, then. */
  readonly cpu: (second: number) => number;
};

export type FleetPlan = {
  readonly component: string;
  readonly environment: string;
  readonly startMs: number;
  readonly seconds: number;
  readonly everySeconds: number;
  readonly temporality: TemporalityName;
  readonly histogram: 'exponential' | 'explicit';
  readonly cohorts: readonly CohortPlan[];
};

export type Line = { readonly timeMs: number; readonly text: string };

/** What the exports of a fleet look like, in the order of their times. */
export const exportsOf = function* (plan: FleetPlan, random: Random): Generator<Line> {
  const source = openLatencySource();
  const senders = plan.cohorts.flatMap((cohort) =>
    Array.from({ length: cohort.instances }, (_, index) =>
      openSender(plan, cohort, index, random, source),
    ),
  );
  for (let second = plan.everySeconds; second <= plan.seconds; second += plan.everySeconds) {
    const lines = senders.map((send) => send(second));
    yield* lines.toSorted((one, other) => one.timeMs - other.timeMs);
  }
};

const route = '/pay';
const okAttributes: Attributes = {
  'http.request.method': 'POST',
  'http.route': route,
  'http.response.status_code': 200,
};
const errorAttributes: Attributes = {
  ...okAttributes,
  'http.response.status_code': 500,
  'error.type': '500',
};

const usualCpu = 0.4;
const usualMemoryBytes = 300e6;
/** Load that an instance has more or less than others for a minute or so. */
const cpuNoise = 0.03;
const memorySteps = 12;

const openSender = (
  plan: FleetPlan,
  cohort: CohortPlan,
  index: number,
  random: Random,
  source: LatencySource,
): ((second: number) => Line) => {
  const { startMs, everySeconds, temporality } = plan;
  const instance = `${plan.component}-${cohort.version}-${index + 1}`;
  const resource: Attributes = {
    'service.name': plan.component,
    'service.version': cohort.version,
    'service.instance.id': instance,
    'deployment.environment.name': plan.environment,
  };
  // Instances do not export at the same moment. This is also how long before the start they began.
  const phaseMs = Math.floor(random() * everySeconds * 900);
  const beganMs = startMs - 60_000 - phaseMs;
  const load = wandering(random, memorySteps);
  const totals = { ok: new Map<number, number>(), errors: new Map<number, number>() };
  let lastMs = startMs + phaseMs - everySeconds * 1000;

  const drawn = (mean: number, slower: number): ReadonlyMap<number, number> => {
    if (mean <= 0) return new Map();
    const { latency } = source(random, plainLatency, mean, slower);
    return new Map(
      latency.counts.flatMap((count, at) =>
        count > 0 ? [[latency.offset + at, count] as const] : [],
      ),
    );
  };
  const histogram = (timeMs: number, ok: Buckets, errors: Buckets): MetricJson => {
    addTo(totals.ok, ok);
    addTo(totals.errors, errors);
    const isDelta = temporality === 'delta';
    const startOfPoint = isDelta ? lastMs : beganMs;
    const point = (attributes: Attributes, buckets: Buckets): HistogramPoint => ({
      attributes,
      startMs: startOfPoint,
      timeMs,
      buckets,
    });
    const points = [
      point(okAttributes, isDelta ? ok : new Map(totals.ok)),
      point(errorAttributes, isDelta ? errors : new Map(totals.errors)),
    ].filter(({ buckets }) => buckets.size > 0);
    const write = plan.histogram === 'exponential' ? exponentialHistogram : explicitHistogram;
    return write('http.server.request.duration', temporality, scale, points);
  };

  return (second) => {
    const timeMs = startMs + phaseMs + (second - everySeconds) * 1000;
    const spanSeconds = (timeMs - lastMs) / 1000;
    const mean = (cohort.rps(second) / cohort.instances) * spanSeconds;
    const errors = cohort.errors(second);
    const slower = cohort.slower(second);
    const requests = histogram(
      timeMs,
      drawn(mean * (1 - errors), slower),
      drawn(mean * errors, slower),
    );
    const cpu = usualCpu * cohort.cpu(second) * (1 + cpuNoise * load());
    const memory = usualMemoryBytes * (1 + 0.01 * normal(random));
    const number = (value: number) => [{ attributes: {}, startMs: beganMs, timeMs, value }];
    lastMs = timeMs;
    return {
      timeMs,
      text: exportLine(resource, [
        requests,
        gauge('process.cpu.utilization', '1', number(cpu)),
        upDownSum('process.memory.usage', 'By', number(Math.round(memory))),
      ]),
    };
  };
};

type Buckets = ReadonlyMap<number, number>;

const addTo = (total: Map<number, number>, buckets: Buckets): void => {
  for (const [index, count] of buckets) total.set(index, (total.get(index) ?? 0) + count);
};

/** Lines out of order by at most so many seconds, as retries and several collectors bring them. */
export const outOfOrder = (
  lines: readonly Line[],
  seconds: number,
  random: Random,
): readonly Line[] =>
  lines
    .map((line) => ({ line, at: line.timeMs + random() * seconds * 1000 }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ line }) => line);

/** Some lines twice, the second time at once. */
export const repeated = (lines: readonly Line[], share: number, random: Random): readonly Line[] =>
  lines.flatMap((line) => (random() < share ? [line, line] : [line]));
