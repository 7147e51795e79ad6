import { compactPoints } from '../../samples/compact.ts';
import type { Points } from '../../samples/sample.ts';
import type { TelemetryPoint } from '../../telemetry/telemetry-point.ts';
import type { PendingPoint } from '../windows/cohort-windows.ts';
import { pendingPointOf, takeWindow } from '../windows/cohort-windows.ts';
import type { Cohort } from '../windows/cohorts.ts';
import type { HistoryBatch } from '../noise/history.ts';
import { historyBatchMs } from '../noise/history-batch.ts';
import { noiseOfBatches, openHistory } from '../noise/history.ts';
import { pointsJudgedAs } from '../windows/judged-as.ts';
import type { Noise } from '../judge/noise.ts';
import type { MetricPolicy } from '../policy/policy.ts';
import type { Bases } from '../windows/stream-bases.ts';
import { withoutOverflown } from '../windows/overflown.ts';
import { noBases } from '../windows/stream-bases.ts';
import { firstTimeOf, openArrivals } from './arrival.ts';
import type { Arrivals } from './arrival.ts';
import type { BacktestSetup } from './setup.ts';

// How much the two cohorts of a backtest differ by themselves: from a capture of them while both ran the same code.

/** A batch is closed when the latest time is so much ahead: more than any export interval. */
const latenessMs = 300_000;
/** Points of one batch that wait; with more the batch is left out. */
const pendingMax = 500_000;
/** A month of batches. */
const batchesMax = 8_640;

export type NoiseLearner = {
  readonly add: (points: readonly TelemetryPoint[]) => void;
  /**
   * What the history shows. Where it has points of the canary's version, that is one cohort; where all servers ran the
   * version that stands against it, they are compared in two halves.
   */
  readonly noise: () => Noise;
};

export const openNoiseLearner = (
  metrics: readonly MetricPolicy[],
  { audience, environment, component, canary, baseline }: BacktestSetup,
): NoiseLearner => {
  const holders = new Set(baseline.map(({ version }) => version));
  const byVersion = openBatches(metrics);
  let arrivals: Arrivals<TelemetryPoint> | undefined;
  let halves: ReturnType<typeof openHistory> | undefined;
  let hasCanary = false;

  const cohortOf = (version: string | null): Cohort | undefined => {
    if (version === canary.version) return 'canary';
    return version !== null && holders.has(version) ? 'baseline' : undefined;
  };

  return {
    add: (points) => {
      const ours = points.filter(
        (point) => point.environment === environment && point.component === component,
      );
      if (ours.length === 0) return;
      const firstMs = firstTimeOf(ours);
      if (firstMs !== undefined) {
        arrivals ??= openArrivals(firstMs, Infinity);
        halves ??= openHistory(metrics, holders, firstMs);
      }
      if (arrivals === undefined) return;
      hasCanary ||= ours.some(({ version }) => version === canary.version);
      for (const sample of compactPoints(audience, arrivals.add(ours)).records) {
        byVersion.add(sample, cohortOf);
        if (!hasCanary) halves?.add(sample);
      }
    },
    noise: () => {
      const batches = hasCanary ? byVersion.close() : (halves?.close() ?? []);
      return noiseOfBatches(metrics, batches);
    },
  };
};

type Batches = {
  readonly add: (sample: Points, cohortOf: (version: string | null) => Cohort | undefined) => void;
  readonly close: () => readonly HistoryBatch[];
};

/** Batches of five minutes of two cohorts that are told apart; what is late is left out. */
const openBatches = (metrics: readonly MetricPolicy[]): Batches => {
  const batches: HistoryBatch[] = [];
  let pending: PendingPoint[] = [];
  let isOverfull = false;
  let bases: Bases = noBases;
  let firstMs: number | undefined;
  let batchMs = 0;
  let nowMs = -Infinity;

  const closeBatch = (): void => {
    const endMs = batchMs + historyBatchMs;
    const due = pending.filter(({ timeMs }) => timeMs < endMs);
    pending = pending.filter(({ timeMs }) => timeMs >= endMs);
    const taken = takeWindow(metrics, bases, due, firstMs ?? batchMs);
    bases = taken.bases;
    if (due.length > 0 && !isOverfull && batches.length < batchesMax)
      batches.push({
        startMs: batchMs,
        metrics: withoutOverflown(taken.metrics, taken.overflown),
      });
    isOverfull = false;
    batchMs = endMs;
  };

  const passTo = (timeMs: number): void => {
    nowMs = Math.max(nowMs, timeMs);
    while (batchMs + historyBatchMs + latenessMs <= nowMs) {
      if (pending.length > 0) closeBatch();
      else batchMs = Math.floor((nowMs - latenessMs) / historyBatchMs) * historyBatchMs;
    }
  };

  return {
    add: (sample, cohortOf) => {
      const senders = sample.origins.map((origin) => ({
        cohort: cohortOf(origin.version),
        judgedAs: pointsJudgedAs(metrics, origin),
      }));
      for (const point of sample.points) {
        const sender = senders[point.origin];
        if (firstMs === undefined) {
          firstMs = point.time;
          batchMs = Math.floor(point.time / historyBatchMs) * historyBatchMs;
        }
        passTo(point.receivedAt);
        const as = sender?.judgedAs(point);
        const isTimely = point.time >= batchMs && point.time <= point.receivedAt;
        if (sender?.cohort === undefined || as === undefined || as.length === 0 || !isTimely)
          continue;
        if (pending.length >= pendingMax) isOverfull = true;
        else pending.push(pendingPointOf(sample, point, sender.cohort, as));
      }
    },
    close: () => {
      // The last batch is whole or nearly; an almost empty one says too little to matter.
      while (pending.length > 0) closeBatch();
      return batches;
    },
  };
};
