import type { CanaryAttempt } from '../../core/canary/attempts/canary-attempts.ts';
import { togetherText } from '../../core/canary/analysis/targets-together.ts';
import { verdictSentences } from '../../core/canary/judge/sentence.ts';
import type { MetricPart } from '../../core/canary/judge/verdict.ts';
import {
  grouped,
  level,
  odds,
  percent,
  shownInterval,
  times,
} from '../../core/canary/reading/figures.ts';
import { readBlamed, readMetric } from '../../core/canary/reading/read-window.ts';
import { reasonOf } from '../../core/canary/reading/reading.ts';
import type { ArmReading, MetricReading, Reading } from '../../core/canary/reading/reading.ts';
import { scoreOf } from '../../core/canary/reading/score.ts';
import { isRenewal } from '../../core/canary/analysis/renewal.ts';
import { remedyOf } from '../../core/canary/decision/sentence.ts';
import type { Recheck } from '../../core/canary/decision/recheck.ts';
import type { Json } from '../../core/canonical.ts';
import { isoTime } from '../../core/instant.ts';
import { hasEnded } from '../../core/lifecycle.ts';
import type { Decided, DecidedMetric } from '../../core/markers/marker.ts';
import type { Chart } from '../../core/plot/chart.ts';
import { chartText } from '../../core/plot/chart-terminal.ts';
import type { Line } from '../../core/views.ts';
import type { SamplesRead } from '../../ports/explaining.ts';
import { plainText, shortTime, table } from '../terminal/display.ts';
import { whereText } from '../release/place-text.ts';

/** All that is known of one analysis, up to a decision or to now. */
export type Explained = {
  readonly deployment: string;
  readonly attempt: CanaryAttempt;
  /** Versions of the baseline. */
  readonly against: readonly string[];
  /** What is to be known of how they were compared; empty: side by side. */
  readonly weakness: string;
  /** Targets whose senders were judged as one; empty: one, or told apart. */
  readonly together: readonly string[];
  /** Of the decision on the log; null: none yet. */
  readonly position: number | null;
  readonly decision: Decided | null;
  readonly readings: readonly Reading[];
  readonly excluded: { readonly [reason: string]: number } | null;
  readonly read: SamplesRead;
  readonly recheck: Recheck | null;
  readonly hasScore: boolean;
};

export type TextStyle = { readonly columns: number | null; readonly isAscii: boolean };

const columnsDefault = 80;
const plotColumnsMax = 120;
const plotRows = 14;

export const explainedText = (
  explained: Explained,
  chart: Chart | null,
  { columns, isAscii }: TextStyle,
): readonly string[] => {
  const { readings, decision, hasScore } = explained;
  const last = readings.at(-1);
  const sentences =
    last === undefined ? [decision?.explanation ?? ''] : sentencesOf(explained, last);
  return [
    plainText(headingOf(explained)),
    ...sentences.slice(0, 1).map((sentence) => `  ${plainText(sentence)}`),
    '',
    ...(last === undefined
      ? []
      : table(tableHeading, last.explanation.metrics.map(rowOf(explained, last)), columns)),
    '',
    ...sentences.slice(1).map((sentence) => `- ${plainText(sentence)}`),
    ...excludedText(explained),
    ...(chart === null || !readings.some(isCompared)
      ? []
      : [
          '',
          ...chartText(chart, {
            columns: Math.min(columns ?? columnsDefault, plotColumnsMax),
            rows: plotRows,
            isAscii,
          }).map(plainText),
        ]),
    ...(hasScore && last !== undefined
      ? [
          '',
          `score ${scoreOf(last)} of 100 (50: nothing known, 100: good enough, 0: rolled back); it decides nothing`,
        ]
      : []),
    ...recheckText(explained),
  ];
};

/** Axes without a curve tell nobody anything. */
const isCompared = ({ metrics }: Reading): boolean => metrics.some(({ ratio }) => ratio !== null);

const headingOf = ({ attempt, against, decision, position, readings }: Explained): string => {
  const { plan, number } = attempt;
  const what = `${plan.slot.component} ${plan.version} against ${against.join(', ')} in ${whereText(plan.slot)}, attempt ${number}`;
  if (decision !== null)
    return `${decision.kind} of ${what}: position ${position}, window ${decision.windowIndex} (${shortTime(isoTime(decision.windowEndedAt))})${decision.mode === 'decide' ? '' : `, ${decision.mode}`}`;
  const last = readings.at(-1);
  return `${what}: ${last === undefined ? 'nothing judged' : `${last.stage}, as of ${shortTime(isoTime(last.endMs))}`}; ${undecided(attempt)}`;
};

