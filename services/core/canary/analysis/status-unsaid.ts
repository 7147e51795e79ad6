import { ruleIn } from '../attempts/frozen.ts';
import { unsaidAt } from '../judge/missing.ts';
import type { Unsaid } from '../judge/said.ts';
import type { AnalysisState } from './analysis-state.ts';

/** A metric by which nothing is promoted so far, as one cohort does not say what became of its requests. */
export type UnsaidOf = Unsaid & { readonly metric: string };

export const statusUnsaid = ({
  opening,
  judge,
  windowMs,
  ended,
}: Pick<AnalysisState, 'opening' | 'judge' | 'windowMs' | 'ended'>): readonly UnsaidOf[] => {
  const rule = windowMs === null || ended !== null ? null : ruleIn(opening, windowMs);
  if (rule === null || judge === null) return [];
  return rule.metrics.flatMap(({ id: metric }, index) => {
    const unsaid = unsaidAt(rule, judge, index);
    return unsaid === null ? [] : [{ metric, ...unsaid }];
  });
};
