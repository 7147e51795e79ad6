import { conflictsOf, hasEnded } from '../../lifecycle.ts';
import type { Attempt, DecisionSummary, Deployment, Plan } from '../../deployment.ts';
import type { Position } from '../../log/record.ts';
import { sameSlot } from '../../markers/slot.ts';
import type { Result } from '../../result.ts';
import { fail, ok } from '../../result.ts';
import type { Holder, SlotState } from '../../slot-state.ts';
import { startOf } from '../attempts/canary-attempts.ts';
import { firstRefusal } from './form.ts';
import type { PolicyStanding } from './question.ts';
import type { Refusal } from './refusal.ts';
import { refuse } from './refusal.ts';

// Whether a decision still stands: by its attempt, by what was decided since, and by what runs in the slot.

/** Its decisions are those of keys that nobody doubts. */
export type JudgedAttempt = Attempt & { readonly plan: Plan };

export type JudgedPlace = {
  readonly deployment: Deployment;
  readonly attempt: JudgedAttempt;
  readonly slot: SlotState | undefined;
};

/** The decision that counts, and the record that was asked about: itself, or a renewal of it. */
export type JudgedDecision = {
  readonly standing: DecisionSummary;
  readonly asked: DecisionSummary;
  /** Where it was said, by keys that nobody doubts. */
  readonly saidAt: ReadonlySet<Position>;
};

export const judgeStanding = (
  decision: JudgedDecision,
  place: JudgedPlace,
  policy: PolicyStanding,
): Result<void, Refusal> => {
  const { standing } = decision;
  return firstRefusal([
    () => judgeAttempt(place),
    () => judgeOrder(decision, place.attempt),
    () =>
      standing.kind === 'roll-back' ? judgeReturn(standing, place.slot, policy) : ok(undefined),
    () => (goesOn(standing) ? judgeHolder(standing, place) : ok(undefined)),
    () => judgeDigests(standing, policy),
    () => judgeAdvance(standing, place.attempt),
  ]);
};

const judgeAttempt = ({ deployment, attempt, slot }: JudgedPlace): Result<void, Refusal> => {
  if (hasEnded(attempt))
    return refuse('attempt-ended', `attempt ${attempt.number} has ended as ${attempt.status}`);
  if (attempt.status !== 'running')
    return refuse(
      'not-running',
      `${attempt.plan.version} does not run there: nobody said that the attempt was started`,
    );
  if (conflictsOf(deployment, attempt).length > 0)
    return refuse(
      'gate-held',
      `a marker of attempt ${attempt.number} came twice with different content`,
      'plimsoll show <deployment> shows the conflict; a person must look who signed what',
    );
  const successor = successorOf(deployment, attempt, slot);
  return successor === undefined
    ? ok(undefined)
    : refuse('superseded', `${successor} has begun in the slot since`);
};

/** Whoever began there later, in words. */
const successorOf = (
  deployment: Deployment,
  { number, plan, openedAt }: JudgedAttempt,
  slot: SlotState | undefined,
): string | undefined => {
  const later = deployment.attempts.find(
    (other) =>
      other.number > number &&
      other.status !== 'planned' &&
      other.plan !== null &&
      sameSlot(other.plan.slot, plan.slot),
  );
  if (later !== undefined) return `attempt ${later.number}`;
  const other = slot?.beside.find(
    (line) =>
      line.deployment !== deployment.id && line.status === 'running' && line.position > openedAt,
  );
  return other === undefined ? undefined : `the deployment ${other.deployment}`;
};

/** The newest decision of an attempt is the one that stands, and no analysis goes back in time. */
const judgeOrder = (
  { standing, asked, saidAt }: JudgedDecision,
  { decisions }: Attempt,
): Result<void, Refusal> => {
  const later = decisions.find(
    (other) =>
      other.note === 'applied' &&
      other.position > standing.position &&
      !saidAt.has(other.position) &&
      !isSilenceOver(other, standing, asked, decisions),
  );
  if (later !== undefined)
    return refuse('overtaken', `${later.kind} was decided since (position ${later.position})`);
  const ahead = decisions.find(
    ({ analysis, position, windowIndex }) =>
      analysis === asked.analysis && position < asked.position && windowIndex > asked.windowIndex,
  );
  return ahead === undefined
    ? ok(undefined)
    : refuse(
        'out-of-order',
        `it is of window ${asked.windowIndex}, and the analysis decided about window ${ahead.windowIndex} before it`,
      );
};

/** A step is said again when nobody is silent any more: behind all that was said of the silence, that is over. */
const isSilenceOver = (
  { kind, stage, evidenceDigest }: DecisionSummary,
  standing: DecisionSummary,
  asked: DecisionSummary,
  decisions: Attempt['decisions'],
): boolean =>
  standing.kind === 'advance' &&
  kind === 'hold' &&
  stage === 'hold' &&
  decisions.every(
    (other) =>
      other.kind !== 'hold' ||
      other.evidenceDigest !== evidenceDigest ||
      other.position < asked.position,
  );

