import { ruleIn } from '../attempts/frozen.ts';
import { noBoundIn } from '../metrics/latency.ts';
import type { NoBoundOf } from '../metrics/latency.ts';
import type { AnalysisState } from './analysis-state.ts';

/** With fewer requests of the baseline it may be chance that none was beyond a bound. */
const requestsMin = 500;

/** The metrics by which nothing is promoted so far, as no bound of their buckets lies near the durations. */
export const boundsFar = ({
  opening,
  judge,
  windowMs,
  ended,
}: Pick<AnalysisState, 'opening' | 'judge' | 'windowMs' | 'ended'>): readonly NoBoundOf[] => {
  const rule = windowMs === null || ended !== null ? null : ruleIn(opening, windowMs);
  if (rule === null || judge === null) return [];
  return rule.metrics.flatMap((metric, index) => {
    const state = judge.metrics[index];
    if (metric.judged !== 'latency' || state?.judged !== 'latency') return [];
    const noBound = noBoundIn(metric.rule, state);
    return noBound === null || noBound.baseline.total < requestsMin
      ? []
      : [{ metric: metric.id, ...noBound }];
  });
};
