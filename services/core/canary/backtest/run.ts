import type { Decided } from '../../markers/marker.ts';
import { compactPoints } from '../../samples/compact.ts';
import type { ReceivedPoint } from '../../samples/compact.ts';
import type { Sample } from '../../samples/sample.ts';
import type { AnalysisState, AnalysisTools } from '../analysis-state.ts';
import { emptyPartition } from '../fold-samples.ts';
import { closesAtMs, windowsClosedOf } from '../reading/read-analysis.ts';
import type { Reading } from '../reading/reading.ts';
import { foldStepwise } from '../reading/stepwise.ts';
import { isRenewal } from '../renewal.ts';
import { windowMsMax } from '../window-length.ts';
import { openArrivals } from './arrival.ts';
import type { Arrived } from './arrival.ts';
import { openChanges } from './changes.ts';
import { backtestCopies, backtestOpening } from './opening.ts';
import type { Judging } from './opening.ts';
import type { BacktestResult, Settled } from './result.ts';
import { backtestResult } from './result.ts';
import type { BacktestSetup } from './setup.ts';

/** A point of telemetry, as the reader of OTLP gives it. */
export type CapturedPoint = ReceivedPoint['point'];

export type Backtest = {
  /** Takes the points of the next line in; answers the windows at which the verdict became another. */
  readonly add: (points: readonly CapturedPoint[], line: number) => readonly Reading[];
  /** Points that could not be read. */
  readonly reject: (reason: string, count: number) => void;
  /** The capture is over: what is still open is judged. */
  readonly finish: () => readonly Reading[];
  /** After every window, the newest last. */
  readonly readings: () => readonly Reading[];
  readonly settled: () => Settled | null;
  /** What the analysis would have said, without renewals. */
  readonly decisions: () => readonly Decided[];
  readonly duplicates: () => number;
  /** What telemetry there is, for who named a place or a version that is not. */
  readonly heard: () => Heard;
  readonly result: () => BacktestResult;
};

