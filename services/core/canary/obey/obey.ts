import type { Attempt, DecisionSummary, Deployment } from '../../deployment.ts';
import { isoTime } from '../../instant.ts';
import { withoutConflictsOf } from '../../lifecycle.ts';
import { validForMsMax } from '../../markers/limits.ts';
import { sameSlot, slotKey } from '../../markers/slot.ts';
import type { DecisionRow } from '../../read-models.ts';
import type { Result } from '../../result.ts';
import { ok } from '../../result.ts';
import type { SlotState } from '../../slot-state.ts';
import { slotAsSeen } from '../../slot-state.ts';
import { coversKind, coversSlot, hasRole } from '../../trust/trust.ts';
import { uuidOfParts } from '../../uuid-v8.ts';
import { analysisIdOf } from '../attempts/canary-attempts.ts';
import { judgeCarried } from './carried.ts';
import { firstRefusal, judgeForm } from './form.ts';
import { approvalCounting, judgeGuards } from './guards.ts';
import type { ObeyedAct, ObeyQuestion, PolicyStanding } from './question.ts';
import type { Refusal } from './refusal.ts';
import { refuse } from './refusal.ts';
import type { JudgedAttempt } from './standing.ts';
import { judgeStanding } from './standing.ts';
import type { Voice } from './said-again.ts';
import { asJudged, standingOf, voicesOf } from './said-again.ts';
import { judgedDecisions } from './trusted.ts';

/** What two clocks may differ. */
const clockSkewMs = 60_000;
/** A window is closed when the watermark is past it, up to so many windows later. */
const latenessWindows = 4;

/**
 * Whether somebody may act on the decision at a position of the log, and if not, why. Everybody who acts on decisions
 * asks here first, and again whenever it comes to acting: each of its reasons may come up later. A renewal is its
 * decision said again: it prolongs that, and leads to the same act with the same id.
 *
 * Order: what the record is, whose it is, what it is about; whether it was obeyed; what it says; whether it still
 * stands; how old it is; what the policy and people say.
 */
export const mayObey = (question: ObeyQuestion): Result<ObeyedAct, Refusal> => {
  const record = judgeRecord(question);
  if (!record.ok) return record;
  const place = judgePlace(record.value, question);
  if (!place.ok) return place;
  const { deployment, attempt } = place.value;
  const decisions = judgedDecisions(attempt, question.keys);
  const asked = asJudged(record.value, decisions);
  const renewed = standingOf(asked, decisions);
  if (!renewed.ok) return renewed;
  const standing = renewed.value;
  if (question.isObeyed(standing.marker))
    return refuse(
      'already-obeyed',
      `${standing.kind} at position ${standing.position} was obeyed here`,
      'nothing is to be done: it is done',
    );
  const { policy, rows } = question;
  const isRenewal = standing.position !== asked.position;
  const form = firstRefusal([
    () => judgeForm(standing, policy),
    () => judgeCarried(standing, place.value, question),
  ]);
  if (!form.ok)
    return isRenewal
      ? refuse(
          'renewal-of-refused',
          `it renews the decision at position ${standing.position}, which is refused as ${form.problem.code}: ${form.problem.message}`,
        )
      : form;
  const voices = voicesOf(standing, decisions.trusted, attempt);
  const stands = judgeStanding(
    { standing, asked, saidAt: new Set(voices.map(({ decision }) => decision.position)) },
    {
      deployment: withoutConflictsOf(deployment, decisions.doubted),
      attempt: { ...attempt, decisions: decisions.trusted },
      slot: slotSeen(question),
    },
    policy,
  );
  if (!stands.ok) return stands;
  const validUntil = judgeTime(asked, standing, voices, question);
  if (!validUntil.ok) return validUntil;
  const guarded = judgeGuards(standing, { deployment, attempt }, question);
  if (!guarded.ok) return guarded;
  const approval = standing.mode === 'ask' ? rows.approval(standing.position) : undefined;
  const { slot, principal: planner } = attempt.plan;
  return ok({
    id: standing.marker,
    position: standing.position,
    kind: standing.kind,
    deployment: deployment.id,
    attempt: attempt.number,
    token: attempt.tokens[0] ?? null,
    slot,
    share: standing.share,
    fromVersion: standing.fromVersion,
    fromDigest: standing.fromDigest,
    toVersion: standing.toVersion,
    toDigest: standing.toDigest,
    validUntilMs: validUntil.value,
    approvedAt:
      approval === undefined
        ? null
        : approvalCounting(approval, { slot, planner }, question.keys).position,
    decision: standing,
  });
};

/** The decision of an accepted record, signed by a key that may decide there and that nobody doubts. */
const judgeRecord = ({
  position,
  rows,
  keys,
  logId,
  pinnedLogId,
}: ObeyQuestion): Result<DecisionRow, Refusal> => {
  const { decision, letter } = rows;
  if (letter !== undefined)
    return refuse(
      letter.code as Refusal['code'],
      letter.message,
      'plimsoll dead-letters show tells more',
    );
  if (decision === undefined || decision.position !== position)
    return refuse('decision-unknown', `there is no decision at position ${position}`);
  if (pinnedLogId !== null && pinnedLogId !== logId)
    return refuse('foreign-log', `it stands on the log ${logId}, and ${pinnedLogId} is asked for`);
  const key = keys.get(decision.key);
  if (key === undefined)
    return refuse('key-unknown', `no key ${decision.key} is trusted on this log`);
  if (!hasRole(key, 'analyser'))
    return refuse('role-missing', `the key ${key.id} of ${key.principal} may not decide`);
  if (hasRole(key, 'gateway'))
    return refuse(
      'on-behalf',
      `the key ${key.id} of ${key.principal} speaks for others`,
      'decisions are signed by a key that does nothing else',
    );
  if (!coversKind(key, decision.kind))
    return refuse('kind-not-allowed', `the key ${key.id} may not say ${decision.kind}`);
  if (!coversSlot(key, decision.slot))
    return refuse('out-of-scope', `the key ${key.id} may not act on ${slotKey(decision.slot)}`);
  if (key.compromised !== null && key.compromised.since <= position)
    return refuse('key-compromised', `the key ${key.id} was found compromised since`);
  return key.retiredAt !== null && key.retiredAt <= position
    ? refuse('key-retired', `the key ${key.id} was retired before`)
    : ok(decision);
};

