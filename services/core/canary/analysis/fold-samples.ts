import type { Position } from '../../log/record.ts';
import type { Decided } from '../../markers/marker.ts';
import type { AnalysisOpened, Copy, Sample } from '../../samples/sample.ts';
import { addPoints, isEnd, obeyCopy, openAnalysis, passTime } from './analysis.ts';
import type { AnalysisState, AnalysisStep, AnalysisTools } from './analysis-state.ts';
import { refusalMarker } from '../decision/decision-marker.ts';
import {
  attemptPlace,
  goneSince,
  isOpenedLate,
  lowestNeeded,
  noPast,
  stillGone,
  withoutPassed,
  withSpan,
} from '../attempts/partition-past.ts';
import type { PartitionPast } from '../attempts/partition-past.ts';
import { isForgottenAt } from './renewal.ts';

// The fold of one partition of samples: samples in, decisions out. Whoever reads the partition again from the
// opening of an analysis, or goes on from a snapshot, gets the same decisions to the byte.

/** The analyses of a partition whose attempts stand, by id, and what is remembered of others. Plain JSON. */
export type PartitionState = PartitionPast & {
  readonly analyses: { readonly [id: string]: AnalysisState };
};

/** An opening that is not obeyed though it is no repeat: appended too late, or one too many. */
export type RefusedOpening = {
  readonly opening: AnalysisOpened;
  readonly why: 'opened-late' | 'partition-full';
};

export type SamplesFolded = {
  readonly state: PartitionState;
  /** To be put on the log, in this order. */
  readonly decisions: readonly Decided[];
  /** Analyses of attempts that are over, or that another attempt has taken the place of, as they stood. */
  readonly over: readonly AnalysisState[];
  readonly refused: RefusedOpening | null;
};

type Folded = Pick<SamplesFolded, 'state' | 'decisions'> & Partial<Pick<SamplesFolded, 'refused'>>;

/** Analyses that one partition can hold. An opening beyond it is answered with a hold that says so. */
const analysesMaxUsual = 500;
/** How many times as many, with those that are gone and not forgotten yet. */
const knownFactor = 5;

export const emptyPartition: PartitionState = { ...noPast, analyses: {} };

/** Where a sample stands: its place in the partition, and when the log says that it was appended. */
type Place = { readonly position: Position; readonly appendedAtMs: number };

/**
 * Folds one sample in. An analysis sees only samples of its own key that stand behind its opening. `appendedAtMs` is
 * the log's time of the record; where there is no log, the sample's own.
 */
export const foldSample = (
  tools: AnalysisTools,
  before: PartitionState,
  sample: Sample,
  position: Position,
  appendedAtMs: number = timeOf(sample),
): SamplesFolded => {
  const place = { position, appendedAtMs };
  const gone = stillGone(before.gone, appendedAtMs);
  const state = gone === before.gone ? before : { ...before, gone };
  const { state: folded, decisions, refused = null } = foldInto(tools, state, sample, place);
  const next = withoutEnded(folded, timeOf(sample), place);
  const over = missingFrom(next, before);
  const isLess = over.length > 0 || gone !== before.gone;
  return {
    state: isLess ? { ...next, spans: withoutPassed(next.spans, lowestOpening(next)) } : next,
    decisions,
    over: sample.kind === 'copy' || sample.kind === 'analysis-opened' ? over : [],
    refused,
  };
};

const missingFrom = (next: PartitionState, before: PartitionState): readonly AnalysisState[] =>
  next.analyses === before.analyses
    ? []
    : Object.values(before.analyses).filter(
        ({ opening }) => !Object.hasOwn(next.analyses, opening.analysis),
      );

const foldInto = (
  tools: AnalysisTools,
  state: PartitionState,
  sample: Sample,
  place: Place,
): Folded => {
  const { position } = place;
  switch (sample.kind) {
    case 'analysis-opened':
      return foldOpening(tools, state, sample, place);
    case 'points':
      return foldEach(state, sample, place, (analysis) =>
        addPoints(tools, analysis, sample, position),
      );
    case 'tick':
      return foldEach(state, sample, place, (analysis) =>
        passTime(tools, analysis, sample.at, position),
      );
    case 'copy':
      return { state: foldCopy(tools, state, sample, place), decisions: [] };
  }
};

/** Where a reader must begin to come to the same state; undefined: nothing before matters any more. */
export const lowestOpening = (state: PartitionState): Position | undefined =>
  lowestNeeded(
    Object.values(state.analyses).map(({ position }) => position),
    state,
  );

const foldOpening = (
  tools: AnalysisTools,
  state: PartitionState,
  opening: AnalysisOpened,
  place: Place,
): Folded => {
  if (isOpenedLate(opening, place.appendedAtMs))
    return { state, decisions: [], refused: { opening, why: 'opened-late' } };
  const settledBy = positionOfWhatSettles(state, opening);
  if (settledBy !== undefined)
    return { state: withNotObeyed(state, settledBy, place), decisions: [] };
  const superseded = Object.values(state.analyses).filter((other) =>
    isSuperseded(other.opening, opening),
  );
  if (isFull(tools, state, superseded.length))
    return {
      state: withNotObeyed(state, lowestOpening(state) ?? place.position, place),
      decisions: [refusalMarker(tools, opening, place.position, 'partition-full')],
      refused: { opening, why: 'partition-full' },
    };
  const { analysis, decisions } = openAnalysis(tools, opening, place.position);
  const standing = superseded.reduce((rest, other) => withGone(rest, other, place), state);
  return { state: withAnalysis(standing, opening.analysis, analysis), decisions };
};

