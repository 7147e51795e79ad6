import type { Attempt } from '../../deployment.ts';
import type { SlotState } from '../../slot-state.ts';

/**
 * Why nothing is judged, where that is plain: nobody has said that it runs, or nothing held the slot before it, so that
 * there is nothing to compare it with.
 */
export type Unjudged = 'not-started' | 'no-baseline';

/** Of an attempt that has not ended; `slot`: as it is now. Null: nothing that the log tells keeps it from being judged. */
export const unjudgedOf = (
  deployment: string | undefined,
  { status }: Pick<Attempt, 'status'>,
  slot: Pick<SlotState, 'holders'> | undefined,
): Unjudged | null => {
  if (status !== 'running') return 'not-started';
  const holders = slot?.holders ?? [];
  return holders.some((holder) => holder.deployment !== deployment) ? null : 'no-baseline';
};
