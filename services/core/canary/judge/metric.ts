import type { LoudIndex } from '../analysis/strongest-windows.ts';
import type { Cohort } from '../windows/cohorts.ts';
import type { DeadlineResult } from '../statistics/deadline-test.ts';
import type { Durations } from '../windows/durations.ts';
import {
  areServersLosing,
  busierAt,
  isBusierThanShare,
  mayBeBusier,
} from '../windows/server-loads.ts';
import type { ServerLoads } from '../windows/server-loads.ts';
import type { Begun, OpenNumbers, ShownWindow, WindowPlace } from './metric-judge.ts';
import { latencyDeadline, latencyJudge, latencySlowerPart, noBoundIn } from '../metrics/latency.ts';
import type { LatencyRest, LatencyState } from '../metrics/latency.ts';
import { comparedWindows, isLevel, levelJudge } from '../metrics/level.ts';
import type { Level, LevelRest, LevelState, LevelWindow } from '../metrics/level.ts';
import { ratesDeadline, ratesJudge } from '../metrics/rates.ts';
import type { RatesRest, RatesState } from '../metrics/rates.ts';
import { trafficJudge, trafficLost } from '../metrics/traffic.ts';
import type { TrafficRest, TrafficState } from '../metrics/traffic.ts';
import type { RateCounts } from '../statistics/rate-counts.ts';
import type { JudgedWindow, MetricWindow } from './judged-window.ts';
import type { MetricRule } from './rule.ts';
import type { MetricPart, Timed } from './verdict.ts';

/** What the judge of one metric knows, without its numbers; and with them. */
export type MetricRest = RatesRest | LatencyRest | LevelRest | TrafficRest;
export type MetricState = RatesState | LatencyState | LevelState | TrafficState;

export const initialMetric = (metric: MetricRule): Begun<MetricRest> => {
  switch (metric.judged) {
    case 'errors':
      return ratesJudge.initial(metric.rule);
    case 'latency':
      return latencyJudge.initial(metric.rule);
    case 'level':
      return levelJudge.initial(metric.rule);
    case 'traffic':
      return trafficJudge.initial(metric.rule);
  }
};

/** How many of the settled numbers are a metric's. */
export const settledLengthOf = (metric: MetricRule, rest: MetricRest): number =>
  lengthOf(metric, rest, 'settledLength');

/** The same of the running ones. */
export const runningLengthOf = (metric: MetricRule, rest: MetricRest): number =>
  lengthOf(metric, rest, 'runningLength');

const lengthOf = (
  metric: MetricRule,
  rest: MetricRest,
  which: 'settledLength' | 'runningLength',
): number => {
  if (metric.judged === 'errors' && rest.judged === 'errors')
    return ratesJudge[which](metric.rule, rest);
  if (metric.judged === 'latency' && rest.judged === 'latency')
    return latencyJudge[which](metric.rule, rest);
  if (metric.judged === 'level' && rest.judged === 'level')
    return levelJudge[which](metric.rule, rest);
  if (metric.judged === 'traffic' && rest.judged === 'traffic')
    return trafficJudge[which](metric.rule, rest);
  throw otherMetric(metric, rest);
};

const otherMetric = ({ id }: MetricRule, { judged }: MetricRest): TypeError =>
  new TypeError(`${id} is judged as ${judged}`);

/** Whether a cohort shows anything: not with requests that were none, nor with values that nothing can have. */
export const isShown = (shown: MetricWindow, cohort: Cohort): boolean => {
  switch (shown.judged) {
    case 'errors':
      return isRate(shown[cohort]);
    case 'latency':
      return isDurations(shown[cohort]);
    case 'level': {
      const level = shown[cohort];
      return level !== null && isLevel(level);
    }
    case 'traffic':
      // To report that nobody asked anything is to show one's traffic.
      return isCount(shown[cohort]);
  }
};

/**
 * Takes one window of one metric in; what a cohort shows that is not usable (`seenWith`) is nothing. `isIdle`: the baseline
 * has had no requests for a while (`isBaselineIdle`).
 */
