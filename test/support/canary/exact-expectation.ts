/** Errors per request in both cohorts: one point of a null. */
export type Rates = { readonly canary: number; readonly baseline: number };
export type Exposure = { readonly canary: number; readonly baseline: number };

/** ln of the factor by which some evidence grows when these errors are seen. */
export type LogGrowth = (canaryErrors: number, baselineErrors: number) => number;

/**
 * E[growth] when each request fails by itself: the errors are binomial, and the sum over all of
 * them is finite, so it is exact but for rounding.
 */
export const binomialExpectation = (
  exposure: Exposure,
  rates: Rates,
  logGrowth: LogGrowth,
): number =>
  sumOver(
    logBinomial(exposure.canary, rates.canary),
    logBinomial(exposure.baseline, rates.baseline),
    logGrowth,
  );

/**
 * An upper bound for E[growth] when errors are Poisson: the sum up to a cut far beyond both means,
 * plus all that lies beyond it. `logGrowthMax` must bound the growth by a line:
 * constant + canary * canaryErrors + baseline * baselineErrors.
 */
export const poissonExpectation = (
  exposure: Exposure,
  rates: Rates,
  logGrowth: LogGrowth,
  logGrowthMax: { readonly constant: number; readonly canary: number; readonly baseline: number },
): number => {
  const canary = poissonArm(exposure.canary * rates.canary, Math.exp(logGrowthMax.canary));
  const baseline = poissonArm(exposure.baseline * rates.baseline, Math.exp(logGrowthMax.baseline));
  const beyond =
    Math.exp(logGrowthMax.constant) * (canary.tail * baseline.whole + canary.whole * baseline.tail);
  return sumOver(canary.logChances, baseline.logChances, logGrowth) + beyond;
};

type PoissonArm = {
  readonly logChances: readonly number[];
  /** E[factor^errors], and the part of it that lies beyond the listed chances, or more. */
  readonly whole: number;
  readonly tail: number;
};

/** Under the factor a Poisson count is again Poisson, with mean * factor: its tail is Chernoff's. */
const poissonArm = (mean: number, factor: number): PoissonArm => {
  const tilted = mean * Math.max(factor, 1);
  const cut = Math.ceil(tilted + 12 * Math.sqrt(tilted) + 40);
  const logChances = [-mean];
  for (let errors = 1; errors <= cut; errors += 1) {
    logChances.push((logChances[errors - 1] ?? 0) + Math.log(mean / errors));
  }
  const whole = Math.exp(mean * (factor - 1));
  const tiltedMean = mean * factor;
  const tail =
    tiltedMean === 0 ? 0 : whole * Math.exp(cut - tiltedMean + cut * Math.log(tiltedMean / cut));
  return { logChances, whole, tail };
};

const logBinomial = (trials: number, chance: number): readonly number[] => {
  const logOdds = Math.log(chance) - Math.log1p(-chance);
  const logChances = [trials * Math.log1p(-chance)];
  for (let count = 1; count <= trials; count += 1) {
    const before = logChances[count - 1] ?? 0;
    logChances.push(before + logOdds + Math.log((trials - count + 1) / count));
  }
  return logChances;
};

const sumOver = (
  canary: readonly number[],
  baseline: readonly number[],
  logGrowth: LogGrowth,
): number => {
  let sum = 0;
  for (const [canaryErrors, canaryChance] of canary.entries()) {
    for (const [baselineErrors, baselineChance] of baseline.entries()) {
      sum += Math.exp(canaryChance + baselineChance + logGrowth(canaryErrors, baselineErrors));
    }
  }
  return sum;
};