/** What has ended is judged no more. */
const undecided = (attempt: CanaryAttempt): string =>
  hasEnded(attempt)
    ? `it ended as ${attempt.status} before anything was decided (a pipeline says how it ended after plimsoll gate)`
    : 'nothing decided yet';

const tableHeading: readonly string[] = [
  ...['metric', 'canary', 'baseline', 'ratio', '99 % interval', 'tolerated', 'part of evidence'],
  ...['scatter', 'blamed'],
];

const rowOf =
  ({ decision }: Explained, reading: Reading) =>
  (part: MetricPart): readonly string[] => {
    const metric = readIn(reading, part);
    const noise = decision?.metrics.find(({ id }) => id === part.id);
    return [
      metric.judged === 'latency' && metric.counted !== ''
        ? `${part.id} (${metric.counted})`
        : part.id,
      armText(metric.canary),
      armText(metric.baseline),
      metric.ratio === null ? '' : times(metric.ratio),
      intervalText(metric),
      toleranceText(metric),
      odds(part.evidence),
      scatterText(metric, noise),
      blameText(part, reading),
    ];
  };

/** By what it was blamed for, or else by what speaks loudest. */
const readIn = ({ verdict }: Reading, part: MetricPart): MetricReading => {
  const isBlamed =
    verdict.outcome === 'fail' &&
    verdict.reasons.some(
      ({ metric, code }) => metric === part.id && code === 'worse-than-tolerated',
    );
  return isBlamed ? readBlamed(part) : readMetric(part);
};

const armText = ({ n, events, level: mean }: ArmReading): string => {
  if (mean !== null) return level(mean);
  if (n === null) return '';
  if (events === null) return grouped(n);
  return n === 0 ? '0' : `${grouped(events)}/${grouped(n)} ${percent(events / n)}`;
};

const intervalText = (metric: MetricReading): string => {
  const { low, high } = shownInterval(metric);
  return low === null && high === null
    ? ''
    : `${low === null ? '0' : times(low)} to ${high === null ? 'any' : times(high)}`;
};

const toleranceText = ({ tolerated, toleratedRatio, worse }: MetricReading): string => {
  const side = worse === 'higher' ? 'to' : 'from';
  if (tolerated !== null) return tolerated >= 1 ? 'any' : `${side} ${percent(tolerated)}`;
  return toleratedRatio === null ? '' : `${side} ${times(toleratedRatio)}`;
};

const scatterText = (
  { dispersion, dispersionLeast }: MetricReading,
  noise: DecidedMetric | undefined,
): string =>
  [
    [...new Set([dispersionLeast, dispersion].flatMap(shortOf))].join(' to '),
    noise === undefined ? '' : originText(noise),
  ]
    .filter((part) => part !== '')
    .join(' ');

const shortOf = (value: number | null): readonly string[] =>
  value === null ? [] : [String(Number(value.toPrecision(3)))];

/** Where the scatter is from. */
const originText = ({ dispersionFrom }: DecidedMetric): string => {
  switch (dispersionFrom) {
    case 'measured':
      return '(history)';
    case 'raised-for-traffic':
      return '(history, raised)';
    case 'unknown':
      return '(fallback)';
    case 'none':
      return '';
  }
};

/** Blamed, or why not. */
const blameText = ({ id, presence, weight }: MetricPart, { verdict }: Reading): string => {
  const isBlamed =
    verdict.outcome === 'fail' && verdict.reasons.some(({ metric }) => metric === id);
  if (isBlamed) return 'yes';
  switch (presence) {
    case 'none':
      return weight > 0 ? 'no: not seen yet' : 'no: never seen';
    case 'one':
      return 'no: seen in one cohort alone';
    case 'silent':
      return 'no: silent';
    case 'both':
      return verdict.outcome === 'fail' ? 'no: too little evidence' : 'no';
  }
};

const excludedText = ({ excluded, read }: Explained): readonly string[] => {
  const said = (counts: { readonly [reason: string]: number }): string =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `${reason} ${grouped(count)}${remedyOf(reason)}`)
      .join(', ');
  const points = said(excluded ?? {});
  const records = said(read.refused);
  return [
    ...(points === '' ? [] : [`- points that are no evidence: ${points}`]),
    ...(records === ''
      ? []
      : [`- samples that nobody trusted has signed, or that cannot be read: ${records}`]),
  ];
};

