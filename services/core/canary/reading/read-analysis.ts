import type { AnalysisState } from '../analysis-state.ts';
import type { Stage } from '../judge/verdict.ts';
import { explain, verdictOf } from '../judge.ts';
import type { Verdict } from '../judge.ts';
import type { MetricExplanation } from '../metric-judge.ts';
import type { JudgePolicy } from '../policy.ts';
import type { MetricReading, Reading } from './reading.ts';

// The one place that knows how the judge's state is shown.

/** What the judge says after the windows so far; undefined: none is judged yet. */
export const readAnalysis = ({
  opening,
  policy,
  judge,
  measuring,
}: AnalysisState): Reading | undefined => {
  if (policy === null || judge === null || measuring !== null || judge.nextIndex === 0)
    return undefined;
  const verdict = verdictOf(policy, judge);
  const explanation = explain(policy, judge);
  const metrics = explanation.metrics.map((metric) => metricReading(policy, metric));
  return {
    index: judge.nextIndex - 1,
    endMs: opening.openedAt + judge.nextIndex * policy.windowMs,
    windowMs: policy.windowMs,
    stage: stageOf(verdict),
    outcome: verdict.outcome,
    reason: verdict.outcome === 'inconclusive' ? verdict.reason : (verdict.reasons[0]?.code ?? ''),
    missing: verdict.outcome === 'inconclusive' ? verdict.missing : [],
    blamed: verdict.outcome === 'inconclusive' ? [] : verdict.reasons.map(({ metric }) => metric),
    evidence: explanation.evidence,
    evidenceNeeded: explanation.evidenceNeeded,
    promoteEvidence: Math.min(...metrics.map(({ promoteEvidence }) => promoteEvidence)),
    promoteEvidenceNeeded: explanation.promoteEvidenceNeeded,
    metrics,
  };
};

/** The receipt at which the next window closes; undefined: how long windows are is not known, or no more are closed. */
export const closesAtMs = ({
  opening,
  policy,
  judge,
  measuring,
  ended,
}: AnalysisState): number | undefined =>
  policy === null || judge === null || measuring !== null || ended !== null
    ? undefined
    : opening.openedAt + (judge.nextIndex + 1 + latenessWindows) * policy.windowMs;

/** How far the watermark is behind the highest receipt. */
const latenessWindows = 2;

/** How many windows are closed. */
export const windowsClosedOf = ({ judge }: AnalysisState): number => judge?.nextIndex ?? 0;

const stageOf = (verdict: Verdict): Stage => {
  switch (verdict.outcome) {
    case 'fail':
      return 'rolled-back';
    case 'pass':
      return 'promoted';
    case 'inconclusive':
      return stages[verdict.reason];
  }
};

const stages: {
  readonly [Reason in Extract<Verdict, { readonly outcome: 'inconclusive' }>['reason']]: Stage;
} = { warming: 'warming', collecting: 'armed', 'no-data': 'hold', deadline: 'inconclusive' };

const metricReading = (policy: JudgePolicy, metric: MetricExplanation): MetricReading => {
  const { canary, baseline, interval, toleratedRate } = metric;
  const baselineRate = baseline.requests === 0 ? 0 : baseline.errors / baseline.requests;
  return {
    id: metric.metric,
    judged: 'errors',
    weight: 1,
    critical: true,
    presence: canary.requests > 0 && baseline.requests > 0 ? 'both' : 'none',
    counted: 'errors',
    canary: { n: canary.requests, events: canary.errors, level: null },
    baseline: { n: baseline.requests, events: baseline.errors, level: null },
    ratio: metric.ratio,
    low: interval.low,
    high: interval.high,
    confidence: interval.confidence,
    worse: 'higher',
    toleratedRatio: baselineRate > 0 ? toleratedRate / baselineRate : null,
    tolerated: baseline.requests === 0 ? policy.tolerance.absolute : toleratedRate,
    rollbackEvidence: metric.rollbackEvidence,
    promoteEvidence: metric.promoteEvidence,
    strongest: metric.strongestWindows.map(({ index, startMs, gainNats }) => ({
      index,
      startMs,
      gainNats,
    })),
    cappedBlocks: metric.cappedBlocks,
    phi: metric.dispersion === 1 ? null : metric.dispersion,
    noise: 'not asked',
    trouble: '',
  };
};
