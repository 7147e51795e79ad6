import type { RateCounts, RatePair } from '../statistics/rate-counts.ts';
import { isPairedRate } from '../statistics/rate-counts.ts';
import { isGivenUp } from '../statistics/stakes.ts';

// What errors, latency tails and everything else that is counted share: how one window of counts becomes
// log-increments of evidence.

/** A line `relative * baseline rate + absolute`: what the canary's rate is compared with. */
export type Line = { readonly relative: number; readonly absolute: number };

/** No tolerance. */
export const equalShares: Line = { relative: 1, absolute: 0 };

export const isEqualShares = ({ relative, absolute }: Line): boolean =>
  relative === 1 && absolute === 0;

/** What is assumed of a rate before any is seen, and how many requests that is worth. */
export type RatePrior = { readonly rate: number; readonly total: number };

/** A rate predicted from earlier windows and the prior alone. */
export const predictedRate = (seen: RateCounts, prior: RatePrior): number =>
  (seen.events + prior.rate * prior.total) / (seen.total + prior.total);

/**
 * Adds up (to a list, from some place on) the log-increments of one window against the null "canary rate <= relative * baseline rate + absolute" (for
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
 * by it (quasi-likelihood: valid asymptotically, not exactly). Alternatives whose capital (in `capitals`, from some
 * place on) was given up are left out.
 */
export const addLineIncrements = (
  into: number[],
  from: number,
  line: Line,
  multiples: readonly number[],
  baselineRate: number,
  pair: RatePair,
  phi: number,
  capitals: readonly number[] = noCapitals,
  capitalsFrom = 0,
): void => {
  if (!isPairedRate(pair)) return;
  const { canary, baseline } = pair;
  const { relative, absolute } = line;
  // The nearest point on the line is the positive root of a quadratic, of which only one part has the alternative in it.
  const weighed = canary.total * relative;
  const square = weighed * relative + baseline.total * relative;
  const facing = baseline.total * (absolute - relative * baselineRate);
  const fixed = -baseline.total * baselineRate * absolute;
  for (let index = 0; index < multiples.length; index += 1) {
    if (isGivenUp(capitals[capitalsFrom + index])) continue;
    const multiple = multiples[index] ?? 1;
    const canaryRate = multiple * (relative * baselineRate + absolute);
    const single = weighed * (absolute - canaryRate) + facing;
    const root = Math.sqrt(single * single - 4 * square * fixed);
    // Two forms of the same root; each is used where it subtracts nothing.
    const baselineNull =
      single > 0 ? (-2 * fixed) / (single + root) : (root - single) / (2 * square);
    const canaryNull = relative * baselineNull + absolute;
    const increment =
      timesLog(canary.events, canaryRate / canaryNull) +
      timesLog(baseline.events, baselineRate / baselineNull) -
      canary.total * (canaryRate - canaryNull) -
      baseline.total * (baselineRate - baselineNull);
    into[from + index] = (into[from + index] ?? 0) + increment / phi;
  }
};

/** None is given up. */
const noCapitals: readonly number[] = [];

/** Most windows of few requests have no events: what is 0 anyway is not asked for. */
const timesLog = (count: number, ratio: number): number =>
  count === 0 ? 0 : count * Math.log(ratio);

/**
 * The same null as `addLineIncrements` for shares that are not small, with the Bernoulli likelihood instead of Poisson's:
 * sharper, since a share of one half scatters only half as much as a rate would. One increment for each alternative
 * odds ratio r against the tolerated share q = relative * p + absolute, p = `baselineRate`: p_c = r q / (1 - q + r q).
 * It is projected onto the line as there: (q0, p0), q0 = relative * p0 + absolute, minimises the divergence; for the
 * line "equal shares" p0 = (n_c p_c + n_b p) / (n_c + n_b). The increment is
 * k_c ln(p_c/q0) + (n_c - k_c) ln((1-p_c)/(1-q0)) + k_b ln(p/p0) + (n_b - k_b) ln((1-p)/(1-p0)), divided by `phi`
 * (Turner, Ly, Grunwald, two-sample e-variables). `baselineRate` lies between 0 and 1, neither included, and comes from
 * earlier windows. Where everything is tolerated (q >= 1) nothing is evidence.
 */
export const addOddsIncrements = (
  into: number[],
  from: number,
  line: Line,
  alternatives: Odds,
  baselineRate: number,
  canaryTotal: number,
  canaryEvents: number,
  baselineTotal: number,
  baselineEvents: number,
  phi: number,
  capitals: readonly number[] = noCapitals,
  capitalsFrom = 0,
): void => {
  if (!(canaryTotal > 0 && baselineTotal > 0)) return;
  if (line.relative * baselineRate + line.absolute >= 1) return;
  if (isEqualShares(line))
    addEqualShares(
      into,
      from,
      alternatives,
      baselineRate,
      canaryTotal,
      canaryEvents,
      baselineTotal,
      baselineEvents,
      phi,
      capitals,
      capitalsFrom,
    );
  else
    addShares(
      into,
      from,
      line,
      alternatives,
      baselineRate,
      canaryTotal,
      canaryEvents,
      baselineTotal,
      baselineEvents,
      phi,
      capitals,
      capitalsFrom,
    );
};

/** Alternatives: odds ratios and their natural logarithms. */
export type Odds = { readonly ratios: readonly number[]; readonly logs: readonly number[] };

