import { marginOfShift, shiftOfMargin } from '../../core/canary/windows/durations.ts';
import type { Noise } from '../../core/canary/judge/noise.ts';
import type { FamilyRule } from '../../core/canary/judge/rule.ts';
import type { Line } from '../../core/canary/metrics/rate-test.ts';
import { familyRuleOf } from '../../core/canary/policy/family-rule.ts';
import type { MetricPolicy, MetricPolicyOf, Policy } from '../../core/canary/policy/policy.ts';
import { presetMetric, presets } from '../../core/canary/policy/presets.ts';
import type { PresetName } from '../../core/canary/policy/presets.ts';
import type { Cell } from './cells.ts';
import { promotionBound, regressionBound } from './family/bound-of.ts';
import { explicitBuckets } from './family/explicit-buckets.ts';
import { noiseIn } from './family/history-noise.ts';
import type { Buckets } from './family/judge-by.ts';
import { judgeBy } from './family/judge-by.ts';
import { inLongerWindows } from './family/longer-windows.ts';
import type { Judge, JudgePlug } from './judge-plug.ts';
import { scale } from './latency.ts';
import { windowMs } from './stream.ts';
import * as tried from './tried.ts';

/**
 * Raised when the same windows may lead to another verdict: results add up under it. The judge's own version rises, too,
 * where only what is shown beside a verdict changes.
 */
const verdictVersion = 8;

/** Half of it is kept for the test at the deadline. */
const promisedShareMax = 0.01;

const policyBound = (policy: Policy, alpha: number): JudgePlug['boundSeconds'] => {
  const { slower } = presetMetric(policy, 'latency');
  const slowerBuckets = 1 + marginOfShift(scale, shiftOfMargin(scale, slower - 1));
  return regressionBound(presetMetric(policy, 'errors').tolerance, slowerBuckets, alpha);
};

/** A preset as the product judges by it: every metric, noise learned from six hours before. */
const presetJudge = (name: PresetName): JudgePlug => {
  const policy = presets[name];
  return {
    name: `${name} v${verdictVersion}`,
    about: `the product, all metrics, ${name} preset, noise from history`,
    isTriedIn: tried.everywhere,
    looksFor: 'regressions',
    learn: (history) => judgeBy(familyRuleOf(policy, noiseIn(history), windowMs)),
    boundSeconds: policyBound(policy, policy.alpha / 2),
    falseRollbackShareMax: promisedShareMax,
  };
};

/** The same where senders report less often, so that windows are longer. */
const longWindows = (seconds: number): JudgePlug => {
  const policy = presets.standard;
  const together = (1_000 * seconds) / windowMs;
  return {
    ...presetJudge('standard'),
    name: `windows of ${seconds} s v${verdictVersion}`,
    about: `standard where senders report every ${seconds} s: windows of that length`,
    isTriedIn: tried.inLongWindows,
    learn: (history) =>
      inLongerWindows(
        together,
        judgeBy(familyRuleOf(policy, noiseIn(history), windowMs * together)),
      ),
  };
};

/** What the prototype's tables of the whole pipeline were made with. */
const threeMetrics = (name: 'standard' | 'sensitive', about: string): JudgePlug => {
  const weights: Readonly<Record<string, number>> = { errors: 0.5, latency: 0.4, cpu: 0.1 };
  const policy: Policy = {
    ...presets[name],
    metrics: presets[name].metrics.flatMap((metric): readonly MetricPolicy[] => {
      const weight = weights[metric.id];
      return weight === undefined ? [] : [{ ...metric, weight }];
    }),
  };
  return {
    name: `three metrics ${name} v${verdictVersion}`,
    about: `errors, latency and CPU with the margins of ${name}${about}; all of alpha for looking always, no test at the deadline`,
    isTriedIn: tried.inWholePipeline,
    looksFor: 'regressions',
    learn: (history) =>
      judgeBy({
        ...familyRuleOf(policy, noiseIn(history), windowMs),
        alphaAnytime: policy.alpha,
        alphaDeadline: 0,
      }),
    boundSeconds: policyBound(policy, policy.alpha),
    falseRollbackShareMax: null,
  };
};

