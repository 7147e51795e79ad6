import type { WindowMark } from '../../core/canary/windows/window.ts';
import { binomial, poisson } from './random.ts';
import type { Random } from './random.ts';

/** Requests of one cohort, and how many of them failed. */
type ArmCounts = { readonly requests: number; readonly errors: number };

export type WindowCounts = WindowMark & {
  readonly canary: ArmCounts;
  readonly baseline: ArmCounts;
};

/** What both cohorts live through in one window: requests per second and errors per request. */
type Weather = {
  readonly canaryRps: number;
  readonly baselineRps: number;
  readonly canaryRate: number;
  readonly baselineRate: number;
};

/** A kind of traffic. `begin` draws what happens in one run; the rest follows from the time. */
export type Climate = {
  readonly name: string;
  readonly begin: (random: Random, streamMs: number) => (atMs: number) => Weather;
};

const BASE_RATE = 0.005;

const steady =
  (canaryRps: number, baselineRps: number, canaryRate: number, baselineRate: number) =>
  (): ((atMs: number) => Weather) =>
  () => ({ canaryRps, baselineRps, canaryRate, baselineRate });

/**
 * Streams in which canary and baseline are the same program. Errors that come in clusters (retries)
 * are not among them: they need the dispersion of A/A history, which the judge does not have yet.
 */
export const sameProgram: readonly Climate[] = [
  { name: 'steady 50/50 rps', begin: steady(50, 50, BASE_RATE, BASE_RATE) },
  { name: 'steady 5/45 rps', begin: steady(5, 45, BASE_RATE, BASE_RATE) },
  { name: 'steady 5/5 rps, 5 % errors', begin: steady(5, 5, 0.05, 0.05) },
  { name: 'hardly any errors 50/450 rps', begin: steady(50, 450, 0.00002, 0.00002) },
  { name: 'shared bursts x10', begin: (random, streamMs) => sharedBursts(random, streamMs) },
  { name: 'drift and weights 1-5-25-50 %', begin: (_random, streamMs) => driftAndRamp(streamMs) },
  { name: '20-s incident x20 in each', begin: (random, streamMs) => incidents(random, streamMs) },
  { name: 'cold start x4 for 60 s', begin: () => coldStart() },
  { name: '0.2/1.8 rps', begin: steady(0.2, 1.8, BASE_RATE, BASE_RATE) },
];

/** Streams in which the canary fails more often from the start. */
export const regressions: readonly Climate[] = [
  { name: '0.5 -> 2 % at 50/50 rps', begin: steady(50, 50, 0.02, BASE_RATE) },
  { name: '0.5 -> 2 % at 50/450 rps', begin: steady(50, 450, 0.02, BASE_RATE) },
  { name: '0.5 -> 2 % at 5/45 rps', begin: steady(5, 45, 0.02, BASE_RATE) },
  { name: '0.5 -> 2 % at 5/5 rps', begin: steady(5, 5, 0.02, BASE_RATE) },
  { name: '0.5 -> 5 % at 50/50 rps', begin: steady(50, 50, 0.05, BASE_RATE) },
  { name: '0.5 -> 1 % at 50/50 rps', begin: steady(50, 50, 0.01, BASE_RATE) },
];

/** The windows of one run, in order. */
export const windowsOf = function* (
  climate: Climate,
  random: Random,
  windowMs: number,
  windows: number,
): Generator<WindowCounts, void> {
  const weatherAt = climate.begin(random, windowMs * windows);
  for (let index = 0; index < windows; index += 1) {
    const startMs = index * windowMs;
    const { canaryRps, baselineRps, canaryRate, baselineRate } = weatherAt(startMs);
    const canaryRequests = poisson(random, (canaryRps * windowMs) / 1_000);
    const baselineRequests = poisson(random, (baselineRps * windowMs) / 1_000);
    yield {
      index,
      startMs,
      canary: {
        requests: canaryRequests,
        errors: binomial(random, canaryRequests, canaryRate),
      },
      baseline: {
        requests: baselineRequests,
        errors: binomial(random, baselineRequests, baselineRate),
      },
    };
  }
};

const sharedBursts = (random: Random, streamMs: number): ((atMs: number) => Weather) => {
  const bursts = Array.from({ length: 6 }, () => random() * streamMs);
  return (atMs) => {
    const rate = bursts.some((from) => isWithin(atMs, from, 30_000)) ? 10 * BASE_RATE : BASE_RATE;
    return { canaryRps: 50, baselineRps: 50, canaryRate: rate, baselineRate: rate };
  };
};

const driftAndRamp = (streamMs: number): ((atMs: number) => Weather) => {
  const canaryShares = [0.01, 0.05, 0.25, 0.5];
  return (atMs) => {
    const progress = atMs / streamMs;
    const share = canaryShares[Math.floor(progress * canaryShares.length)] ?? 0.5;
    const rate = BASE_RATE * (1 + 2 * progress);
    return {
      canaryRps: 100 * share,
      baselineRps: 100 * (1 - share),
      canaryRate: rate,
      baselineRate: rate,
    };
  };
};

const incidents = (random: Random, streamMs: number): ((atMs: number) => Weather) => {
  const canaryFrom = random() * streamMs;
  const baselineFrom = random() * streamMs;
  const rateIn = (atMs: number, from: number): number =>
    isWithin(atMs, from, 20_000) ? 20 * BASE_RATE : BASE_RATE;
  return (atMs) => ({
    canaryRps: 50,
    baselineRps: 50,
    canaryRate: rateIn(atMs, canaryFrom),
    baselineRate: rateIn(atMs, baselineFrom),
  });
};

const coldStart = (): ((atMs: number) => Weather) => (atMs) => ({
  canaryRps: 50,
  baselineRps: 50,
  canaryRate: isWithin(atMs, 0, 60_000) ? 4 * BASE_RATE : BASE_RATE,
  baselineRate: BASE_RATE,
});

const isWithin = (atMs: number, fromMs: number, lengthMs: number): boolean =>
  atMs >= fromMs && atMs < fromMs + lengthMs;
