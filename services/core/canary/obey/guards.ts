import { analysisIdOf } from '../attempts/canary-attempts.ts';
import type { DecisionSummary } from '../../deployment.ts';
import type { ApprovalRow, AttemptNamed, RollBackSaid, Said, Stop } from '../../guard.ts';
import { freezeOf, isSameAttempt, placeFreezeOf, recentBefore, stopOf } from '../../guard.ts';
import { isoTime } from '../../instant.ts';
import type { Slot } from '../../markers/marker.ts';
import { countOf, placeName } from '../../problems/problem.ts';
import type { Result } from '../../result.ts';
import { ok } from '../../result.ts';
import type { KeyState } from '../../trust/trust.ts';
import { coversKind, coversSlot, hasRole, keyProblem } from '../../trust/trust.ts';
import { firstRefusal } from './form.ts';
import type { ObeyQuestion } from './question.ts';
import type { Refusal } from './refusal.ts';
import { refuse } from './refusal.ts';
import type { JudgedPlace } from './standing.ts';

// What people and limits have to say about it.

/** What was approved may be done for so long after the approval: whoever approves knows the present state only. */
const approvedForMs: number = 30 * 60_000;

export const judgeGuards = (
  decision: DecisionSummary,
  { deployment: { id }, attempt }: Pick<JudgedPlace, 'deployment' | 'attempt'>,
  question: ObeyQuestion,
): Result<void, Refusal> => {
  const { slot, principal: planner } = attempt.plan;
  const own = { deployment: id, attempt: attempt.number };
  return firstRefusal([
    () => judgePolicy(decision, question),
    () => judgeStops(slot, question),
    ...(decision.kind === 'hold'
      ? []
      : [
          () => judgeFreeze(own, slot, question),
          // Whatever was frozen, going back is no change that anybody wants to keep away.
          ...(decision.kind === 'roll-back' ? [] : [() => judgePlaceFreeze(slot, question)]),
          () => judgeApproval(decision, { slot, planner }, question),
        ]),
    ...(decision.kind === 'roll-back' ? [() => judgeCaps(decision, own, slot, question)] : []),
  ]);
};

/** What keeps promotions and advances of an attempt from counting as things stand, before there is one. */
export const barredBy = (own: AttemptNamed, slot: Slot, about: Barring): Refusal | undefined => {
  const judged = firstRefusal([
    () => judgeStops(slot, about),
    () => judgeFreeze(own, slot, about),
    () => judgePlaceFreeze(slot, about),
  ]);
  return judged.ok ? undefined : judged.problem;
};

/** The part of a question that is known before there is a decision. */
export type Barring = {
  readonly rows: Pick<ObeyQuestion['rows'], 'stops' | 'freezes' | 'slotGuard'>;
  readonly policy: Pick<ObeyQuestion['policy'], 'flap'>;
};

const judgePolicy = (
  { policyDigest, mode }: DecisionSummary,
  { policy }: ObeyQuestion,
): Result<void, Refusal> => {
  const { inForce, known, act } = policy;
  if (inForce !== null && policyDigest !== inForce)
    return known.includes(policyDigest)
      ? refuse(
          'policy-not-in-force',
          `it was judged by the policy ${policyDigest.slice(0, 12)}, and ${inForce.slice(0, 12)} was in force when the attempt was started`,
        )
      : refuse(
          'policy-unknown',
          `nobody has set the policy ${policyDigest.slice(0, 12)} that it was judged by`,
          'plimsoll policy set says by which policy canaries are judged',
        );
  // More cautious than the policy asks may anybody be.
  if (act !== null && mode !== act && mode !== 'dry-run')
    return refuse('mode-not-of-policy', `the policy says ${act}, the decision ${mode}`);
  return mode === 'dry-run'
    ? act === null || act === 'dry-run'
      ? refuse('dry-run', 'it was decided for show only', 'the policy says when decisions count')
      : refuse(
          'dry-run',
          'it was decided for show only: what ran before is compared, and nobody knows what this time of day does',
          'from the second day on, with the same version running all the while, such decisions count',
        )
    : ok(undefined);
};

const judgeStops = (slot: Slot, { rows }: Pick<Barring, 'rows'>): Result<void, Refusal> => {
  const stop = stopOf(rows.stops, slot);
  if (stop === undefined) return ok(undefined);
  return refuse('stopped', stoppedText(stop), 'plimsoll decisions resume lets them count again');
};

export const stoppedText = ({ environment, position, principal, reason }: Stop): string =>
  `decisions are stopped ${environment === null ? 'everywhere' : `in ${environment}`} since position ${position} by ${principal}: ${reason}`;

const judgeFreeze = (
  own: AttemptNamed,
  slot: Slot,
  { rows, policy }: Barring,
): Result<void, Refusal> => {
  const freeze = policy.flap.freeze ? freezeOf(rows.slotGuard, own) : undefined;
  return freeze === undefined
    ? ok(undefined)
    : refuse(
        'slot-frozen',
        frozenText(slot, freeze),
        'plimsoll decisions lift lets decisions count there again',
      );
};

