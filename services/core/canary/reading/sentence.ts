import { grouped, level, odds, percent, times } from './figures.ts';
import type { ArmReading, MetricReading, Reading } from './reading.ts';

/** What was counted in one cohort: `412/20,130 errors (2.05 %)`. */
export const armPhrase = ({ n, events, level: mean }: ArmReading, counted: string): string => {
  if (mean !== null) return level(mean);
  if (n === null || n === 0) return 'without requests';
  return events === null
    ? `${grouped(n)} ${counted}`
    : `${grouped(events)}/${grouped(n)} ${counted} (${percent(events / n)})`;
};

/** The ratio with its interval: `4.1x (3.2x to 5.2x with 99 % confidence)`. */
export const ratioPhrase = ({ ratio, low, high, confidence }: MetricReading): string => {
  const shown = ratio === null ? 'ratio unknown' : times(ratio);
  const range = rangePhrase(low, high);
  return range === ''
    ? shown
    : `${shown} (${range} with ${Math.round(confidence * 100)} % confidence)`;
};

const rangePhrase = (low: number | null, high: number | null): string => {
  if (low !== null && high !== null) return `${times(low)} to ${times(high)}`;
  if (low !== null) return `at least ${times(low)}`;
  return high === null ? '' : `at most ${times(high)}`;
};

/** What is tolerated: a rate where there is one, else a ratio. */
export const tolerancePhrase = ({ tolerated, toleratedRatio, worse }: MetricReading): string => {
  const side = worse === 'higher' ? 'up to' : 'down to';
  if (tolerated !== null) return `tolerated ${side} ${percent(tolerated)}`;
  return toleratedRatio === null ? '' : `tolerated ${side} ${times(toleratedRatio)}`;
};

/** One metric as a sentence: what was counted, how far apart, what is tolerated, what was held back. */
export const metricSentence = (metric: MetricReading): string => {
  const { id, canary, baseline, counted, cappedBlocks, phi } = metric;
  return [
    `${id}: canary ${armPhrase(canary, counted)}, baseline ${armPhrase(baseline, counted)}: ${ratioPhrase(metric)}`,
    tolerancePhrase(metric),
    cappedBlocks === 0 ? '' : `blocks capped: ${cappedBlocks}`,
    phi === null || phi === 1 ? '' : `dispersion ${Number(phi.toPrecision(3))}`,
  ]
    .filter((phrase) => phrase !== '')
    .join('; ');
};

/** The verdict as one line for people; `metric` is the one that it rests on. */
export const readingSentence = (reading: Reading, metric: MetricReading | undefined): string => {
  const { outcome, evidence, evidenceNeeded, promoteEvidence, promoteEvidenceNeeded } = reading;
  return [
    outcome === 'inconclusive' ? reading.reason : '',
    outcome === 'inconclusive' && reading.missing.length > 0
      ? `missing: ${reading.missing.join(', ')}`
      : '',
    metric === undefined ? 'nothing was seen' : metricSentence(metric),
    outcome === 'pass'
      ? `evidence that it is good enough ${odds(promoteEvidence)}, needed ${odds(promoteEvidenceNeeded)}`
      : '',
    `evidence${outcome === 'pass' ? ' against it' : ''} ${odds(evidence)}, needed ${odds(evidenceNeeded)}`,
  ]
    .filter((phrase) => phrase !== '')
    .join('; ');
};
