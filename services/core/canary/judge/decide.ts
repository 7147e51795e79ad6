import { hasEnded } from './judge.ts';
import type { FamilyRule } from './rule.ts';
import type { FamilyState } from './state.ts';
import { windowsIn } from './times.ts';
import { explain, verdictOf } from './verdict-of.ts';
import type { Explanation, Verdict } from './verdict.ts';

/** What the newest window leads to. */
export type FamilyDecision = {
  /** Nothing follows: the analysis ends here. */
  readonly final: boolean;
  readonly verdict: Verdict;
  readonly explanation: Explanation;
} & (
  | { readonly action: 'promote' | 'hold' | 'roll-back' }
  /** `share` of the traffic, between 0 and 1. */
  | { readonly action: 'advance'; readonly share: number }
);

type Action =
  | { readonly action: 'promote' | 'hold' | 'roll-back' }
  | { readonly action: 'advance'; readonly share: number };

/**
 * The decision that the last window brought about, if any:
 * - `roll-back` (final) once the evidence suffices, or the test at the deadline says so;
 * - `advance` once for each step, `promote` once, after which only a `roll-back` follows, until the bake is over;
 * - `hold` once for each silence, and a final one at the deadline.
 * It depends on the state alone, so asking twice, or again after a restart, gives the same answer.
 */
export const decide = (rule: FamilyRule, state: FamilyState): FamilyDecision | undefined => {
  const action = newAction(rule, state);
  if (action === undefined) return undefined;
  return {
    ...action,
    final: hasEnded(rule, state),
    verdict: verdictOf(rule, state),
    explanation: explain(rule, state),
  };
};

const newAction = (rule: FamilyRule, state: FamilyState): Action | undefined => {
  const { failed, promoted, advanced, silentFrom } = state;
  const last = state.nextIndex - 1;
  if (failed !== null) return failed.index === last ? { action: 'roll-back' } : undefined;
  if (promoted !== null) return promoted.index === last ? { action: 'promote' } : undefined;
  const deadlineWindows = windowsIn(rule, rule.deadlineMs);
  if (state.nextIndex >= deadlineWindows)
    return state.nextIndex === deadlineWindows ? { action: 'hold' } : undefined;
  if (advanced?.index === last) return { action: 'advance', share: advanced.share };
  return silentFrom === last ? { action: 'hold' } : undefined;
};
