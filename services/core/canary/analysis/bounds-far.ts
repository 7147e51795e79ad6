import { metricAt } from '../judge/metric-at.ts';
import { latencySlowerPart, noBoundIn } from '../metrics/latency.ts';
import type { LatencyRule, LatencyState, NoBoundOf } from '../metrics/latency.ts';
import type { SlowerPartOf } from '../metrics/slower-part.ts';
import { unpromotedIn } from './unpromoted.ts';
import type { Unpromoted } from './unpromoted.ts';

/** With fewer requests of the baseline it may be chance that none was beyond a bound. */
const requestsMin = 500;

/** The metrics by which nothing is promoted so far, as no bound of their buckets lies near the durations. */
export const boundsFar = (analysis: Unpromoted): readonly NoBoundOf[] =>
  ofDurations(analysis, (metric, rule, state) => {
    const noBound = noBoundIn(rule, state);
    return noBound === null || noBound.baseline.total < requestsMin ? [] : [{ metric, ...noBound }];
  });

/** The metrics by which nothing is promoted while a part of the canary's requests plainly takes longer. */
export const slowerParts = (analysis: Unpromoted): readonly SlowerPartOf[] =>
  ofDurations(analysis, (metric, rule, state) => {
    const slowerPart = latencySlowerPart(rule, state);
    return slowerPart === null ? [] : [{ metric, ...slowerPart }];
  });

const ofDurations = <Told>(
  analysis: Unpromoted,
  toldOf: (metric: string, rule: LatencyRule, state: LatencyState) => readonly Told[],
): readonly Told[] => {
  const unpromoted = unpromotedIn(analysis);
  if (unpromoted === undefined) return [];
  const { rule, judge } = unpromoted;
  return rule.metrics.flatMap((metric, index) => {
    const state = metricAt(rule, judge, index);
    return metric.judged === 'latency' && state?.judged === 'latency'
      ? toldOf(metric.id, metric.rule, state)
      : [];
  });
};
