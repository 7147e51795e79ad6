import { isoTime } from '../../instant.ts';
import type { Decided, DecidedMetric } from '../../markers/marker.ts';

type ArmCounts = { readonly n: number; readonly events: number };

/** What a backtest came to: one line of JSON. What a decision would say is null where there is none. */
export type BacktestResult = {
  readonly outcome: 'roll-back' | 'promote' | 'inconclusive';
  /** End of the window that settled it, UTC. */
  readonly decidedAt: string | null;
  readonly secondsAfterStart: number | null;
  /** The metric that a roll-back blames, or that a promotion had to wait for; null: a silence led to it. */
  readonly metric: string | null;
  /** Requests, and those that the metric counts; errors where it counts none of them. */
  readonly counts: { readonly canary: ArmCounts; readonly baseline: ArmCounts } | null;
  readonly ratio: number | null;
  readonly interval: readonly [low: number | null, high: number | null] | null;
  /** Odds; of the test at the deadline deviations. */
  readonly evidence: number | null;
  /** Windows judged. */
  readonly windows: number;
  /** Points that are no evidence, by reason. What came twice is counted once, and not here. */
  readonly excluded: { readonly [reason: string]: number };
};

/** The result of what was decided; null: nothing was. */
export const backtestResult = (
  decided: Decided | null,
  sinceMs: number,
  windows: number,
  excluded: BacktestResult['excluded'],
): BacktestResult => {
  if (decided === null) return { outcome: 'inconclusive', ...undecided, windows, excluded };
  const { windowEndedAt, evidence } = decided;
  const metric = decisiveMetric(decided);
  return {
    outcome: decided.kind === 'promote' ? 'promote' : 'roll-back',
    decidedAt: isoTime(windowEndedAt),
    secondsAfterStart: (windowEndedAt - sinceMs) / 1000,
    metric: metric?.id ?? null,
    counts: metric === undefined ? null : countsOf(decided, metric),
    ratio: metric?.ratio ?? null,
    interval: metric === undefined ? null : [metric.ratioLow, metric.ratioHigh],
    evidence,
    windows: decided.windows,
    excluded,
  };
};

const undecided: Omit<BacktestResult, 'outcome' | 'windows' | 'excluded'> = {
  decidedAt: null,
  secondsAfterStart: null,
  metric: null,
  counts: null,
  ratio: null,
  interval: null,
  evidence: null,
};

/** The metric that a decision rests on. Undefined: on none. */
export const decisiveMetric = ({ metric, metrics }: Decided): DecidedMetric | undefined =>
  metrics.find(({ id }) => id === metric);

const countsOf = (
  { canary, baseline }: Decided,
  metric: DecidedMetric,
): NonNullable<BacktestResult['counts']> => {
  const { judged, canaryLevel } = metric;
  // Those of a level, of traffic and of the mean of durations are no counts of events: requests, and their errors.
  const hasEvents = judged === 'errors' || (judged === 'latency' && canaryLevel === null);
  return hasEvents
    ? {
        canary: { n: metric.canaryCount, events: metric.canaryEvents },
        baseline: { n: metric.baselineCount, events: metric.baselineEvents },
      }
    : {
        canary: { n: canary.requests, events: canary.errors },
        baseline: { n: baseline.requests, events: baseline.errors },
      };
};
