import type {
  MetricPlan,
  Outlook,
  PlanChange,
  PolicyPlan,
  TrafficFrom,
} from '../../core/canary/policy/plan-policy.ts';
import {
  changesThatHelp,
  dispersionUnknown,
  planPolicy,
} from '../../core/canary/policy/plan-policy.ts';
import type { BeforePlan } from '../../core/canary/policy/plan-before.ts';
import { planBefore } from '../../core/canary/policy/plan-before.ts';
import { noBoundRemedy, noBoundWords } from '../../core/canary/judge/sentence.ts';
import type { Policy } from '../../core/canary/policy/policy.ts';
import { durationText } from '../../core/canary/policy/setting.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { Given } from '../terminal/arguments.ts';
import { plainText, table } from '../terminal/display.ts';
import { printLines, printText } from '../terminal/output.ts';
import { applyingPolicy, whyText } from './explain.ts';
import { outlookOf, readSaid, seenHere, seenText, tellTargetsTogether } from './outlook.ts';
import type { SeenHere } from './outlook.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';

/** What a canary can show by its deadline at this traffic, and what would show more. */
export const runPolicyPlan = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const said = readSaid(given);
  if (!said.ok) return said;
  const applying = await applyingPolicy(ports, given);
  if (!applying.ok) return applying;
  const { policy } = applying.value.placed;
  const seen = said.value.traffic === null ? await seenHere(ports, given, policy) : ok(null);
  if (!seen.ok) return seen;
  if (seen.value !== null) {
    const told = await tellTargetsTogether(ports, given, policy, seen.value);
    if (!told.ok) return told;
  }
  const outlook = outlookOf(said.value, seen.value);
  const plan = planPolicy(policy, outlook);
  const changes = changesThatHelp(policy, outlook);
  const { beforeAfter, blueGreen } = policy.rollouts;
  const before = beforeAfter || blueGreen ? planBefore(policy, outlook) : null;
  if (isJson)
    printLines(ports.terminal, [
      planLine(given, policy, outlook, seen.value, plan, before, changes),
    ]);
  else
    printText(ports.terminal, [
      plainText(whyText(given, applying.value)),
      ...seenText(seen.value),
      ...planText(ports.terminal.columns, policy, outlook, plan),
      ...noBoundText(seen.value),
      ...changesText(ports.terminal.columns, changes),
      ...beforeText(ports.terminal.columns, policy, outlook.noBound, before),
    ]);
  return ok(undefined);
};

const noBoundText = (seen: SeenHere | null): readonly string[] =>
  (seen?.noBound ?? []).map((noBound) =>
    plainText(`${noBound.metric}: ${noBoundWords(noBound, 'requests')}; ${noBoundRemedy}`),
  );

/** What a rollout shows whose old version is compared as it was before; empty where the policy asks for none. */
const beforeText = (
  columns: number | null,
  { rollouts }: Policy,
  noBound: Outlook['noBound'],
  before: BeforePlan | null,
): readonly string[] => {
  if (before === null) return [];
  const { plan, requestsPerSecond, soakMs, deadlineMs } = before;
  const kinds = [
    ...(rollouts.beforeAfter ? ['before and after'] : []),
    ...(rollouts.blueGreen ? ['blue/green with a full switch'] : []),
  ];
  const sideText = `${durationText(deadlineMs)} each side, ${rateText(requestsPerSecond)} requests a second`;
  return [
    '',
    `${kinds.join(', and ')}: ${sideText}. Weaker than a canary:`,
    ...metricsTable(columns, plan, deadlineMs),
    promotionText({ soakMs, deadlineMs }, plan, noBound, 'version'),
    'It shows less where the half-hour before or the time of day scatters; until the day before is known nobody may act on it.',
  ];
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
  { traffic, baselineErrorRate, dispersion, noBound }: Outlook,
  plan: PolicyPlan,
): readonly string[] => {
  const counted = plan.metrics.filter(({ tolerated }) => tolerated !== null);
  const others = plan.metrics.filter(({ tolerated }) => tolerated === null).map(({ id }) => id);
  const filtered = counted.filter(({ isFiltered }) => isFiltered).map(({ id }) => id);
  return [
    `${traffic.map(trafficText).join('; ')}; ${percentText(baselineErrorRate)} of the baseline's requests fail`,
    '',
    ...metricsTable(columns, plan, policy.deadlineMs),
    '',
    promotionText(policy, plan, noBound),
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

const metricsTable = (
  columns: number | null,
  { metrics }: PolicyPlan,
  deadlineMs: number,
): readonly string[] =>
  table(
    ['METRIC', 'TOLERATED UP TO', `FOUND IN 9 OF 10 BY ${durationText(deadlineMs)}`],
    metrics
      .filter(({ tolerated }) => tolerated !== null)
      .map((metric) => [metric.id, toleratedText(metric), foundText(metric)]),
    columns,
  );

const rateText = (rps: number): string => String(Number(rps.toPrecision(3)));

const trafficText = ({ fromSeconds, canaryRps, baselineRps }: TrafficFrom): string => {
  const from = fromSeconds === 0 ? '' : `from ${fromSeconds}s on `;
  return `${from}${rateText(canaryRps)} requests a second to the canary, ${rateText(baselineRps)} to the baseline`;
};

const promotionText = (
  policy: Pick<Policy, 'soakMs' | 'deadlineMs'>,
  { promotionMs, promotionWaitsFor }: PolicyPlan,
  noBound: Outlook['noBound'],
  what: 'canary' | 'version' = 'canary',
): string => {
  if (promotionMs === null && noBound.includes(promotionWaitsFor ?? ''))
    return plainText(
      `Promotion: none, as no bound lies near the durations of ${promotionWaitsFor ?? ''}: a good ${what} would end inconclusive`,
    );
  if (promotionMs === null)
    return plainText(
      `Promotion: not by the deadline (${durationText(policy.deadlineMs)}), as ${promotionWaitsFor ?? ''} needs longer: a good ${what} would end inconclusive`,
    );
  const why =
    promotionWaitsFor === null
      ? `the soak is ${durationText(policy.soakMs)}`
      : `${promotionWaitsFor} takes longest`;
  return plainText(
    `Promotion: about ${timeText(promotionMs)} after the start, where the ${what} is as good (${why})`,
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
  { traffic, baselineErrorRate, dispersion, latencySpread }: Outlook,
  seen: SeenHere | null,
  plan: PolicyPlan,
  before: BeforePlan | null,
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
  latencySpread,
  seen: seen && {
    minutes: seen.minutes,
    requestsPerSecond: seen.requestsPerSecond,
    errorRate: seen.errorRate,
    latencySpread: seen.latencySpread,
    dispersion: seen.dispersion,
    noiseAgeMs: seen.noiseAgeMs,
    noBound: seen.noBound.map(({ metric, boundaryMs, baseline }) => ({
      metric,
      boundMs: boundaryMs,
      longer: baseline.events / baseline.total,
    })),
  },
  before: before && {
    requestsPerSecond: before.requestsPerSecond,
    dispersion: before.dispersion,
    deadlineMs: before.deadlineMs,
    ...planFields(before.plan),
  },
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