export const frozenText = (slot: Slot, { position }: Pick<RollBackSaid, 'position'>): string =>
  `${placeName(slot)} is frozen since the roll-back at position ${position}`;

const judgePlaceFreeze = (slot: Slot, { rows }: Pick<Barring, 'rows'>): Result<void, Refusal> => {
  const freeze = placeFreezeOf(rows.freezes, slot);
  return freeze === undefined
    ? ok(undefined)
    : refuse(
        'place-frozen',
        `${placeName(slot)} is frozen since position ${freeze.position} by ${freeze.principal}: ${freeze.reason}`,
        `plimsoll freeze lift ${freeze.position} ends it`,
      );
};

/**
 * Roll-backs before this one: of the same slot, of its component, of all. A roll-back is final for its attempt, so another
 * one of the same attempt was of a doubted key and leaves this one free. So does that of the attempt whose evidence this
 * one goes on from: the same artifact tried again is no flapping, and it must not run on because it failed before. Of a
 * third attempt the first still counts.
 */
const judgeCaps = (
  { position, at, carriedFrom }: DecisionSummary,
  own: AttemptNamed,
  slot: Slot,
  { rows, policy, digest }: ObeyQuestion,
): Result<void, Refusal> => {
  const { flap, caps } = policy;
  const last = rows.slotGuard?.rollBacks.findLast(
    (other) =>
      other.position < position &&
      other.at > at - flap.windowMs &&
      !isSameAttempt(other, own) &&
      analysisIdOf(digest, other.deployment, other.attempt) !== carriedFrom,
  );
  if (last !== undefined)
    return refuse(
      'flapping',
      `a roll-back of ${placeName(slot)} was decided at ${isoTime(last.at)} already (position ${last.position}); it counts whether anybody obeyed it or not`,
      'two roll-backs so soon are for a person to look at',
    );
  const recent = recentBefore(rows.recent, { position, at });
  const ofComponent = recent.filter(({ component }) => component === slot.component).length;
  const hint = 'so many roll-backs in an hour are for a person to look at';
  if (ofComponent >= caps.perComponentHour)
    return refuse(
      'component-cap',
      `in the hour before ${countOf(ofComponent, 'roll-back')} of ${slot.component} ${ofComponent === 1 ? 'was' : 'were'} decided, and the policy allows ${caps.perComponentHour}`,
      hint,
    );
  return recent.length >= caps.perHour
    ? refuse(
        'hour-cap',
        `in the hour before ${countOf(recent.length, 'roll-back')} ${recent.length === 1 ? 'was' : 'were'} decided, and the policy allows ${caps.perHour}`,
        hint,
      )
    : ok(undefined);
};

type PlannedBy = { readonly slot: Slot; readonly planner: string };

const judgeApproval = (
  { mode, position }: DecisionSummary,
  { slot, planner }: PlannedBy,
  { rows, keys, nowMs, logTimeMs }: ObeyQuestion,
): Result<void, Refusal> => {
  if (mode !== 'ask') return ok(undefined);
  const last = rows.approval(position);
  if (last === undefined)
    return refuse(
      'approval-missing',
      'it asks, and nobody has approved it',
      'plimsoll decisions approve <decision> or decline <decision>',
    );
  const approval = approvalCounting(last, { slot, planner }, keys);
  const by = `${approval.principal} (position ${approval.position}): ${approval.reason}`;
  if (last.answer === 'declined') return refuse('approval-declined', `declined by ${by}`);
  if (isOwn(approval, { slot, planner }, keys))
    return refuse(
      'approver-is-planner',
      `planned and approved by the same: ${by}`,
      'somebody else approves it: plimsoll decisions approve --key=FILE',
    );
  const key = keys.get(approval.key);
  const isSuspect =
    key === undefined ||
    !hasRole(key, 'operator') ||
    !coversSlot(key, slot) ||
    (key.compromised !== null && key.compromised.since <= approval.position);
  if (isSuspect)
    return refuse('approval-suspect', `the key that approved it is not to be trusted: ${by}`);
  return Math.max(nowMs, logTimeMs) > approval.at + approvedForMs
    ? refuse(
        'approval-lapsed',
        `approved at ${isoTime(approval.at)} by ${by}`,
        `an approval counts for ${approvedForMs / 60_000} minutes; approve it again`,
      )
    : ok(undefined);
};

/** Who planned it takes nothing away by approving what another has approved. */
export const approvalCounting = (
  last: ApprovalRow,
  plan: PlannedBy,
  keys: ObeyQuestion['keys'],
): Said => (last.before !== undefined && isOwn(last, plan, keys) ? last.before : last);

const isOwn = (
  { principal }: Said,
  { slot, planner }: PlannedBy,
  keys: ObeyQuestion['keys'],
): boolean => principal === planner && [...keys.values()].some(mayApproveFor(planner, slot));

/** Whether somebody else than the planner could approve with that key. Where nobody could, one person does both. */
const mayApproveFor =
  (planner: string, slot: Slot) =>
  (key: KeyState): boolean =>
    key.principal !== planner &&
    keyProblem(key) === undefined &&
    hasRole(key, 'operator') &&
    coversKind(key, 'decision-approved') &&
    coversSlot(key, slot);
