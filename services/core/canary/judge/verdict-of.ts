import { metricAt } from './metric-at.ts';
import { evidenceOf } from '../statistics/evidence.ts';
import { logEvidence, logParts, logPromotes, weightsOf } from './family-evidence.ts';
import { explainMetric } from './metric.ts';
import { clientErrorsAt, isRequired, isSilentIn, missingIn, unsaidAt } from './missing.ts';
import type { FamilyRule } from './rule.ts';
import { isSeen, isSeenInBoth } from './seen.ts';
import type { FamilyState, Finding } from './state.ts';
import { windowsIn } from './times.ts';
import type {
  Explanation,
  InconclusiveReason,
  MetricPart,
  Missing,
  Reason,
  Stage,
  Verdict,
} from './verdict.ts';

export const stageOf = (rule: FamilyRule, state: FamilyState): Stage => {
  if (state.failed !== null) return 'rolled-back';
  if (state.promoted !== null) return 'promoted';
  if (isPastDeadline(rule, state)) return 'inconclusive';
  if (state.silentFrom !== null) return 'hold';
  if (state.advanced !== null) return 'advanced';
  return isWarming(rule, state) ? 'warming' : 'armed';
};

/**
 * What the windows so far say. `fail` is final; a promoted canary passes until then, an advanced one until it is silent
 * or the deadline has come.
 */
export const verdictOf = (rule: FamilyRule, state: FamilyState): Verdict => {
  const stage = stageOf(rule, state);
  const inconclusive = (reason: InconclusiveReason): Verdict => ({
    outcome: 'inconclusive',
    reason,
    missing: [...missingIn(rule, state), ...unpaired(rule, state)],
  });
  switch (stage) {
    case 'rolled-back':
      return { outcome: 'fail', reasons: reasonsOf(rule, state.failed) };
    case 'promoted':
      return { outcome: 'pass', reasons: reasonsOf(rule, state.promoted) };
    case 'advanced':
      return { outcome: 'pass', reasons: reasonsOf(rule, state.advanced) };
    case 'inconclusive':
      return inconclusive('deadline');
    case 'hold':
      return inconclusive('no-data');
    case 'warming':
      return inconclusive('warming');
    case 'armed':
      return inconclusive('collecting');
  }
};

/**
 * Both cohorts are heard, and in all the time that a window had to be measured never in the same one: their exports are
 * further apart than it is long.
 */
const unpaired = (rule: FamilyRule, state: FamilyState): readonly Missing[] =>
  state.anchorIndex === null &&
  state.nextIndex > windowsIn(rule, rule.noDataMs) &&
  rule.metrics.some((_, index) => isSeenInBoth(state.seen, index))
    ? [{ what: 'any-pair' }]
    : [];

export const explain = (rule: FamilyRule, state: FamilyState): Explanation => {
  const { carried, failed } = state;
  const isCrossed = failed !== null && failed.code === 'worse-than-tolerated';
  return {
    evidence: evidenceOf(logEvidence(rule, state)),
    evidenceNeeded: 1 / rule.alphaAnytime,
    promoteEvidenceNeeded: rule.beta > 0 ? 1 / rule.beta : null,
    firstCrossed: isCrossed ? { index: failed.index, startMs: failed.startMs } : null,
    windows: state.nextIndex,
    carried: carried && { attempts: carried.attempts, evidence: evidenceOf(carried.logEvidence) },
    metrics: partsOf(rule, state),
  };
};

const partsOf = (rule: FamilyRule, state: FamilyState): readonly MetricPart[] => {
  const weights = weightsOf(rule, state);
  const parts = logParts(rule, state);
  const promotes = logPromotes(rule, state);
  const startMsOf = (index: number): number => (state.beginsMs ?? 0) + index * rule.windowMs;
  return rule.metrics.flatMap((metric, index) => {
    const before = metricAt(rule, state, index);
    if (before === undefined) return [];
    const unsaid = unsaidAt(rule, state, index);
    const clientErrors = clientErrorsAt(rule, state, index);
    return {
      id: metric.id,
      weight: weights[index] ?? 0,
      critical: metric.critical,
      evidence: evidenceOf(parts[index] ?? -Infinity),
      promoteEvidence: evidenceOf(promotes[index] ?? 0),
      deadline: state.deadline?.[index] ?? null,
      presence: presenceOf(rule, state, index),
      ...(unsaid === null ? {} : { unsaid }),
      ...(clientErrors === null ? {} : { clientErrors }),
      ...(metric.judged === 'traffic' && state.share === null ? { isShareUntold: true } : {}),
      explained: explainMetric(metric, before, startMsOf),
    };
  });
};

const presenceOf = (
  rule: FamilyRule,
  state: FamilyState,
  index: number,
): MetricPart['presence'] => {
  if (!isSeen(state.seen, index)) return 'none';
  if (!isSeenInBoth(state.seen, index)) return 'one';
  const isSilent =
    isSilentIn(rule, state, index, 'canary') || isSilentIn(rule, state, index, 'baseline');
  return isSilent && isRequired(rule, state, index) ? 'silent' : 'both';
};

const reasonsOf = ({ metrics }: FamilyRule, finding: Finding | null): readonly Reason[] =>
  metrics.flatMap(({ id }, index) => {
    const evidence = finding?.evidence[index] ?? null;
    const evidenceNeeded = finding?.needed[index] ?? null;
    return finding === null || evidence === null || evidenceNeeded === null
      ? []
      : { metric: id, code: finding.code, evidence, evidenceNeeded };
  });

const isWarming = (rule: FamilyRule, { anchorIndex, nextIndex }: FamilyState): boolean =>
  anchorIndex === null || nextIndex - anchorIndex <= windowsIn(rule, rule.warmUpMs);

const isPastDeadline = (rule: FamilyRule, { nextIndex }: FamilyState): boolean =>
  nextIndex >= windowsIn(rule, rule.deadlineMs);
