import type { DecisionSummary } from '../../deployment.ts';
import type { DecidedMetric, DecidedStage } from '../../markers/marker.ts';
import { validForMsMax } from '../../markers/limits.ts';
import type { Result } from '../../result.ts';
import { ok } from '../../result.ts';
import { presets } from '../policy/presets.ts';
import type { PolicyStanding } from './question.ts';
import type { Refusal } from './refusal.ts';
import { refuse } from './refusal.ts';

// Whether a decision says what the judge could have said. Whoever has the analyser's key can sign anything.

/** Versions of the judge whose decisions this release understands. */
const judgesKnown: readonly string[] = ['1', '2', '3', '4', '5'];

/** Evidence that any policy asks for at least, as odds: 1 over the largest budget that one may have. */
const rollBackNeededMin = 10;
const promoteNeededMin = 2;
/** Of the one test at the deadline, in standard deviations. */
const deadlineNeededMin = 1;
const atDeadline = 'worse-at-deadline';

/** What is wrong with the decision by itself, if anything: a renewal is judged by what it renews. */
export const judgeForm = (
  decision: DecisionSummary,
  policy: PolicyStanding,
): Result<void, Refusal> =>
  firstRefusal([
    () => judgeNumbers(decision),
    () => judgeVerdict(decision),
    () => judgeSilence(decision, policy),
    () => judgeEvidence(decision, policy),
    () => judgeShare(decision),
    () =>
      judgesKnown.includes(decision.judge)
        ? ok(undefined)
        : refuse(
            'judge-unknown',
            `judge ${decision.judge} decided it, and this release knows ${judgesKnown.join(', ')}`,
            'a newer release may: update plimsoll here',
          ),
  ]);

export const firstRefusal = (
  judges: readonly (() => Result<void, Refusal>)[],
): Result<void, Refusal> => {
  for (const judge of judges) {
    const judged = judge();
    if (!judged.ok) return judged;
  }
  return ok(undefined);
};

const judgeNumbers = (decision: DecisionSummary): Result<void, Refusal> => {
  const { validForMs, windows, windowIndex, samplesFrom, samplesTo, metrics } = decision;
  if (!(validForMs > 0 && validForMs <= validForMsMax))
    return refuse('valid-too-long', `it is to be obeyed for ${validForMs} ms`);
  const absurd =
    (windows > windowIndex + 1 && 'it rests on more windows than there were') ||
    (samplesTo < samplesFrom && 'its samples end before they begin') ||
    (decision.strongest.some((index) => index > windowIndex) &&
      'it rests on a window that comes later') ||
    (decision.canary.errors > decision.canary.requests &&
      'the canary has more errors than requests') ||
    (decision.baseline.errors > decision.baseline.requests &&
      'the baseline has more errors than requests') ||
    (isOutside(decision.ratio, decision.ratioLow, decision.ratioHigh) &&
      'its ratio lies outside its interval') ||
    (new Set(metrics.map(({ id }) => id)).size < metrics.length && 'it names a metric twice') ||
    (sumOf(metrics.map(({ weight }) => weight)) > 1 + weightSlack &&
      'its metrics weigh more than the whole') ||
    metrics.map(absurdityOf).find((sentence) => sentence !== undefined);
  return typeof absurd === 'string' ? refuse('numbers-absurd', absurd) : ok(undefined);
};

/** What rounding may add to weights that sum to 1. */
const weightSlack = 1e-6;

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** The numbers of an interval are computed each by itself, so they may differ in the last digits. */
const isOutside = (ratio: number | null, low: number | null, high: number | null): boolean =>
  (low !== null && high !== null && low > high) ||
  (ratio !== null &&
    ((low !== null && ratio < low * (1 - 1e-9)) || (high !== null && ratio > high * (1 + 1e-9))));

const absurdityOf = (metric: DecidedMetric): string | undefined => {
  const { id, canaryCount, canaryEvents, baselineCount, baselineEvents, strongest } = metric;
  if (canaryEvents > canaryCount || baselineEvents > baselineCount)
    return `the metric ${id} has more events than it counted`;
  if (metric.ratioLow !== null && metric.ratioHigh !== null && metric.ratioLow > metric.ratioHigh)
    return `the interval of the metric ${id} ends before it begins`;
  return new Set(strongest).size < strongest.length
    ? `the metric ${id} names a window twice`
    : undefined;
};

const stagesOf: { readonly [Kind in DecisionSummary['kind']]: readonly DecidedStage[] } = {
  promote: ['promoted'],
  advance: ['advanced'],
  hold: ['hold', 'inconclusive'],
  'roll-back': ['rolled-back'],
};

const judgeVerdict = ({
  kind,
  verdict,
  stage,
  onSilence,
}: DecisionSummary): Result<void, Refusal> => {
  const fits = {
    promote: verdict === 'pass',
    advance: verdict !== 'fail',
    hold: verdict === 'inconclusive',
    'roll-back': verdict === (onSilence === 'roll-back' ? 'inconclusive' : 'fail'),
  }[kind];
  if (!fits) return refuse('verdict-contradicts', `${kind}, but the verdict is ${verdict}`);
  return stagesOf[kind].includes(stage)
    ? ok(undefined)
    : refuse('stage-contradicts', `${kind}, but the canary is ${stage || 'in no stage'}`);
};

