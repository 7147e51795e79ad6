import { ruleIn } from '../attempts/frozen.ts';
import type { FamilyRule } from '../judge/rule.ts';
import type { FamilyState } from '../judge/state.ts';
import type { AnalysisState } from './analysis-state.ts';

export type Unpromoted = Pick<AnalysisState, 'opening' | 'judge' | 'windowMs' | 'ended'>;

/**
 * The judge of a canary that may still be promoted, with its rule. Undefined before a window is judged, once it has ended,
 * and in the bake after a promotion: what holds a promotion is no news any more.
 */
export const unpromotedIn = ({
  opening,
  judge,
  windowMs,
  ended,
}: Unpromoted): { readonly rule: FamilyRule; readonly judge: FamilyState } | undefined => {
  if (judge === null || windowMs === null || ended !== null || judge.promoted !== null)
    return undefined;
  const rule = ruleIn(opening, windowMs);
  return rule === null ? undefined : { rule, judge };
};
