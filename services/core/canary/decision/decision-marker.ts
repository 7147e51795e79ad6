import type { Position } from '../../log/record.ts';
import { validForMsMax } from '../../markers/limits.ts';
import type { Counts, Decided, DeploymentId, MarkerId } from '../../markers/marker.ts';
import type { AnalysisOpened } from '../../samples/sample.ts';
import { uuidOfParts } from '../../uuid-v8.ts';
import type { AnalysisState, AnalysisTools, Refusal } from '../analysis/analysis-state.ts';
import { decidedMetric } from './decided-metric.ts';
import { noiseIn } from '../attempts/frozen.ts';
import { holdValidForMs } from '../analysis/hold-time.ts';
import type { FamilyDecision } from '../judge/decide.ts';
import { judgeVersion } from '../judge/judge.ts';
import type { Reason, Stage, Verdict } from '../judge/verdict.ts';
import type { Line } from '../metrics/rate-test.ts';
import type { MetricPolicy, Policy } from '../policy/policy.ts';
import { isSeasonKnown, weaknessOf } from '../rollouts/weakness.ts';
import { decisionSentence } from './sentence.ts';

/** Who decides, as a CloudEvents source. */
const analyserSource = 'plimsoll/analyser';

/** A decision with all that it rests on. */
export type Settled = {
  readonly decision: FamilyDecision;
  readonly stage: Stage;
  readonly window: { readonly index: number; readonly endMs: number };
  readonly windowMs: number;
  readonly policy: Policy;
  readonly evidenceDigest: string;
  readonly excluded: AnalysisState['excluded'];
  /** What came lately was heard and left out: who seems silent may not be. */
  readonly isLeftOut: boolean;
  /** Of the traffic, as of its window; null: nobody told. */
  readonly canaryShare: number | null;
  /** Of the sample that closed the window. */
  readonly position: Position;
};

/** The id of a decision: whoever decides the same about the same window says the same marker. */
const decisionId = (
  { digest }: AnalysisTools,
  analysis: string,
  action: Decided['kind'],
  windowIndex: number,
): MarkerId => uuidOfParts(digest, ['decision', analysis, action, String(windowIndex)]) as MarkerId;

/**
 * The decision as a marker. Every byte of it follows from the partition of samples: it has no clock and no new id,
 * so after a crash the same marker comes out, and the log takes a marker once.
 */
export const decisionMarker = (
  tools: AnalysisTools,
  analysis: AnalysisState,
  settled: Settled,
): Decided => {
  const { decision, window, windowMs, policy, evidenceDigest, excluded, position } = settled;
  const { explanation, verdict } = decision;
  const { kind, reason, stage, onSilence } = saidOf(settled);
  const noise = noiseIn(analysis.opening);
  const blamed = verdict.outcome === 'fail' ? verdict.reasons : [];
  const metrics = explanation.metrics.map((part) =>
    decidedMetric(
      part,
      noise.find(({ id }) => id === part.id),
      blamed.find(({ metric }) => metric === part.id)?.code ?? null,
    ),
  );
  const errors = metrics.find(({ judged }) => judged === 'errors');
  const named = mainReason(verdict)?.metric;
  const shown = named ?? errors?.id;
  const main = metrics.find(({ id }) => id === shown);
  return {
    ...blank(tools, analysis, kind, window.index),
    occurredAt: window.endMs,
    windowEndedAt: window.endMs,
    windows: explanation.windows,
    windowMs,
    verdict: verdict.outcome,
    reason,
    explanation: decisionSentence(
      decision,
      onSilence,
      excluded,
      `${weaknessOf(analysis.opening)}${isAloneSentence(settled)}`,
    ),
    metric: named ?? null,
    canary: countsOf(errors?.canaryCount, errors?.canaryEvents),
    baseline: countsOf(errors?.baselineCount, errors?.baselineEvents),
    ratio: main?.ratio ?? null,
    ratioLow: main?.ratioLow ?? null,
    ratioHigh: main?.ratioHigh ?? null,
    ...restingOn(decision),
    ...toleranceOf(policy, shown, kind),
    strongest: main?.strongest ?? [],
    share: decision.action === 'advance' ? decision.share : null,
    evidenceDigest,
    samplesTo: position,
    metrics,
    stage,
    validForMs: stage === 'hold' ? holdValidForMs(windowMs, policy.deadlineMs) : validForMsMax,
    // Where nobody knows what the day does, nobody acts.
    mode: isSeasonKnown(analysis.opening) ? policy.act : 'dry-run',
    onSilence,
  };
};

