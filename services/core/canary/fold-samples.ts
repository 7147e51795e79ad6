import type { Position } from '../log/record.ts';
import type { Decided } from '../markers/marker.ts';
import type { AnalysisOpened, Sample } from '../samples/sample.ts';
import { addPoints, obeyCopy, openAnalysis, passTime } from './analysis.ts';
import type { AnalysisState, AnalysisStep, AnalysisTools } from './analysis-state.ts';
import { isForgottenAt } from './renewal.ts';

// The fold of one partition of samples: samples in, decisions out. Whoever reads the partition again from the
// opening of an analysis, or goes on from a snapshot, gets the same decisions to the byte.

/** The analyses of a partition whose attempts stand, by id. Plain JSON. */
export type PartitionState = { readonly analyses: { readonly [id: string]: AnalysisState } };

export type SamplesFolded = {
  readonly state: PartitionState;
  /** To be put on the log, in this order. */
  readonly decisions: readonly Decided[];
  /** Analyses of attempts that are over, or that another attempt has taken the place of, as they stood. */
  readonly over: readonly AnalysisState[];
};

type Folded = Omit<SamplesFolded, 'over'>;

/** Analyses that one partition can hold; an opening beyond it is not obeyed. */
const analysesMax = 500;

export const emptyPartition: PartitionState = { analyses: {} };

/** Folds one sample in. An analysis sees only samples of its own key that stand behind its opening. */
export const foldSample = (
  tools: AnalysisTools,
  state: PartitionState,
  sample: Sample,
  position: Position,
): SamplesFolded => {
  const { state: next, decisions } = foldInto(tools, state, sample, position);
  return {
    state: withoutEnded(next, timeOf(sample)),
    decisions,
    over:
      sample.kind === 'copy' || sample.kind === 'analysis-opened' ? missingFrom(next, state) : [],
  };
};

const missingFrom = (next: PartitionState, before: PartitionState): readonly AnalysisState[] =>
  next === before
    ? []
    : Object.values(before.analyses).filter(
        ({ opening }) => !Object.hasOwn(next.analyses, opening.analysis),
      );

const foldInto = (
  tools: AnalysisTools,
  state: PartitionState,
  sample: Sample,
  position: Position,
): Folded => {
  switch (sample.kind) {
    case 'analysis-opened':
      return foldOpening(tools, state, sample, position);
    case 'points':
      return foldEach(state, sample, (analysis) => addPoints(tools, analysis, sample, position));
    case 'tick':
      return foldEach(state, sample, (analysis) => passTime(tools, analysis, sample.at, position));
    case 'copy': {
      const analysis = state.analyses[sample.analysis];
      if (analysis === undefined || !isOfSameKey(analysis.opening, sample))
        return { state, decisions: [] };
      return {
        state: withAnalysis(state, sample.analysis, obeyCopy(analysis, sample)),
        decisions: [],
      };
    }
  }
};

/** Where a reader must begin to come to the same state; undefined: no analysis needs anything. */
export const lowestOpening = ({ analyses }: PartitionState): Position | undefined => {
  const positions = Object.values(analyses).map(({ position }) => position);
  return positions.length === 0 ? undefined : Math.min(...positions);
};

const foldOpening = (
  tools: AnalysisTools,
  state: PartitionState,
  opening: AnalysisOpened,
  position: Position,
): Folded => {
  const known = Object.values(state.analyses);
  const isSettled = known.some(
    (other) => other.opening.analysis === opening.analysis || isSuperseded(opening, other.opening),
  );
  if (isSettled || known.length >= analysesMax) return { state, decisions: [] };
  const { analysis, decisions } = openAnalysis(tools, opening, position);
  const standing = known
    .filter((other) => isSuperseded(other.opening, opening))
    .reduce((rest, other) => withAnalysis(rest, other.opening.analysis, undefined), state);
  return { state: withAnalysis(standing, opening.analysis, analysis), decisions };
};

/** A later attempt of the same deployment runs there: what stood of this one stands no more. */
const isSuperseded = (opening: AnalysisOpened, by: AnalysisOpened): boolean =>
  isOfSameKey(opening, by) &&
  opening.deployment === by.deployment &&
  opening.namespace === by.namespace &&
  opening.target === by.target &&
  opening.attempt < by.attempt;

const foldEach = (
  state: PartitionState,
  sample: Sample,
  step: (analysis: AnalysisState) => AnalysisStep,
): Folded => {
  let next = state;
  const decisions: Decided[] = [];
  for (const id in state.analyses) {
    const before = state.analyses[id];
    if (before === undefined || !isOfSameKey(before.opening, sample)) continue;
    const { analysis, decisions: more } = step(before);
    decisions.push(...more);
    next = withAnalysis(next, id, isForgotten(analysis) ? undefined : analysis);
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
const withoutEnded = (state: PartitionState, nowMs: number): PartitionState => {
  let rest = state;
  for (const id in state.analyses) {
    const analysis = state.analyses[id];
    if (analysis !== undefined && analysis.ended !== null && isForgotten(analysis, nowMs))
      rest = withAnalysis(rest, id, undefined);
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

const withAnalysis = (
  { analyses }: PartitionState,
  id: string,
  analysis: AnalysisState | undefined,
): PartitionState => {
  // A replaced one keeps its place, so the order is always that of the openings.
  if (analysis !== undefined) return { analyses: { ...analyses, [id]: analysis } };
  const { [id]: _ended, ...others } = analyses;
  return { analyses: others };
};
