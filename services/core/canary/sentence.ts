import type { AnalysisState, Exclusion } from './analysis-state.ts';
import type { Explanation } from './judge.ts';
import type { MetricExplanation } from './metric-judge.ts';
import type { ArmCounts } from './window.ts';

/**
 * The explanation as one line for people: what was counted, how far apart, how sure. A pass also says what it rests
 * on: the evidence of the metric that showed least.
 */
export const explanationSentence = (explanation: Explanation, isPass = false): string =>
  [
    ...explanation.metrics.map(metricPhrase),
    ...(isPass ? [promotePhrase(explanation)] : []),
    `evidence ${isPass ? 'against it ' : ''}${odds(explanation.evidence)}, needed ${odds(explanation.evidenceNeeded)}`,
  ].join('; ');

/** In the order in which they are told. What came twice, or before the opening, keeps nobody waiting. */
const told: readonly Exclusion[] = [
  'other-version',
  'other-namespace',
  'either-cohort',
  'late',
  'implausible',
  'over-limit',
];

/** Points that came and are no evidence, as an addition to a sentence; empty where there are none. */
export const exclusionPhrase = (excluded: AnalysisState['excluded']): string => {
  const counts = told
    .filter((reason) => excluded[reason] > 0)
    .map((reason) => `${reason} ${grouped(excluded[reason])}`);
  return counts.length === 0 ? '' : `; points that are no evidence: ${counts.join(', ')}`;
};

const promotePhrase = ({ metrics, promoteEvidenceNeeded }: Explanation): string => {
  const shown = Math.min(...metrics.map(({ promoteEvidence }) => promoteEvidence));
  return `evidence that it is good enough ${odds(shown)}, needed ${odds(promoteEvidenceNeeded)}`;
};

const metricPhrase = (metric: MetricExplanation): string => {
  const phrases = [
    `canary ${countsPhrase(metric.canary)}, baseline ${countsPhrase(metric.baseline)}: ` +
      ratioPhrase(metric),
    `tolerated up to ${percent(metric.toleratedRate)}`,
  ];
  if (metric.cappedBlocks > 0) phrases.push(`blocks capped: ${metric.cappedBlocks}`);
  return phrases.join('; ');
};

const countsPhrase = ({ requests, errors }: ArmCounts): string =>
  requests === 0
    ? 'without requests'
    : `${grouped(errors)}/${grouped(requests)} errors (${percent(errors / requests)})`;

const ratioPhrase = ({ ratio, interval: { low, high, confidence } }: MetricExplanation): string => {
  const times = ratio === null ? 'ratio unknown' : `${factor(ratio)}x`;
  const range = rangePhrase(low, high);
  return range === undefined
    ? times
    : `${times} (${range} with ${Math.round(confidence * 100)} % confidence)`;
};

const rangePhrase = (low: number | null, high: number | null): string | undefined => {
  if (low !== null && high !== null) return `${factor(low)}x to ${factor(high)}x`;
  if (low !== null) return `at least ${factor(low)}x`;
  return high === null ? undefined : `at most ${factor(high)}x`;
};

const percent = (rate: number): string => `${(rate * 100).toFixed(2)} %`;

const factor = (ratio: number): string => ratio.toPrecision(ratio < 1 ? 2 : 3);

const MILLION = 1e6;

const odds = (evidence: number): string => {
  if (evidence < 1) return 'below 1:1';
  if (evidence >= MILLION) return 'above 1:1,000,000';
  return `1:${grouped(evidence < 10 ? Number(evidence.toFixed(1)) : Math.round(evidence))}`;
};

/** 20130 as 20,130, without asking the machine for its locale. */
const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
