import type { Decided } from '../../markers/marker.ts';
import { compactPoints } from '../../samples/compact.ts';
import type { ReceivedPoint } from '../../samples/compact.ts';
import type { Sample } from '../../samples/sample.ts';
import type { LostPoints, TelemetryPoint } from '../../telemetry/telemetry-point.ts';
import { isTimeUnsure, received } from '../../telemetry/telemetry-point.ts';
import type { AnalysisState, AnalysisTools } from '../analysis/analysis-state.ts';
import { emptyPartition, foldSample } from '../analysis/fold-samples.ts';
import { busierServers } from '../analysis/busier-servers.ts';
import type { BusierServers } from '../analysis/busier-servers.ts';
import { areSendersShared } from '../windows/sparse-exports.ts';
import { targetsTogether } from '../analysis/targets-together.ts';
import { readWindow } from '../reading/read-window.ts';
import type { Reading } from '../reading/reading.ts';
import { isRenewal } from '../analysis/renewal.ts';
import { windowMsMax } from '../windows/window-length.ts';
import { weaknessOf } from '../rollouts/weakness.ts';
import { openArrivals } from './arrival.ts';
import type { Arrivals, Arrived } from './arrival.ts';
import { openChanges } from './changes.ts';
import { backtestCopies, backtestOpening } from './opening.ts';
import type { Heard } from './heard.ts';
import { openPastArrivals } from './learn-before.ts';
import { openHearing } from './heard.ts';
import type { Judging } from './opening.ts';
import type { BacktestResult } from './result.ts';
import { backtestResult } from './result.ts';
import { openRepeats, pointText } from './repeats.ts';
import { clockOf } from './sender-clock.ts';
import type { BacktestSetup } from './setup.ts';

export type Backtest = {
  /** Takes the points of the next line in; answers the windows at which the verdict became another. */
  readonly add: (points: readonly TelemetryPoint[], line: number) => readonly Reading[];
  /** Points of a line that say nothing to anybody; `text` is the line. */
  readonly lose: (lost: readonly LostPoints[], text: string) => void;
  /** The capture is over: what is still open is judged. */
  readonly finish: () => readonly Reading[];
  /** After every window until it was settled, the newest last. */
  readonly readings: () => readonly Reading[];
  /** What a comparison with what ran before is worth: a sentence; empty where both stood side by side. */
  readonly weakness: string;
  /** The first promotion or roll-back; null: there is none. */
  readonly settled: () => Decided | null;
  readonly duplicates: () => number;
  readonly heard: () => Heard;
  /** Whether several were seen to send under one name. */
  readonly areSendersShared: () => boolean;
  /** Why CPU is no evidence at the end; null: it is, or it is over. */
  readonly busierServers: () => BusierServers | null;
  /** Those that were judged as one; empty: one, or told apart. */
  readonly targetsTogether: () => readonly string[];
  readonly result: () => BacktestResult;
};

/** What stands is remembered for a day after the deadline; time goes no further. */
const rememberedMs = 86_400_000;
/** The watermark is two windows behind. */
const latenessWindows = 2;
const measureStepMs = 1_000;
/** Time is that of the line before, and of the one before that while a second clock must confirm it. */
const confirmedAfter = 2;

