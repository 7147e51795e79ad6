import type {
  MetricPlan,
  Outlook,
  PlanChange,
  PolicyPlan,
  TrafficFrom,
} from '../core/canary/policy/plan-policy.ts';
import {
  changesThatHelp,
  dispersionUnknown,
  planPolicy,
} from '../core/canary/policy/plan-policy.ts';
import type { Policy } from '../core/canary/policy/policy.ts';
import { durationText } from '../core/canary/policy/setting.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { Line } from '../core/views.ts';
import type { Given } from './arguments.ts';
import { plainText, table } from './display.ts';
import { printLines, printText } from './output.ts';
import { applyingPolicy, whyText } from './policy-explain.ts';
import type { CliPorts } from './ports.ts';
import type { CliProblem } from './problem.ts';
import { refuse } from './problem.ts';

/** What a canary can show by its deadline at this traffic, and what would show more. */
export const runPolicyPlan = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const outlook = readOutlook(given);
  if (!outlook.ok) return outlook;
  const applying = await applyingPolicy(ports, given);
  if (!applying.ok) return applying;
  const { policy } = applying.value.placed;
  const plan = planPolicy(policy, outlook.value);
  const changes = changesThatHelp(policy, outlook.value);
  if (isJson) printLines(ports.terminal, [planLine(given, policy, outlook.value, plan, changes)]);
  else
    printText(ports.terminal, [
      plainText(whyText(given, applying.value)),
      ...planText(ports.terminal.columns, policy, outlook.value, plan),
      ...changesText(ports.terminal.columns, changes),
    ]);
  return ok(undefined);
};

const rpsMax = 1_000_000_000;
const dispersionMax = 1_000;
const stepsMax = 20;
const baselineErrorRateUsual = 0.005;
const baselineErrorRateMin = 1e-6;

const readOutlook = (given: Given): Result<Outlook, CliProblem> => {
  const traffic = readTraffic(given);
  if (!traffic.ok) return traffic;
  const rate = given.value('base-error-rate');
  const baselineErrorRate = rate === null ? baselineErrorRateUsual : readShare(rate);
  if (!(baselineErrorRate >= baselineErrorRateMin && baselineErrorRate <= 0.5))
    return bad('base-error-rate', rate, 'write it such as 0.5% or 0.005: from 0.0001% to 50%');
  const written = given.value('dispersion');
  const dispersion = written === null ? dispersionUnknown : readNumber(written);
  if (!(dispersion >= 1 && dispersion <= dispersionMax))
    return bad('dispersion', written, 'it is 1 (chance alone) or more');
  return ok({ traffic: traffic.value, baselineErrorRate, dispersion });
};

const readTraffic = (given: Given): Result<readonly TrafficFrom[], CliProblem> => {
  const [canary, baseline] = [given.value('canary-rps'), given.value('baseline-rps')];
  const [both, share] = [given.value('rps'), given.value('share')];
  const hint = 'give --canary-rps and --baseline-rps, or --rps and --share';
  if (canary !== null && baseline !== null && both === null && share === null) {
    const [canaryRps, baselineRps] = [readRps(canary), readRps(baseline)];
    if (Number.isNaN(canaryRps)) return bad('canary-rps', canary, rpsHint);
    if (Number.isNaN(baselineRps)) return bad('baseline-rps', baseline, rpsHint);
    return ok([{ fromSeconds: 0, canaryRps, baselineRps }]);
  }
  if (canary !== null || baseline !== null || both === null || share === null)
    return refuse('option-missing', 'it is not said how much traffic there is', hint);
  const rps = readRps(both);
  if (Number.isNaN(rps)) return bad('rps', both, rpsHint);
  const steps = readSteps(share);
  if (steps === undefined)
    return bad('share', share, 'write it such as 10%, or 0s=1%,450s=5%: rising times from 0s on');
  return ok(
    steps.map(({ fromSeconds, share: part }) => ({
      fromSeconds,
      canaryRps: rps * part,
      baselineRps: rps * (1 - part),
    })),
  );
};

const rpsHint = 'requests a second, above 0';

const bad = (option: string, written: string | null, hint: string): Result<never, CliProblem> =>
  refuse(
    'option-invalid',
    `--${option}=${JSON.stringify((written ?? '').slice(0, 64))} is not understood`,
    hint,
  );

const readNumber = (written: string): number =>
  /^[0-9]{1,12}(\.[0-9]{1,12})?$/.test(written) ? Number(written) : Number.NaN;

const readRps = (written: string): number => {
  const rps = readNumber(written);
  return rps > 0 && rps <= rpsMax ? rps : Number.NaN;
};

/** `0.5%` or `0.005`. */
const readShare = (written: string): number =>
  written.endsWith('%') ? readNumber(written.slice(0, -1).trimEnd()) / 100 : readNumber(written);

type Step = { readonly fromSeconds: number; readonly share: number };

const readSteps = (written: string): readonly Step[] | undefined => {
  const parts = written.includes('=') ? written.split(',') : [`0s=${written}`];
  const steps = parts.map((part): Step => {
    const [, seconds = '', share = ''] = /^([0-9]{1,6})s=(.+)$/.exec(part.trim()) ?? [];
    return { fromSeconds: seconds === '' ? Number.NaN : Number(seconds), share: readShare(share) };
  });
  const isRising = steps.every(({ fromSeconds, share }, index) => {
    const before = steps[index - 1]?.fromSeconds ?? -1;
    return fromSeconds > before && share > 0 && share < 1;
  });
  return steps.length <= stepsMax && isRising && steps[0]?.fromSeconds === 0 ? steps : undefined;
};

