import { placeText } from './placed-policy.ts';
import type { PolicyDocument } from './placed-policy.ts';
import type { MetricPolicy, Policy } from './policy.ts';
import type { PolicyPath } from './setting.ts';
import { durationText, pathText, shareText } from './setting.ts';

// What a policy may say and people seldom mean.

export type PolicyWarning = {
  readonly code:
    | 'silence-rolls-back'
    | 'warm-up-short'
    | 'budget-large'
    | 'errors-not-judged'
    | 'nobody-decides'
    | 'metric-unsent'
    | 'no-bound';
  readonly path: PolicyPath;
  readonly message: string;
};

const warmUpMsUsual = 30_000;
const alphaUsualMax = 0.05;

export const warningsOf = ({ policies }: PolicyDocument): readonly PolicyWarning[] =>
  policies.flatMap((placed, index) => {
    const path = ['policies', index];
    return warningsOfPolicy(placed.policy, path).map((warning) => ({
      ...warning,
      message: `${pathText(warning.path)} (${placeText(placed)}) ${warning.message}`,
    }));
  });

const warningsOfPolicy = (policy: Policy, path: PolicyPath): readonly PolicyWarning[] => {
  const warnings: PolicyWarning[] = [];
  const warn = (code: PolicyWarning['code'], field: string, message: string): void => {
    warnings.push({ code, path: [...path, field], message });
  };
  if (policy.onSilence === 'roll-back')
    warn(
      'silence-rolls-back',
      'on-silence',
      `rolls back when telemetry stops: such roll-backs come on top of the ${shareText(policy.alpha)} that are promised`,
    );
  if (policy.warmUpMs < warmUpMsUsual && policy.cohorts?.freshBaseline !== true)
    warn(
      'warm-up-short',
      'warm-up',
      `is ${durationText(policy.warmUpMs)}: a program that starts cold will look like a regression, unless the baseline is started with it`,
    );
  if (policy.alpha > alphaUsualMax)
    warn(
      'budget-large',
      'false-roll-backs',
      `lets ${shareText(policy.alpha)} of good canaries be rolled back`,
    );
  if (!policy.metrics.some(({ judged }) => judged === 'errors'))
    warn(
      'errors-not-judged',
      'metrics',
      'judges no errors: a canary that fails every request could be promoted',
    );
  if (policy.act === 'dry-run')
    warn('nobody-decides', 'act', 'only says what it would do; nobody may act on it');
  return warnings;
};

/** Metrics of the policy of which none of the names was seen: a typo, or nobody sends it. */
export const unsentMetrics = (
  { metrics }: Policy,
  seen: ReadonlySet<string>,
): readonly MetricPolicy[] =>
  metrics.filter(({ source }) => source.names.every((name) => !seen.has(name)));
