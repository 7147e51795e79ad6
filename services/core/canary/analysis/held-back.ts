import { ruleIn } from '../attempts/frozen.ts';
import { clientErrorsAt, isRequired } from '../judge/missing.ts';
import {
  clientErrorsRemedy,
  clientErrorsWords,
  trafficLostRemedy,
  trafficLostWords,
} from '../judge/sentence.ts';
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

export const heldBackCodes = ['traffic-lost', 'client-errors'] as const;

export const heldBack = ({
  opening,
  judge,
  windowMs,
  ended,
}: Pick<AnalysisState, 'opening' | 'judge' | 'windowMs' | 'ended'>): readonly HeldBack[] => {
  const rule = windowMs === null || ended !== null ? null : ruleIn(opening, windowMs);
  if (rule === null || judge === null) return [];
  return rule.metrics.flatMap((metric, index): readonly HeldBack[] => {
    const { id } = metric;
    const state = judge.metrics[index];
    if (!isRequired(rule, judge, index)) return [];
    if (metric.judged === 'traffic' && state?.judged === 'traffic') {
      const lost = trafficLost(metric.rule, state);
      if (lost === null) return [];
      const message = trafficLostWords(lost);
      return [{ metric: id, code: 'traffic-lost', message, hint: trafficLostRemedy }];
    }
    const clientErrors = clientErrorsAt(rule, judge, index);
    if (clientErrors === null) return [];
    const message = clientErrorsWords(clientErrors);
    return [{ metric: id, code: 'client-errors', message, hint: clientErrorsRemedy }];
  });
};
