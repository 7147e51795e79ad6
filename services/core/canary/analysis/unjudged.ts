import type { Attempt } from '../../deployment.ts';
import type { SlotState } from '../../slot-state.ts';
import { slotAsSeen } from '../../slot-state.ts';
import type { Policy } from '../policy/policy.ts';
import type { Rollout } from '../rollouts/comparison.ts';
import { awaitsColour, comparisonOf } from '../rollouts/comparison.ts';

/**
 * Why nothing is judged, where that is plain:
 * - `no-canary`: it has no share, and the policy asks for no other rollout of that kind;
 * - `not-switched`: of a blue/green rollout no colour has got the traffic yet;
 * - `on-behalf`: it was said with a token, whose word the policy does not take;
 * - `not-started`: nobody has said that it runs;
 * - `no-baseline`: nothing held the slot before it, so there is nothing to compare it with;
 * - `baseline-on-behalf`: something holds it, on the word of such a token alone.
 */
export const unjudgedCauses = [
  'no-canary',
  'not-switched',
  'on-behalf',
  'not-started',
  'no-baseline',
  'baseline-on-behalf',
] as const;

export type Unjudged = (typeof unjudgedCauses)[number];

/** What the policy of a place has judged, and whose word it takes. */
export type Judges = Pick<Policy, 'rollouts' | 'onBehalf'>;

/** Of an attempt that has not ended; `slot`: as it is now. Null: nothing that the log tells keeps it from being judged. */
export const unjudgedOf = (
  deployment: string | undefined,
  attempt: Rollout & Pick<Attempt, 'status' | 'onBehalf'>,
  slot: Pick<SlotState, 'holders' | 'keysAlone'> | undefined,
  { rollouts, onBehalf }: Judges,
): Unjudged | null => {
  const takesTokens = onBehalf === 'accept';
  if (comparisonOf(attempt, rollouts) === undefined)
    return awaitsColour(attempt, rollouts) ? 'not-switched' : 'no-canary';
  if (attempt.onBehalf !== null && !takesTokens) return 'on-behalf';
  if (attempt.status !== 'running') return 'not-started';
  if (slot === undefined) return 'no-baseline';
  const isHeld = ({ holders }: Pick<SlotState, 'holders'>): boolean =>
    holders.some((holder) => holder.deployment !== deployment);
  if (isHeld(slotAsSeen(slot, takesTokens))) return null;
  return isHeld(slot) ? 'baseline-on-behalf' : 'no-baseline';
};
