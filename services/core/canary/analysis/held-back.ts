import { ruleIn } from '../attempts/frozen.ts';
import { isRequired } from '../judge/missing.ts';
import { trafficLostRemedy, trafficLostWords } from '../judge/sentence.ts';
import { trafficLost } from '../metrics/traffic.ts';
import type { AnalysisState } from './analysis-state.ts';

/** A metric by which nothing is promoted for what its newest windows show, whatever the evidence; in words. */
export type HeldBack = {
  readonly metric: string;
  readonly code: (typeof heldBackCodes)[number];
  readonly message: string;
  /** What mends it. */
  readonly hint: string;
};

export const heldBackCodes = ['traffic-lost'] as const;

export const heldBack = ({
  opening,
  judge,
  windowMs,
  ended,
}: Pick<AnalysisState, 'opening' | 'judge' | 'windowMs' | 'ended'>): readonly HeldBack[] => {
  const rule = windowMs === null || ended !== null ? null : ruleIn(opening, windowMs);
  if (rule === null || judge === null) return [];
  return rule.metrics.flatMap((metric, index): readonly HeldBack[] => {
    const state = judge.metrics[index];
    if (metric.judged !== 'traffic' || state?.judged !== 'traffic') return [];
    const lost = isRequired(rule, judge, index) ? trafficLost(metric.rule, state) : null;
    if (lost === null) return [];
    const message = trafficLostWords(lost);
    return [{ metric: metric.id, code: 'traffic-lost', message, hint: trafficLostRemedy }];
  });
};
