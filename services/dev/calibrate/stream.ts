import { binomial } from '../canary-climates/random.ts';
import type { Random } from '../canary-climates/random.ts';
import type { Cell } from './cells.ts';
import type { ArmWeather, WeatherAt } from './climates.ts';
import type { LatencySource } from './latency.ts';
import type { LivedArm, LivedWindow } from './lived-window.ts';
import { normal, randomOf, wandering } from './random.ts';
import { same } from './truths.ts';
import type { Truth } from './truths.ts';

export const windowMs = 5_000;
export const streamMs = 1_800_000;
const historyMs = 6 * 3_600_000;

/** The half hour of one canary. The same for the same seed, cell and run. */
export const windowsOf = (
  source: LatencySource,
  cell: Cell,
  seed: number,
  run: number,
): Iterable<LivedWindow> => {
  const random = randomOf(seed, cell.name, run);
  const { climate, traffic, truth } = cell;
  const weatherAt = climate.begin(random, { streamMs, windowMs, traffic });
  return lived(source, random, weatherAt, climate.clusterMean, truth, streamMs);
};

/** Six hours of the same two cohorts before the canary, when both ran the same program. */
export const historyOf = (
  source: LatencySource,
  cell: Cell,
  seed: number,
  run: number,
): Iterable<LivedWindow> => {
  const random = randomOf(seed, `history of ${cell.name}`, run);
  const { climate, traffic } = cell;
  const weatherAt = climate.beginHistory(random, { streamMs: historyMs, windowMs, traffic });
  return lived(source, random, weatherAt, climate.clusterMean, same, historyMs);
};

const CPU = { mean: 40, sharedSd: 4, sd: 2 } as const;
const MEMORY = { mean: 500, sharedSd: 5, sd: 5 } as const;
const LOAD_MEMORY_MS = 300_000;
const INSTANCES = 3;

const lived = function* (
  source: LatencySource,
  random: Random,
  weatherAt: WeatherAt,
  clusterMean: number,
  truth: Truth,
  lengthMs: number,
): Generator<LivedWindow, void> {
  const load = wandering(random, LOAD_MEMORY_MS / windowMs);
  const windows = lengthMs / windowMs;
  for (let index = 0; index < windows; index += 1) {
    const startMs = index * windowMs;
    const { canary, baseline } = weatherAt(startMs);
    const shared = load();
    const arm = (weather: ArmWeather, of: Truth): LivedArm => ({
      ...requestsOf(source, random, weather, clusterMean, of),
      levels: {
        cpu: level(random, CPU, shared, of.cpu),
        memory: level(random, MEMORY, shared, 1),
      },
    });
    yield {
      index,
      startMs,
      canary: arm(canary, truth),
      baseline: arm(baseline, same),
      canaryShare: canary.rps / (canary.rps + baseline.rps),
    };
  }
};

const requestsOf = (
  source: LatencySource,
  random: Random,
  weather: ArmWeather,
  clusterMean: number,
  { errorRate, slowdown, latency: shape }: Truth,
): Omit<LivedArm, 'levels'> => {
  const mean = (weather.rps * windowMs) / 1_000;
  const { requests, latency } = source(random, shape, mean, slowdown * weather.slowdown);
  const rate = Math.min(1, errorRate * weather.errors);
  const errors =
    clusterMean === 1
      ? binomial(random, requests, rate)
      : clusteredErrors(random, requests, rate, clusterMean);
  return { requests, errors, latency };
};

/** As many errors on average, but in clusters whose sizes are geometric. */
const clusteredErrors = (
  random: Random,
  requests: number,
  rate: number,
  clusterMean: number,
): number => {
  const clusters = binomial(random, requests, rate / clusterMean);
  const logGoesOn = Math.log1p(-1 / clusterMean);
  let errors = 0;
  for (let cluster = 0; cluster < clusters; cluster += 1) {
    errors += 1 + Math.floor(Math.log(1 - random()) / logGoesOn);
  }
  return Math.min(errors, requests);
};

const level = (
  random: Random,
  { mean, sharedSd, sd }: { readonly mean: number; readonly sharedSd: number; readonly sd: number },
  shared: number,
  factor: number,
): LivedArm['levels']['cpu'] => ({
  mean: factor * (mean + sharedSd * shared) + sd * normal(random),
  series: INSTANCES,
});
