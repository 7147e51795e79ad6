import type { Random } from '../canary-climates/random.ts';
import type { Traffic } from './bounds.ts';
import { wandering } from './random.ts';

// What good canaries live through: the conditions under which a judge must not roll them back.

export const baseRate = 0.005;

/** One cohort in one window. */
export type ArmWeather = {
  readonly rps: number;
  /** Times as many errors, and times as slow, as in plain weather. */
  readonly errors: number;
  readonly slowdown: number;
};

export type Weather = { readonly canary: ArmWeather; readonly baseline: ArmWeather };

export type Stretch = {
  readonly streamMs: number;
  readonly windowMs: number;
  readonly traffic: Traffic;
};

/** Is asked for the windows in order. */
export type WeatherAt = (atMs: number) => Weather;

export type Climate = {
  readonly name: string;
  readonly about: string;
  /** Errors come one by one, or in clusters of this mean size (geometric). */
  readonly clusterMean: number;
  /** Draws what happens in one run. */
  readonly begin: (random: Random, stretch: Stretch) => WeatherAt;
  /** The same cohorts hours before, both of them the same program: what dispersion is learned from. */
  readonly beginHistory: (random: Random, stretch: Stretch) => WeatherAt;
};

const plain = ({ canaryRps, baselineRps }: Traffic): Weather => ({
  canary: { rps: canaryRps, errors: 1, slowdown: 1 },
  baseline: { rps: baselineRps, errors: 1, slowdown: 1 },
});

const steady = (_random: Random, { traffic }: Stretch): WeatherAt => {
  const weather = plain(traffic);
  return () => weather;
};

const BURSTS = 6;
const BURST_MS = 30_000;

/** Bad moments that hit both cohorts: a dependency is down. */
const sharedBursts = (random: Random, { traffic, streamMs }: Stretch): WeatherAt => {
  const perStream = Math.max(1, Math.round((BURSTS * streamMs) / HALF_AN_HOUR_MS));
  const starts = Array.from({ length: perStream }, () => random() * streamMs);
  const calm = plain(traffic);
  const burst = changed(calm, { errors: 10, slowdown: 2 }, { errors: 10, slowdown: 2 });
  return (atMs) => (starts.some((from) => isWithin(atMs, from, BURST_MS)) ? burst : calm);
};

const RAMP = [0.01, 0.05, 0.25, 0.5] as const;

/** The share of the canary grows in four steps while both cohorts slowly get worse. */
const driftAndRamp = (_random: Random, { traffic, streamMs }: Stretch): WeatherAt => {
  const rps = traffic.canaryRps + traffic.baselineRps;
  return (atMs) => {
    const progress = atMs / streamMs;
    const share = RAMP[Math.floor(progress * RAMP.length)] ?? 0.5;
    const drift = { errors: 1 + 2 * progress, slowdown: 1 + progress / 2 };
    return changed(plain({ canaryRps: rps * share, baselineRps: rps * (1 - share) }), drift, drift);
  };
};

const INCIDENT_MS = 20_000;

/** Each cohort has one bad moment of its own: a node dies. */
const incidents = (random: Random, { traffic, streamMs }: Stretch): WeatherAt => {
  const canaryFrom = random() * streamMs;
  const baselineFrom = random() * streamMs;
  const calm = plain(traffic);
  const bad = { errors: 20, slowdown: 1 };
  return (atMs) =>
    changed(
      calm,
      isWithin(atMs, canaryFrom, INCIDENT_MS) ? bad : none,
      isWithin(atMs, baselineFrom, INCIDENT_MS) ? bad : none,
    );
};

const COLD_MS = 60_000;

/** The canary has just started; the baseline has not. */
const coldStart = (_random: Random, { traffic }: Stretch): WeatherAt => {
  const warm = plain(traffic);
  const cold = changed(warm, { errors: 4, slowdown: 2 }, none);
  return (atMs) => (atMs < COLD_MS ? cold : warm);
};

const POD_MEMORY_MS = 60_000;
const POD_SLOWDOWN_SD = 0.03;
const POD_ERRORS_SD = 0.3;

/** Instances are not alike, and each of them has better and worse minutes. */
const podNoise = (random: Random, { traffic, windowMs }: Stretch): WeatherAt => {
  const calm = plain(traffic);
  const steps = POD_MEMORY_MS / windowMs;
  const noise = Array.from({ length: 4 }, () => wandering(random, steps));
  const draw = (index: number, sd: number): number => Math.exp(sd * (noise[index]?.() ?? 0));
  return () =>
    changed(
      calm,
      { slowdown: draw(0, POD_SLOWDOWN_SD), errors: draw(1, POD_ERRORS_SD) },
      { slowdown: draw(2, POD_SLOWDOWN_SD), errors: draw(3, POD_ERRORS_SD) },
    );
};

const tenthOf = ({ canaryRps, baselineRps }: Traffic): Traffic => ({
  canaryRps: canaryRps / 10,
  baselineRps: baselineRps / 10,
});

type Change = { readonly errors: number; readonly slowdown: number };

const none: Change = { errors: 1, slowdown: 1 };

const changed = (weather: Weather, ofCanary: Change, ofBaseline: Change): Weather => ({
  canary: { rps: weather.canary.rps, ...ofCanary },
  baseline: { rps: weather.baseline.rps, ...ofBaseline },
});

const HALF_AN_HOUR_MS = 1_800_000;

const isWithin = (atMs: number, fromMs: number, lengthMs: number): boolean =>
  atMs >= fromMs && atMs < fromMs + lengthMs;

/** What cannot be foreseen is not in the history: incidents, a cold start, a drift of the day. */
export const climates: readonly Climate[] = [
  {
    name: 'iid',
    about: 'requests and errors independent of each other',
    clusterMean: 1,
    begin: steady,
    beginHistory: steady,
  },
  {
    name: 'bursts',
    about: 'six moments of 30 s that hit both cohorts: 10x the errors, 2x as slow',
    clusterMean: 1,
    begin: sharedBursts,
    beginHistory: sharedBursts,
  },
  {
    name: 'ramp',
    about: 'canary at 1, 5, 25, 50 % while both drift from 0.5 to 1.5 % errors and get 1.5x slower',
    clusterMean: 1,
    begin: driftAndRamp,
    beginHistory: steady,
  },
  {
    name: 'clusters',
    about: 'errors come in clusters of mean size 4, as retries make them',
    clusterMean: 4,
    begin: steady,
    beginHistory: steady,
  },
  {
    name: 'incident',
    about: 'one moment of 20 s in each cohort, at different times: 20x the errors',
    clusterMean: 1,
    begin: incidents,
    beginHistory: steady,
  },
  {
    name: 'cold-start',
    about: 'for 60 s the canary has 4x the errors and is 2x as slow',
    clusterMean: 1,
    begin: coldStart,
    beginHistory: steady,
  },
  {
    name: 'pod-noise',
    about: 'each cohort wanders by itself: latency by 3 %, errors by 30 %, with a memory of 60 s',
    clusterMean: 1,
    begin: podNoise,
    beginHistory: podNoise,
  },
  {
    name: 'grown',
    about: 'pod-noise, where the history that scatter is learned from had a tenth of the traffic',
    clusterMean: 1,
    begin: podNoise,
    beginHistory: (random, stretch) =>
      podNoise(random, { ...stretch, traffic: tenthOf(stretch.traffic) }),
  },
];
