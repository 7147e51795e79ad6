import { hasEnded } from './judge.ts';
import type { FamilyRule } from './rule.ts';
import type { FamilyState } from './state.ts';
import { windowsIn } from './times.ts';
import { explain, verdictOf } from './verdict-of.ts';
import type { Explanation, Verdict } from './verdict.ts';

/** What the newest window leads to. */
export type FamilyDecision = {
  readonly action: 'promote' | 'advance' | 'hold' | 'roll-back';
  /** Of the traffic, between 0 and 1, what to advance to; null: it is no advance. */
  readonly share: number | null;
  /** Nothing follows: the analysis ends here. */
  readonly final: boolean;
  readonly verdict: Verdict;
  readonly explanation: Explanation;
};

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
    action,
    share: action === 'advance' ? (state.advanced?.share ?? null) : null,
    final: hasEnded(rule, state),
    verdict: verdictOf(rule, state),
    explanation: explain(rule, state),
  };
};

const newAction = (
  rule: FamilyRule,
  { nextIndex, failed, promoted, advanced, silentFrom }: FamilyState,
): FamilyDecision['action'] | undefined => {
  const last = nextIndex - 1;
  if (failed !== null) return failed.index === last ? 'roll-back' : undefined;
  if (promoted !== null) return promoted.index === last ? 'promote' : undefined;
  const deadlineWindows = windowsIn(rule, rule.deadlineMs);
  if (nextIndex >= deadlineWindows) return nextIndex === deadlineWindows ? 'hold' : undefined;
  if (advanced?.index === last) return 'advance';
  return silentFrom === last ? 'hold' : undefined;
};
