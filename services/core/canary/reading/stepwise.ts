import type { Position } from '../../log/record.ts';
import type { Decided } from '../../markers/marker.ts';
import type { Points, Sample } from '../../samples/sample.ts';
import type { AnalysisState, AnalysisTools } from '../analysis-state.ts';
import { foldSample } from '../fold-samples.ts';
import type { PartitionState } from '../fold-samples.ts';
import { closesAtMs, readAnalysis, windowsClosedOf } from './read-analysis.ts';
import type { Reading } from './reading.ts';

/** What came of one window, or of several that closed at once while their length was being measured. */
export type Step = { readonly reading: Reading; readonly decisions: readonly Decided[] };

export type Stepped = {
  readonly state: PartitionState;
  readonly steps: readonly Step[];
  /** All of them, also those that no window led to. */
  readonly decisions: readonly Decided[];
};

/**
 * Folds a sample in with the very fold of the analyser, but looks at an analysis after each window. A record whose
 * points close several windows is cut between them, with time passing in between: the fold gives the same for every
 * cut, so the verdict is that of the whole record.
 */
export const foldStepwise = (
  tools: AnalysisTools,
  before: PartitionState,
  analysis: string,
  sample: Sample,
  position: Position,
): Stepped => {
  const stepper: Stepper = {
    tools,
    id: analysis,
    position,
    state: before,
    steps: [],
    decisions: [],
  };
  switch (sample.kind) {
    case 'points':
      foldPoints(stepper, sample);
      break;
    case 'tick':
      passTo(stepper, sample, sample.at);
      take(stepper, sample);
      break;
    case 'analysis-opened':
    case 'copy':
      take(stepper, sample);
      break;
  }
  const { state, steps, decisions } = stepper;
  return { state, steps, decisions };
};

type Stepper = {
  readonly tools: AnalysisTools;
  readonly id: string;
  readonly position: Position;
  state: PartitionState;
  readonly steps: Step[];
  readonly decisions: Decided[];
};

const foldPoints = (stepper: Stepper, sample: Points): void => {
  let run: Points['points'][number][] = [];
  const takeRun = (): void => {
    if (run.length > 0) take(stepper, { ...sample, points: run });
    run = [];
  };
  for (const point of sample.points) {
    const due = dueOf(stepper);
    if (due === undefined || point.receivedAt >= due) {
      takeRun();
      passTo(stepper, sample, point.receivedAt);
    }
    run.push(point);
  }
  takeRun();
};

/** Time passes, one window after the other. */
const passTo = (
  stepper: Stepper,
  { audience, environment, component }: Sample,
  receiptMs: number,
): void => {
  for (let due = dueOf(stepper); due !== undefined && due <= receiptMs; due = dueOf(stepper)) {
    take(stepper, { kind: 'tick', audience, environment, component, at: due });
    // Nobody hears of an analysis that is not of this place.
    if (dueOf(stepper) === due) return;
  }
};

const dueOf = (stepper: Stepper): number | undefined => {
  const analysis = analysisIn(stepper);
  return analysis === undefined ? undefined : closesAtMs(analysis);
};

const analysisIn = ({ state, id }: Stepper): AnalysisState | undefined => state.analyses[id];

const take = (stepper: Stepper, sample: Sample): void => {
  const before = analysisIn(stepper);
  const folded = foldSample(stepper.tools, stepper.state, sample, stepper.position);
  stepper.state = folded.state;
  const decisions = folded.decisions.filter(({ analysis }) => analysis === stepper.id);
  stepper.decisions.push(...decisions);
  const after = analysisIn(stepper);
  if (after === undefined) return;
  const isStep = windowsClosedOf(after) !== (before === undefined ? 0 : windowsClosedOf(before));
  const reading = isStep ? readAnalysis(after) : undefined;
  if (reading !== undefined) stepper.steps.push({ reading, decisions });
};
