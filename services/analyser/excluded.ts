import type { AnalysisState, Exclusion } from '../core/canary/analysis/analysis-state.ts';
import { pointRefusals } from '../core/telemetry/point.ts';
import type { AnalyserEvent } from './ports.ts';

const tellEveryMs = 60_000;

/** Those that an operator can do something about. Duplicates, and points from before the opening, are daily bread. */
const riddles: readonly Exclusion[] = [
  'other-namespace',
  'other-target',
  'other-version',
  'other-cohort',
  'either-cohort',
  'late',
  'implausible',
  'loud',
  'durations-implausible',
  'attributes-overflown',
  'other-buckets',
  'other-unit',
  'over-limit',
  'start-shared',
  ...pointRefusals,
];

type Counts = { readonly [reason: string]: number };

/**
 * Tells what did not become evidence while an analysis is open: at most once a minute, and only what is new. Telemetry
 * that could not be read may have been that of the cohorts, so it is told too.
 */
export const openExcluded = (
  tell: (event: AnalyserEvent) => void,
): ((analyses: readonly AnalysisState[], telemetry: Counts, nowMs: number) => void) => {
  let told = new Map<string, Counts>();
  let unread: Counts = {};
  let toldAtMs = -Infinity;
  return (analyses, telemetry, nowMs) => {
    const open = analyses.filter(({ ended }) => ended === null);
    // What could not be read before anybody waited for it is no news.
    if (open.length === 0) unread = telemetry;
    if (open.length === 0 || (nowMs >= toldAtMs && nowMs < toldAtMs + tellEveryMs)) return;
    const events = open.flatMap(({ opening, excluded }): readonly AnalyserEvent[] => {
      const { analysis, deployment } = opening;
      const counts = Object.fromEntries(riddles.map((reason) => [reason, excluded[reason]]));
      return eventOf(analysis, deployment, grown(counts, told.get(analysis) ?? {}));
    });
    events.push(...eventOf(null, null, grown(telemetry, unread)));
    if (events.length === 0) return;
    for (const event of events) tell(event);
    toldAtMs = nowMs;
    unread = telemetry;
    told = new Map(open.map(({ opening, excluded }) => [opening.analysis, excluded]));
  };
};

const grown = (counts: Counts, before: Counts): Counts =>
  Object.fromEntries(
    Object.entries(counts)
      .map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );

const eventOf = (
  analysis: string | null,
  deployment: string | null,
  points: Counts,
): readonly AnalyserEvent[] =>
  Object.keys(points).length === 0 ? [] : [{ event: 'excluded', analysis, deployment, points }];
