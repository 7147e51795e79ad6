import { hasEnded, isDoubted } from '../../lifecycle.ts';
import type { KeyState } from '../../trust/trust.ts';
import type { Attempt, DecisionSummary, Deployment, Entry, Plan } from '../../deployment.ts';
import type { Position } from '../../log/record.ts';
import type { Decided } from '../../markers/marker.ts';
import { sameSlot } from '../../markers/slot.ts';
import type { AnalysisOpened, CopiedFact, Copy, RunningVersion } from '../../samples/sample.ts';
import type { SlotState } from '../../slot-state.ts';
import { slotAsSeen } from '../../slot-state.ts';
import type { TextDigest } from '../../uuid-v8.ts';
import { uuidOfParts } from '../../uuid-v8.ts';
import { judgeVersion } from '../judge/judge.ts';
import type { Noise } from '../judge/noise.ts';
import { noiseText } from '../judge/noise-text.ts';
import type { Beginning } from './kept-evidence.ts';
import type { PlacedPolicy } from '../policy/placed-policy.ts';
import type { Policy } from '../policy/policy.ts';
import { policyText } from '../policy/policy-text.ts';
import { isRenewal } from '../analysis/renewal.ts';
import type { Before } from '../rollouts/before.ts';
import { beforeText } from '../rollouts/before.ts';
import type { Comparison } from '../rollouts/comparison.ts';
import { comparisonOf } from '../rollouts/comparison.ts';

// What the log says of canaries, as the samples that an analysis begins with and obeys.

/** An attempt that is to be judged: a canary, or another kind of rollout that its policy asks to be judged. */
export type CanaryAttempt = Attempt & { readonly plan: Plan };

/** Which kinds of rollout are judged in a plan's place, and whose word is taken for them. */
export type RolloutsFor = (plan: Plan) => Pick<Policy, 'rollouts' | 'onBehalf'>;

const canariesAlone: RolloutsFor = () => ({
  rollouts: { beforeAfter: false, blueGreen: false },
  onBehalf: 'accept',
});

/** Where nobody knows the policy: all that one could ask for. */
export const everyRollout: RolloutsFor = () => ({
  rollouts: { beforeAfter: true, blueGreen: true },
  onBehalf: 'accept',
});

/** A canary that was started longer ago than this and has not ended is not looked at any more. */
const startedBeforeMsMax = 86_400_000;

export const canaryAttempts = (
  deployment: Deployment,
  rolloutsFor: RolloutsFor = canariesAlone,
): readonly CanaryAttempt[] =>
  deployment.attempts.filter(
    (attempt): attempt is CanaryAttempt =>
      attempt.plan !== null && comparisonFor(attempt, rolloutsFor(attempt.plan)) !== undefined,
  );

/** How an attempt is judged; undefined: it is not. */
const comparisonFor = (
  attempt: Attempt,
  { rollouts, onBehalf }: Pick<Policy, 'rollouts' | 'onBehalf'>,
): Comparison | undefined =>
  attempt.onBehalf !== null && onBehalf === 'ignore' ? undefined : comparisonOf(attempt, rollouts);

/** Attempts that are canaries, or that somebody has decided about. */
export const decidedAttempts = (deployment: Deployment): readonly CanaryAttempt[] => {
  const canaries = canaryAttempts(deployment);
  return deployment.attempts.filter(
    (attempt): attempt is CanaryAttempt =>
      attempt.plan !== null &&
      (attempt.decisions.length > 0 || canaries.some((one) => one === attempt)),
  );
};

/** Whether an analysis may be judging the deployment: a canary of it was started, not long ago, and has not ended. */
export const hasRunningCanary = (deployment: Deployment, nowMs: number): boolean =>
  canaryAttempts(deployment).some(
    ({ status, startedAt }) =>
      status === 'running' && startedAt !== null && nowMs - startedAt <= startedBeforeMsMax,
  );

