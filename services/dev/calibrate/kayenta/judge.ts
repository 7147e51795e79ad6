import type { Judge, Judged, JudgePlug } from '../judge-plug.ts';
import type { LivedArm, LivedWindow } from '../lived-window.ts';
import { quantileSeconds } from '../latency.ts';
import { windowMs } from '../stream.ts';
import * as tried from '../tried.ts';
import { classifyMetric, defaultRule } from './classify.ts';
import type { MetricRule } from './classify.ts';
import { outcomeOf, scoreOf } from './score.ts';
import type { Judgement } from './score.ts';

/** When the canary is judged, on which minutes: Kayenta's lifetime, interval and lookback. */
export type Schedule =
  | { readonly judged: 'at-end' }
  /** Every minute from this one on, on all minutes so far; the first score that fails ends the canary. */
  | { readonly judged: 'growing'; readonly fromMinute: number }
  /** Every minute, on the last so many. */
  | { readonly judged: 'lookback'; readonly minutes: number };

const MINUTE_MS = 60_000;

/** What is worth judging of a minute: errors per request, the 95th percentile, the mean of the gauge. */
const metrics = ['errors', 'latency', 'cpu'] as const;
export type KayentaMetric = (typeof metrics)[number];

/** Every metric is critical: one that is high fails the canary. */
const rule: MetricRule = { ...defaultRule, direction: 'increase', critical: true };
const thresholds = { pass: 75, marginal: 50 };

/** One value a minute of each metric and cohort, judged as Kayenta's judge does. */
export const kayenta = (
  name: string,
  about: string,
  schedule: Schedule,
  judged: readonly KayentaMetric[] = metrics,
): JudgePlug => ({
  name,
  about,
  isTriedIn: triedWith(judged),
  looksFor: 'regressions',
  learn: () => judgeBy(schedule, judged),
  boundSeconds: () => null,
  falseRollbackShareMax: null,
});

const triedWith = (judged: readonly KayentaMetric[]): JudgePlug['isTriedIn'] => {
  if (judged.length > 1) return tried.everywhere;
  return judged.includes('errors') ? tried.ofErrors : tried.ofLatency;
};

type Form = {
  readonly when: string;
  readonly about: string;
  readonly schedule: Schedule;
  /** Whether it is tried on all metrics together, too. */
  readonly isWhole: boolean;
};

const forms: readonly Form[] = [
  {
    when: 'at the end',
    about: 'judged once at 30 min',
    schedule: { judged: 'at-end' },
    isWhole: true,
  },
  {
    when: 'from minute 2',
    about: 'judged every minute from minute 2',
    schedule: { judged: 'growing', fromMinute: 2 },
    isWhole: false,
  },
  {
    when: 'from minute 5',
    about: 'judged every minute from minute 5',
    schedule: { judged: 'growing', fromMinute: 5 },
    isWhole: true,
  },
  {
    when: 'lookback 5',
    about: 'on the last 5 minutes, every minute',
    schedule: { judged: 'lookback', minutes: 5 },
    isWhole: false,
  },
];

const whole: readonly JudgePlug[] = forms
  .filter(({ isWhole }) => isWhole)
  .map(({ when, about, schedule }) =>
    kayenta(`kayenta ${when}`, `Mann-Whitney, ${about}`, schedule),
  );

const ofOneMetric: readonly JudgePlug[] = forms.flatMap(({ when, about, schedule }) => [
  kayenta(`kayenta errors ${when}`, `Mann-Whitney on errors alone, ${about}`, schedule, ['errors']),
  kayenta(
    `kayenta latency ${when}`,
    `Mann-Whitney on the 95th percentile alone, ${about}`,
    schedule,
    ['latency'],
  ),
]);

export const kayentas: readonly JudgePlug[] = [...whole, ...ofOneMetric];

