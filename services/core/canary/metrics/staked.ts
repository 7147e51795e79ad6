import type { BlockPlace } from '../evidence.ts';
import type { MetricEvidence } from '../metric-judge.ts';
import type { StakeRules, Stakes } from '../stakes.ts';
import { addToStakes, logCapital, withoutRestarts } from '../stakes.ts';

/** A metric that stakes on both questions: whether the canary is worse than tolerated, and whether it is good enough. */
export type Staked = MetricEvidence & { readonly rollback: Stakes; readonly promote: Stakes };

/** Takes one window's log-increments in, for either question; the same state where nothing changes. */
export const withEvidence = <State extends Staked>(
  rules: StakeRules,
  state: State,
  forRollback: readonly number[],
  forPromote: readonly number[],
  place: BlockPlace,
): State => {
  const promoteRules = withoutRestarts(rules);
  const rollback = addToStakes(state.rollback, forRollback, place, rules);
  const promote = addToStakes(state.promote, forPromote, place, promoteRules);
  if (rollback === state.rollback && promote === state.promote) return state;
  return {
    ...state,
    rollback,
    promote,
    logRollback: logCapital(rollback, rules),
    logPromote: logCapital(promote, promoteRules),
  };
};
