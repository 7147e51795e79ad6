import { isRequired } from '../judge/missing.ts';
import { busierAt, isBusierThanShare, serverLoads } from '../windows/server-loads.ts';
import type { AnalysisState } from './analysis-state.ts';
import { unpromotedIn } from './unpromoted.ts';
import type { Unpromoted } from './unpromoted.ts';

/** Servers of the canary have more requests than its share explains, so that their CPU is no evidence. */
export type BusierServers = {
  /** How many times those of one of the baseline's, and how many times that the share explains. */
  readonly busier: number;
  readonly explained: number;
  /** `id` of the metrics that wait for it. */
  readonly metrics: readonly string[];
};

/** Null: no required metric waits for that. */
export const busierServers = (
  analysis: Unpromoted & Pick<AnalysisState, 'loads' | 'canaryShare'>,
): BusierServers | null => {
  const unpromoted = unpromotedIn(analysis);
  const { loads, canaryShare, opening, windowMs } = analysis;
  if (unpromoted === undefined || windowMs === null || opening.comparison !== 'concurrent')
    return null;
  const known = serverLoads(loads, windowMs);
  if (known === null || !isBusierThanShare(known, canaryShare)) return null;
  const { rule, judge } = unpromoted;
  const metrics = rule.metrics.flatMap((metric, index) =>
    metric.judged === 'level' && metric.rule.growsWithRequests && isRequired(rule, judge, index)
      ? [metric.id]
      : [],
  );
  return metrics.length === 0
    ? null
    : { busier: known.busier, explained: busierAt(known, canaryShare), metrics };
};
