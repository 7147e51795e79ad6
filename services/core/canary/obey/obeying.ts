import { address } from '../../known-rows.ts';
import type { Position } from '../../log/record.ts';
import type { Slot } from '../../markers/marker.ts';
import { slotKey } from '../../markers/slot.ts';
import type { PolicyRow } from '../../policy-records.ts';
import type { DecisionRow } from '../../read-models.ts';
import type { Result } from '../../result.ts';
import { ok } from '../../result.ts';
import { readRow } from '../../row-text.ts';
import type { AttemptLine, SlotState } from '../../slot-state.ts';
import { slotAsSeen } from '../../slot-state.ts';
import type { KeyState } from '../../trust/trust.ts';
import type { TextDigest } from '../../uuid-v8.ts';
import type { Attempt } from '../../deployment.ts';
import type { Judges } from '../analysis/unjudged.ts';
import { analysisIdOf } from '../attempts/canary-attempts.ts';
import type { JudgingNote } from '../analysis/judging-note.ts';
import { isFreshNote, judgingKey, readJudgingNote } from '../analysis/judging-note.ts';
import type { GateAnswer, GateFound, PlaceAsked } from './gate.ts';
import { gateOf } from './gate.ts';
import { barredBy } from './guards.ts';
import { judgePlanner, mayObey } from './obey.ts';
import { noPolicySet, policyStanding } from './policy-standing.ts';
import type { ObeyedAct, ObeyRows, PolicyStanding } from './question.ts';
import type { Refusal } from './refusal.ts';
import type { ReadRowsAtOnce } from './rows.ts';
import { readDecisionRows, readDeploymentRows } from './rows.ts';
import { holderChangedIn } from './standing.ts';
import { undigestedIn } from './undigested.ts';

// The questions of everybody who acts on decisions, asked of read models wherever they are.

/** What the questions are asked of, at one moment. */
export type ObeySource<Problem> = {
  readonly rows: ReadRowsAtOnce<Problem>;
  /** The newest that were set, newest first. */
  readonly policies: () => Promise<Result<readonly PolicyRow[], Problem>>;
  readonly keys: ReadonlyMap<string, KeyState>;
  readonly logId: string;
  readonly pinnedLogId: string | null;
  readonly digest: TextDigest;
  readonly nowMs: number;
};

/**
 * Policies that are looked at. An attempt that was started before so many newer ones is one of which nobody can say by
 * which it is to be judged: nothing about it is obeyed.
 */
export const policiesReadMax = 50;

/** Whether the record at a position may be acted on; null: there is no decision there. */
export type DecisionAnswer = {
  readonly decision: DecisionRow | null;
  readonly answer: Result<ObeyedAct, Refusal>;
};

export const askDecision = async <Problem>(
  source: ObeySource<Problem>,
  position: Position,
  isObeyed: (marker: string) => boolean,
): Promise<Result<DecisionAnswer, Problem>> => {
  const policies = await source.policies();
  if (!policies.ok) return policies;
  const read = await readDecisionRows(source.rows, position);
  if (!read.ok) return read;
  const { rows, logTimeMs } = read.value;
  const answer = judge(source, policies.value, { position, rows, logTimeMs, isObeyed });
  return ok({ decision: rows.decision ?? null, answer });
};

/** What is kept beside the read models under a key, or undefined; also where it cannot be read. */
export type ReadAside = (key: string) => Promise<string | undefined>;

/** How the analysis of an attempt stands, as its analyser has told lately; null: it has not, or there is none. */
export const judgingNow = async <Problem>(
  aside: ReadAside,
  { digest, nowMs }: ObeySource<Problem>,
  deployment: string,
  { outcome, attempt }: GateAnswer,
): Promise<JudgingNote | null> => {
  if (outcome !== 'waiting') return null;
  const text = await aside(judgingKey(analysisIdOf(digest, deployment, attempt.number)));
  const note = text === undefined ? undefined : readJudgingNote(text);
  return note !== undefined && isFreshNote(note, nowMs) ? note : null;
};