const percentText = (share: number): string => `${Number((share * 100).toPrecision(2))} %`;
const timeText = (ms: number): string => durationText(Math.round(ms / 60_000) * 60_000 || 60_000);

/** `1.4 %` of errors, `12 % slower`. */
const foundText = ({ judged, found }: MetricPlan): string => {
  if (found === null) return 'not even everything';
  return judged === 'latency' ? `${percentText(found - 1)} slower` : percentText(found);
};

const toleratedText = ({ judged, tolerated }: MetricPlan): string =>
  tolerated === null
    ? ''
    : judged === 'latency'
      ? `${percentText(tolerated - 1)} slower`
      : percentText(tolerated);

const planText = (
  columns: number | null,
  policy: Policy,
  { traffic, baselineErrorRate, dispersion }: Outlook,
  plan: PolicyPlan,
): readonly string[] => {
  const counted = plan.metrics.filter(({ tolerated }) => tolerated !== null);
  const others = plan.metrics.filter(({ tolerated }) => tolerated === null).map(({ id }) => id);
  const filtered = counted.filter(({ isFiltered }) => isFiltered).map(({ id }) => id);
  const deadline = durationText(policy.deadlineMs);
  return [
    `${traffic.map(trafficText).join('; ')}; ${percentText(baselineErrorRate)} of the baseline's requests fail`,
    '',
    ...table(
      ['METRIC', 'TOLERATED UP TO', `FOUND IN 9 OF 10 BY ${deadline}`],
      counted.map((metric) => [metric.id, toleratedText(metric), foundText(metric)]),
      columns,
    ),
    '',
    promotionText(policy, plan),
    ...(dispersion === dispersionUnknown
      ? ['Counts are taken to scatter twice as much as chance, as long as there is no history.']
      : []),
    ...(filtered.length === 0
      ? []
      : [plainText(`Of only a part of the requests, so later: ${filtered.join(', ')}`)]),
    ...(others.length === 0
      ? []
      : [
          plainText(
            `Judged too, where sent; what they show hangs on how they vary: ${others.join(', ')}`,
          ),
        ]),
  ];
};

const trafficText = ({ fromSeconds, canaryRps, baselineRps }: TrafficFrom): string => {
  const rate = (rps: number): string => String(Number(rps.toPrecision(3)));
  const from = fromSeconds === 0 ? '' : `from ${fromSeconds}s on `;
  return `${from}${rate(canaryRps)} requests a second to the canary, ${rate(baselineRps)} to the baseline`;
};

const promotionText = (policy: Policy, { promotionMs, promotionWaitsFor }: PolicyPlan): string => {
  if (promotionMs === null)
    return plainText(
      `Promotion: not by the deadline (${durationText(policy.deadlineMs)}), as ${promotionWaitsFor ?? ''} needs longer: a good canary would end inconclusive`,
    );
  const why =
    promotionWaitsFor === null
      ? `the soak is ${durationText(policy.soakMs)}`
      : `${promotionWaitsFor} takes longest`;
  return plainText(
    `Promotion: about ${timeText(promotionMs)} after the start, where the canary is as good (${why})`,
  );
};

const changesText = (columns: number | null, changes: readonly PlanChange[]): readonly string[] => {
  if (changes.length === 0) return [];
  const metrics = changes[0]?.plan.metrics.filter(({ tolerated }) => tolerated !== null) ?? [];
  return [
    '',
    ...table(
      ['WHAT WOULD HELP', ...metrics.map(({ id }) => id), 'PROMOTION'],
      changes.map(({ change, plan }) => [
        change,
        ...metrics.map(({ id }) => {
          const metric = plan.metrics.find((other) => other.id === id);
          return metric === undefined ? '' : foundText(metric);
        }),
        plan.promotionMs === null ? 'not by the deadline' : timeText(plan.promotionMs),
      ]),
      columns,
    ),
  ];
};

const planLine = (
  given: Given,
  policy: Policy,
  { traffic, baselineErrorRate, dispersion }: Outlook,
  plan: PolicyPlan,
  changes: readonly PlanChange[],
): Line => ({
  component: given.value('component'),
  environment: given.value('environment'),
  traffic: traffic.map(({ fromSeconds, canaryRps, baselineRps }) => ({
    fromSeconds,
    canaryRps,
    baselineRps,
  })),
  baselineErrorRate,
  dispersion,
  deadlineMs: policy.deadlineMs,
  ...planFields(plan),
  changes: changes.map(({ change, plan: changed }) => ({ change, ...planFields(changed) })),
});

const planFields = ({ metrics, promotionMs, promotionWaitsFor }: PolicyPlan): Line => ({
  metrics: metrics.map(({ id, judged, weight, isFiltered, tolerated, found, shownMs }) => ({
    metric: id,
    kind: judged,
    weight,
    isFiltered,
    tolerated,
    found,
    shownMs,
  })),
  promotionMs,
  promotionWaitsFor,
});