const measured = { batches: 0, note: 'measured' } as const;
const noNoise: Noise = [
  { ...measured, id: 'errors', judged: 'errors', phi: 1 },
  { ...measured, id: 'latency', judged: 'latency', phi: { tails: [1, 1, 1, 1], meanLog: 1 } },
];

type CoreMetric = MetricPolicyOf<'errors'> | MetricPolicyOf<'latency'>;

/** Tests of latency choose their boundaries before they begin, from what the baseline showed in that minute. */
const choosingMs = 60_000;

/** One metric by itself: no cap, no restarts, no noise, and no warm-up but to choose boundaries. */
const coreRule = (metric: CoreMetric): FamilyRule =>
  familyRuleOf(
    {
      ...presets.standard,
      warmUpMs: metric.judged === 'latency' ? choosingMs : 0,
      blockCapNats: 1_000,
      restarts: { ...presets.standard.restarts, count: 0 },
      metrics: [metric],
    },
    noNoise,
    windowMs,
  );

/** With times that count from when the test begins. */
const countedFrom =
  (fromMs: number, judge: Judge): Judge =>
  (windows) => {
    const judged = judge(windows);
    const since = (ms: number | null): number | null => (ms === null ? null : ms - fromMs);
    return {
      ...judged,
      rolledBackMs: since(judged.rolledBackMs),
      promotedMs: since(judged.promotedMs),
    };
  };

/** The whole budget is for looking after every window. */
const coreJudge = (
  name: string,
  about: string,
  metric: CoreMetric,
  buckets?: Buckets,
): JudgePlug => {
  const { alpha } = presets.standard;
  const rule: FamilyRule = { ...coreRule(metric), alphaAnytime: alpha, alphaDeadline: 0 };
  const isErrors = metric.judged === 'errors';
  return {
    name: `${name} v${verdictVersion}`,
    about,
    isTriedIn: isErrors ? tried.ofErrors : tried.ofLatency,
    looksFor: 'regressions',
    learn: () => countedFrom(rule.warmUpMs, judgeBy(rule, buckets)),
    boundSeconds: isErrors
      ? regressionBound(metric.tolerance, null, alpha)
      : regressionBound(null, metric.slower, alpha),
    falseRollbackShareMax: null,
  };
};

/** It promotes as soon as one metric has shown that it is good enough, and does nothing else. */
const promotionJudge = (
  name: string,
  about: string,
  metric: CoreMetric,
  isTriedIn: (cell: Cell) => boolean,
): JudgePlug => {
  const { beta } = presets.standard;
  const rule: FamilyRule = {
    ...coreRule(metric),
    ...{ soakMs: 0, noDataMs: windowMs, bakeMs: 0, vetoEvidence: Infinity },
    ...{ alphaAnytime: 1e-300, alphaDeadline: 0 },
  };
  return {
    name: `${name} v${verdictVersion}`,
    about,
    isTriedIn,
    looksFor: 'promotion',
    learn: () => countedFrom(rule.warmUpMs, judgeBy(rule)),
    boundSeconds:
      metric.judged === 'errors' ? promotionBound(metric.promoteTolerance, beta) : () => null,
    falseRollbackShareMax: null,
  };
};

/** The product's judge where a policy has errors alone, and nothing is known of how they scatter but chance. */
const errorsAlone = (): JudgePlug => {
  const { standard } = presets;
  const errors = presetMetric(standard, 'errors');
  const rule = familyRuleOf({ ...standard, metrics: [errors] }, noNoise, windowMs);
  return {
    name: `errors only v${verdictVersion}`,
    about: 'the product, errors alone, standard preset',
    isTriedIn: tried.ofErrors,
    looksFor: 'regressions',
    learn: () => judgeBy(rule),
    boundSeconds: regressionBound(errors.tolerance, null, rule.alphaAnytime),
    falseRollbackShareMax: null,
  };
};