export type Heard = {
  /** Environment and component, as `environment/component`. */
  readonly places: ReadonlySet<string>;
  /** Versions of the component in question. */
  readonly versions: ReadonlySet<string>;
  /** Times of its points; null: there are none. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
};

/** Names that are remembered of what a capture holds. */
const heardMax = 20;
/** A promotion's analysis is remembered for a day after its deadline; time goes no further. */
const rememberedMs = 86_400_000;

/** Judges captured telemetry with the fold of the analyser. */
export const openBacktest = (
  tools: AnalysisTools,
  setup: BacktestSetup,
  judging: Judging,
): Backtest => {
  const { sinceMs, environment, component } = setup;
  const opening = backtestOpening(tools.digest, setup, judging);
  const copies = [...backtestCopies(tools.digest, opening, setup)];
  const arrivals = openArrivals<CapturedPoint>(
    sinceMs,
    sinceMs + judging.policy.deadlineMs + rememberedMs,
  );
  const hasChanged = openChanges();
  const unreadable = new Map<string, number>();
  const readings: Reading[] = [];
  const decisions: Decided[] = [];
  const places = new Set<string>();
  const versions = new Set<string>();
  let [fromMs, toMs] = [Infinity, -Infinity];
  let [state, last]: [typeof emptyPartition, AnalysisState | undefined] = [
    emptyPartition,
    undefined,
  ];
  let settled: Settled | null = null;
  let receiptMs = sinceMs;

  const fold = (sample: Sample, position: number): readonly Reading[] => {
    const stepped = foldStepwise(tools, state, opening.analysis, sample, position);
    state = stepped.state;
    last = state.analyses[opening.analysis] ?? last;
    decisions.push(...stepped.decisions.filter((decision) => !isRenewal(decision)));
    const changed: Reading[] = [];
    for (const step of stepped.steps) {
      if (settled !== null) break;
      readings.push(step.reading);
      if (hasChanged(step.reading)) changed.push(step.reading);
      const kind = outcomeOf(step.decisions, judging.mayPromote);
      if (kind !== undefined) settled = { kind, reading: step.reading };
    }
    return changed;
  };

  const foldCopies = (untilMs: number, position: number): readonly Reading[] => {
    const changed: Reading[] = [];
    for (let [copy] = copies; copy !== undefined && copy.appendedAt <= untilMs; [copy] = copies) {
      changed.push(...fold(tickAt(copy, copy.appendedAt), position), ...fold(copy, position));
      copies.shift();
    }
    return changed;
  };

  const foldPoints = (
    arrived: readonly Arrived<CapturedPoint>[],
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
    for (const { point, receivedAt } of arrived) {
      receiptMs = Math.max(receiptMs, receivedAt);
      const [copy] = copies;
      if (copy !== undefined && copy.appendedAt <= receivedAt) {
        foldRun();
        changed.push(...foldCopies(receivedAt, position));
      }
      if (isOfPlace(point))
        run.push({
          point: setup.isByVersion ? { ...point, deploymentId: null } : point,
          receivedAt,
        });
    }
    foldRun();
    return changed;
  };

  const isOfPlace = (point: CapturedPoint): boolean =>
    point.environment === environment && point.component === component;

  const hear = (points: readonly CapturedPoint[]): void => {
    for (const point of points) {
      if (places.size < heardMax) places.add(`${point.environment}/${point.component}`);
      if (!isOfPlace(point)) continue;
      if (versions.size < heardMax && point.version !== null) versions.add(point.version);
      fromMs = Math.min(fromMs, point.timeMs);
      toMs = Math.max(toMs, point.timeMs);
    }
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
    add: (points, line) => {
      hear(points);
      return settled === null ? foldPoints(arrivals.add(points), line) : [];
    },
    reject,
    finish: () => {
      if (settled !== null) return [];
      const changed = [...foldPoints(arrivals.rest(), 0)];
      // While windows are measured time goes on in small steps, so that no silence is made up.
      const measuredByMs = receiptMs + latenessWindows * windowMsMax;
      for (let at = receiptMs; isMeasuring(last) && at <= measuredByMs; at += measureStepMs)
        changed.push(...fold(tickAt(opening, at), 0));
      const windowMs = windowMsOf(last);
      if (windowMs !== undefined)
        changed.push(...fold(tickAt(opening, receiptMs + (latenessWindows + 1) * windowMs), 0));
      return changed;
    },
    readings: () => readings,
    settled: () => settled,
    decisions: () => decisions,
    duplicates: () => last?.excluded.duplicate ?? 0,
    heard: () => ({
      places,
      versions,
      fromMs: fromMs === Infinity ? null : fromMs,
      toMs: toMs === -Infinity ? null : toMs,
    }),
    result: () =>
      backtestResult(settled, sinceMs, last === undefined ? 0 : windowsClosedOf(last), excluded()),
  };
};

/** The watermark is two windows behind. */
const latenessWindows = 2;
const measureStepMs = 1_000;

const tickAt = ({ audience, environment, component }: Sample, at: number): Sample => ({
  kind: 'tick',
  ...{ audience, environment, component, at },
});

const outcomeOf = (
  decisions: readonly Decided[],
  mayPromote: boolean,
): Settled['kind'] | undefined => {
  if (decisions.some(({ kind }) => kind === 'roll-back')) return 'roll-back';
  return mayPromote && decisions.some(({ kind }) => kind === 'promote') ? 'promote' : undefined;
};

const isMeasuring = (analysis: AnalysisState | undefined): boolean =>
  analysis !== undefined && analysis.ended === null && closesAtMs(analysis) === undefined;

const windowMsOf = (analysis: AnalysisState | undefined): number | undefined =>
  analysis === undefined || closesAtMs(analysis) === undefined
    ? undefined
    : analysis.policy?.windowMs;
