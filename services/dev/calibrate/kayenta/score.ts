import type { Label } from './classify.ts';

/** How Kayenta's judge turns the labels of the metrics into one number from 0 to 100. */

export type Judgement = {
  readonly label: Label;
  readonly critical: boolean;
  readonly groups: readonly string[];
};

/** Weights of groups in per cent; those without one share what is left. */
export type GroupWeights = Readonly<Record<string, number>>;

/** From so many per cent of metrics without data on, the canary fails. */
const NODATA_PERCENT_MAX = 50;

/**
 * The weighted share of metrics that pass, in per cent, to two decimals; 0 when a critical metric does
 * not pass or half of the metrics have no data. As published, a metric whose judgement failed (`error`)
 * counts nowhere, and a group in which nothing counts scores 100.
 */
export const scoreOf = (judgements: readonly Judgement[], weights: GroupWeights): number => {
  if (judgements.some(({ label, critical }) => critical && label !== 'pass')) return 0;
  const withoutData = judgements.filter(({ label }) => label === 'nodata').length;
  if ((100 * withoutData) / judgements.length >= NODATA_PERCENT_MAX) return 0;
  const groups = new Map<string, Label[]>();
  for (const { label, groups: names } of judgements) {
    for (const name of names) groups.set(name, [...(groups.get(name) ?? []), label]);
  }
  const given = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const unweighted = [...groups.keys()].filter((name) => weights[name] === undefined).length;
  const weightOfRest = unweighted === 0 ? 0 : (100 - given) / unweighted;
  let score = 0;
  for (const [name, labels] of groups) {
    score += (groupScore(labels) * (weights[name] ?? weightOfRest)) / 100;
  }
  return Math.round(score * 100) / 100;
};

export type Outcome = 'pass' | 'marginal' | 'fail';

/** From `pass` points on the canary passes; below `marginal` it has failed. */
export const outcomeOf = (
  score: number,
  thresholds: { readonly pass: number; readonly marginal: number },
): Outcome => {
  if (score >= thresholds.pass) return 'pass';
  return score >= thresholds.marginal ? 'marginal' : 'fail';
};

const groupScore = (labels: readonly Label[]): number => {
  const counted = labels.filter((label) => label !== 'nodata' && label !== 'error').length;
  const passed = labels.filter((label) => label === 'pass').length;
  return counted === 0 ? 100 : (100 * passed) / counted;
};
