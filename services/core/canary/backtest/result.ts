import { isoTime } from '../../instant.ts';
import type { MetricReading, Reading } from '../reading/reading.ts';

type ArmCounts = { readonly n: number | null; readonly events: number | null };

/** What a backtest came to: one line of JSON. What a decision would say is null where there is none. */
export type BacktestResult = {
  readonly outcome: 'roll-back' | 'promote' | 'inconclusive';
  /** End of the window that settled it, UTC. */
  readonly decidedAt: string | null;
  readonly secondsAfterStart: number | null;
  /** The metric that a roll-back blames, or that a promotion had to wait for. */
  readonly metric: string | null;
  /** Of that metric. */
  readonly counts: { readonly canary: ArmCounts; readonly baseline: ArmCounts } | null;
  readonly ratio: number | null;
  readonly interval: readonly [low: number | null, high: number | null] | null;
  /** Odds: against "no worse than tolerated", of a promotion against "worse than what is promoted". */
  readonly evidence: number | null;
  /** Windows judged. */
  readonly windows: number;
  /** Points that are no evidence, by reason. What came twice is counted once, and not here. */
  readonly excluded: { readonly [reason: string]: number };
};

export type Settled = { readonly kind: 'roll-back' | 'promote'; readonly reading: Reading };

export const backtestResult = (
  settled: Settled | null,
  sinceMs: number,
  windows: number,
  excluded: BacktestResult['excluded'],
): BacktestResult => {
  if (settled === null) return { outcome: 'inconclusive', ...undecided, windows, excluded };
  const { kind, reading } = settled;
  const metric = decisiveMetric(settled);
  return {
    outcome: kind,
    decidedAt: isoTime(reading.endMs),
    secondsAfterStart: (reading.endMs - sinceMs) / 1000,
    metric: metric?.id ?? null,
    counts:
      metric === undefined
        ? null
        : { canary: countsOf(metric.canary), baseline: countsOf(metric.baseline) },
    ratio: metric?.ratio ?? null,
    interval: metric === undefined ? null : [metric.low, metric.high],
    evidence: kind === 'promote' ? reading.promoteEvidence : reading.evidence,
    windows: reading.index + 1,
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

/** Of several that are blamed the one with the most evidence in the whole; for a promotion the one that showed least. */
export const decisiveMetric = ({ kind, reading }: Settled): MetricReading | undefined => {
  const named = reading.metrics.filter(({ id }) => reading.blamed.includes(id));
  const candidates = named.length > 0 ? named : reading.metrics;
  const weightOf = (metric: MetricReading): number =>
    kind === 'promote' ? -metric.promoteEvidence : metric.weight * metric.rollbackEvidence;
  return candidates.reduce<MetricReading | undefined>(
    (most, metric) => (most === undefined || weightOf(metric) > weightOf(most) ? metric : most),
    undefined,
  );
};

const countsOf = ({ n, events }: MetricReading['canary']): ArmCounts => ({ n, events });