/**
 * What is said: the decision, unless a silence led to it and the policy rolls a silent canary back. That is no evidence
 * of anything, so its verdict stays inconclusive and its reason names what it is. Where points came and were left out
 * it is no silence to act on: a person is asked. Nor is it one that the baseline, which has no traffic left, is not heard.
 */
const saidOf = (settled: Settled): Pick<Decided, 'kind' | 'reason' | 'stage' | 'onSilence'> => {
  const { decision, policy, stage, isLeftOut } = settled;
  const { action, verdict } = decision;
  const reason =
    verdict.outcome === 'inconclusive' ? verdict.reason : (mainReason(verdict)?.code ?? '');
  const isSilence = action === 'hold' && reason === 'no-data';
  if (isSilence && isAlone(settled)) return { kind: action, reason, stage, onSilence: null };
  if (isSilence && policy.onSilence === 'roll-back' && isLeftOut)
    return { kind: action, reason, stage, onSilence: 'page' };
  if (isSilence && policy.onSilence === 'roll-back')
    return {
      kind: 'roll-back',
      reason: 'silence',
      stage: 'rolled-back',
      onSilence: 'roll-back',
    };
  return { kind: action, reason, stage, onSilence: isSilence ? policy.onSilence : null };
};

/** Whether the baseline is missing because the canary has all the traffic. */
const isAlone = ({ decision: { verdict }, canaryShare }: Settled): boolean => {
  const missing = verdict.outcome === 'inconclusive' ? verdict.missing : [];
  return (
    canaryShare === 1 &&
    missing.some(({ what }) => what === 'baseline') &&
    !missing.some(({ what }) => what === 'canary')
  );
};

const isAloneSentence = (settled: Settled): string =>
  isAlone(settled)
    ? 'the canary has all the traffic, so nothing stands beside it any more: what it shows now is compared with nothing (a rollout that begins with all the traffic can be compared with the half-hour before: rollouts in the policy). '
    : '';

/** A roll-back rests on the metric that says most, a promotion on the one that shows least; of equal ones the first. */
const mainReason = (verdict: Verdict): Reason | undefined => {
  if (verdict.outcome === 'inconclusive') return undefined;
  const isFail = verdict.outcome === 'fail';
  return verdict.reasons.reduce<Reason | undefined>((main, reason) => {
    if (main === undefined) return reason;
    const isMore = isFail ? reason.evidence > main.evidence : reason.evidence < main.evidence;
    return isMore ? reason : main;
  }, undefined);
};

const countsOf = (requests: number = 0, errors: number = 0): Counts => ({ requests, errors });

/**
 * A promotion rests on evidence of its own: the weakest metric against the margin of a promotion. A roll-back at the
 * deadline rests on the one test there: deviations, and how many were needed.
 */
const restingOn = ({
  verdict,
  explanation,
}: FamilyDecision): Pick<Decided, 'evidence' | 'evidenceNeeded'> => {
  const main = mainReason(verdict);
  if (verdict.outcome === 'pass')
    return {
      evidence: main?.evidence ?? Infinity,
      evidenceNeeded: explanation.promoteEvidenceNeeded ?? explanation.evidenceNeeded,
    };
  return main?.code === 'worse-at-deadline'
    ? { evidence: main.evidence, evidenceNeeded: main.evidenceNeeded }
    : { evidence: explanation.evidence, evidenceNeeded: explanation.evidenceNeeded };
};

/** The line that the counts of the metric were held against; nothing where it has none. */
const toleranceOf = (
  policy: Policy,
  id: string | undefined,
  kind: Decided['kind'],
): Pick<Decided, 'toleranceRelative' | 'toleranceAbsolute'> => {
  const metric = policy.metrics.find((one) => one.id === id);
  const line = metric && lineOf(metric, kind === 'promote' || kind === 'advance');
  return { toleranceRelative: line?.relative ?? 0, toleranceAbsolute: line?.absolute ?? 0 };
};

