import type { RateCounts, RatePair } from '../rate-counts.ts';
import { isPairedRate } from '../rate-counts.ts';

// What errors, latency tails and everything else that is counted share: how one window of counts becomes
// log-increments of evidence.

/** A line `relative * baseline rate + absolute`: what the canary's rate is compared with. */
export type Line = { readonly relative: number; readonly absolute: number };

/** What is assumed of a rate before any is seen, and how many requests that is worth. */
export type RatePrior = { readonly rate: number; readonly total: number };

/** A rate predicted from earlier windows and the prior alone. */
export const predictedRate = (seen: RateCounts, prior: RatePrior): number =>
  (seen.events + prior.rate * prior.total) / (seen.total + prior.total);

/**
 * The log-increments of one window against the null "canary rate <= relative * baseline rate + absolute" (for
 * multiples below 1: ">="), one for each alternative rate `multiple * (relative * baselineRate + absolute)`.
 *
 * The alternative (c, b) is projected onto the null's line: (c0, b0), c0 = relative * b0 + absolute, minimises the
 * Kullback-Leibler divergence (reverse information projection; Grunwald, de Heide, Koolen, "Safe testing"). The
 * increment is then e_c ln(c/c0) + e_b ln(b/b0) - n_c (c - c0) - n_b (b - b0), and its exponential has expectation at
 * most 1 at every point of the null: exactly what a projection onto a convex set gives for Poisson counts, and less
 * for sums of independent indicators, since 1 + x <= e^x. `baselineRate` must come from earlier windows; any such
 * value is valid, a good one is fast.
 *
 * `phi` (at least 1) is how much more the counts scatter than independent requests would: every increment is divided
 * by it (quasi-likelihood: valid asymptotically, not exactly).
 */
export const lineIncrements = (
  line: Line,
  multiples: readonly number[],
  baselineRate: number,
  pair: RatePair,
  phi: number,
): readonly number[] => {
  const increments: number[] = [];
  const { canary, baseline } = pair;
  const isPaired = isPairedRate(pair);
  for (const multiple of multiples) {
    if (!isPaired) {
      increments.push(0);
      continue;
    }
    const canaryRate = multiple * (line.relative * baselineRate + line.absolute);
    const baselineNull = projectOntoLine(line, pair, canaryRate, baselineRate);
    const canaryNull = line.relative * baselineNull + line.absolute;
    const increment =
      canary.events * Math.log(canaryRate / canaryNull) +
      baseline.events * Math.log(baselineRate / baselineNull) -
      canary.total * (canaryRate - canaryNull) -
      baseline.total * (baselineRate - baselineNull);
    increments.push(increment / phi);
  }
  return increments;
};

/** The baseline rate of the nearest point on the line: the positive root of a quadratic. */
const projectOntoLine = (
  { relative, absolute }: Line,
  { canary, baseline }: RatePair,
  canaryRate: number,
  baselineRate: number,
): number => {
  const a = canary.total * relative * relative + baseline.total * relative;
  const b =
    canary.total * relative * (absolute - canaryRate) +
    baseline.total * (absolute - relative * baselineRate);
  const c = -baseline.total * baselineRate * absolute;
  const root = Math.sqrt(b * b - 4 * a * c);
  // Two forms of the same root; each is used where it subtracts nothing.
  return b > 0 ? (-2 * c) / (b + root) : (root - b) / (2 * a);
};

/**
 * The log-increments of one window against the null "the canary's share is not above the baseline's" (for odds ratios
 * below 1: "not below"), one for each alternative odds ratio r: p_c = r p / (1 - p + r p), p = `baselineRate`, which
 * is projected onto equal shares p0 = (n_c p_c + n_b p) / (n_c + n_b). The increment is the Bernoulli likelihood ratio
 * k_c ln(p_c/p0) + (n_c - k_c) ln((1-p_c)/(1-p0)) + k_b ln(p/p0) + (n_b - k_b) ln((1-p)/(1-p0)), divided by `phi`.
 * Sharper than the line for events that are not rare (Turner, Ly, Grunwald, two-sample e-variables). `baselineRate`
 * lies between 0 and 1, neither included, and comes from earlier windows.
 */
export const oddsIncrements = (
  oddsRatios: readonly number[],
  baselineRate: number,
  pair: RatePair,
  phi: number,
): readonly number[] => {
  const increments: number[] = [];
  const { canary, baseline } = pair;
  const total = canary.total + baseline.total;
  const events = canary.events + baseline.events;
  const isPaired = isPairedRate(pair);
  for (const ratio of oddsRatios) {
    if (!isPaired) {
      increments.push(0);
      continue;
    }
    // 1 - p + r p: with it p_c = r p / spread and 1 - p_c = (1 - p) / spread.
    const extra = baselineRate * (ratio - 1);
    const canaryRate = (ratio * baselineRate) / (1 + extra);
    const shared = (canary.total * canaryRate + baseline.total * baselineRate) / total;
    const increment =
      canary.events * Math.log(ratio) -
      canary.total * Math.log1p(extra) +
      events * Math.log(baselineRate / shared) +
      (total - events) * Math.log((1 - baselineRate) / (1 - shared));
    increments.push(increment / phi);
  }
  return increments;
};
