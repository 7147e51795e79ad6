import { shiftBetween } from './mann-whitney.ts';

/**
 * How Kayenta's judge (NetflixACAJudge) classifies one metric, written from its published behaviour.
 * What it calls experiment and control is canary and baseline here.
 */

export type Label = 'pass' | 'high' | 'low' | 'nodata' | 'nodata-fail' | 'error';

export type MetricRule = {
  readonly direction: 'increase' | 'decrease' | 'either';
  /** What becomes of a value that is missing: left out, or counted as zero. */
  readonly missing: 'remove' | 'replace';
  readonly critical: boolean;
  readonly mustHaveData: boolean;
  /** A share of the estimated shift, not of the baseline's level. */
  readonly tolerance: number;
  readonly confidence: number;
  readonly effectSize: 'mean-ratio' | 'cles';
  /** From these effect sizes on (down or up) a shift counts, and counts as critical. */
  readonly allowed: EffectLimits;
  readonly criticalFrom: EffectLimits;
};

export type EffectLimits = { readonly decrease: number; readonly increase: number };

export type Classification = {
  readonly label: Label;
  readonly critical: boolean;
  /** Mean of the canary / mean of the baseline; NaN where one of them is 0. */
  readonly deviation: number;
};

const noLimits: EffectLimits = { decrease: 1, increase: 1 };

/** What the judge does without any setting: 98 %, a quarter of the shift, any effect size. */
export const defaultRule: MetricRule = {
  direction: 'either',
  missing: 'remove',
  critical: false,
  mustHaveData: false,
  tolerance: 0.25,
  confidence: 0.98,
  effectSize: 'mean-ratio',
  allowed: noLimits,
  criticalFrom: noLimits,
};

/** Values are one per step and NaN where there was none. */
export const classifyMetric = (
  canaryValues: readonly number[],
  baselineValues: readonly number[],
  rule: MetricRule,
): Classification => {
  const canary = withoutMissing(canaryValues, rule);
  const baseline = withoutMissing(baselineValues, rule);
  if (canary.length === 0 || baseline.length === 0) return withoutData(rule);
  if (isOneValue([...canary, ...baseline]) || isSameSample(canary, baseline)) {
    return { label: 'pass', critical: false, deviation: 1 };
  }
  // The shift of one value from another has no interval: they are spread by one part in 100,000. Kayenta adds random
  // noise of that size, so that it may judge the same values differently; here the spread is always the same.
  const degenerate = isOneValue(canary) && isOneValue(baseline);
  return classifyShift(
    degenerate ? spreadOut(canary) : canary,
    degenerate ? spreadOut(baseline) : baseline,
    rule,
  );
};

const classifyShift = (
  canary: readonly number[],
  baseline: readonly number[],
  rule: MetricRule,
): Classification => {
  const shift = shiftBetween(canary, baseline, rule.confidence);
  // As published: a judgement that fails is never critical.
  if (shift === undefined) return { label: 'error', critical: false, deviation: 1 };
  const { estimate, low, high } = shift;
  const deviation = meanRatio(canary, baseline);
  const effect = rule.effectSize === 'cles' ? commonLanguageEffect(canary, baseline) : deviation;
  const margin = rule.tolerance * Math.abs(estimate);
  // An effect size that cannot be computed limits nothing.
  const isRaised = (limits: EffectLimits): boolean =>
    Number.isNaN(effect) || effect >= limits.increase;
  const isLowered = (limits: EffectLimits): boolean =>
    Number.isNaN(effect) || effect <= limits.decrease;
  if (rule.direction !== 'decrease' && low > margin && isRaised(rule.allowed)) {
    return { label: 'high', critical: rule.critical && isRaised(rule.criticalFrom), deviation };
  }
  if (rule.direction !== 'increase' && high < -margin && isLowered(rule.allowed)) {
    return { label: 'low', critical: rule.critical && isLowered(rule.criticalFrom), deviation };
  }
  return { label: 'pass', critical: false, deviation };
};

/** Mean of the canary / mean of the baseline; NaN where one of them is 0. */
export const meanRatio = (canary: readonly number[], baseline: readonly number[]): number => {
  const ofCanary = meanOf(canary);
  const ofBaseline = meanOf(baseline);
  return ofCanary === 0 || ofBaseline === 0 ? Number.NaN : ofCanary / ofBaseline;
};

/** The share of pairs in which the canary's value is the higher one; ties count half. */
export const commonLanguageEffect = (
  canary: readonly number[],
  baseline: readonly number[],
): number => {
  let higher = 0;
  for (const ofCanary of canary) {
    for (const ofBaseline of baseline) {
      if (ofCanary > ofBaseline) higher += 1;
      else if (ofCanary === ofBaseline) higher += 0.5;
    }
  }
  return higher / (canary.length * baseline.length);
};

const withoutData = ({ missing, critical, mustHaveData }: MetricRule): Classification => {
  // As published: with missing values replaced, a metric without any value at all passes.
  if (missing === 'replace') return { label: 'pass', critical: false, deviation: 1 };
  if (mustHaveData && !critical) return { label: 'nodata-fail', critical: false, deviation: 1 };
  return { label: 'nodata', critical, deviation: 1 };
};

const withoutMissing = (values: readonly number[], { missing }: MetricRule): readonly number[] =>
  missing === 'remove'
    ? values.filter((value) => !Number.isNaN(value))
    : values.map((value) => (Number.isNaN(value) ? 0 : value));

const isOneValue = (values: readonly number[]): boolean =>
  values.every((value) => value === values[0]);

const isSameSample = (left: readonly number[], right: readonly number[]): boolean => {
  if (left.length !== right.length) return false;
  const sorted = Float64Array.from(right).sort();
  return Float64Array.from(left)
    .sort()
    .every((value, index) => value === sorted[index]);
};

const SPREAD = 1e-5;

const spreadOut = (values: readonly number[]): readonly number[] =>
  values.map((value, index) => value * (1 + SPREAD * (index - (values.length - 1) / 2)));

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
