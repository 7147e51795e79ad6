import { explain, hasEnded, silenceOf, verdictOf } from './judge.ts';
import type { Explanation, JudgeState, Verdict } from './judge.ts';
import { windowsIn } from './policy.ts';
import type { JudgePolicy } from './policy.ts';

export type DecisionAction = 'promote' | 'hold' | 'roll-back';

/** What the newest window leads to. */
export type Decision = {
  readonly action: DecisionAction;
  /** Nothing follows: the analysis ends here. */
  readonly final: boolean;
  readonly verdict: Verdict;
  readonly explanation: Explanation;
};

/**
 * The decision that the last window brought about, if any: `roll-back` (final) once the evidence
 * suffices, `promote` once, after which only a `roll-back` may follow, `hold` once per silence, and
 * a final `hold` at the deadline. It depends on the state alone, so asking twice, or again after a
 * restart, gives the same answer for the same window.
 */
export const decide = (policy: JudgePolicy, state: JudgeState): Decision | undefined => {
  const action = newAction(policy, state);
  if (action === undefined) return undefined;
  return {
    action,
    final: hasEnded(policy, state),
    verdict: verdictOf(policy, state),
    explanation: explain(policy, state),
  };
};

const newAction = (policy: JudgePolicy, state: JudgeState): DecisionAction | undefined => {
  const lastIndex = state.nextIndex - 1;
  if (state.failed !== null) {
    return state.failed.index === lastIndex ? 'roll-back' : undefined;
  }
  if (state.passed !== null) {
    return state.passed.index === lastIndex ? 'promote' : undefined;
  }
  const deadlineWindows = windowsIn(policy, policy.deadlineMs);
  if (state.nextIndex >= deadlineWindows) {
    return state.nextIndex === deadlineWindows ? 'hold' : undefined;
  }
  return silenceOf(state) === windowsIn(policy, policy.noDataMs) ? 'hold' : undefined;
};