/** A roll-back leads to what holds the slot now, and nowhere else. */
const judgeReturn = (
  { fromVersion, fromDigest, toVersion, toDigest }: DecisionSummary,
  slot: SlotState | undefined,
  { requiresDigest }: PolicyStanding,
): Result<void, Refusal> => {
  if (toVersion === null) return refuse('to-missing', 'a roll-back to no version');
  if (requiresDigest && toDigest === null)
    return refuse(
      'digest-missing',
      `${toVersion} is named without the digest of what ran, and the policy asks for one`,
      'plan and log with --digest, so that a roll-back can name what ran',
    );
  if (
    toVersion === fromVersion &&
    (toDigest === null || fromDigest === null || toDigest === fromDigest)
  )
    return refuse('to-equals-from', `a roll-back from ${fromVersion} to itself`);
  const holders = slot?.holders ?? [];
  const succeeded = [...holders, ...(slot?.past ?? [])].filter(
    ({ version }) => version === toVersion,
  );
  if (succeeded.length === 0)
    return refuse('to-never-succeeded', `${toVersion} never succeeded in this slot`);
  const isThis = ({ digest }: { readonly digest: string | null }): boolean =>
    digest === toDigest || (!requiresDigest && (digest === null || toDigest === null));
  if (!succeeded.some(isThis))
    return refuse(
      'to-digest-differs',
      `${toVersion} succeeded in this slot with another digest than ${toDigest ?? 'none'}`,
    );
  return holders.some((holder) => holder.version === toVersion && isThis(holder))
    ? ok(undefined)
    : refuse(
        'holder-changed',
        holders.length === 0
          ? `nothing holds the slot any more: ${toVersion} was taken away`
          : `${holders.at(-1)?.version ?? 'another version'} holds the slot now, not ${toVersion}`,
      );
};

const goesOn = ({ kind }: DecisionSummary): boolean => kind === 'promote' || kind === 'advance';

/**
 * More traffic goes to a canary only in the place of what it was compared with: a fix may have come since. What held the
 * slot when its analysis began, which may be later than the canary did, is its baseline.
 */
const judgeHolder = (
  { windowEndedAt, windowIndex, windowMs }: DecisionSummary,
  place: JudgedPlace,
): Result<void, Refusal> => {
  const beganMs = windowEndedAt - (windowIndex + 1) * windowMs;
  const since = holderSince(place, beganMs, heldBefore(place, beganMs));
  return since === undefined ? ok(undefined) : fail(holderChanged(place, since));
};

/**
 * What took the slot from what the canary was started beside, before there is a decision: its analysis began about then.
 * Where nothing held the slot, what came first is its baseline.
 */
export const holderChangedIn = (place: HeldPlace): Refusal | undefined => {
  const { startedAt } = place.attempt;
  if (startedAt === null) return undefined;
  const before = heldBefore(place, startedAt);
  if (before === undefined) return undefined;
  const since = holderSince(place, startedAt, before);
  return since === undefined ? undefined : holderChanged(place, since);
};

type HeldPlace = Omit<JudgedPlace, 'deployment'> & { readonly deployment: Pick<Deployment, 'id'> };

const heldBefore = (
  { attempt: { startedAt }, slot }: HeldPlace,
  beganMs: number,
): SlotState['past'][number] | undefined =>
  slot?.past.findLast(({ since }) => since <= Math.max(beganMs, startedAt ?? beganMs));

/** Who has taken the slot since its analysis began, with another artefact than its own or the one before. */
const holderSince = (
  { deployment, attempt, slot }: HeldPlace,
  beganMs: number,
  before: SlotState['past'][number] | undefined,
): Holder | undefined => {
  const startedAt = startOf(attempt);
  const isKnown = ({ version, digest }: Holder): boolean =>
    [attempt.plan, before].some(
      (known) =>
        known?.version === version &&
        (known.digest === digest || known.digest === null || digest === null),
    );
  // Releases stand beside each other.
  return slot?.holders.find(
    (holder) =>
      holder.status !== 'released' &&
      holder.deployment !== deployment.id &&
      holder.statusPosition > startedAt &&
      holder.since > beganMs &&
      !isKnown(holder),
  );
};

const holderChanged = ({ attempt: { plan } }: HeldPlace, { version }: Holder): Refusal => ({
  code: 'holder-changed',
  message: `${version ?? 'another version'} took the slot after ${plan.version} was started, which was never compared with it`,
  hint: `plan ${plan.version} anew, or what follows it`,
});

const judgeDigests = (
  { kind, fromVersion, fromDigest }: DecisionSummary,
  { requiresDigest }: PolicyStanding,
): Result<void, Refusal> =>
  kind !== 'hold' && requiresDigest && fromDigest === null
    ? refuse(
        'digest-missing',
        `${fromVersion} is named without the digest of what runs, and the policy asks for one`,
        'plan with --digest',
      )
    : ok(undefined);

const judgeAdvance = ({ kind, share }: DecisionSummary, attempt: Attempt): Result<void, Refusal> =>
  kind === 'advance' && share !== null && attempt.share !== null && share <= attempt.share
    ? refuse('share-not-above', `the canary has ${attempt.share} of the traffic already`)
    : ok(undefined);
