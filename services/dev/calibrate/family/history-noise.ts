import {
  latencyDispersion,
  levelNoise,
  rateDispersion,
  trafficDispersion,
} from '../../../core/canary/noise/dispersion.ts';
import type {
  DurationsBatch,
  LevelBatch,
  TrafficBatch,
} from '../../../core/canary/noise/dispersion.ts';
import type { Durations } from '../../../core/canary/windows/durations.ts';
import type { Noise } from '../../../core/canary/judge/noise.ts';
import type { RatePair } from '../../../core/canary/statistics/rate-counts.ts';
import type { LivedArm, LivedWindow } from '../lived-window.ts';
import { windowMs } from '../stream.ts';
import { addedUp } from './added-up.ts';

const batchMs = 300_000;
const batchWindows = batchMs / windowMs;

/** What both cohorts showed in one batch of history. */
type Batch = {
  readonly errors: RatePair;
  readonly latency: DurationsBatch;
  readonly traffic: TrafficBatch;
  readonly cpu: LevelBatch;
  readonly memory: LevelBatch;
};

/** Several judges learn from the same history. */
const learnt = new WeakMap<Iterable<LivedWindow>, Noise>();

/** How the metrics of two cohorts of the same program scatter. */
export const noiseIn = (history: Iterable<LivedWindow>): Noise => {
  const noise = learnt.get(history) ?? noiseOf(history);
  learnt.set(history, noise);
  return noise;
};

const noiseOf = (history: Iterable<LivedWindow>): Noise => {
  const batches = batchesOf(history);
  const errors = rateDispersion(batches.map((batch) => batch.errors));
  const latency = latencyDispersion(batches.map((batch) => batch.latency));
  const traffic = trafficDispersion(batches.map((batch) => batch.traffic));
  const level = (gauge: 'cpu' | 'memory'): Noise[number] => ({
    id: gauge,
    judged: 'level',
    ...levelNoise(
      batches.map((batch) => batch[gauge]),
      batchMs / 1_000,
    ),
  });
  return [
    { id: 'errors', judged: 'errors', ...errors },
    { id: 'latency', judged: 'latency', ...latency },
    level('cpu'),
    level('memory'),
    { id: 'traffic', judged: 'traffic', ...traffic },
  ];
};

const batchesOf = (history: Iterable<LivedWindow>): readonly Batch[] => {
  const batches: Batch[] = [];
  let windows: LivedWindow[] = [];
  for (const window of history) {
    windows.push(window);
    if (windows.length < batchWindows) continue;
    batches.push(batchOf(windows));
    windows = [];
  }
  return batches;
};

const batchOf = (windows: readonly LivedWindow[]): Batch => {
  const canary = windows.map((window) => window.canary);
  const baseline = windows.map((window) => window.baseline);
  const requests = { canary: sumOf(canary, 'requests'), baseline: sumOf(baseline, 'requests') };
  const expected = windows.reduce(
    (sum, window) => sum + window.canaryShare * (window.canary.requests + window.baseline.requests),
    0,
  );
  const level = (gauge: 'cpu' | 'memory'): LevelBatch => ({
    canary: meanOf(canary, gauge),
    baseline: meanOf(baseline, gauge),
  });
  return {
    errors: {
      canary: { total: requests.canary, events: sumOf(canary, 'errors') },
      baseline: { total: requests.baseline, events: sumOf(baseline, 'errors') },
    },
    latency: { canary: durationsOf(canary), baseline: durationsOf(baseline) },
    traffic: { ...requests, share: expected / (requests.canary + requests.baseline) },
    cpu: level('cpu'),
    memory: level('memory'),
  };
};

const sumOf = (arms: readonly LivedArm[], of: 'requests' | 'errors'): number =>
  arms.reduce((sum, arm) => sum + arm[of], 0);

const meanOf = (arms: readonly LivedArm[], gauge: 'cpu' | 'memory'): number =>
  arms.reduce((sum, { levels }) => sum + levels[gauge].mean, 0) / arms.length;

const durationsOf = (arms: readonly LivedArm[]): Durations =>
  addedUp(arms.map(({ latency }) => latency));
