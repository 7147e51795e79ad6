import {
  clientErrorsAt,
  isLateNow,
  isLoudNow,
  isOverflownNow,
  isRequired,
  isSparseNow,
  isUnheardNow,
} from '../judge/missing.ts';
import {
  busierRemedy,
  busierWords,
  clientErrorsRemedy,
  clientErrorsWords,
  lateRemedy,
  lateWords,
  loudRemedy,
  loudWords,
  overflownRemedy,
  overflownWords,
  restartsRemedy,
  restartsWords,
  sparseRemedy,
  sparseWords,
  trafficLostRemedy,
  trafficLostWords,
} from '../judge/sentence.ts';
import { trafficLost } from '../metrics/traffic.ts';
import { busierServers } from './busier-servers.ts';
import { unpromotedIn } from './unpromoted.ts';
import type { Unpromoted } from './unpromoted.ts';
import { unknownIn } from '../decision/sentence.ts';
import type { AnalysisState } from './analysis-state.ts';
import { areSendersShared } from '../windows/sparse-exports.ts';

/** By what nothing is promoted for what the newest windows show, or do not show, whatever the evidence; in words. */
export type HeldBack = {
  /** Null: it is so of all. */
  readonly metric: string | null;
  readonly code: (typeof heldBackCodes)[number];
  readonly message: string;
  /** What mends it. */
  readonly hint: string;
};

export const heldBackCodes = [
  'traffic-lost',
  'client-errors',
  'points-unknown',
  'points-late',
  'exports-sparse',
  'instance-loud',
  'attributes-overflown',
  'servers-restart',
  'servers-busier',
] as const;

export const heldBack = (
  analysis: Unpromoted &
    Pick<
      AnalysisState,
      'excluded' | 'eitherPoints' | 'sparseExports' | 'bases' | 'loads' | 'canaryShare'
    >,
): readonly HeldBack[] => {
  const unpromoted = unpromotedIn(analysis);
  if (unpromoted === undefined) return [];
  const { rule, judge } = unpromoted;
  const held = rule.metrics.flatMap((metric, index): readonly HeldBack[] => {
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
  if (isUnheardNow(rule, judge))
    held.push({
      metric: null,
      code: 'points-unknown',
      ...unknownIn(analysis.excluded, analysis.eitherPoints),
    });
  if (isLateNow(rule, judge))
    held.push({ metric: null, code: 'points-late', message: lateWords, hint: lateRemedy });
  if (isSparseNow(rule, judge)) {
    const hint = sparseRemedy(areSendersShared(analysis.sparseExports, analysis.bases));
    held.push({ metric: null, code: 'exports-sparse', message: sparseWords, hint });
  }
  if (isLoudNow(rule, judge))
    held.push({ metric: null, code: 'instance-loud', message: loudWords, hint: loudRemedy });
  if (isOverflownNow(rule, judge))
    held.push({
      metric: null,
      code: 'attributes-overflown',
      message: overflownWords,
      hint: overflownRemedy,
    });
  if (judge.restarts !== null)
    held.push({
      metric: null,
      code: 'servers-restart',
      message: restartsWords(judge.restarts),
      hint: restartsRemedy,
    });
  const busier = busierServers(analysis);
  for (const metric of busier?.metrics ?? [])
    if (busier !== null)
      held.push({
        metric,
        code: 'servers-busier',
        message: busierWords(busier.busier, busier.explained),
        hint: busierRemedy,
      });
  return held;
};