const isFull = (tools: AnalysisTools, state: PartitionState, superseded: number): boolean => {
  const { analysesMax = analysesMaxUsual } = tools;
  return (
    Object.keys(state.analyses).length - superseded >= analysesMax || isKnownFull(tools, state)
  );
};

const isKnownFull = (
  { analysesMax = analysesMaxUsual }: AnalysisTools,
  { analyses, gone }: PartitionState,
): boolean => Object.keys(analyses).length + Object.keys(gone).length >= analysesMax * knownFactor;

/** Position of an analysis that says of an opening that it is a repeat, or of an attempt before a later one. */
const positionOfWhatSettles = (
  { analyses, gone }: PartitionState,
  opening: AnalysisOpened,
): Position | undefined => {
  const known = analyses[opening.analysis] ?? gone[opening.analysis];
  if (known !== undefined) return known.position;
  const later = Object.values(analyses).find((other) => isSuperseded(opening, other.opening));
  const laterGone = Object.values(gone).find(
    ({ attempt }) => attempt !== null && isSuperseded(opening, attempt),
  );
  return (later ?? laterGone)?.position;
};

/** Whoever comes to this opening must know what it was not obeyed for. */
const withNotObeyed = (
  state: PartitionState,
  from: Position,
  { position }: Place,
): PartitionState => ({
  ...state,
  spans: withSpan(state.spans, [Math.min(from, position), position]),
});

/** A later attempt of the same deployment runs there: what stood of this one stands no more. */
const isSuperseded = (
  opening: ReturnType<typeof attemptPlace>,
  by: ReturnType<typeof attemptPlace>,
): boolean =>
  isOfSameKey(opening, by) &&
  opening.deployment === by.deployment &&
  opening.namespace === by.namespace &&
  opening.target === by.target &&
  opening.attempt < by.attempt;

const foldCopy = (
  tools: AnalysisTools,
  state: PartitionState,
  copy: Copy,
  place: Place,
): PartitionState => {
  const analysis = state.analyses[copy.analysis];
  if (analysis !== undefined) {
    if (!isOfSameKey(analysis.opening, copy)) return state;
    const next = obeyCopy(analysis, copy);
    return next === undefined
      ? withGone(state, analysis, place)
      : withAnalysis(state, copy.analysis, next);
  }
  return isEnd(copy) ? withEndOfUnknown(tools, state, copy, place) : state;
};

/** Of one that is not open, or not any more: an opening that comes behind this must not open it. */
const withEndOfUnknown = (
  tools: AnalysisTools,
  state: PartitionState,
  { analysis }: Copy,
  place: Place,
): PartitionState => {
  const before = state.gone[analysis];
  const { position, appendedAtMs } = place;
  if (before === undefined && isKnownFull(tools, state))
    return withNotObeyed(state, lowestOpening(state) ?? position, place);
  const known = goneSince(before?.position ?? position, appendedAtMs, before?.attempt ?? null);
  return { ...state, gone: { ...state.gone, [analysis]: known } };
};

const foldEach = (
  state: PartitionState,
  sample: Sample,
  place: Place,
  step: (analysis: AnalysisState) => AnalysisStep,
): Folded => {
  let next = state;
  const decisions: Decided[] = [];
  for (const id in state.analyses) {
    const before = state.analyses[id];
    if (before === undefined || !isOfSameKey(before.opening, sample)) continue;
    const { analysis, decisions: more } = step(before);
    decisions.push(...more);
    next = isForgotten(analysis)
      ? withGone(next, analysis, place)
      : withAnalysis(next, id, analysis);
  }
  return { state: next, decisions };
};

type Placed = { readonly environment: string; readonly component: string };
const isOfSameKey = (left: Placed, right: Placed): boolean =>
  left.component === right.component && left.environment === right.environment;

const isForgotten = (analysis: AnalysisState, nowMs: number = analysis.receiptMs): boolean =>
  isForgottenAt(analysis.opening, nowMs);

/**
 * What has decided and is told nothing more grows old by the time of others, or the partition would have to be read
 * from its opening on for as long as that lies there.
 */
const withoutEnded = (state: PartitionState, nowMs: number, place: Place): PartitionState => {
  let rest = state;
  for (const id in state.analyses) {
    const analysis = state.analyses[id];
    if (analysis !== undefined && analysis.ended !== null && isForgotten(analysis, nowMs))
      rest = withGone(rest, analysis, place);
  }
  return rest;
};

const timeOf = (sample: Sample): number => {
  switch (sample.kind) {
    case 'analysis-opened':
      return sample.openedAt;
    case 'points':
      return sample.points.at(-1)?.receivedAt ?? 0;
    case 'tick':
      return sample.at;
    case 'copy':
      return sample.appendedAt;
  }
};

// A replaced one keeps its place, so the order is always that of the openings.
const withAnalysis = (
  { gone, spans, analyses }: PartitionState,
  id: string,
  analysis: AnalysisState,
): PartitionState => ({ gone, spans, analyses: { ...analyses, [id]: analysis } });

const withGone = (
  { gone, spans, analyses }: PartitionState,
  { opening, position }: AnalysisState,
  { appendedAtMs }: Place,
): PartitionState => {
  const { [opening.analysis]: _ended, ...others } = analyses;
  const known = goneSince(position, appendedAtMs, attemptPlace(opening));
  return { gone: { ...gone, [opening.analysis]: known }, spans, analyses: others };
};