export const oddsOf = (ratios: readonly number[]): Odds => ({
  ratios,
  logs: ratios.map((ratio) => Math.log(ratio)),
});

/** The same, with p0 / p and (1 - p0) / (1 - p) written out: one logarithm less for each alternative. */
const addEqualShares = (
  into: number[],
  from: number,
  { ratios, logs }: Odds,
  baselineRate: number,
  canaryTotal: number,
  canaryEvents: number,
  baselineTotal: number,
  baselineEvents: number,
  phi: number,
  capitals: readonly number[],
  capitalsFrom: number,
): void => {
  const total = canaryTotal + baselineTotal;
  const events = canaryEvents + baselineEvents;
  const canaryPart = canaryTotal / total;
  const baselinePart = baselineTotal / total;
  for (let index = 0; index < ratios.length; index += 1) {
    if (isGivenUp(capitals[capitalsFrom + index])) continue;
    const ratio = ratios[index] ?? 1;
    const spread = 1 + baselineRate * (ratio - 1);
    const increment =
      canaryEvents * (logs[index] ?? 0) +
      baselineTotal * Math.log(spread) -
      timesLog(events, canaryPart * ratio + baselinePart * spread) -
      timesLog(total - events, canaryPart + baselinePart * spread);
    into[from + index] = (into[from + index] ?? 0) + increment / phi;
  }
};

/** Newton's method, which begins so close that two or three rounds do; the bracket makes sure of the rest. */
const roundsMax = 60;
/** The error of a step is about its square. */
const stepMax = 1e-7;

/**
 * For any line. The nearest point on it is where the slope of the divergence, which rises, is zero: it is looked for
 * here and not in a function of its own, which every window would ask for dozens of numbers. The slope is multiplied by
 * q0 (1 - q0) p0 (1 - p0), which is positive: what is left is a cubic, which needs no divisions, with the same root.
 */
const addShares = (
  into: number[],
  from: number,
  { relative, absolute }: Line,
  { ratios }: Odds,
  baselineRate: number,
  canaryTotal: number,
  canaryEvents: number,
  baselineTotal: number,
  baselineEvents: number,
  phi: number,
  capitals: readonly number[],
  capitalsFrom: number,
): void => {
  const tolerated = relative * baselineRate + absolute;
  const weighed = canaryTotal * relative;
  const baselineWeight = baselineTotal / (baselineRate * (1 - baselineRate));
  const relativeSquared = relative * relative;
  // The cubic's coefficients, as far as no alternative is in them.
  const linear = relative * (1 - 2 * absolute);
  const constant = absolute * (1 - absolute);
  const cubic = -relative * weighed - baselineTotal * relativeSquared;
  const squares = baselineTotal * (linear + baselineRate * relativeSquared);
  const singles = baselineTotal * (constant - baselineRate * linear);
  const none = -baselineTotal * baselineRate * constant;
  // First all the nearest points, then the logarithms: what is alike is done faster in a row.
  for (let index = 0; index < ratios.length; index += 1) {
    if (isGivenUp(capitals[capitalsFrom + index])) continue;
    const ratio = ratios[index] ?? 1;
    const canaryRate = (ratio * tolerated) / (1 + tolerated * (ratio - 1));
    const facing = (canaryRate - absolute) / relative;
    let low = Math.max(0, Math.min(facing, baselineRate));
    let high = Math.max(facing, baselineRate);
    // Both ends weighed by how exactly each cohort says where it is.
    const canaryWeight = (canaryTotal * relativeSquared) / (canaryRate * (1 - canaryRate));
    let at =
      (canaryWeight * facing + baselineWeight * baselineRate) / (canaryWeight + baselineWeight);
    if (!(at > low && at < high)) at = (low + high) / 2;
    const short = weighed * (absolute - canaryRate);
    const square = squares + weighed * relative - short;
    const single = singles + short;
    for (let round = 0; round < roundsMax; round += 1) {
      const pull = ((cubic * at + square) * at + single) * at + none;
      const bend = (3 * cubic * at + 2 * square) * at + single;
      const next = at - pull / bend;
      // Where all is tolerated but a little, that little is the measure.
      const isThere = Math.abs(next - at) <= stepMax * at * (1 - relative * at - absolute);
      if (pull > 0) high = at;
      else low = at;
      at = isThere || (next > low && next < high) ? next : (low + high) / 2;
      if (isThere) break;
    }
    nearest[index] = at;
  }
  for (let index = 0; index < ratios.length; index += 1) {
    if (isGivenUp(capitals[capitalsFrom + index])) continue;
    const ratio = ratios[index] ?? 1;
    const canaryRate = (ratio * tolerated) / (1 + tolerated * (ratio - 1));
    const at = nearest[index] ?? 0;
    const canaryNull = relative * at + absolute;
    const increment =
      timesLog(canaryEvents, canaryRate / canaryNull) +
      timesLog(canaryTotal - canaryEvents, (1 - canaryRate) / (1 - canaryNull)) +
      timesLog(baselineEvents, baselineRate / at) +
      timesLog(baselineTotal - baselineEvents, (1 - baselineRate) / (1 - at));
    into[from + index] = (into[from + index] ?? 0) + increment / phi;
  }
};

/** Of one call and overwritten by the next. */
const nearest: number[] = [0.5];
