import { isoTime, isoTimeOrNull } from '../../instant.ts';
import type { DecisionRow } from '../../read-models.ts';
import type { Line, Present } from '../../views.ts';
import { decisionLine } from '../../views.ts';
import type { JudgingNote } from '../analysis/judging-note.ts';
import { judgingLine } from '../analysis/judging-note.ts';
import type { GateAnswer } from './gate.ts';
import type { DecisionAnswer } from './obeying.ts';
import type { ObeyedAct } from './question.ts';

// Answers as people and programs read them. Each line has a JSON Schema in schemas/cli.

/** What is to be done, for programs: the standard input of `--exec`. */
const actLine = (act: ObeyedAct): Line => ({
  id: act.id,
  act: act.kind,
  position: act.position,
  deployment: act.deployment,
  attempt: act.attempt,
  token: act.token,
  namespace: act.slot.namespace,
  environment: act.slot.environment,
  component: act.slot.component,
  target: act.slot.target,
  share: act.share,
  fromVersion: act.fromVersion,
  fromDigest: act.fromDigest,
  toVersion: act.toVersion,
  toDigest: act.toDigest,
  validUntil: isoTimeOrNull(act.validUntilMs),
  approvedAt: act.approvedAt,
  verdict: act.decision.verdict,
  reason: act.decision.reason,
  explanation: act.decision.explanation,
});

/** A gate as it stands. */
export const gateLine = (
  { outcome, attempt, act, refused, unjudged, barred }: GateAnswer,
  deployment: string,
  present: Present,
  judging: JudgingNote | null,
): Line => {
  const { plan } = attempt;
  return {
    deployment,
    attempt: attempt.number,
    outcome,
    namespace: plan?.slot.namespace ?? null,
    environment: plan?.slot.environment ?? null,
    component: plan?.slot.component ?? null,
    target: plan?.slot.target ?? null,
    version: plan?.version ?? null,
    status: attempt.status,
    canaryShare: attempt.share,
    // What its analyser tells of is judged.
    unjudged: judging === null ? unjudged : null,
    stage: act?.decision.stage ?? null,
    act: act === null ? null : actLine(act),
    decision: act === null ? null : decisionLine(rowOf(act), present),
    refused:
      refused === null
        ? null
        : {
            position: refused.decision.position,
            decision: refused.decision.kind,
            code: refused.refusal.code,
            message: refused.refusal.message,
            hint: refused.refusal.hint,
          },
    barred: barred === null ? null : { ...barred },
    judging: judging === null ? null : judgingLine(judging),
    at: isoTime(present.nowMs),
  };
};

const rowOf = ({ decision, deployment, attempt, slot }: ObeyedAct): DecisionRow => ({
  ...decision,
  deployment,
  attempt,
  slot,
});

/** Whether one decision may be obeyed. */
export const decisionAnswerLine = (
  { decision, answer }: DecisionAnswer,
  present: Present,
): Line => ({
  decision: decision === null ? null : decisionLine(decision, present),
  act: answer.ok ? actLine(answer.value) : null,
  refused: answer.ok
    ? null
    : {
        code: answer.problem.code,
        message: answer.problem.message,
        hint: answer.problem.hint,
      },
});
