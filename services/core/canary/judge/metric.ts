import type { DeadlineResult } from '../deadline-test.ts';
import type { Durations } from '../durations.ts';
import type { MetricEvidence, WindowPlace } from '../metric-judge.ts';
import { latencyDeadline, latencyJudge } from '../metrics/latency.ts';
import type { LatencyState } from '../metrics/latency.ts';
import { isLevel, levelJudge } from '../metrics/level.ts';
import type { LevelState } from '../metrics/level.ts';
import { ratesDeadline, ratesJudge } from '../metrics/rates.ts';
import type { RatesState } from '../metrics/rates.ts';
import { isKnownShare, trafficJudge } from '../metrics/traffic.ts';
import type { TrafficState } from '../metrics/traffic.ts';
import type { RateCounts } from '../rate-counts.ts';
import type { JudgedWindow, MetricWindow } from './judged-window.ts';
import type { MetricRule } from './rule.ts';
import type { MetricPart } from './verdict.ts';

/** One metric of a family: what its own judge knows, and when either cohort last showed anything of it. */
export type MetricState = {
  /** Index of the last window with something usable; null: there was none. */
  readonly canary: number | null;
  readonly baseline: number | null;
} & (
  | { readonly judged: 'errors'; readonly state: RatesState }
  | { readonly judged: 'latency'; readonly state: LatencyState }
  | { readonly judged: 'level'; readonly state: LevelState }
  | { readonly judged: 'traffic'; readonly state: TrafficState }
);

export const initialMetric = (metric: MetricRule): MetricState => {
  const unseen = { canary: null, baseline: null };
  switch (metric.judged) {
    case 'errors':
      return { ...unseen, judged: 'errors', state: ratesJudge.initial(metric.rule) };
    case 'latency':
      return { ...unseen, judged: 'latency', state: latencyJudge.initial(metric.rule) };
    case 'level':
      return { ...unseen, judged: 'level', state: levelJudge.initial(metric.rule) };
    case 'traffic':
      return { ...unseen, judged: 'traffic', state: trafficJudge.initial(metric.rule) };
  }
};

export type Seen = Pick<MetricState, 'canary' | 'baseline'>;

/**
 * When either cohort last showed something, with this window. Requests that were none, and values that nothing can have
 * (NaN, less than none), show nothing; but to report that nobody asked anything is to show one's traffic.
 */
export const seenWith = (before: Seen, window: JudgedWindow, shown: MetricWindow): Seen => {
  const { index, canaryShare } = window;
  // Nobody has seen the traffic of a canary before somebody said what it should be.
  if (shown.judged === 'traffic' && !isSeen(before) && !isKnownShare(canaryShare)) return before;
  return {
    canary: isShown(shown, 'canary') ? index : before.canary,
    baseline: isShown(shown, 'baseline') ? index : before.baseline,
  };
};

const isShown = (shown: MetricWindow, cohort: keyof Seen): boolean => {
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
      return isCount(shown[cohort]);
  }
};

/** Takes one window of one metric in; `seen` has it already. */
export const addToMetric = (
  metric: MetricRule,
  { state }: MetricState,
  seen: Seen,
  window: JudgedWindow,
  shown: MetricWindow,
  place: WindowPlace,
): MetricState => {
  const { index, startMs, canaryShare } = window;
  const { canary, baseline } = seen;
  // The states of a family are in the order of its rule.
  if (metric.judged === 'errors' && shown.judged === 'errors') {
    const values = {
      index,
      startMs,
      canary: shownIn(shown.canary, canary, index),
      baseline: shownIn(shown.baseline, baseline, index),
    };
    const next = ratesJudge.addWindow(metric.rule, state as RatesState, values, place);
    return { canary, baseline, judged: 'errors', state: next };
  }
  if (metric.judged === 'latency' && shown.judged === 'latency') {
    const values = {
      index,
      startMs,
      canary: shownIn(shown.canary, canary, index),
      baseline: shownIn(shown.baseline, baseline, index),
    };
    const next = latencyJudge.addWindow(metric.rule, state as LatencyState, values, place);
    return { canary, baseline, judged: 'latency', state: next };
  }
  if (metric.judged === 'level' && shown.judged === 'level') {
    // It counts by itself what is no level.
    const values = { index, startMs, canary: shown.canary, baseline: shown.baseline };
    const next = levelJudge.addWindow(metric.rule, state as LevelState, values, place);
    return { canary, baseline, judged: 'level', state: next };
  }
  if (metric.judged === 'traffic' && shown.judged === 'traffic') {
    const values = {
      index,
      startMs,
      canary: shownIn(shown.canary, canary, index),
      baseline: shownIn(shown.baseline, baseline, index),
      canaryShare,
    };
    const next = trafficJudge.addWindow(metric.rule, state as TrafficState, values, place);
    return { canary, baseline, judged: 'traffic', state: next };
  }
  throw new TypeError(`window ${index} shows ${shown.judged} where ${metric.id} was due`);
};

const shownIn = <Value>(value: Value | null, last: number | null, index: number): Value | null =>
  last === index ? value : null;

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
  for (const count of durations.counts) {
    total += count;
    if (!(count >= 0)) least = -1;
  }
  return least >= 0 && total > 0 && Number.isSafeInteger(total);
};

/** Whether requests reached both cohorts in this window, as far as this metric shows it. */
export const showsRequests = (shown: MetricWindow, seen: Seen, index: number): boolean => {
  if (shown.judged === 'level' || !isPairedIn(seen, index)) return false;
  return shown.judged !== 'traffic' || (shown.canary !== 0 && shown.baseline !== 0);
};

/** Whether both cohorts showed something of it in this window. */
export const isPairedIn = ({ canary, baseline }: Seen, index: number): boolean =>
  canary === index && baseline === index;

export const isSeen = ({ canary, baseline }: Seen): boolean => canary !== null || baseline !== null;
export const isSeenInBoth = ({ canary, baseline }: Seen): boolean =>
  canary !== null && baseline !== null;

export const evidenceIn = ({ state }: MetricState): MetricEvidence => state;

/** The test at the deadline with a part of alpha, of the tail that is furthest out; undefined: it has none. */
export const deadlineOf = (
  metric: MetricRule,
  before: MetricState,
  alpha: number,
): DeadlineResult | undefined => {
  if (metric.judged === 'errors' && before.judged === 'errors')
    return ratesDeadline(metric.rule, before.state, alpha);
  if (metric.judged === 'latency' && before.judged === 'latency')
    return latencyDeadline(metric.rule, before.state, alpha).reduce<DeadlineResult | undefined>(
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

export const explainMetric = (
  metric: MetricRule,
  { judged, state }: MetricState,
): MetricPart['explained'] => {
  if (metric.judged === 'errors' && judged === 'errors')
    return ratesJudge.explain(metric.rule, state);
  if (metric.judged === 'latency' && judged === 'latency')
    return latencyJudge.explain(metric.rule, state);
  if (metric.judged === 'level' && judged === 'level')
    return levelJudge.explain(metric.rule, state);
  if (metric.judged === 'traffic' && judged === 'traffic')
    return trafficJudge.explain(metric.rule, state);
  throw new TypeError(`${metric.id} is judged as ${judged}`);
};
