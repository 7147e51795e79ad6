import type { Position } from '../../log/record.ts';
import type { Slot } from '../../markers/marker.ts';
import { placeName } from '../../problems/problem.ts';
import type { AttemptLine, SlotState } from '../../slot-state.ts';
import { slotAsSeen } from '../../slot-state.ts';
import type { PolicyStanding } from './question.ts';
import type { Refusal } from './refusal.ts';

// Whose digest nobody said, where the policy asks for one: a roll-back names what runs and what it leads back to, and would
// be refused for it. That is known before there is one.

type Canary = Pick<AttemptLine, 'deployment' | 'status' | 'statusPosition' | 'digest'> & {
  readonly slot: Slot;
  readonly version: string;
};

export const undigestedIn = (
  canary: Canary,
  slot: SlotState | undefined,
  { requiresDigest, onBehalf }: Pick<PolicyStanding, 'requiresDigest' | 'onBehalf'>,
): Refusal | undefined => {
  if (!requiresDigest) return undefined;
  const where = placeName(canary.slot);
  if (canary.digest === null)
    return {
      code: 'digest-missing',
      message: `${canary.version} is planned for ${where} without its digest, and the policy asks for one`,
      hint: 'plan it anew with --digest',
    };
  const held = slot && heldBeside(slotAsSeen(slot, onBehalf === 'accept'), canary);
  return held === undefined || held.digest !== null
    ? undefined
    : {
        code: 'digest-missing',
        message: `${held.version ?? 'what'} holds ${where} without its digest, and the policy asks for one`,
        hint: `plimsoll release log with --digest names what runs; then plan ${canary.version} anew, as this attempt goes back to what it began beside`,
      };
};

/** What a canary that runs was started beside, whatever was said since: its analysis was opened with that. */
const heldBeside = (
  { holders, past }: SlotState,
  { deployment, status, statusPosition }: Canary,
): Pick<AttemptLine, 'version' | 'digest'> | undefined => {
  const others = holders.filter((holder) => holder.deployment !== deployment);
  const wasThere = (position: Position): boolean =>
    status !== 'running' || position < statusPosition;
  return (
    others.findLast((holder) => wasThere(holder.statusPosition)) ??
    past.findLast(({ position }) => wasThere(position)) ??
    others.at(-1)
  );
};
