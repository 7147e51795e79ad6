import { beforeTimes, dispersionTimes, drift, widened } from '../rollouts/before-rule.ts';
import type { Outlook, PolicyPlan } from './plan-policy.ts';
import { planPolicy } from './plan-policy.ts';
import type { MetricPolicy, Policy } from './policy.ts';

// What a half-hour shows against the half-hour before it, where all the traffic there is goes to one version after the
// other. By the lines of `beforeRule`, where no time of day widens them further.

export type BeforePlan = {
  /** Requests a second, of either half-hour. */
  readonly requestsPerSecond: number;
  /** How much more than chance counts are taken to scatter between the two. */
  readonly dispersion: number;
  readonly deadlineMs: number;
  readonly soakMs: number;
  readonly plan: PolicyPlan;
};

export const planBefore = (policy: Policy, outlook: Outlook): BeforePlan => {
  const [{ canaryRps, baselineRps } = { canaryRps: 0, baselineRps: 0 }] = outlook.traffic;
  const requestsPerSecond = canaryRps + baselineRps;
  // As the rule has it where the half-hour before shows no more than chance.
  const dispersion = Math.max(outlook.dispersion, dispersionTimes);
  const asBefore: Policy = {
    ...policy,
    ...beforeTimes(policy),
    metrics: policy.metrics.map(drifted),
  };
  const traffic = [
    { fromSeconds: 0, canaryRps: requestsPerSecond, baselineRps: requestsPerSecond },
  ];
  return {
    requestsPerSecond,
    dispersion,
    deadlineMs: asBefore.deadlineMs,
    soakMs: asBefore.soakMs,
    plan: planPolicy(asBefore, { ...outlook, traffic, dispersion }),
  };
};

const drifted = (metric: MetricPolicy): MetricPolicy => {
  switch (metric.judged) {
    case 'errors':
      return { ...metric, tolerance: widened(metric.tolerance, drift.errors) };
    case 'latency':
      return { ...metric, slower: metric.slower * drift.slower };
    case 'level':
    case 'traffic':
      return metric;
  }
};
