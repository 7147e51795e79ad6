import type { Attempt, Deployment, Plan } from './lifecycle.ts';
import type { Slot } from './markers/marker.ts';
import { sameSlot } from './markers/slot.ts';
import type { KeyState, Trust } from './trust/trust.ts';
import { coversSlot } from './trust/trust.ts';

// Which attempts of a deployment a marker meets. Deployment ids and CI tokens can be guessed, so a key with a
// narrow scope may plan another's deployment first, or beside: its attempts must stand in nobody's way.

export type PlannedAttempt = Attempt & { readonly plan: Plan };

/**
 * The planned attempts that a marker of this signer meets, in order: those in a slot where the signer may act and
 * whose planner may act in the marker's slot. A marker that names none is about the first slot that no key
 * of wider scope contests.
 */
export const attemptsMet = (
  deployment: Deployment | undefined,
  signer: KeyState,
  named: Slot | null,
  trust: Trust,
): readonly PlannedAttempt[] => {
  const reachable = (deployment?.attempts ?? []).filter(
    (attempt): attempt is PlannedAttempt =>
      attempt.plan !== null && coversSlot(signer, attempt.plan.slot),
  );
  const slot = named ?? uncontestedSlot(reachable, trust);
  return slot === undefined
    ? []
    : reachable.filter(({ plan }) => plannerMayActIn(plan, slot, trust));
};

export const unplannedAttempts = (deployment: Deployment | undefined): readonly Attempt[] =>
  (deployment?.attempts ?? []).filter(({ plan }) => plan === null);

const uncontestedSlot = (attempts: readonly PlannedAttempt[], trust: Trust): Slot | undefined => {
  const first = attempts[0];
  if (first === undefined) return undefined;
  if (attempts.every(({ plan }) => sameSlot(plan.slot, first.plan.slot))) return first.plan.slot;
  const uncontested = attempts.find(
    ({ plan }) => !attempts.some((other) => isContested(plan, other.plan, trust)),
  );
  return (uncontested ?? first).plan.slot;
};

/** The other planner may act here, but this one not there. */
const isContested = (plan: Plan, other: Plan, trust: Trust): boolean =>
  plannerMayActIn(other, plan.slot, trust) && !plannerMayActIn(plan, other.slot, trust);

const plannerMayActIn = (plan: Plan, slot: Slot, trust: Trust): boolean => {
  const planner = trust.keys.get(plan.key);
  return planner !== undefined && coversSlot(planner, slot);
};
