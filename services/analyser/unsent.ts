import type { AnalysisState } from '../core/canary/analysis/analysis-state.ts';
import { unsentIn } from '../core/canary/analysis/judging-note.ts';
import type { AnalyserEvent } from './ports.ts';

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
    for (const analysis of analyses) {
      const { opening, ended, judge } = analysis;
      if (ended !== null || judge === null || judge.presenceIndex === null) continue;
      known.add(opening.analysis);
      if (told.has(opening.analysis)) continue;
      const metrics = unsentIn(analysis);
      if (metrics.length === 0) continue;
      const { analysis: id, deployment } = opening;
      tell({ event: 'metric-unsent', analysis: id, deployment, metrics });
    }
    told = known;
  };
};
