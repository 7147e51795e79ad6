import type { AnalysisState } from '../core/canary/analysis/analysis-state.ts';
import { boundsFar } from '../core/canary/analysis/bounds-far.ts';
import { unsentIn } from '../core/canary/analysis/judging-note.ts';
import { statusUnsaid } from '../core/canary/analysis/status-unsaid.ts';
import { targetsTogether } from '../core/canary/analysis/targets-together.ts';
import type { AnalyserEvent } from './ports.ts';

/** Null: there is nothing to tell. Undefined: not yet. */
type EventOf = (analysis: AnalysisState) => AnalyserEvent | null | undefined;

/** Tells of each analysis of this process, once, what its policy should say otherwise. */
export const openToldOnce = (
  tell: (event: AnalyserEvent) => void,
): ((analyses: readonly AnalysisState[]) => void) => {
  const tellers = [unsentOf, togetherOf, noBoundOf, statusUnsaidOf].map((eventOf) =>
    openTeller(tell, eventOf),
  );
  return (analyses) => {
    for (const tellOf of tellers) tellOf(analyses);
  };
};

const openTeller = (
  tell: (event: AnalyserEvent) => void,
  eventOf: EventOf,
): ((analyses: readonly AnalysisState[]) => void) => {
  let told: ReadonlySet<string> = new Set();
  return (analyses) => {
    const known = new Set<string>();
    for (const analysis of analyses) {
      if (analysis.ended !== null) continue;
      const id = analysis.opening.analysis;
      const event = told.has(id) ? null : eventOf(analysis);
      if (event === undefined) continue;
      known.add(id);
      if (event !== null) tell(event);
    }
    told = known;
  };
};

/** Which metrics neither cohort has shown by the end of the warm-up: a name that nobody sends looks like one that is fine. */
const unsentOf: EventOf = (analysis) => {
  const { opening, judge } = analysis;
  if (judge === null || judge.presenceIndex === null) return undefined;
  const metrics = unsentIn(analysis);
  if (metrics.length === 0) return null;
  const { analysis: id, deployment } = opening;
  return { event: 'metric-unsent', analysis: id, deployment, metrics };
};

/** That several targets are judged as one. */
const togetherOf: EventOf = (analysis) => {
  const { analysis: id, deployment, target } = analysis.opening;
  if (target === null) return null;
  const targets = targetsTogether(analysis);
  return targets.length === 0
    ? undefined
    : { event: 'targets-together', analysis: id, deployment, target, targets };
};

/** That nothing is promoted by its buckets. */
const noBoundOf: EventOf = (analysis) => {
  const { analysis: id, deployment } = analysis.opening;
  const metrics = boundsFar(analysis);
  return metrics.length === 0
    ? undefined
    : { event: 'no-bound', analysis: id, deployment, metrics };
};

/** That nothing is promoted, as one cohort does not say what became of its requests. */
const statusUnsaidOf: EventOf = (analysis) => {
  const { analysis: id, deployment } = analysis.opening;
  const metrics = statusUnsaid(analysis);
  return metrics.length === 0
    ? undefined
    : { event: 'status-unsaid', analysis: id, deployment, metrics };
};