/** The id of the analysis of one attempt: the same whoever opens it, and how often. */
export const analysisIdOf = (digest: TextDigest, deployment: string, attempt: number): string =>
  uuidOfParts(digest, ['analysis', deployment, String(attempt)]);

/** An attempt whose analysis is to be opened. */
export type DueAnalysis = {
  readonly deployment: Deployment;
  readonly attempt: CanaryAttempt;
  readonly analysis: string;
  readonly startedAt: number;
  readonly canary: RunningVersion;
  readonly baseline: readonly RunningVersion[];
  readonly comparison: Comparison;
  /** Numbers of the earlier attempts with the same version in the same slot that were started as canaries. */
  readonly judgedBefore: readonly number[];
};

/**
 * What is to be opened for an attempt; undefined where there is nothing to judge: it does not run or not any more,
 * nothing held the slot before it, or the analysis has decided already. `nowMs`: the time of receipt.
 */
export const dueAnalysis = (
  digest: TextDigest,
  nowMs: number,
  deployment: Deployment,
  attempt: CanaryAttempt,
  slot: SlotState | undefined,
  rolloutsFor: RolloutsFor = canariesAlone,
): DueAnalysis | undefined => {
  const { plan, startedAt } = attempt;
  const asked = rolloutsFor(plan);
  const comparison = comparisonFor(attempt, asked);
  if (comparison === undefined) return undefined;
  const analysis = analysisIdOf(digest, deployment.id, attempt.number);
  const baseline = baselineOf(deployment, slot && slotAsSeen(slot, asked.onBehalf === 'accept'));
  if (attempt.status !== 'running' || startedAt === null || baseline.length === 0) return undefined;
  if (nowMs - startedAt > startedBeforeMsMax || isSuperseded(deployment, attempt)) return undefined;
  if (attempt.decisions.some((decision) => decision.analysis === analysis)) return undefined;
  const canary = { version: plan.version, digest: plan.digest, deployment: deployment.id };
  const judgedBefore = canaryAttempts(deployment, rolloutsFor)
    .filter(
      (earlier) =>
        earlier.number < attempt.number &&
        earlier.startedAt !== null &&
        earlier.plan.version === plan.version &&
        earlier.plan.digest === plan.digest &&
        sameSlot(earlier.plan.slot, plan.slot),
    )
    .map(({ number }) => number);
  return { deployment, attempt, analysis, startedAt, canary, baseline, comparison, judgedBefore };
};

/** What an opening freezes beside what the log says. */
export type Frozen = {
  readonly policy: PlacedPolicy;
  readonly noise: Noise;
  /** Milliseconds; null: nothing is known of the noise. */
  readonly noiseAgeMs: number | null;
  readonly beginning: Beginning;
  /** What ran before, where that is what stands against it. */
  readonly before: Before | null;
};

export type OpeningTools = { readonly digest: TextDigest; readonly audience: string };

export const openingOf = (
  { digest, audience }: OpeningTools,
  { deployment, attempt, analysis, canary, baseline, comparison }: DueAnalysis,
  { policy, noise, noiseAgeMs, beginning, before }: Frozen,
  /** The time of receipt at which it is opened. */
  nowMs: number,
): AnalysisOpened => {
  const { plan } = attempt;
  const text = policyText(policy);
  return {
    kind: 'analysis-opened',
    audience,
    environment: plan.slot.environment,
    component: plan.slot.component,
    analysis,
    deployment: deployment.id,
    attempt: attempt.number,
    attemptToken: attempt.tokens[0] ?? null,
    namespace: plan.slot.namespace,
    target: plan.slot.target,
    logPosition: startOf(attempt),
    openedAt: nowMs,
    canary,
    canaryShare: comparison === 'concurrent' ? attempt.share : null,
    baseline,
    policy: text,
    policyDigest: digest(text),
    judge: judgeVersion,
    noise: noiseText(noise),
    noiseAgeMs,
    ...beginning,
    comparison,
    before: before === null ? null : beforeText(before),
  };
};