/** Judges captured telemetry with the fold of the analyser. */
export const openBacktest = (
  tools: AnalysisTools,
  setup: BacktestSetup,
  judging: Judging,
): Backtest => {
  const { sinceMs, environment, component } = setup;
  const opening = backtestOpening(tools.digest, setup, judging);
  const copies = [...backtestCopies(tools.digest, opening, setup)];
  const untilMs = sinceMs + judging.placed.policy.deadlineMs + rememberedMs;
  const isConcurrent = setup.comparison === 'concurrent';
  let arrivals: Arrivals<TelemetryPoint> | undefined = isConcurrent
    ? openArrivals(sinceMs, untilMs, clockOf)
    : undefined;
  const hasChanged = openChanges();
  const unreadable = new Map<string, number>();
  const repeats = openRepeats();
  let repeated = 0;
  const readings: Reading[] = [];
  let state = emptyPartition;
  let last: AnalysisState | undefined;
  /** While it was judged: the end leaves nothing of what was heard. */
  let ongoing: AnalysisState | undefined;
  let settled: Decided | null = null;
  let receiptMs = sinceMs;
  // What is of the time of its receipt came after that, and before time has moved on twice: it may be of any window there.
  const between: {
    readonly of: TelemetryPoint;
    readonly window: number;
    readonly moves: number;
  }[] = [];
  let betweenMs = -Infinity;
  const windowOf = (atMs: number): number => Math.floor((atMs - sinceMs) / (last?.windowMs ?? 1));

  const fold = (sample: Sample, position: number): readonly Reading[] => {
    const closed: Reading[] = [];
    const observe: AnalysisTools['observe'] = (window) => void closed.push(readWindow(window));
    const folded = foldSample({ ...tools, observe }, state, sample, position);
    state = folded.state;
    last = state.analyses[opening.analysis] ?? last;
    if (last?.ended === null) ongoing = last;
    if (settled !== null) return [];
    settled = folded.decisions.find((decision) => isOutcome(decision)) ?? null;
    const to = settled?.windowIndex ?? Infinity;
    const judged = closed.filter(({ index }) => index <= to);
    readings.push(...judged);
    return judged.filter(hasChanged);
  };

  const foldCopies = (toMs: number, position: number): readonly Reading[] => {
    const changed: Reading[] = [];
    for (let [copy] = copies; copy !== undefined && copy.appendedAt <= toMs; [copy] = copies) {
      changed.push(...fold(tickAt(copy, copy.appendedAt), position), ...fold(copy, position));
      copies.shift();
    }
    return changed;
  };

  const foldPoints = (
    arrived: readonly Arrived<TelemetryPoint>[],
    position: number,
  ): readonly Reading[] => {
    const changed: Reading[] = [];
    let run: ReceivedPoint[] = [];
    const foldRun = (): void => {
      const { records, rejected } = compactPoints(setup.audience, run);
      run = [];
      for (const [reason, count] of Object.entries(rejected)) reject(reason, count);
      for (const record of records) changed.push(...fold(record, position));
    };
    const take = (point: TelemetryPoint, receivedAt: number): void => {
      // What came before is in the opening, where it is compared.
      if (isOfPlace(point) && (isConcurrent || Math.max(receivedAt, point.timeMs) >= sinceMs))
        run.push({
          point: setup.isByVersion ? { ...point, deploymentId: null } : point,
          receivedAt,
        });
    };
    for (const { point, receivedAt } of arrived) {
      receiptMs = Math.max(receiptMs, receivedAt);
      const [copy] = copies;
      if (copy !== undefined && copy.appendedAt <= receivedAt) {
        foldRun();
        changed.push(...foldCopies(receivedAt, position));
      }
      if (receivedAt > betweenMs) {
        for (const { of, window, moves } of between.splice(0)) {
          const next = windowOf(receivedAt);
          if (next > window) take(of, receivedAt);
          if (moves > 1) between.push({ of, window: next, moves: moves - 1 });
        }
        betweenMs = receivedAt;
      }
      if (isTimeUnsure(point)) {
        const taken = received(point, receivedAt);
        if (!isNew(taken)) continue;
        if (taken.timeMs !== point.timeMs)
          between.push({ of: point, window: windowOf(receivedAt), moves: confirmedAfter });
      }
      take(point, receivedAt);
    }
    foldRun();
    return changed;
  };

  const isOfPlace = (point: TelemetryPoint): boolean =>
    point.environment === environment && point.component === component;

  const { hear, heard } = openHearing(isOfPlace);

  const isNew = (point: TelemetryPoint): boolean => {
    if (repeats.isNew(pointText(point))) return true;
    if (isOfPlace(point)) repeated += 1;
    return false;
  };

  const reject = (reason: string, count: number): void => {
    if (count > 0) unreadable.set(reason, (unreadable.get(reason) ?? 0) + count);
  };

  const excluded = (): BacktestResult['excluded'] => {
    const { duplicate: _harmless, ...counts } = last?.excluded ?? { duplicate: 0 };
    const all = [...unreadable, ...Object.entries(counts)].filter(([, count]) => count > 0);
    return Object.fromEntries(all.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  };

  fold(opening, 0);
  return {
    add: (told, line) => {
      // Of when some are is known when they have arrived, and then whether they are new.
      const points =
        settled === null ? told.filter((point) => isTimeUnsure(point) || isNew(point)) : told;
      hear(points);
      if (settled !== null || points.length === 0) return [];
      arrivals ??= openPastArrivals(points, sinceMs, untilMs);
      return foldPoints(arrivals?.add(points) ?? [], line);
    },
    lose: (lost, text) => {
      // Of when they are nobody knows: counted to the end, or the order of lines would make a difference.
      if (!repeats.isNew(tools.digest(text))) return;
      for (const { reason, count, of } of lost)
        if (of === null || (of.environment === environment && of.component === component))
          reject(reason, count);
    },
    finish: () => {
      if (settled !== null) return [];
      const changed = [...foldPoints(arrivals?.rest() ?? [], 0)];
      // While windows are measured time goes on in small steps, so that no silence is made up.
      const measuredByMs = receiptMs + latenessWindows * windowMsMax;
      for (let at = receiptMs; isMeasuring(last) && at <= measuredByMs; at += measureStepMs)
        changed.push(...fold(tickAt(opening, at), 0));
      const windowMs = last?.windowMs ?? null;
      if (windowMs !== null)
        changed.push(...fold(tickAt(opening, receiptMs + (latenessWindows + 1) * windowMs), 0));
      return changed;
    },
    weakness: weaknessOf(opening).trimEnd(),
    readings: () => readings,
    settled: () => settled,
    duplicates: () => repeated + (last?.excluded.duplicate ?? 0),
    heard,
    busierServers: () => (ongoing === undefined ? null : busierServers(ongoing)),
    areSendersShared: () =>
      ongoing !== undefined && areSendersShared(ongoing.sparseExports, ongoing.bases),
    targetsTogether: () => (last === undefined ? [] : targetsTogether(last)),
    result: () => backtestResult(settled, sinceMs, readings.length, excluded()),
  };
};

const tickAt = ({ audience, environment, component }: Sample, at: number): Sample => ({
  kind: 'tick',
  ...{ audience, environment, component, at },
});

const isOutcome = (decision: Decided): boolean =>
  (decision.kind === 'promote' || decision.kind === 'roll-back') && !isRenewal(decision);

const isMeasuring = (analysis: AnalysisState | undefined): boolean =>
  analysis !== undefined && analysis.ended === null && analysis.windowMs === null;
