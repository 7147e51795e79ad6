import type { Position } from '../../log/record.ts';
import type { Decided } from '../../markers/marker.ts';
import type { AnalysisOpened, Sample } from '../../samples/sample.ts';
import type { AnalysisState, AnalysisTools } from '../analysis/analysis-state.ts';
import { refusalMarker } from '../decision/decision-marker.ts';
import { targetsTogether } from '../analysis/targets-together.ts';
import { emptyPartition, foldSample } from '../analysis/fold-samples.ts';
import { isRenewal } from '../analysis/renewal.ts';
import { readWindow } from './read-window.ts';
import type { Reading } from './reading.ts';

/** How one analysis went, window by window: its samples folded again, as the analyser folds them. */
export type Trace = {
  /** Samples of its key, in their order; those before its opening are stepped over. */
  readonly add: (sample: Sample, position: Position) => void;
  readonly opening: () => AnalysisOpened | undefined;
  readonly readings: () => readonly Reading[];
  /** Without renewals. */
  readonly decisions: () => readonly Decided[];
  /** What the opening leads to where too many canaries are open beside it: one analysis does not know of others. */
  readonly refusal: () => Decided | undefined;
  /** Points that were no evidence, as of the last window. */
  readonly excluded: () => AnalysisState['excluded'] | undefined;
  /** Targets whose senders were judged as one; empty: one, or told apart. */
  readonly targetsTogether: () => readonly string[];
};

export const openTrace = (tools: AnalysisTools, analysis: string): Trace => {
  const readings: Reading[] = [];
  const decisions: Decided[] = [];
  let state = emptyPartition;
  let opening: AnalysisOpened | undefined;
  let refusal: Decided | undefined;
  let excluded: AnalysisState['excluded'] | undefined;
  let together: readonly string[] = [];
  const observe: AnalysisTools['observe'] = (closed) => {
    if (closed.analysis !== analysis) return;
    readings.push(readWindow(closed));
    ({ excluded } = closed);
  };
  return {
    add: (sample, position) => {
      // Others of the same place are folded by whoever asks for them.
      if (sample.kind === 'analysis-opened') {
        if (sample.analysis !== analysis) return;
        opening ??= sample;
        refusal ??= refusalMarker(tools, sample, position, 'partition-full');
      }
      if (opening === undefined) return;
      const folded = foldSample({ ...tools, observe }, state, sample, position);
      state = folded.state;
      const now = state.analyses[analysis];
      if (now !== undefined) together = targetsTogether(now);
      decisions.push(...folded.decisions.filter((decision) => !isRenewal(decision)));
    },
    opening: () => opening,
    readings: () => readings,
    decisions: () => decisions,
    refusal: () => refusal,
    excluded: () => excluded,
    targetsTogether: () => together,
  };
};