export const addToMetric = (
  metric: MetricRule,
  rest: MetricRest,
  open: OpenNumbers,
  { index, canaryShare, loads, loadsBefore, areLoadsUnsettled }: JudgedWindow,
  shown: MetricWindow,
  hasCanary: boolean,
  hasBaseline: boolean,
  isIdle: boolean,
  place: WindowPlace,
): MetricRest => {
  if (metric.judged === 'errors' && shown.judged === 'errors' && rest.judged === 'errors') {
    const usable = usableIn(shown, hasCanary, hasBaseline);
    return ratesJudge.addWindow(metric.rule, rest, open, usable, place);
  }
  if (metric.judged === 'latency' && shown.judged === 'latency' && rest.judged === 'latency') {
    const usable = usableIn(shown, hasCanary, hasBaseline);
    return latencyJudge.addWindow(metric.rule, rest, open, usable, place);
  }
  // It counts by itself what is no level.
  if (metric.judged === 'level' && shown.judged === 'level' && rest.judged === 'level')
    return levelJudge.addWindow(
      metric.rule,
      rest,
      open,
      metric.rule.growsWithRequests
        ? isIdle
          ? { canary: null, baseline: null }
          : atLoads(shown, loads, canaryShare, areLoadsUnsettled === true)
        : shown,
      place,
    );
  if (metric.judged === 'traffic' && shown.judged === 'traffic' && rest.judged === 'traffic') {
    const { canary, baseline } = usableIn(shown, hasCanary, hasBaseline);
    return trafficJudge.addWindow(
      metric.rule,
      rest,
      open,
      {
        canary,
        baseline,
        canaryShare,
        areServersLosing:
          loadsBefore === undefined ||
          areServersLosing(loadsBefore, canaryShare ?? 0, metric.rule.least),
      },
      place,
    );
  }
  throw new TypeError(`window ${index} shows ${shown.judged} where ${metric.id} was due`);
};

const atLoads = (
  shown: ShownWindow<Level>,
  loads: ServerLoads | undefined,
  canaryShare: number | null,
  areUnsettled: boolean,
): LevelWindow => {
  if (areUnsettled && (loads === undefined || mayBeBusier(loads, canaryShare)))
    return { canary: null, baseline: null };
  if (loads === undefined) return shown;
  return isBusierThanShare(loads, canaryShare)
    ? { canary: null, baseline: null }
    : { ...shown, busier: busierAt(loads, canaryShare) };
};

const usableIn = <Values>(
  shown: ShownWindow<Values>,
  hasCanary: boolean,
  hasBaseline: boolean,
): ShownWindow<Values> =>
  hasCanary && hasBaseline
    ? shown
    : {
        canary: hasCanary ? shown.canary : null,
        baseline: hasBaseline ? shown.baseline : null,
      };

/** ln of the evidence that the canary is good enough. */
export const logPromoteIn = (metric: MetricRule, state: MetricState): number => {
  if (metric.judged === 'errors' && state.judged === 'errors')
    return ratesJudge.logPromote(metric.rule, state);
  if (metric.judged === 'latency' && state.judged === 'latency')
    return latencyJudge.logPromote(metric.rule, state);
  if (metric.judged === 'level' && state.judged === 'level')
    return levelJudge.logPromote(metric.rule, state);
  if (metric.judged === 'traffic' && state.judged === 'traffic')
    return trafficJudge.logPromote(metric.rule, state);
  throw otherMetric(metric, state);
};

/** Whether what is compared would show nothing of a canary that is worse (`noBoundIn`): then no evidence counts for it. */
export const isBlind = (metric: MetricRule, state: MetricState): boolean =>
  metric.judged === 'latency' &&
  state.judged === 'latency' &&
  noBoundIn(metric.rule, state) !== null;

/** Whether a part of the canary's requests plainly takes longer (`latencySlowerPart`), whatever the evidence. */
export const isSlowerInPart = (metric: MetricRule, state: MetricState): boolean =>
  metric.judged === 'latency' &&
  state.judged === 'latency' &&
  latencySlowerPart(metric.rule, state) !== null;