const lineOf = (metric: MetricPolicy, isPromotion: boolean): Line | undefined => {
  switch (metric.judged) {
    case 'errors':
    case 'latency':
      return isPromotion ? metric.promoteTolerance : metric.tolerance;
    case 'level': {
      const margin = isPromotion ? metric.promoteMargin : metric.margin;
      return { relative: metric.worse === 'higher' ? 1 + margin : 1 - margin, absolute: 0 };
    }
    case 'traffic':
      return { relative: isPromotion ? metric.promoteLeast : metric.least, absolute: 0 };
  }
};

/**
 * The same decision said again for a later window. Counts, evidence and samples stay those that it rests on: it claims
 * nothing new, and whoever checks the first has checked them all.
 */
export const renewalMarker = (
  tools: AnalysisTools,
  standing: Decided,
  windowIndex: number,
): Decided => {
  const endMs = standing.windowEndedAt + (windowIndex - standing.windowIndex) * standing.windowMs;
  return {
    ...standing,
    marker: decisionId(tools, standing.analysis, standing.kind, windowIndex),
    occurredAt: endMs,
    windowIndex,
    windowEndedAt: endMs,
    explanation: `renews the ${standing.kind} of window ${standing.windowIndex}; ${standing.explanation}`,
  };
};

/** The hold of an analysis that is not judged here: inconclusive, before any window. */
export const refusalMarker = (
  tools: AnalysisTools,
  opening: AnalysisOpened,
  position: Position,
  reason: Refusal | 'partition-full',
): Decided => ({
  ...blank(tools, { opening, position }, 'hold', 0),
  reason,
  explanation: refusalSentence(opening, reason),
  evidenceDigest: tools.digest(''),
});

const refusalSentence = (opening: AnalysisOpened, reason: Refusal | 'partition-full'): string => {
  switch (reason) {
    case 'partition-full':
      return 'not judged: more canaries are open beside it than are judged at once; end attempts that are over, and try again';
    case 'judge-unknown':
      return `opened for judge ${opening.judge}; this release has judge ${judgeVersion} and cannot tell`;
    case 'comparison-unknown':
      return `opened to be compared ${opening.comparison}; this release cannot do that`;
    case 'policy-unreadable':
    case 'noise-unreadable':
    case 'evidence-unreadable':
    case 'before-unreadable':
      return `what it was opened with cannot be read by this release (${reason})`;
  }
};

/** Everything that does not depend on a window; the rest as it is before the first one. */
const blank = (
  tools: AnalysisTools,
  { opening, position }: Pick<AnalysisState, 'opening' | 'position'>,
  action: Decided['kind'],
  windowIndex: number,
): Decided => {
  const back = action === 'roll-back' ? opening.baseline.at(-1) : undefined;
  return {
    marker: decisionId(tools, opening.analysis, action, windowIndex),
    deployment: opening.deployment as DeploymentId,
    kind: action,
    audience: opening.audience,
    source: analyserSource,
    occurredAt: opening.openedAt,
    producer: null,
    sequence: null,
    attempt: opening.attemptToken,
    slot: {
      namespace: opening.namespace,
      environment: opening.environment,
      component: opening.component,
      target: opening.target,
    },
    analysis: opening.analysis,
    windowIndex,
    windowEndedAt: opening.openedAt,
    windows: 0,
    windowMs: 0,
    verdict: 'inconclusive',
    reason: '',
    explanation: '',
    metric: null,
    canary: countsOf(),
    baseline: countsOf(),
    ratio: null,
    ratioLow: null,
    ratioHigh: null,
    evidence: 1,
    evidenceNeeded: 1,
    toleranceRelative: 0,
    toleranceAbsolute: 0,
    strongest: [],
    share: null,
    validForMs: validForMsMax,
    judge: String(opening.judge),
    policyDigest: opening.policyDigest,
    evidenceDigest: '',
    samplesPartition: tools.partition,
    samplesFrom: position,
    samplesTo: position,
    fromVersion: opening.canary.version,
    fromDigest: opening.canary.digest,
    toVersion: back?.version ?? null,
    toDigest: back?.digest ?? null,
    metrics: [],
    stage: 'inconclusive',
    mode: 'decide',
    onSilence: null,
    noiseDigest: opening.noise === '[]' ? null : tools.digest(opening.noise),
    carriedFrom: opening.carriedFrom,
  };
};
