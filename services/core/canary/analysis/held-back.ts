import { clientErrorsAt, isRequired } from '../judge/missing.ts';
import {
  clientErrorsRemedy,
  clientErrorsWords,
  trafficLostRemedy,
  trafficLostWords,
} from '../judge/sentence.ts';
import { trafficLost } from '../metrics/traffic.ts';
import { unpromotedIn } from './unpromoted.ts';
import type { Unpromoted } from './unpromoted.ts';

/** A metric by which nothing is promoted for what its newest windows show, whatever the evidence; in words. */
export type HeldBack = {
  readonly metric: string;
  readonly code: (typeof heldBackCodes)[number];
  readonly message: string;
  /** What mends it. */
  readonly hint: string;
};

export const heldBackCodes = ['traffic-lost', 'client-errors'] as const;

export const heldBack = (analysis: Unpromoted): readonly HeldBack[] => {
  const unpromoted = unpromotedIn(analysis);
  if (unpromoted === undefined) return [];
  const { rule, judge } = unpromoted;
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
