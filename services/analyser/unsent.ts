import type { AnalysisState } from '../core/canary/analysis-state.ts';
import { policyIn } from '../core/canary/frozen.ts';
import { isSeen } from '../core/canary/judge/metric.ts';
import type { MetricPolicy } from '../core/canary/policy/policy.ts';
import type { AnalyserEvent, UnsentMetric } from './ports.ts';

/**
 * Tells, once for each analysis of this process, which metrics of its policy neither cohort has shown by the end of the
 * warm-up: a name that nobody sends looks like a metric that is fine.
 */
export const openUnsent = (
  tell: (event: AnalyserEvent) => void,
): ((analyses: readonly AnalysisState[]) => void) => {
  let told: ReadonlySet<string> = new Set();
  return (analyses) => {
    const known = new Set<string>();
    for (const { opening, ended, judge, canaryShare } of analyses) {
      const { analysis, deployment } = opening;
      // Until then a metric may still come; then what was staked on it goes to the others.
      if (ended !== null || judge === null || judge.presenceIndex === null) continue;
      known.add(analysis);
      if (told.has(analysis)) continue;
      const unseen = (policyIn(opening)?.metrics ?? []).filter(({ judged }, place) => {
        const state = judge.metrics[place];
        // Of the traffic the share is what nobody told.
        const isAsked = judged !== 'traffic' || canaryShare !== null;
        return isAsked && state !== undefined && !isSeen(state);
      });
      if (unseen.length === 0) continue;
      tell({ event: 'metric-unsent', analysis, deployment, metrics: unseen.map(unsentOf) });
    }
    told = known;
  };
};

const unsentOf = ({ id, critical, source }: MetricPolicy): UnsentMetric => ({
  id,
  critical,
  names: source.names,
});
