import type { Position } from '../log/record.ts';
import { validForMsMax } from '../markers/limits.ts';
import type {
  Decided,
  DecidedMetric,
  DecidedStage,
  DeploymentId,
  MarkerId,
} from '../markers/marker.ts';
import { uuidOfParts } from '../uuid-v8.ts';
import type { AnalysisState, AnalysisTools, Ending } from './analysis-state.ts';
import type { Decision, DecisionAction } from './decide.ts';
import { judgeVersion } from './judge.ts';
import type { Explanation, Verdict } from './judge.ts';
import type { MetricExplanation } from './metric-judge.ts';
import type { JudgePolicy } from './policy.ts';
import { exclusionPhrase, explanationSentence } from './sentence.ts';
import { noCounts } from './window.ts';

/** Who decides, as a CloudEvents source. */
const analyserSource = 'plimsoll/analyser';

/** A decision with all that it rests on. */
export type Settled = {
  readonly decision: Decision;
  readonly window: { readonly index: number; readonly endMs: number };
  readonly policy: JudgePolicy;
  readonly evidenceDigest: string;
  readonly excluded: AnalysisState['excluded'];
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
  { decision, window, policy, evidenceDigest, excluded, position }: Settled,
): Decided => {
  const { explanation, verdict, action } = decision;
  const [metric] = explanation.metrics;
  const marker = blank(tools, analysis, action, window.index);
  return {
    ...marker,
    occurredAt: window.endMs,
    windowEndedAt: window.endMs,
    windows: explanation.windows,
    windowMs: policy.windowMs,
    verdict: verdict.outcome,
    reason: reasonOf(verdict),
    explanation: sentenceOf(decision, excluded),
    metric: verdict.outcome === 'fail' ? (verdict.reasons[0]?.metric ?? null) : null,
    canary: metric?.canary ?? noCounts,
    baseline: metric?.baseline ?? noCounts,
    ratio: metric?.ratio ?? null,
    ratioLow: metric?.interval.low ?? null,
    ratioHigh: metric?.interval.high ?? null,
    ...restingOn(action, explanation, policy),
    strongest: metric?.strongestWindows.map(({ index }) => index) ?? [],
    evidenceDigest,
    samplesTo: position,
    metrics: explanation.metrics.map((one) => decidedMetric(one, verdict)),
    stage: stageOf(action, verdict),
  };
};

/** Judge 1 has errors alone, and does not know how they scatter. */
const decidedMetric = (metric: MetricExplanation, verdict: Verdict): DecidedMetric => ({
  id: metric.metric,
  judged: 'errors',
  weight: 1,
  isBlamed:
    verdict.outcome === 'fail' && verdict.reasons.some((one) => one.metric === metric.metric),
  canaryCount: metric.canary.requests,
  canaryEvents: metric.canary.errors,
  baselineCount: metric.baseline.requests,
  baselineEvents: metric.baseline.errors,
  canaryLevel: null,
  baselineLevel: null,
  ratio: metric.ratio,
  ratioLow: metric.interval.low,
  ratioHigh: metric.interval.high,
  tolerated: metric.toleratedRate,
  evidence: metric.rollbackEvidence,
  promoteEvidence: metric.promoteEvidence,
  dispersion: 1,
  dispersionFrom: 'none',
  cappedBlocks: metric.cappedBlocks,
  strongest: metric.strongestWindows.map(({ index }) => index),
});

const stageOf = (action: DecisionAction, verdict: Verdict): DecidedStage => {
  switch (action) {
    case 'promote':
      return 'promoted';
    case 'roll-back':
      return 'rolled-back';
    case 'hold':
      return verdict.outcome === 'inconclusive' && verdict.reason === 'no-data'
        ? 'hold'
        : 'inconclusive';
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

/** A promotion rests on evidence of its own: the weakest metric against the margin of a promotion. */
const restingOn = (
  action: DecisionAction,
  explanation: Explanation,
  policy: JudgePolicy,
): Pick<Decided, 'evidence' | 'evidenceNeeded' | 'toleranceRelative' | 'toleranceAbsolute'> => {
  switch (action) {
    case 'promote':
      return {
        evidence: Math.min(...explanation.metrics.map(({ promoteEvidence }) => promoteEvidence)),
        evidenceNeeded: explanation.promoteEvidenceNeeded,
        toleranceRelative: policy.promoteTolerance.relative,
        toleranceAbsolute: policy.promoteTolerance.absolute,
      };
    case 'roll-back':
    case 'hold':
      return {
        evidence: explanation.evidence,
        evidenceNeeded: explanation.evidenceNeeded,
        toleranceRelative: policy.tolerance.relative,
        toleranceAbsolute: policy.tolerance.absolute,
      };
  }
};

/** The hold of an analysis that cannot be judged by this release: inconclusive, before any window. */
export const refusalMarker = (
  tools: AnalysisTools,
  analysis: AnalysisState,
  reason: Ending,
): Decided => {
  const { opening } = analysis;
  return {
    ...blank(tools, analysis, 'hold', 0),
    reason,
    explanation: `opened for judge ${opening.judge} with its policy; this release has judge ${judgeVersion} and cannot tell`,
    evidenceDigest: analysis.evidenceDigest,
  };
};

/** Everything that does not depend on a window; the rest as it is before the first one. */
const blank = (
  tools: AnalysisTools,
  { opening, position }: AnalysisState,
  action: DecisionAction,
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
    canary: noCounts,
    baseline: noCounts,
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
    noiseDigest: null,
    carriedFrom: null,
  };
};

const reasonOf = (verdict: Verdict): string =>
  verdict.outcome === 'inconclusive' ? verdict.reason : (verdict.reasons[0]?.code ?? '');

/** Where a cohort was not heard, what was heard instead tells why: a wrong version, a clock that is off. */
const sentenceOf = (
  { verdict, explanation }: Decision,
  excluded: AnalysisState['excluded'],
): string => {
  const sentence = explanationSentence(explanation, verdict.outcome === 'pass');
  if (verdict.outcome !== 'inconclusive' || verdict.missing.length === 0) return sentence;
  const isSilent = verdict.missing.some((what) => what.endsWith('-requests'));
  const instead = isSilent ? exclusionPhrase(excluded) : '';
  return `${verdict.reason}, missing: ${verdict.missing.join(', ')}; ${sentence}${instead}`;
};
