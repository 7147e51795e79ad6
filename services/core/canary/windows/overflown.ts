import type { MetricWindow } from '../judge/judged-window.ts';
import type { ByCohort } from './by-cohort.ts';
import { byCohort } from './by-cohort.ts';
import type { Cohort } from './cohorts.ts';
import type { JudgedAs } from './judged-as.ts';

// Requests for whose attributes an SDK had no room. They are those whose attributes came last, failures as a rule: so
// windows without any are windows without failures, and what those show is not what the version does.

/** Plain JSON: by place of the metric that such requests may be of, when the newest window with some ended. */
export type Overflown = ByCohort<{ readonly [metric: number]: number }>;

export const noneOverflown: Overflown = { canary: {}, baseline: {} };

/** Places of metrics. */
export type OverflownMetrics = ByCohort<ReadonlySet<number>>;

/** So many times the limit of silence: failures are rare, and the windows between them say nothing. */
const rememberedFor = 4;

type Counted = {
  readonly point: { readonly cohort: Cohort; readonly judgedAs: readonly JudgedAs[] };
  readonly added: { readonly count: number };
};

/** The metrics that nobody knows for such requests. Of a counter that stands still nothing is unknown. */
export const overflownIn = (
  counted: readonly Counted[],
): { readonly metrics: OverflownMetrics; readonly points: number } => {
  const metrics = { canary: new Set<number>(), baseline: new Set<number>() };
  let points = 0;
  for (const { point, added } of counted) {
    if (added.count === 0) continue;
    const of = point.judgedAs.filter(({ isOverflown }) => isOverflown === true);
    for (const { metric } of of) metrics[point.cohort].add(metric);
    if (of.length > 0) points += 1;
  }
  return { metrics, points };
};

/** With those of a window. */
export const closeOverflown = (
  before: Overflown,
  now: OverflownMetrics,
  endMs: number,
  noDataMs: number,
): Overflown =>
  byCohort((cohort) => ({
    ...Object.fromEntries(
      Object.entries(before[cohort]).filter(
        ([, lastMs]) => endMs - lastMs <= rememberedFor * noDataMs,
      ),
    ),
    ...Object.fromEntries([...now[cohort]].map((metric) => [metric, endMs])),
  }));

/** The metrics that nobody knows for what came lately. */
export const overflownLately = (overflown: Overflown): OverflownMetrics =>
  byCohort((cohort) => new Set(Object.keys(overflown[cohort]).map(Number)));

export const areOverflown = ({ canary, baseline }: OverflownMetrics): boolean =>
  canary.size + baseline.size > 0;

/** Without what nobody knows. */
export const withoutOverflown = (
  metrics: readonly MetricWindow[],
  overflown: OverflownMetrics,
): readonly MetricWindow[] =>
  areOverflown(overflown)
    ? metrics.map((metric, place) =>
        withoutUnknown(metric, overflown.canary.has(place), overflown.baseline.has(place)),
      )
    : metrics;

/** What nobody knows in full is no evidence in part: the rest may be the good ones, or the bad. */
export const withoutUnknown = (
  metric: MetricWindow,
  isCanaryUnknown: boolean,
  isBaselineUnknown: boolean,
): MetricWindow =>
  isCanaryUnknown || isBaselineUnknown
    ? {
        ...metric,
        ...(isCanaryUnknown && { canary: null }),
        ...(isBaselineUnknown && { baseline: null }),
      }
    : metric;