/** Errors with the half of the budget that they have among other metrics: what a test at the deadline adds to looking always. */
const errorsAtHalf = (name: 'standard' | 'sensitive'): JudgePlug => {
  const policy = presets[name];
  const errors = presetMetric(policy, 'errors');
  const alphaEach = policy.alpha / 4;
  const rule: FamilyRule = {
    ...familyRuleOf({ ...policy, metrics: [errors] }, noNoise, windowMs),
    alphaAnytime: alphaEach,
    alphaDeadline: alphaEach,
  };
  return {
    name: `errors at half ${name} v${verdictVersion}`,
    about: `errors alone with half of the budget, ${name} preset, no scatter beyond chance`,
    isTriedIn: tried.ofErrors,
    looksFor: 'regressions',
    learn: () => judgeBy(rule),
    boundSeconds: regressionBound(errors.tolerance, null, alphaEach),
    falseRollbackShareMax: null,
  };
};

const errorsOf = presetMetric(presets.standard, 'errors');
const latencyOf = presetMetric(presets.standard, 'latency');
const line = (relative: number, absolute: number): Line => ({ relative, absolute });

export const standard: JudgePlug = presetJudge('standard');
export const sensitive: JudgePlug = presetJudge('sensitive');
export const errorsOnly: JudgePlug = errorsAlone();

export const errorsAtHalfJudges: readonly JudgePlug[] = [
  errorsAtHalf('standard'),
  errorsAtHalf('sensitive'),
];

export const inWindowsOf15: JudgePlug = longWindows(15);
export const inWindowsOf60: JudgePlug = longWindows(60);

export const threeMetricJudges: readonly JudgePlug[] = [
  threeMetrics('standard', ''),
  threeMetrics('sensitive', ' (none for errors and latency)'),
];

export const errorsCoreStrict: JudgePlug = coreJudge(
  'errors core strict',
  'errors alone, core test, 1x',
  { ...errorsOf, tolerance: line(1, 0) },
);

export const latencyCore: JudgePlug = coreJudge(
  'latency core',
  'latency alone, core test, no margin; counted from when its boundaries are chosen',
  { ...latencyOf, slower: 1 },
);

export const latencyCoreExplicit: JudgePlug = coreJudge(
  'latency core, explicit bounds',
  "latency alone, core test, no margin, between OpenTelemetry's usual bounds (each at the nearest drawn edge), counted so",
  { ...latencyOf, slower: 1, tolerance: line(1, 0) },
  explicitBuckets,
);

export const coreJudges: readonly JudgePlug[] = [
  errorsCoreStrict,
  coreJudge('errors core 1.1x', 'errors alone, core test, 1.1x + 0.05 points', errorsOf),
  coreJudge('errors core 1.25x', 'errors alone, core test, 1.25x + 0.1 points', {
    ...errorsOf,
    tolerance: line(1.25, 0.001),
  }),
  latencyCore,
  coreJudge('latency core 4.4 %', 'latency alone, core test, margin of 4.4 %, counted so', {
    ...latencyOf,
    slower: 2 ** (1 / 16),
  }),
  coreJudge('latency core 9.05 %', 'latency alone, core test, margin of 9.05 %, counted so', {
    ...latencyOf,
    slower: 2 ** (2 / 16),
  }),
  latencyCoreExplicit,
];

export const errorsPromotion: JudgePlug = promotionJudge(
  'errors promoted within 1.5x',
  'errors alone, promoted within 1.5x + 0.2 points',
  errorsOf,
  tried.onMargin('errors 0.95 %'),
);

export const promotionJudges: readonly JudgePlug[] = [
  errorsPromotion,
  promotionJudge(
    'errors promoted within 1.25x',
    'errors alone, promoted within 1.25x + 0.1 points',
    { ...errorsOf, promoteTolerance: line(1.25, 0.001) },
    tried.onMargin('errors 0.725 %'),
  ),
  promotionJudge(
    'latency promoted within 13.9 %',
    'latency alone, promoted within 13.9 %, counted from when its boundaries are chosen',
    latencyOf,
    tried.onMargin('latency +13.9 %'),
  ),
  promotionJudge(
    'latency promoted within 9.05 %',
    'latency alone, promoted within 9.05 %, counted so',
    { ...latencyOf, slower: 1, promoteSlower: 2 ** (2 / 16) },
    tried.onMargin('latency +9.05 %'),
  ),
];
