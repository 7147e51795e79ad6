import { linearAxis, logAxis, timeAxis } from '../../plot/axis.ts';
import type { Axis } from '../../plot/axis.ts';
import type { Chart, Moment, Panel, Series } from '../../plot/chart.ts';
import { grouped, times } from './figures.ts';
import type { MetricReading, Reading } from './reading.ts';
import { scoreOf } from './score.ts';

export type RatioChartOptions = {
  readonly title: string;
  readonly about: string;
  /** Milliseconds since 1970 of second 0. */
  readonly sinceMs: number;
  /** `id` of the metric whose ratio is drawn. */
  readonly metric: string;
  readonly hasScore: boolean;
};

/** Further than this from 1 nothing is drawn: the interval of few events is wide open. */
const ratioMax = 64;
/** Below it nothing is known of a regression. */
const evidenceMin = 0.1;
const evidenceMax = 1e6;

/**
 * The ratio of a metric over time with its interval and what is tolerated, the evidence with what is needed, and the
 * moments at which the verdict changed; with the score where it is asked for.
 */
export const ratioChart = (
  readings: readonly Reading[],
  { title, about, sinceMs, metric: id, hasScore }: RatioChartOptions,
): Chart => {
  const secondsOf = (endMs: number): number => (endMs - sinceMs) / 1000;
  const points = readings.map((reading) => ({
    reading,
    x: secondsOf(reading.endMs),
    metric: reading.metrics.find((each) => each.id === id),
  }));
  const last = points.at(-1);
  return {
    title,
    about,
    time: timeAxis(last?.x ?? 1),
    timeLabel: 'time since the start',
    panels: [
      ratioPanel(id, points),
      evidencePanel(points),
      ...(hasScore ? [scorePanel(points)] : []),
    ],
    moments: momentsOf(points),
  };
};

type Placed = {
  readonly reading: Reading;
  readonly x: number;
  readonly metric: MetricReading | undefined;
};

const ratioPanel = (id: string, points: readonly Placed[]): Panel => {
  const known = points.filter(({ metric }) => metric !== undefined && metric.ratio !== null);
  const limits = points.map(({ x, metric }) => ({
    x,
    y: drawable(metric?.toleratedRatio ?? null),
  }));
  const shown = known.flatMap(({ metric }) => [metric?.ratio, metric?.low, metric?.high]);
  const values = [...shown, ...limits.map(({ y }) => y)].filter(isDrawable);
  const confidence = Math.round((points.at(-1)?.metric?.confidence ?? 0.99) * 100);
  const series: readonly Series[] = [
    {
      kind: 'band',
      name: `where it is with ${confidence} % confidence, at every moment at once`,
      tone: 'first',
      points: known.map(({ x, metric }) => ({
        x,
        low: metric?.low ?? null,
        high: metric?.high ?? null,
      })),
    },
    { kind: 'limit', name: 'tolerated', tone: 'limit', points: limits },
    {
      kind: 'line',
      name: 'canary / baseline',
      tone: 'first',
      points: points.map(({ x, metric }) => ({ x, y: drawable(metric?.ratio ?? null) })),
    },
  ];
  return {
    label: labelOf(id, known.length > 0),
    axis: logAxis(Math.min(0.8, ...values), Math.max(1.6, ...values), 7, times),
    series,
  };
};

/** An empty panel says why it is. */
const labelOf = (id: string, hasRatio: boolean): string => {
  if (id === '') return 'nothing was judged';
  return `${id}: ${hasRatio ? 'canary / baseline (ratio)' : 'nothing was compared, so there is no ratio'}`;
};

const isDrawable = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined && value >= 1 / ratioMax && value <= ratioMax;

const drawable = (value: number | null): number | null =>
  value === null || !(value > 0) ? null : Math.min(ratioMax, Math.max(1 / ratioMax, value));

const evidencePanel = (points: readonly Placed[]): Panel => {
  const needed = points.at(-1)?.reading.explanation.evidenceNeeded ?? 200;
  const promoteNeeded = points.at(-1)?.reading.explanation.promoteEvidenceNeeded ?? null;
  const cut = (evidence: number): number => Math.min(evidenceMax, Math.max(evidenceMin, evidence));
  const against = points.map(({ x, reading }) => ({ x, y: cut(reading.explanation.evidence) }));
  const inFavour = points.map(({ x, reading }) => ({ x, y: cut(reading.promoteEvidence) }));
  const ends = [points[0]?.x ?? 0, points.at(-1)?.x ?? 1];
  const level = (y: number): readonly { readonly x: number; readonly y: number }[] =>
    ends.map((x) => ({ x, y }));
  const most = Math.max(needed, ...[...against, ...inFavour].map(({ y }) => y));
  return {
    label: 'evidence (odds to 1)',
    axis: logAxis(evidenceMin, most, 6, oddsTick),
    series: [
      { kind: 'line', name: 'evidence that it is worse', tone: 'second', points: against },
      {
        kind: 'limit',
        name: `needed to roll back (${grouped(needed)})`,
        tone: 'limit',
        points: level(needed),
      },
      ...(promoteNeeded !== null
        ? [
            {
              kind: 'line',
              name: 'evidence that it is good enough',
              tone: 'third',
              points: inFavour,
            } as const,
            {
              kind: 'limit',
              name: `needed to promote (${grouped(promoteNeeded)})`,
              tone: 'third',
              points: level(promoteNeeded),
            } as const,
          ]
        : []),
    ],
  };
};

const oddsTick = (value: number): string =>
  value >= 1e6 ? `${value / 1e6}M` : value >= 1e3 ? `${value / 1e3}k` : String(value);

const scoreAxis: Axis = linearAxis(0, 100, 5, String);

const scorePanel = (points: readonly Placed[]): Panel => ({
  label: 'score, 0 to 100 (50: nothing known); it decides nothing',
  axis: scoreAxis,
  series: [
    {
      kind: 'line',
      name: 'score',
      tone: 'fourth',
      points: points.map(({ x, reading }) => ({ x, y: scoreOf(reading) })),
    },
  ],
});

/** The first window of each stage, but the one in which it began. */
const momentsOf = (points: readonly Placed[]): readonly Moment[] =>
  points.flatMap(({ reading, x }, index): readonly Moment[] => {
    const before = points[index - 1]?.reading.stage;
    if (before === undefined || before === reading.stage) return [];
    const text = `${reading.stage} at ${spanOf(x)}`;
    switch (reading.stage) {
      case 'rolled-back':
        return [{ x, text, tone: 'limit' }];
      case 'promoted':
      case 'advanced':
        return [{ x, text, tone: 'third' }];
      case 'warming':
      case 'armed':
      case 'hold':
      case 'inconclusive':
        return [{ x, text, tone: 'soft' }];
    }
  });

const spanOf = (seconds: number): string =>
  seconds < 600 ? `${Math.round(seconds)} s` : `${Number((seconds / 60).toFixed(1))} min`;
