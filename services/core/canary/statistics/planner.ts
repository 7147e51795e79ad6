import { normalDensity } from './normal.ts';
import type { Line } from '../metrics/rate-test.ts';

/**
 * What size of regression a canary can show by its deadline, said before it starts.
 *
 * Any judge that rolls back at most alpha of the good canaries needs on average at least
 * ln(1/alpha) / I seconds to find a bad one (Wald), where I is the Kullback-Leibler information of a
 * second of traffic against the nearest point of "no worse than tolerated". In simulation nine of ten
 * regressions are found within `NINE_OF_TEN` times that, so a plan solves
 * sum of seconds * I(regression) = NINE_OF_TEN * ln(1/alpha) for the regression.
 */

/** A stretch of the judged time with steady traffic; a ramp of weights is a list of them. */
export type Exposure = {
  readonly seconds: number;
  /** Requests a second of each cohort. */
  readonly canaryRps: number;
  readonly baselineRps: number;
};

type Plan = {
  /** Judged time only: without the warm-up. */
  readonly exposures: readonly Exposure[];
  /** The share of the false-rollback budget that this metric may spend: its weight times alpha. */
  readonly alpha: number;
  /** How much more the counts scatter than independent requests would; at least 1. */
  readonly dispersion: number;
};

export type ErrorsPlan = Plan & {
  /** Errors per request of the baseline. */
  readonly baselineRate: number;
  readonly tolerance: Line;
};

export type LatencyPlan = Plan & {
  /** Standard deviation of ln(duration) between requests, from history. */
  readonly spread: number;
  /** How many times slower the canary may be before it counts as worse; at least 1. */
  readonly toleratedSlowdown: number;
};

/** p90 of the delay / the bound, where the bound is not shorter than a few windows. */
const NINE_OF_TEN = 2.4;
const SLOWDOWN_MAX = 100;
const BISECTIONS = 60;

/**
 * The smallest error rate of the canary (errors per request) that is found in about nine of ten
 * rollouts by the end of the exposures; null: not even a canary that fails always.
 */
export const smallestErrorRate = (plan: ErrorsPlan): number | null => {
  const { baselineRate, tolerance } = plan;
  const tolerated = tolerance.relative * baselineRate + tolerance.absolute;
  if (tolerated >= 1) return null;
  const informationOf = (canaryRate: number): number =>
    totalOf(plan, ({ canaryRps, baselineRps }) =>
      errorsInformation(tolerance, canaryRps, canaryRate, baselineRps, baselineRate),
    );
  return smallest(informationOf, needed(plan), tolerated, 1);
};

/**
 * The smallest slowdown of all requests alike (1.1: ten per cent slower) that is found in about nine
 * of ten rollouts; null: not even one of a hundred times. Durations are taken as log-normal.
 */
export const smallestSlowdown = (plan: LatencyPlan): number | null => {
  const { spread, toleratedSlowdown } = plan;
  const informationOf = (slowdown: number): number => {
    const shift = Math.log(slowdown / toleratedSlowdown) / spread;
    return totalOf(plan, ({ canaryRps, baselineRps }) =>
      shiftInformation(shift, canaryRps, baselineRps),
    );
  };
  return smallest(informationOf, needed(plan), toleratedSlowdown, SLOWDOWN_MAX);
};

/**
 * Nats that so many requests of each cohort give on average, at these true rates, about which side of
 * the line `relative * baseline rate + absolute` the canary is on: the least of
 * n_c KL(p_c || c) + n_b KL(p_b || b) over the line's points (c, b). Zero on the line.
 */
export const errorsInformation = (
  { relative, absolute }: Line,
  canaryRequests: number,
  canaryRate: number,
  baselineRequests: number,
  baselineRate: number,
): number => {
  // A cohort alone can be anything: the other one is what it is compared with.
  if (canaryRequests === 0 || baselineRequests === 0) return 0;
  const lineAt = (baseline: number): number => relative * baseline + absolute;
  // Convex along the line, and the least lies between the points that fit one cohort exactly.
  const otherEnd = (canaryRate - absolute) / relative;
  const slopeAt = (baseline: number): number =>
    canaryRequests * relative * entropySlope(canaryRate, lineAt(baseline)) +
    baselineRequests * entropySlope(baselineRate, baseline);
  const low = Math.max(0, Math.min(baselineRate, otherEnd));
  const high = Math.min((1 - absolute) / relative, Math.max(baselineRate, otherEnd));
  const nearest = crossing(slopeAt, low, high);
  return (
    canaryRequests * relativeEntropy(canaryRate, lineAt(nearest)) +
    baselineRequests * relativeEntropy(baselineRate, nearest)
  );
};

/**
 * Nats that so many requests of each cohort give on average about "the canary is not slower", when
 * ln(duration) is normal and the canary's lies `shift` standard deviations higher. The nearest point
 * of the null is that both follow the mixture of the two, weighted by the numbers of requests.
 */
export const shiftInformation = (
  shift: number,
  canaryRequests: number,
  baselineRequests: number,
): number => {
  const total = canaryRequests + baselineRequests;
  if (shift <= 0 || total === 0) return 0;
  const canaryShare = canaryRequests / total;
  const from = -REACH;
  const step = (2 * REACH + shift) / STEPS;
  let sum = 0;
  for (let index = 0; index <= STEPS; index += 1) {
    const at = from + index * step;
    // Simpson's rule: 1 4 2 4 … 4 1.
    const weight = index === 0 || index === STEPS ? 1 : index % 2 === 1 ? 4 : 2;
    const canary = normalDensity(at - shift);
    const baseline = normalDensity(at);
    const mixture = canaryShare * canary + (1 - canaryShare) * baseline;
    sum +=
      weight *
      (canaryShare * canary * Math.log(canary / mixture) +
        (1 - canaryShare) * baseline * Math.log(baseline / mixture));
  }
  return (total * sum * step) / 3;
};

/** KL(true || assumed) of one request that fails or not, in nats. */
const relativeEntropy = (actual: number, assumed: number): number =>
  (actual > 0 ? actual * Math.log(actual / assumed) : 0) +
  (actual < 1 ? (1 - actual) * Math.log((1 - actual) / (1 - assumed)) : 0);

/** Its slope in `assumed`. */
const entropySlope = (actual: number, assumed: number): number =>
  (1 - actual) / (1 - assumed) - actual / assumed;

/** How far to integrate beyond the means, in standard deviations, and in how many steps (even). */
const REACH = 8;
const STEPS = 400;

const needed = ({ alpha, dispersion }: Plan): number =>
  NINE_OF_TEN * dispersion * Math.log(1 / alpha);

const totalOf = (
  { exposures }: Plan,
  informationPerSecond: (exposure: Exposure) => number,
): number =>
  exposures.reduce((sum, exposure) => sum + exposure.seconds * informationPerSecond(exposure), 0);

/** The least value with that much information, which rises with the value; null: there is none. */
const smallest = (
  informationOf: (value: number) => number,
  wanted: number,
  low: number,
  high: number,
): number | null =>
  informationOf(high) < wanted
    ? null
    : crossing((value) => informationOf(value) - wanted, low, high);

/** Where a rising function crosses zero, by bisection; an end where it does not. */
const crossing = (risingOf: (value: number) => number, low: number, high: number): number => {
  let below = low;
  let above = high;
  for (let step = 0; step < BISECTIONS; step += 1) {
    const middle = (below + above) / 2;
    if (risingOf(middle) < 0) below = middle;
    else above = middle;
  }
  return (below + above) / 2;
};
