import type { BlockPlace } from '../evidence.ts';
import type { MetricEvidence } from '../metric-judge.ts';
import type { StakeRules, Stakes } from '../stakes.ts';
import { alternativesOf, isOpen, logCapital, restarted, settle } from '../stakes.ts';

/** A metric that stakes on both questions: whether the canary is worse than tolerated, and whether it is good enough. */
export type Staked = MetricEvidence & {
  readonly rollback: Stakes;
  readonly promote: Stakes;
  /**
   * The running block: sums of the metric's own, then how much each alternative of `rollback` has grown, then each of
   * `promote`.
   */
  readonly running: readonly number[];
};

/** Where the growth of `promote` begins, if that of `rollback` does at `from`. */
export const promoteFrom = ({ rollback }: Staked, from: number): number =>
  from + alternativesOf(rollback);

/**
 * With one window, whose growth is in `running` already (the state's own list: it says nothing); the same state where
 * nothing changes. A block that ends is settled, and its growth 0 again. Growth begins at `from`.
 */
export const withEvidence = (
  rules: StakeRules,
  before: Staked,
  running: readonly number[],
  from: number,
  place: BlockPlace,
): Staked => {
  const begun = restarted(before.rollback, place, rules);
  const isEnding = place.endsBlock && isOpen(running, from);
  if (running === before.running && begun === before.rollback && !isEnding) return before;
  const promoteAt = promoteFrom(before, from);
  if (!isEnding)
    return {
      logRollback: logCapital(begun, running, from, rules),
      logPromote: logCapital(before.promote, running, promoteAt, rules),
      rollback: begun,
      promote: before.promote,
      running,
    };
  const rollback = settle(begun, running, from, rules);
  const promote = settle(before.promote, running, promoteAt, rules);
  const cleared = running.slice().fill(0, from);
  return {
    logRollback: logCapital(rollback, cleared, from, rules),
    logPromote: logCapital(promote, cleared, promoteAt, rules),
    rollback,
    promote,
    running: cleared,
  };
};
