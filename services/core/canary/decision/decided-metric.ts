import type { DecidedMetric } from '../../markers/marker.ts';
import type { MetricNoise } from '../judge/noise.ts';
import type { MetricPart, Reason } from '../judge/verdict.ts';
import { decisiveMeanLog } from '../metrics/latency.ts';
import type { UsedPhi } from '../statistics/scatter.ts';

/**
 * One metric's line of a decision: numbers that a reader needs without the samples. `blame`: what it is rolled back for,
 * or null. Where the mean of logarithms rolls back, no events decided, so there are none: the levels are the geometric means
 * of the durations, in seconds, and the ratio is theirs.
 */
export const decidedMetric = (
  part: MetricPart,
  noise: MetricNoise | undefined,
  blame: Reason['code'] | null,
): DecidedMetric => {
  const { id, weight, promoteEvidence, explained } = part;
  const common = {
    id,
    weight,
    isBlamed: blame !== null,
    ...noCounts,
    canaryLevel: null,
    baselineLevel: null,
    evidence: explained.rollbackEvidence,
    promoteEvidence,
    dispersionFrom: noise?.note ?? 'unknown',
    cappedBlocks: explained.cappedBlocks,
    strongest: explained.strongestWindows.map(({ index }) => index),
  } as const;
  switch (explained.judged) {
    case 'errors':
      return {
        ...common,
        judged: 'errors',
        ...countsOf(explained),
        ...ratioOf(explained),
        tolerated: explained.toleratedRate,
        dispersion: explained.phi,
        dispersionFrom: scatterFrom(noise, explained),
      };
    case 'latency': {
      const tail = explained.loudest === null ? undefined : explained.tails[explained.loudest];
      const said = { ...common, judged: 'latency' } as const;
      const meanLog = blame === 'worse-than-tolerated' ? decisiveMeanLog(explained) : null;
      if (meanLog !== null)
        return {
          ...said,
          canaryCount: tail?.canary.total ?? 0,
          baselineCount: tail?.baseline.total ?? 0,
          canaryLevel: meanLog.canarySeconds,
          baselineLevel: meanLog.baselineSeconds,
          ...ratioOf(meanLog),
          tolerated: 1 + explained.margin,
          dispersion: meanLog.phi,
        };
      return tail === undefined
        ? { ...said, ...noRatio, tolerated: null, dispersion: 1, dispersionFrom: 'none' }
        : {
            ...said,
            ...countsOf(tail),
            ...ratioOf(tail),
            tolerated: tail.toleratedShare,
            dispersion: tail.phi,
            dispersionFrom: scatterFrom(noise, tail),
          };
    }
    case 'level':
      return {
        ...common,
        judged: 'level',
        canaryLevel: explained.canary,
        baselineLevel: explained.baseline,
        ...ratioOf(explained),
        tolerated: explained.toleratedRatio,
        dispersion: 1,
        dispersionFrom: explained.noise === 'history' ? common.dispersionFrom : 'none',
      };
    case 'traffic':
      return {
        ...common,
        judged: 'traffic',
        canaryCount: explained.canaryRequests,
        baselineCount: explained.baselineRequests,
        ...ratioOf(explained),
        tolerated: explained.toleratedRatio,
        dispersion: explained.phi,
      };
  }
};

/** What is raised was measured before. */
const scatterFrom = (
  noise: MetricNoise | undefined,
  { isPhiRaised }: UsedPhi,
): DecidedMetric['dispersionFrom'] =>
  isPhiRaised ? 'raised-for-traffic' : (noise?.note ?? 'unknown');

const noCounts = { canaryCount: 0, canaryEvents: 0, baselineCount: 0, baselineEvents: 0 } as const;
const noRatio = { ratio: null, ratioLow: null, ratioHigh: null } as const;

type Arms = {
  readonly canary: { readonly total: number; readonly events: number };
  readonly baseline: { readonly total: number; readonly events: number };
};

const countsOf = ({ canary, baseline }: Arms): Pick<DecidedMetric, keyof typeof noCounts> => ({
  canaryCount: canary.total,
  canaryEvents: canary.events,
  baselineCount: baseline.total,
  baselineEvents: baseline.events,
});

const ratioOf = ({
  ratio,
  interval: { low, high },
}: {
  readonly ratio: number | null;
  readonly interval: { readonly low: number | null; readonly high: number | null };
}): Pick<DecidedMetric, keyof typeof noRatio> => ({ ratio, ratioLow: low, ratioHigh: high });
