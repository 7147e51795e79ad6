import { ruleIn } from '../attempts/frozen.ts';
import { latencySlowerPart, noBoundIn } from '../metrics/latency.ts';
import type { LatencyRule, LatencyState, NoBoundOf } from '../metrics/latency.ts';
import type { SlowerPartOf } from '../metrics/slower-part.ts';
import type { AnalysisState } from './analysis-state.ts';

/** With fewer requests of the baseline it may be chance that none was beyond a bound. */
const requestsMin = 500;

type Judged = Pick<AnalysisState, 'opening' | 'judge' | 'windowMs' | 'ended'>;

/** The metrics by which nothing is promoted so far, as no bound of their buckets lies near the durations. */
export const boundsFar = (analysis: Judged): readonly NoBoundOf[] =>
  ofDurations(analysis, (metric, rule, state) => {
    const noBound = noBoundIn(rule, state);
    return noBound === null || noBound.baseline.total < requestsMin ? [] : [{ metric, ...noBound }];
  });

/** The metrics by which nothing is promoted while a part of the canary's requests plainly takes longer. */
export const slowerParts = (analysis: Judged): readonly SlowerPartOf[] =>
  ofDurations(analysis, (metric, rule, state) => {
    const slowerPart = latencySlowerPart(rule, state);
    return slowerPart === null ? [] : [{ metric, ...slowerPart }];
  });

const ofDurations = <Told>(
  { opening, judge, windowMs, ended }: Judged,
  toldOf: (metric: string, rule: LatencyRule, state: LatencyState) => readonly Told[],
): readonly Told[] => {
  const rule = windowMs === null || ended !== null ? null : ruleIn(opening, windowMs);
  if (rule === null || judge === null) return [];
  return rule.metrics.flatMap((metric, index) => {
    const state = judge.metrics[index];
    return metric.judged === 'latency' && state?.judged === 'latency'
      ? toldOf(metric.id, metric.rule, state)
      : [];
  });
};
