import type { Json } from '../../core/canonical.ts';
import {
  grouped,
  level,
  odds,
  percent,
  shownInterval,
  times,
} from '../../core/canary/reading/figures.ts';
import type { Line } from '../../core/views.ts';

/**
 * What each metric of a decision came to, a line each, in columns. Its evidence is that of the metric by itself, as the
 * decision has it; the explanation tells its part of the whole, which hangs on what was staked on it and when. `isCarriedOn`: it goes on from earlier attempts.
 */
export const metricsText = (metrics: readonly Line[], isCarriedOn = false): readonly string[] => {
  const names = metrics.map(({ id }) => (typeof id === 'string' ? id : '-'));
  const width = Math.max(0, ...names.map(({ length }) => length));
  return metrics.map(
    (metric, index) => `${(names[index] ?? '').padEnd(width)}  ${metricText(metric, isCarriedOn)}`,
  );
};

const metricText = (metric: Line, isCarriedOn: boolean): string => {
  const [canary, baseline] = [armText(metric, 'canary'), armText(metric, 'baseline')];
  if (canary === undefined && baseline === undefined)
    return isCarriedOn && metric['blamed'] === true
      ? `the evidence of earlier attempts suffices, ${oddsText(metric['evidence'])} by itself; nothing was compared in this one yet; BLAMED`
      : 'nothing was compared';
  return [
    `canary ${canary ?? 'nothing'}, baseline ${baseline ?? 'nothing'}`,
    ratioText(metric),
    `evidence ${oddsText(metric['evidence'])} by itself`,
    metric['blamed'] === true ? 'BLAMED' : `good enough ${oddsText(metric['promoteEvidence'])}`,
  ].join('; ');
};

/** Undefined: it showed nothing that counts. */
const armText = (metric: Line, name: 'canary' | 'baseline'): string | undefined => {
  const { count, events, level: height } = (metric[name] ?? {}) as Line;
  if (typeof height === 'number')
    return metric['judged'] === 'latency' ? `${level(height)} s in the mean` : level(height);
  if (typeof count !== 'number' || typeof events !== 'number' || count === 0) return undefined;
  return metric['judged'] === 'traffic'
    ? `${grouped(count)} requests`
    : `${grouped(events)}/${grouped(count)} (${percent(events / count)})`;
};

const ratioText = ({ ratio, interval }: Line): string => {
  const shown = typeof ratio === 'number' ? times(ratio) : 'ratio unknown';
  if (!Array.isArray(interval)) return shown;
  const [first, last] = interval as readonly Json[];
  const { low, high } = shownInterval({ low: numberOf(first), high: numberOf(last) });
  if (low !== null && high !== null) return `${shown} (${times(low)} to ${times(high)})`;
  if (low !== null) return `${shown} (at least ${times(low)})`;
  return high === null ? shown : `${shown} (at most ${times(high)})`;
};

const numberOf = (json: Json | undefined): number | null =>
  typeof json === 'number' ? json : null;

const oddsText = (evidence: Json | undefined): string =>
  typeof evidence === 'number' ? odds(evidence) : 'unknown';