/** A silence is no evidence: it rolls back only where the policy says so, and blames nobody. */
const judgeSilence = (
  { kind, onSilence, metric, metrics }: DecisionSummary,
  policy: PolicyStanding,
): Result<void, Refusal> => {
  if (onSilence === null) return ok(undefined);
  if (kind !== 'hold' && kind !== 'roll-back')
    return refuse('silence-contradicts', `${kind} because of a silence`);
  if (kind === 'roll-back' && (onSilence !== 'roll-back' || metric !== null || blamed(metrics)))
    return refuse(
      'silence-contradicts',
      'a roll-back because of a silence blames a metric, or is none',
    );
  // Where the silence may be of its own making, a person is asked in place of a roll-back.
  const isAskedInstead = kind === 'hold' && onSilence === 'page';
  return policy.onSilence === null || policy.onSilence === onSilence || isAskedInstead
    ? ok(undefined)
    : refuse(
        'silence-contradicts',
        `the policy says ${policy.onSilence} of a silence, the decision ${onSilence}`,
      );
};

const blamed = (metrics: readonly DecidedMetric[]): boolean =>
  metrics.some(({ isBlamed }) => isBlamed);

const judgeEvidence = (
  decision: DecisionSummary,
  policy: PolicyStanding,
): Result<void, Refusal> => {
  const { kind, evidence, evidenceNeeded, metric, metrics, onSilence } = decision;
  if (kind === 'hold' || (kind === 'roll-back' && onSilence === 'roll-back')) return ok(undefined);
  const isRollBack = kind === 'roll-back';
  if (isRollBack && (metric === null || !metrics.some((one) => one.id === metric && one.isBlamed)))
    return refuse('blame-missing', 'a roll-back that blames no metric');
  if (!isRollBack && blamed(metrics))
    return refuse('verdict-contradicts', `${kind}, but a metric is blamed`);
  const min = isRollBack ? rollBackMin(decision, policy) : promoteNeededMin;
  if (evidenceNeeded < min)
    return refuse(
      'evidence-needed-absurd',
      `${evidenceText(decision, evidenceNeeded)} was held to be enough, and at least ${evidenceText(decision, min)} is asked`,
    );
  if (evidence < evidenceNeeded)
    return refuse(
      'evidence-insufficient',
      `the evidence is ${evidenceText(decision, evidence)}, and ${evidenceText(decision, evidenceNeeded)} was needed`,
    );
  // What an earlier attempt with the same artifacts has shown needs no windows of its own.
  const isCarried = isRollBack && decision.carriedFrom !== null;
  if (!isCarried && !metrics.some(hasData))
    return refuse('evidence-empty', 'no metric was seen in both cohorts');
  return isRollBack ? ok(undefined) : judgeMetrics(decision, policy);
};

/** Odds, but of the test at the deadline. */
const evidenceText = ({ reason }: DecisionSummary, evidence: number): string =>
  reason === atDeadline ? `${evidence} standard deviations` : `1 : ${evidence}`;

/** What is promoted was shown to be good by every metric that weighs something, and is not about to be rolled back. */
const judgeMetrics = (
  { kind, evidenceNeeded, metrics, carriedFrom }: DecisionSummary,
  { alpha }: PolicyStanding,
): Result<void, Refusal> => {
  const weak = metrics.find(
    ({ weight, promoteEvidence }) =>
      weight > 0 && !(promoteEvidence >= evidenceNeeded * (1 - roundingSlack)),
  );
  if (weak !== undefined)
    return refuse(
      'evidence-insufficient',
      `${kind}, but that ${weak.id} is good enough was shown at 1 : ${weak.promoteEvidence}, and 1 : ${evidenceNeeded} was needed`,
    );
  // What a retry carries is in the stakes, which a decision does not tell.
  if (carriedFrom !== null) return ok(undefined);
  const against = sumOf(
    metrics.map(({ weight, evidence }) => (weight > 0 ? weight * evidence : 0)),
  );
  const rollsBack = 2 / (alpha ?? presets.standard.alpha);
  return against < rollsBack
    ? ok(undefined)
    : refuse(
        'verdict-contradicts',
        `${kind}, but its metrics together are worse than tolerated at 1 : ${against}, and 1 : ${rollsBack} rolls back`,
      );
};

/** A decision's own evidence is rounded, its metrics' is not. */
const roundingSlack = 1e-5;

/** The half of the budget that is for looking at any time is at most the whole. */
const rollBackMin = ({ reason }: DecisionSummary, { alpha }: PolicyStanding): number => {
  if (reason === atDeadline) return deadlineNeededMin;
  return alpha === null ? rollBackNeededMin : Math.max(rollBackNeededMin, 1 / alpha);
};

const hasData = (metric: DecidedMetric): boolean =>
  (metric.canaryCount > 0 && metric.baselineCount > 0) ||
  (metric.canaryLevel !== null && metric.baselineLevel !== null);

const judgeShare = ({ kind, share }: DecisionSummary): Result<void, Refusal> => {
  if (kind !== 'advance')
    return share === null
      ? ok(undefined)
      : refuse('share-invalid', `${kind} names a share of the traffic`);
  return share !== null && share > 0 && share <= 1
    ? ok(undefined)
    : refuse('share-invalid', `an advance to ${share ?? 'no share'} of the traffic`);
};