/** The attempt that it is about, as it was planned. */
const judgePlace = (
  asked: DecisionRow,
  { rows: { deployment }, digest, policy }: ObeyQuestion,
): Result<{ readonly deployment: Deployment; readonly attempt: JudgedAttempt }, Refusal> => {
  if (deployment === undefined || deployment.id !== asked.deployment)
    return refuse('deployment-unknown', `no deployment ${asked.deployment} is known`);
  const attempt = deployment.attempts.find(({ number }) => number === asked.attempt);
  const plan = attempt?.plan ?? null;
  if (attempt === undefined || plan === null)
    return refuse('attempt-unknown', `the deployment has no planned attempt ${asked.attempt}`);
  const planned = judgePlanner(attempt, policy);
  if (!planned.ok) return planned;
  if (!sameSlot(plan.slot, asked.slot))
    return refuse(
      'slot-differs',
      `it is about ${slotKey(asked.slot)}, and the attempt was planned for ${slotKey(plan.slot)}`,
    );
  if (plan.version !== asked.fromVersion || plan.digest !== asked.fromDigest)
    return refuse(
      'from-differs',
      `it is about ${asked.fromVersion}, and ${plan.version} was planned`,
    );
  if (asked.analysis !== analysisIdOf(digest, deployment.id, attempt.number))
    return refuse('analysis-foreign', `${asked.analysis} is not the analysis of this attempt`);
  const { analysis, kind, windowIndex } = asked;
  const id = uuidOfParts(digest, ['decision', analysis, kind, String(windowIndex)]);
  if (asked.marker !== id)
    return refuse('id-wrong', `${asked.marker} is not the id of ${kind} at window ${windowIndex}`);
  return ok({ deployment, attempt: { ...attempt, plan } });
};

/** What is said with tokens counts only where the policy takes it. */
export const judgePlanner = (
  { number, onBehalf }: Pick<Attempt, 'number' | 'onBehalf'>,
  policy: Pick<PolicyStanding, 'onBehalf'>,
): Result<void, Refusal> =>
  onBehalf === null || policy.onBehalf === 'accept'
    ? ok(undefined)
    : refuse(
        'planned-with-token',
        `attempt ${number} was said with the token ${onBehalf} and not signed with a key of its own`,
        'sign it with a key (plimsoll release plan), or let the policy take the word of tokens: on-behalf: accept',
      );

const slotSeen = ({ rows: { slot }, policy }: ObeyQuestion): SlotState | undefined =>
  slot && slotAsSeen(slot, policy.onBehalf === 'accept');

/** Until when it counts, milliseconds since 1970; null: that the time was over without a verdict does not lapse. */
const judgeTime = (
  asked: DecisionSummary,
  standing: DecisionSummary,
  voices: readonly Voice[],
  { nowMs, logTimeMs }: ObeyQuestion,
): Result<number | null, Refusal> => {
  const own = voices.find(({ decision }) => decision.position === asked.position);
  if (own === undefined)
    return refuse('decision-unknown', 'it is not in the history of its attempt');
  const { entry } = own;
  if (entry.waitedMs > 0)
    return refuse(
      'waited',
      'it waited on a spool: nobody knows what has happened since it was decided',
    );
  if (entry.appendedAt > nowMs + clockSkewMs)
    return refuse(
      'from-the-future',
      `it was appended at ${isoTime(entry.appendedAt)}, and it is ${isoTime(nowMs)} here`,
      'the clocks of the log and of this machine differ',
    );
  if (asked.windowEndedAt > entry.appendedAt + clockSkewMs)
    return refuse(
      'window-in-the-future',
      `its window ends at ${isoTime(asked.windowEndedAt)}, after it was appended`,
    );
  if (standing.kind === 'hold' && standing.stage === 'inconclusive') return ok(null);
  const usable = voices.filter(
    (voice) => voice.entry.waitedMs === 0 && voice.entry.appendedAt <= nowMs + clockSkewMs,
  );
  const fresh = usable.filter((voice) => !isStale(voice));
  if (fresh.length === 0)
    return refuse(
      'evidence-stale',
      `its window ended at ${isoTime(asked.windowEndedAt)}, and it was decided at ${isoTime(entry.appendedAt)}`,
      'a renewal of it says whether it still holds',
    );
  const validUntilMs = Math.max(
    ...fresh.map((voice) => voice.entry.appendedAt + voice.decision.validForMs),
  );
  if (Math.max(nowMs, logTimeMs) <= validUntilMs) return ok(validUntilMs);
  return standing.kind === 'hold'
    ? refuse(
        'expired',
        `held at ${isoTime(entry.appendedAt)}, lapsed at ${isoTime(validUntilMs)}`,
        'it is judged on: what is decided next counts',
      )
    : refuse(
        'expired',
        `it was to be obeyed until ${isoTime(validUntilMs)}`,
        'a renewal of it may come',
      );
};

/** Decided long after what it rests on, as by an analyser that was away. */
const isStale = ({ decision, entry }: Voice): boolean =>
  entry.appendedAt - decision.windowEndedAt >
  validForMsMax + latenessWindows * decision.windowMs + clockSkewMs;