/** Whether a pipeline may go on. */
export const askGate = async <Problem>(
  source: ObeySource<Problem>,
  deployment: string,
  place: PlaceAsked = {},
): Promise<Result<GateFound, Problem>> => {
  const policies = await source.policies();
  if (!policies.ok) return policies;
  const read = await readDeploymentRows(source.rows, deployment);
  if (!read.ok) return read;
  const { about, guards, logTimeMs, slot } = read.value;
  return ok(
    gateOf(
      read.value,
      (decision) =>
        judge(source, policies.value, {
          position: decision.position,
          rows: about(decision),
          logTimeMs,
          isObeyed: () => false,
        }),
      (id, attempt) => {
        const { number, plan, startedAt, openedAtMs } = attempt;
        if (plan === null) return undefined;
        const policy = standingAt(source, policies.value, plan.slot, startedAt ?? openedAtMs ?? 0);
        const planner = judgePlanner(attempt, policy);
        if (!planner.ok) return planner.problem;
        const own = { deployment: id, attempt: number };
        const held = slot(plan.slot);
        return (
          barredBy(own, plan.slot, { rows: guards(plan.slot), policy }) ??
          holderChangedIn({
            deployment: { id },
            attempt: { ...attempt, plan },
            slot: held && slotAsSeen(held, policy.onBehalf === 'accept'),
          }) ??
          undigestedIn({ ...attempt, ...plan, deployment: id }, held, policy)
        );
      },
      place,
      (attempt) => judgesOf(source, policies.value, attempt),
    ),
  );
};

type Digest = Pick<ObeySource<never>, 'digest'>;

/** What the policy had judged in the place of an attempt when it was started, and whose word it took. */
export const judgesOf = (
  source: Digest,
  policies: readonly PolicyRow[],
  { plan, startedAt, openedAtMs }: Pick<Attempt, 'plan' | 'startedAt' | 'openedAtMs'>,
): Judges =>
  plan === null
    ? noPolicySet
    : standingAt(source, policies, plan.slot, startedAt ?? openedAtMs ?? 0);

const standingAt = (
  { digest }: Digest,
  policies: readonly PolicyRow[],
  slot: Slot,
  startedAtMs: number,
): PolicyStanding => {
  const areAll = policies.length < policiesReadMax;
  return policyStanding(policies, { slot, startedAtMs, judgedBy: '', areAll }, digest);
};

/** Whether the policy of a place takes the word of tokens now. */
export const askTokensTaken = async <Problem>(
  source: Pick<ObeySource<Problem>, 'policies' | 'digest' | 'nowMs'>,
  slot: Slot,
): Promise<Result<boolean, Problem>> => {
  const policies = await source.policies();
  return policies.ok
    ? ok(standingAt(source, policies.value, slot, source.nowMs).onBehalf === 'accept')
    : policies;
};

const judge = <Problem>(
  { keys, logId, pinnedLogId, digest, nowMs }: ObeySource<Problem>,
  policies: readonly PolicyRow[],
  asked: {
    readonly position: Position;
    readonly rows: ObeyRows;
    readonly logTimeMs: number;
    readonly isObeyed: (marker: string) => boolean;
  },
): Result<ObeyedAct, Refusal> => {
  const { decision, deployment } = asked.rows;
  const attempt = deployment?.attempts.find(({ number }) => number === decision?.attempt);
  const policy =
    decision === undefined
      ? noPolicySet
      : policyStanding(
          policies,
          {
            slot: decision.slot,
            startedAtMs: attempt?.startedAt ?? attempt?.openedAtMs ?? 0,
            judgedBy: decision.policyDigest,
            areAll: policies.length < policiesReadMax,
          },
          digest,
        );
  return mayObey({ ...asked, keys, logId, pinnedLogId, policy, digest, nowMs });
};

/**
 * Which deployment somebody means by a place, and perhaps a version: what runs or is planned there, else what came or
 * failed there last.
 */
export const deploymentAt = async <Problem>(
  source: Pick<ObeySource<Problem>, 'rows' | 'policies' | 'digest' | 'nowMs'>,
  slot: Slot,
  version: string | null,
): Promise<Result<string | undefined, Problem>> => {
  const key = slotKey(slot);
  const read = await source.rows([{ model: 'slot', key }]);
  if (!read.ok) return read;
  const text = read.value.get(address('slot', key));
  if (text === undefined) return ok(undefined);
  const state = readRow<SlotState>('slot', text);
  const taken = await askTokensTaken(source, slot);
  if (!taken.ok) return taken;
  // What tokens alone have said is better than nothing: the answer says what it is.
  return ok(deploymentIn(slotAsSeen(state, taken.value), version) ?? deploymentIn(state, version));
};

const deploymentIn = (
  { beside, holders, doubt }: SlotState,
  version: string | null,
): string | undefined => {
  const busy = [
    ...beside.filter(({ status }) => status !== 'running'),
    ...beside.filter(isRunning),
  ];
  const over = [
    ...(doubt === null ? [] : [doubt]),
    ...holders.map(({ deployment, version: held, since }) => ({
      deployment,
      version: held,
      at: since,
    })),
  ].toSorted((a, b) => a.at - b.at);
  return [...over, ...busy].findLast((line) => version === null || line.version === version)
    ?.deployment;
};

const isRunning = ({ status }: AttemptLine): boolean => status === 'running';