/** The versions that hold the slot. A deployment is not its own baseline, whichever attempt of it took the slot. */
const baselineOf = (
  deployment: Deployment,
  slot: SlotState | undefined,
): readonly RunningVersion[] =>
  (slot?.holders ?? []).flatMap((holder) =>
    holder.version === null || holder.deployment === deployment.id
      ? []
      : [{ version: holder.version, digest: holder.digest, deployment: holder.deployment }],
  );

/** Position of the record that said that it runs; before that, of the one that opened it. */
export const startOf = (attempt: Attempt): Position =>
  attempt.entries.find(({ kind, note }) => kind === 'started' && note === 'applied')?.position ??
  attempt.openedAt;

/** A record of the log, by what identifies it there. */
export type CopiedRecord = {
  readonly position: Position;
  readonly appendedAtMs: number;
  /** SHA-256 (hex) of its value. */
  readonly digest: string;
};

/** Copies of those records that an attempt's analysis must obey. */
export const copiesOf = (
  { digest, audience }: Pick<OpeningTools, 'digest' | 'audience'>,
  deployment: Deployment,
  attempt: CanaryAttempt,
  records: readonly CopiedRecord[],
): readonly Copy[] => {
  const byPosition = new Map(records.map((record) => [record.position, record]));
  const { environment, component } = attempt.plan.slot;
  return attempt.entries.flatMap((entry): readonly Copy[] => {
    const record = byPosition.get(entry.position);
    const fact = factOf(entry);
    if (record === undefined || fact === undefined) return [];
    return [
      {
        kind: 'copy',
        audience,
        environment,
        component,
        analysis: analysisIdOf(digest, deployment.id, attempt.number),
        logPosition: entry.position,
        logDigest: record.digest,
        appendedAt: record.appendedAtMs,
        marker: entry.marker,
        fact,
        canaryShare: entry.canaryShare,
      },
    ];
  });
};

const factOf = ({ kind, note }: Entry): CopiedFact | undefined => {
  if (note !== 'applied') return undefined;
  switch (kind) {
    case 'planned':
    case 'started':
    case 'phase-advanced':
    case 'logged':
    case 'recorded':
    case 'undeployed':
    case 'released':
    case 'support-ended':
      return undefined;
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'traffic-shifted':
    case 'promote':
    case 'advance':
    case 'hold':
    case 'roll-back':
      return kind;
  }
};

/** Whether a later attempt has begun in its slot. */
const isSuperseded = (deployment: Deployment, { number, plan }: Attempt): boolean =>
  deployment.attempts.some(
    (later) =>
      later.number > number &&
      later.status !== 'planned' &&
      later.plan !== null &&
      plan !== null &&
      sameSlot(later.plan.slot, plan.slot),
  );

/**
 * Whether a decision would change nothing any more: the attempt does not stand, another's roll-back does, the analysis
 * has said the same for a window as late, or what it renews does not stand. What a compromised key has said since keeps
 * nothing from the log.
 */
export const decisionIsMoot = (
  deployment: Deployment,
  attemptNumber: number,
  decision: Decided,
  keys: ReadonlyMap<string, KeyState>,
): boolean => {
  const attempt = deployment.attempts.find(({ number }) => number === attemptNumber);
  if (attempt === undefined) return false;
  if (hasEnded(attempt) || isSuperseded(deployment, attempt)) return true;
  const isSame = ({ analysis, kind }: DecisionSummary): boolean =>
    analysis === decision.analysis && kind === decision.kind;
  const newest = attempt.decisions.findLast(isSame)?.note;
  const trusted = attempt.decisions.filter((other) => !isDoubted(keys, other));
  return (
    trusted.some(
      (other) => other.kind === 'roll-back' && other.note === 'applied' && !isSame(other),
    ) ||
    trusted.some((other) => isSame(other) && other.windowIndex >= decision.windowIndex) ||
    (isRenewal(decision) && newest !== 'applied' && newest !== 'repeat')
  );
};
