import type { Attempt, Deployment, Entry, Plan } from './deployment.ts';
import type { Slot } from './markers/marker.ts';
import { sameSlot } from './markers/slot.ts';
import type { KeyState, Trust } from './trust/trust.ts';
import { coversSlot } from './trust/trust.ts';

// Which attempts of a deployment a marker meets. Deployment ids and CI tokens can be guessed, so a key with a
// narrow scope may plan another's deployment first, or beside: its attempts must stand in nobody's way. The same holds for
// what is said with a token: one key signs for all tokens, so each meets only what was said with the same one.

export type PlannedAttempt = Attempt & { readonly plan: Plan };

/** Who says something: the key, and the token with which somebody speaks through it, or null. */
export type Speaker = { readonly signer: KeyState; readonly voice: string | null };

/** Whether both speak with keys of their own, or both with the same token. */
export const isOfSameVoice = (
  { onBehalf }: Pick<Attempt, 'onBehalf'>,
  { voice }: Pick<Speaker, 'voice'>,
): boolean => onBehalf === voice;

/**
 * The planned attempts that a marker of this signer meets, in order: those in a slot where the signer may act and
 * whose planner may act in the marker's slot. A marker that names none is about the first slot that no key
 * of wider scope contests.
 */
export const attemptsMet = (
  deployment: Deployment | undefined,
  speaker: Speaker,
  named: Slot | null,
  trust: Trust,
): readonly PlannedAttempt[] => {
  const reachable = (deployment?.attempts ?? []).filter(
    (attempt): attempt is PlannedAttempt =>
      attempt.plan !== null &&
      isOfSameVoice(attempt, speaker) &&
      coversSlot(speaker.signer, attempt.plan.slot),
  );
  const slot = named ?? uncontestedSlot(reachable, trust);
  return slot === undefined
    ? []
    : reachable.filter(({ plan }) => plannerMayActIn(plan, slot, trust));
};

/**
 * The same for an update: where it names a slot, the attempts planned there; if there are none it contradicts those
 * that it would meet without naming one.
 */
export const attemptsUpdated = (
  deployment: Deployment | undefined,
  speaker: Speaker,
  named: Slot | null,
  trust: Trust,
): readonly PlannedAttempt[] => {
  const there =
    named === null
      ? []
      : attemptsMet(deployment, speaker, named, trust).filter(({ plan }) =>
          sameSlot(plan.slot, named),
        );
  return there.length > 0 ? there : attemptsMet(deployment, speaker, null, trust);
};

/**
 * The attempts that wait for their plan. Where the slot is known by now, only what was said by somebody who may act
 * there makes an attempt, and its tokens.
 */
export const attemptsWaiting = (
  deployment: Deployment | undefined,
  speaker: Pick<Speaker, 'voice'>,
  slot: Slot | null,
  trust: Trust,
): readonly Attempt[] => {
  const waiting = (deployment?.attempts ?? []).filter(
    (attempt) => attempt.plan === null && isOfSameVoice(attempt, speaker),
  );
  if (slot === null) return waiting;
  return waiting.flatMap((attempt) => {
    const counting = attempt.entries.filter((entry) => expulsion(entry, slot, trust) === undefined);
    const tokens = new Set(counting.flatMap(({ token }) => (token === null ? [] : [token])));
    return counting.length === 0 ? [] : [{ ...attempt, tokens: [...tokens] }];
  });
};

/** Why an update does not count now that its attempt is planned for this slot, or undefined. */
export const expulsion = (
  entry: Entry,
  slot: Slot,
  trust: Trust,
): 'out-of-scope' | 'key-compromised' | undefined => {
  const signer = trust.keys.get(entry.key);
  if (signer === undefined || !coversSlot(signer, slot)) return 'out-of-scope';
  const { compromised } = signer;
  return compromised !== null && compromised.since <= entry.position
    ? 'key-compromised'
    : undefined;
};

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
