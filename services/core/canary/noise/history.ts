import { partitionOfKey } from '../../samples/key.ts';
import type { Origin, Points, Sample } from '../../samples/sample.ts';
import type { PendingPoint } from '../windows/cohort-windows.ts';
import { pendingPointOf, takeWindow } from '../windows/cohort-windows.ts';
import { latencyDispersion, levelNoise, rateDispersion, trafficDispersion } from './dispersion.ts';
import { historyBatchMs } from './history-batch.ts';
import type { MetricWindow } from '../judge/judged-window.ts';
import type { MetricNoise, Noise } from '../judge/noise.ts';
import { pointsJudgedAs } from '../windows/judged-as.ts';
import type { MetricPolicy } from '../policy/policy.ts';
import type { Bases } from '../windows/stream-bases.ts';
import { withoutOverflown } from '../windows/overflown.ts';
import { noBases } from '../windows/stream-bases.ts';

// How much two cohorts of one program differ: learned from hours in which all servers ran the same, by holding one
// half of them against the other.

const hourMs = 3_600_000;
/** How far the newest receipt is ahead when a batch is closed. What comes later is left out. */
const latenessMs = 120_000;
/** Points of one batch; with more the batch is left out. */
const pendingMax = 50_000;
/** Three days of batches. */
const batchesMax = 864;
/** Levels are told per second. */
const secondsPerBatch: number = historyBatchMs / 1_000;

/** What both halves sent in five minutes: the metrics of a policy in its order. */
export type HistoryBatch = { readonly startMs: number; readonly metrics: readonly MetricWindow[] };

/** The noise of each metric that these batches show, or that it is not known. */
export const noiseOfBatches = (
  metrics: readonly MetricPolicy[],
  batches: readonly HistoryBatch[],
): Noise =>
  metrics.map((metric, place) => {
    const windows = batches.flatMap(({ metrics: shown }) => shown[place] ?? []);
    return noiseOf(metric, windows);
  });

type Both<Window extends { canary: unknown; baseline: unknown }> = {
  readonly canary: NonNullable<Window['canary']>;
  readonly baseline: NonNullable<Window['baseline']>;
};

const noiseOf = ({ id, judged }: MetricPolicy, windows: readonly MetricWindow[]): MetricNoise => {
  switch (judged) {
    case 'errors': {
      return { id, judged, ...rateDispersion(bothOf(windows, judged)) };
    }
    case 'traffic': {
      const pairs = bothOf(windows, judged);
      const canary = pairs.reduce((sum, pair) => sum + pair.canary, 0);
      const share = canary / pairs.reduce((sum, pair) => sum + pair.canary + pair.baseline, 0);
      return { id, judged, ...trafficDispersion(pairs.map((pair) => ({ ...pair, share }))) };
    }
    case 'latency': {
      return { id, judged, ...latencyDispersion(bothOf(windows, judged)) };
    }
    case 'level': {
      const levels = bothOf(windows, judged).map(({ canary, baseline }) => ({
        canary: canary.mean,
        baseline: baseline.mean,
      }));
      const { variance, batches, note } = levelNoise(levels, secondsPerBatch);
      return { id, judged, variance, batches, note };
    }
  }
};

type WindowOf<Kind extends MetricWindow['judged']> = Extract<MetricWindow, { judged: Kind }>;

const bothOf = <Kind extends MetricWindow['judged']>(
  windows: readonly MetricWindow[],
  judged: Kind,
): readonly Both<WindowOf<Kind>>[] =>
  windows.flatMap((window) => {
    if (window.judged !== judged || window.canary === null || window.baseline === null) return [];
    return [{ canary: window.canary, baseline: window.baseline } as Both<WindowOf<Kind>>];
  });

export type History = {
  /** Samples of one key, in their order. */
  readonly add: (sample: Sample) => void;
  /**
   * The batches in which all senders ran what holds the slot, and nobody was judged. Of an hour that had anything else
   * none is taken.
   */
  readonly close: () => readonly HistoryBatch[];
};

/**
 * Collects what the senders of a component say, `versions` being those that hold its slots. Samples before `sinceMs`
 * are no history; the first batch is only what later ones are measured from, and the last one is not whole.
 */