/** Whether the canary plainly loses requests now (`trafficLost`), whatever the evidence before. */
export const isLosingTraffic = (metric: MetricRule, state: MetricRest): boolean =>
  metric.judged === 'traffic' &&
  state.judged === 'traffic' &&
  trafficLost(metric.rule, state) !== null;

/** What a cohort has shown in the judged windows: its requests, or of a level, in how many of them it was compared. */
export const shownOf = (
  metric: MetricRule,
  state: MetricState,
  cohort: Cohort,
): { readonly of: 'requests' | 'windows'; readonly count: number } => {
  if (metric.judged === 'errors' && state.judged === 'errors')
    return { of: 'requests', count: ratesJudge.explain(metric.rule, state)[cohort].total };
  if (metric.judged === 'latency' && state.judged === 'latency') {
    const { tails } = latencyJudge.explain(metric.rule, state);
    return { of: 'requests', count: Math.max(0, ...tails.map((tail) => tail[cohort].total)) };
  }
  if (metric.judged === 'level' && state.judged === 'level')
    return { of: 'windows', count: comparedWindows(state) };
  if (metric.judged === 'traffic' && state.judged === 'traffic') {
    const { canaryRequests, baselineRequests } = trafficJudge.explain(metric.rule, state);
    return { of: 'requests', count: cohort === 'canary' ? canaryRequests : baselineRequests };
  }
  throw otherMetric(metric, state);
};

const isCount = (value: number | null): value is number =>
  value !== null && Number.isSafeInteger(value) && value >= 0;

const isRate = (rate: RateCounts | null): rate is RateCounts =>
  rate !== null &&
  isCount(rate.total) &&
  isCount(rate.events) &&
  rate.total > 0 &&
  rate.events <= rate.total;

/** With some duration in it, and every count one. */
const isDurations = (durations: Durations | null): durations is Durations => {
  if (durations === null) return false;
  let total = durations.shape === 'exponential' ? durations.zeroCount : 0;
  let least = total;
  const { counts } = durations;
  for (let index = 0; index < counts.length; index += 1) {
    const count = counts[index] ?? Number.NaN;
    total += count;
    if (!(count >= 0)) least = -1;
  }
  return least >= 0 && total > 0 && Number.isSafeInteger(total);
};

/** The test at the deadline with a part of alpha, of the tail that is furthest out; undefined: it has none. */
export const deadlineOf = (
  metric: MetricRule,
  before: MetricState,
  alpha: number,
): DeadlineResult | undefined => {
  if (metric.judged === 'errors' && before.judged === 'errors')
    return ratesDeadline(metric.rule, before, alpha);
  if (metric.judged === 'latency' && before.judged === 'latency')
    return latencyDeadline(metric.rule, before, alpha).reduce<DeadlineResult | undefined>(
      (furthest, tail) =>
        furthest === undefined || tail.z - tail.zNeeded > furthest.z - furthest.zNeeded
          ? tail
          : furthest,
      undefined,
    );
  return undefined;
};

export const hasDeadlineTest = ({ judged }: MetricRule): boolean =>
  judged === 'errors' || judged === 'latency';

/** `startMsOf`: when the window of an index began. */
export const explainMetric = (
  metric: MetricRule,
  state: MetricState,
  startMsOf: (index: number) => number,
): MetricPart['explained'] => {
  if (metric.judged === 'errors' && state.judged === 'errors')
    return timed(ratesJudge.explain(metric.rule, state), startMsOf);
  if (metric.judged === 'latency' && state.judged === 'latency')
    return timed(latencyJudge.explain(metric.rule, state), startMsOf);
  if (metric.judged === 'level' && state.judged === 'level')
    return timed(levelJudge.explain(metric.rule, state), startMsOf);
  if (metric.judged === 'traffic' && state.judged === 'traffic')
    return timed(trafficJudge.explain(metric.rule, state), startMsOf);
  throw otherMetric(metric, state);
};

const timed = <Explained extends { readonly strongestWindows: readonly LoudIndex[] }>(
  explained: Explained,
  startMsOf: (index: number) => number,
): Timed<Explained> => ({
  ...explained,
  strongestWindows: explained.strongestWindows.map(({ index, gainNats }) => ({
    index,
    startMs: startMsOf(index),
    gainNats,
  })),
});