const recheckText = ({ recheck, read, decision }: Explained): readonly string[] => {
  if (recheck === null) return [];
  const where = read.source === 'archive' ? 'the kept evidence' : 'samples';
  switch (recheck.outcome) {
    case 'equal':
      return [
        '',
        `recheck: computed again from ${where}, the decision has the same bytes`,
        ...(decision !== null && isRenewal(decision)
          ? ['  it says again what these lead to; that it still stood by then is not in them']
          : []),
      ];
    case 'differs':
      return [
        '',
        `recheck: computed again from ${where}, the decision is another`,
        ...recheck.differences.map(
          ({ field, recorded, recomputed }) =>
            `  ${plainText(field)}: ${plainText(JSON.stringify(recorded))} on the log, ${plainText(JSON.stringify(recomputed))} computed`,
        ),
      ];
    case 'not-said':
      return ['', `recheck: ${where} do not lead to this decision`];
    case 'not-alone':
      return [
        '',
        `recheck: that too many canaries were open beside it cannot be computed from ${where} of one analysis; all else is the same`,
      ];
  }
};

const sentencesOf = (
  { weakness, together, attempt }: Explained,
  { verdict, explanation }: Reading,
): readonly string[] => {
  const [first = '', ...others] = verdictSentences(verdict, explanation);
  const { target } = attempt.plan.slot;
  return [
    first,
    ...(weakness === '' ? [] : [weakness.trim()]),
    ...(target === null || together.length === 0 ? [] : [togetherText(target, together)]),
    ...others,
  ];
};

/** The same as one line for programs. */
export const explainedLine = (explained: Explained): Line => {
  const { deployment, attempt, position, decision, readings, excluded, read, recheck } = explained;
  const last = readings.at(-1);
  return {
    deployment,
    attempt: attempt.number,
    namespace: attempt.plan.slot.namespace,
    environment: attempt.plan.slot.environment,
    component: attempt.plan.slot.component,
    target: attempt.plan.slot.target,
    version: attempt.plan.version,
    baseline: [...explained.against],
    decision: decision?.kind ?? null,
    position,
    at: last === undefined ? null : isoTime(last.endMs),
    window: last?.index ?? null,
    stage: last?.stage ?? null,
    verdict: last?.verdict.outcome ?? null,
    reason: last === undefined ? null : reasonOf(last.verdict),
    sentences: last === undefined ? [] : [...sentencesOf(explained, last)],
    evidence: last?.explanation.evidence ?? null,
    evidenceNeeded: last?.explanation.evidenceNeeded ?? null,
    metrics: last === undefined ? [] : last.explanation.metrics.map(metricLine(explained, last)),
    excluded: excluded === null ? {} : positive(excluded),
    samples: { source: read.source, refused: { ...read.refused } },
    score: explained.hasScore
      ? readings.map((reading) => ({ at: isoTime(reading.endMs), score: scoreOf(reading) }))
      : null,
    recheck: recheck === null ? null : recheckLine(recheck),
  };
};

const positive = (counts: { readonly [reason: string]: number }): { [reason: string]: number } =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

const metricLine =
  ({ decision }: Explained, reading: Reading) =>
  (part: MetricPart): Line => {
    const { verdict } = reading;
    const metric = readIn(reading, part);
    return {
      id: part.id,
      judged: metric.judged,
      weight: part.weight,
      presence: part.presence,
      counted: metric.counted === '' ? null : metric.counted,
      canary: { ...metric.canary },
      baseline: { ...metric.baseline },
      ratio: metric.ratio,
      interval: [metric.low, metric.high],
      toleratedRatio: metric.toleratedRatio,
      tolerated: metric.tolerated,
      evidence: part.evidence,
      promoteEvidence: part.promoteEvidence,
      isBlamed:
        verdict.outcome === 'fail' && verdict.reasons.some((reason) => reason.metric === part.id),
      cappedBlocks: part.explained.cappedBlocks,
      strongest: part.explained.strongestWindows.map(({ index, startMs, gainNats }) => ({
        window: index,
        startedAt: isoTime(startMs),
        nats: gainNats,
      })),
      dispersion: metric.dispersion,
      dispersionFrom: decision?.metrics.find(({ id }) => id === part.id)?.dispersionFrom ?? null,
    };
  };

const recheckLine = (recheck: Recheck): { [field: string]: Json } => ({
  outcome: recheck.outcome,
  differences:
    recheck.outcome === 'differs'
      ? recheck.differences.map((difference) => ({ ...difference }))
      : [],
});