export const openHistory = (
  metrics: readonly MetricPolicy[],
  versions: ReadonlySet<string>,
  sinceMs: number,
): History => {
  const firstMs = Math.ceil(sinceMs / historyBatchMs) * historyBatchMs;
  const batches: HistoryBatch[] = [];
  const spoiltHours = new Set<number>();
  /** Openings without an end so far. */
  const openSinceMs = new Map<string, number>();
  let pending: PendingPoint[] = [];
  let isOverfull = false;
  let bases: Bases = noBases;
  let batchMs = firstMs;
  let receiptMs = 0;

  const closeBatch = (): void => {
    const endMs = batchMs + historyBatchMs;
    const due = pending.filter(({ timeMs }) => timeMs < endMs);
    pending = pending.filter(({ timeMs }) => timeMs >= endMs);
    const taken = takeWindow(metrics, bases, inHalves(due), firstMs);
    bases = taken.bases;
    const isWhole = batchMs > firstMs && due.length > 0 && !isOverfull;
    if (isWhole && batches.length < batchesMax)
      batches.push({
        startMs: batchMs,
        metrics: withoutOverflown(taken.metrics, taken.overflown),
      });
    isOverfull = false;
    batchMs = endMs;
  };

  const pass = (atMs: number): void => {
    receiptMs = Math.max(receiptMs, atMs);
    while (batchMs + historyBatchMs + latenessMs <= receiptMs) {
      if (pending.length === 0)
        // Hours of silence are no batches.
        batchMs = Math.max(
          batchMs + historyBatchMs,
          Math.floor((receiptMs - latenessMs) / historyBatchMs - 1) * historyBatchMs,
        );
      else closeBatch();
    }
  };

  const addPoints = (sample: Points): void => {
    const judgedAs = sample.origins.map((origin) => pointsJudgedAs(metrics, origin));
    for (const point of sample.points) {
      const origin = sample.origins[point.origin];
      if (origin === undefined) continue;
      pass(point.receivedAt);
      if (isOther(origin)) spoiltHours.add(hourOf(point.receivedAt));
      const as = judgedAs[point.origin]?.(point) ?? [];
      const isTimely =
        point.time >= batchMs && Math.abs(point.receivedAt - point.time) <= latenessMs;
      if (isTimely && as.length > 0 && isHolder(origin)) {
        if (pending.length >= pendingMax) isOverfull = true;
        else pending.push(pendingPointOf(sample, point, 'baseline', as));
      }
    }
  };

  const isHolder = ({ version, instance }: Origin): boolean =>
    version !== null && versions.has(version) && instance !== null;
  const isOther = ({ version }: Origin): boolean => version !== null && !versions.has(version);

  const spoil = (fromMs: number, toMs: number): void => {
    const lastMs = Math.min(toMs, firstMs + batchesMax * historyBatchMs);
    for (let hour = hourOf(Math.max(fromMs, firstMs)); hour <= hourOf(lastMs); hour++)
      spoiltHours.add(hour);
  };

  return {
    add: (sample) => {
      switch (sample.kind) {
        case 'points':
          addPoints(sample);
          return;
        case 'tick':
          pass(sample.at);
          return;
        case 'analysis-opened':
          openSinceMs.set(sample.analysis, openSinceMs.get(sample.analysis) ?? sample.openedAt);
          return;
        case 'copy': {
          if (!['succeeded', 'failed', 'canceled'].includes(sample.fact)) return;
          // Of one that was opened before all this only the end is here.
          spoil(openSinceMs.get(sample.analysis) ?? firstMs, sample.appendedAt);
          openSinceMs.delete(sample.analysis);
        }
      }
    },
    close: () => {
      for (const sinceOpeningMs of openSinceMs.values()) spoil(sinceOpeningMs, receiptMs);
      return batches.filter(({ startMs }) => !spoiltHours.has(hourOf(startMs)));
    },
  };
};

const hourOf = (timeMs: number): number => Math.floor(timeMs / hourMs);

const hashRange = 2 ** 31;

/**
 * Every second instance in the order of their hashes is of the other half. So a half has as many as the other, and
 * each stays in its own for as long as the same instances run.
 */
const inHalves = (points: readonly PendingPoint[]): readonly PendingPoint[] => {
  const instances = [...new Set(points.map(({ instance }) => instance ?? ''))]
    .map((instance) => ({ instance, hash: partitionOfKey(instance, hashRange) }))
    .toSorted((left, right) => left.hash - right.hash || (left.instance < right.instance ? -1 : 1));
  const firstHalf = new Set(
    instances.filter((_, place) => place % 2 === 0).map(({ instance }) => instance),
  );
  return points.map((point) =>
    firstHalf.has(point.instance ?? '') ? { ...point, cohort: 'canary' } : point,
  );
};
