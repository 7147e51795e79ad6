import type { ClosedWindow } from '../analysis/analysis-state.ts';
import type { MetricPart } from '../judge/verdict.ts';
import { explain, stageOf, verdictOf } from '../judge/verdict-of.ts';
import { decisiveMeanLog } from '../metrics/latency.ts';
import type { ArmReading, MetricReading, Reading } from './reading.ts';

/** What the judge says after a window that was closed. */
export const readWindow = ({ rule, state, window }: ClosedWindow): Reading => {
  const explanation = explain(rule, state);
  const shown = explanation.metrics
    .filter(({ weight, presence }) => weight > 0 && presence !== 'none')
    .map(({ promoteEvidence }) => promoteEvidence);
  return {
    index: window.index,
    endMs: window.startMs + rule.windowMs,
    windowMs: rule.windowMs,
    stage: stageOf(rule, state),
    verdict: verdictOf(rule, state),
    explanation,
    promoteEvidence: shown.length === 0 ? 1 : Math.min(...shown),
    metrics: explanation.metrics.map(readMetric),
  };
};

const millisecondsInSecond = 1_000;

/** The same of a metric whose evidence rolled back: by the mean of logarithms, where that is what decided. */
export const readBlamed = (part: MetricPart): MetricReading => {
  const read = readMetric(part);
  const meanLog = part.explained.judged === 'latency' ? decisiveMeanLog(part.explained) : null;
  if (meanLog === null || part.explained.judged !== 'latency') return read;
  const { canarySeconds, baselineSeconds, ratio, interval, phi } = meanLog;
  return {
    ...read,
    counted: 'geometric mean, seconds',
    canary: { ...nothing, level: canarySeconds },
    baseline: { ...nothing, level: baselineSeconds },
    ratio,
    ...interval,
    toleratedRatio: 1 + part.explained.margin,
    tolerated: null,
    dispersion: phi,
    dispersionLeast: phi,
  };
};

/** One metric of an explanation, in the form that every metric has. */
export const readMetric = ({
  id,
  evidence,
  promoteEvidence,
  explained,
}: MetricPart): MetricReading => {
  const common = { id, evidence, promoteEvidence, ...noInterval };
  switch (explained.judged) {
    case 'errors': {
      const { canary, baseline, ratio, toleratedRate, phi, phiLeast } = explained;
      return {
        ...common,
        judged: 'errors',
        counted: 'errors',
        canary: countsOf(canary),
        baseline: countsOf(baseline),
        ratio,
        ...explained.interval,
        worse: 'higher',
        toleratedRatio: ratioOf(toleratedRate, baseline),
        tolerated: toleratedRate,
        dispersion: phi,
        dispersionLeast: phiLeast,
      };
    }
    case 'latency': {
      const tail = explained.loudest === null ? undefined : explained.tails[explained.loudest];
      const judged = { ...common, judged: 'latency', worse: 'higher' } as const;
      if (tail === undefined)
        return {
          ...judged,
          counted: '',
          canary: nothing,
          baseline: nothing,
          ratio: null,
          toleratedRatio: null,
          tolerated: null,
          dispersion: null,
          dispersionLeast: null,
        };
      return {
        ...judged,
        counted: `slower than ${durationText(tail.boundaryMs)}`,
        canary: countsOf(tail.canary),
        baseline: countsOf(tail.baseline),
        ratio: tail.ratio,
        ...tail.interval,
        toleratedRatio: ratioOf(tail.toleratedShare, tail.baseline),
        tolerated: tail.toleratedShare,
        dispersion: tail.phi,
        dispersionLeast: tail.phiLeast,
      };
    }
    case 'level': {
      const { canary, baseline, ratio, worse, toleratedRatio } = explained;
      return {
        ...common,
        judged: 'level',
        counted: '',
        canary: { ...nothing, level: canary },
        baseline: { ...nothing, level: baseline },
        ratio,
        ...explained.interval,
        worse,
        toleratedRatio,
        tolerated: null,
        dispersion: null,
        dispersionLeast: null,
      };
    }
    case 'traffic': {
      const { canaryRequests, baselineRequests, ratio, toleratedRatio, phi } = explained;
      return {
        ...common,
        judged: 'traffic',
        counted: '',
        canary: { ...nothing, n: canaryRequests },
        baseline: { ...nothing, n: baselineRequests },
        ratio,
        ...explained.interval,
        worse: 'lower',
        toleratedRatio,
        tolerated: null,
        dispersion: phi,
        dispersionLeast: phi,
      };
    }
  }
};

const nothing: ArmReading = { n: null, events: null, level: null };
const noInterval = { low: null, high: null, confidence: 0.99 } as const;

type Counts = { readonly total: number; readonly events: number };

const countsOf = ({ total, events }: Counts): ArmReading => ({ n: total, events, level: null });

const ratioOf = (tolerated: number, { total, events }: Counts): number | null =>
  events > 0 ? (tolerated * total) / events : null;

const durationText = (ms: number): string =>
  ms < millisecondsInSecond
    ? `${Number(ms.toPrecision(3))} ms`
    : `${Number((ms / millisecondsInSecond).toPrecision(3))} s`;