const judgeBy =
  (schedule: Schedule, judged: readonly KayentaMetric[]): Judge =>
  (windows): Judged => {
    const series = judged.map((metric): Series => ({ metric, canary: [], baseline: [] }));
    let minute: LivedWindow[] = [];
    let minutes = 0;
    let lastScore = 0;
    for (const window of windows) {
      minute.push(window);
      if (minute.length * windowMs < MINUTE_MS) continue;
      for (const each of series) {
        each.canary.push(
          valueOf(
            each.metric,
            minute.map(({ canary }) => canary),
          ),
        );
        each.baseline.push(
          valueOf(
            each.metric,
            minute.map(({ baseline }) => baseline),
          ),
        );
      }
      minute = [];
      minutes += 1;
      const range = rangeAt(schedule, minutes);
      if (range === null) continue;
      const failed = highOnes(series, range);
      lastScore = failed.score;
      if (outcomeOf(lastScore, thresholds) === 'fail') {
        return { rolledBackMs: minutes * MINUTE_MS, promotedMs: null, blamed: failed.metric };
      }
    }
    const range: Range = { from: 0, to: minutes };
    const last = schedule.judged === 'at-end' ? highOnes(series, range) : null;
    const score = last?.score ?? lastScore;
    const endMs = minutes * MINUTE_MS;
    switch (outcomeOf(score, thresholds)) {
      case 'pass':
        return { rolledBackMs: null, promotedMs: endMs, blamed: null };
      case 'marginal':
        return { rolledBackMs: null, promotedMs: null, blamed: null };
      case 'fail':
        return { rolledBackMs: endMs, promotedMs: null, blamed: last?.metric ?? null };
    }
  };

type Series = {
  readonly metric: KayentaMetric;
  readonly canary: number[];
  readonly baseline: number[];
};

type Range = { readonly from: number; readonly to: number };

/** The minutes to judge after that many of them; null: none now. */
const rangeAt = (schedule: Schedule, minutes: number): Range | null => {
  switch (schedule.judged) {
    case 'at-end':
      return null;
    case 'growing':
      return minutes >= schedule.fromMinute ? { from: 0, to: minutes } : null;
    case 'lookback':
      return minutes >= schedule.minutes ? { from: minutes - schedule.minutes, to: minutes } : null;
  }
};

/** The score, and the first metric that failed. */
const highOnes = (
  series: readonly Series[],
  { from, to }: Range,
): { readonly score: number; readonly metric: KayentaMetric | null } => {
  const judgements = series.map(({ metric, canary, baseline }): Judgement => ({
    ...classifyMetric(canary.slice(from, to), baseline.slice(from, to), rule),
    groups: [metric],
  }));
  const failed = judgements.findIndex(({ label }) => label !== 'pass');
  return { score: scoreOf(judgements, {}), metric: series[failed]?.metric ?? null };
};

const valueOf = (metric: KayentaMetric, minute: readonly LivedArm[]): number => {
  switch (metric) {
    case 'errors': {
      const requests = sumOf(minute, (arm) => arm.requests);
      return requests === 0 ? Number.NaN : sumOf(minute, (arm) => arm.errors) / requests;
    }
    case 'latency':
      return p95Of(minute);
    case 'cpu':
      return sumOf(minute, ({ levels }) => levels.cpu.mean) / minute.length;
  }
};

const p95Of = (minute: readonly LivedArm[]): number => {
  const first = Math.min(...minute.map(({ latency }) => latency.offset));
  const counts: number[] = [];
  for (const { latency } of minute) {
    for (const [index, count] of latency.counts.entries()) {
      const at = latency.offset + index - first;
      counts[at] = (counts[at] ?? 0) + count;
    }
  }
  return quantileSeconds(
    Array.from(counts, (count) => count ?? 0),
    first,
    0.95,
  );
};

const sumOf = (minute: readonly LivedArm[], of: (arm: LivedArm) => number): number =>
  minute.reduce((sum, arm) => sum + of(arm), 0);
