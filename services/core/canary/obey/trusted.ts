import type { Attempt, DecisionSummary } from '../../deployment.ts';
import { isDoubted, metricsBefore, noteBehind } from '../../lifecycle.ts';
import type { KeyState } from '../../trust/trust.ts';

// The decisions of an attempt as they are to be judged today. A row says what a decision was when it was folded; that a
// key was compromised is often found later, and what it signed must not stand in the way of the true decision.

/** Decisions with all their metrics, oldest first. */
export type JudgedDecisions = {
  /** Of keys that nobody doubts, with the notes that they have where there is nothing else. */
  readonly trusted: readonly DecisionSummary[];
  readonly doubted: readonly DecisionSummary[];
};

export const judgedDecisions = (
  { decisions }: Pick<Attempt, 'decisions'>,
  keys: ReadonlyMap<string, KeyState>,
): JudgedDecisions => {
  const all = decisions.map((decision, at) =>
    decision.note === 'repeat' && decision.metrics.length === 0
      ? { ...decision, metrics: metricsBefore(decisions.slice(0, at), decision) }
      : decision,
  );
  const doubted = all.filter((decision) => isDoubted(keys, decision));
  if (doubted.length === 0) return { trusted: all, doubted };
  const counting: DecisionSummary[] = [];
  const trusted = all
    .filter((decision) => !doubted.includes(decision))
    .map((decision): DecisionSummary => {
      const judged = { ...decision, note: noteAmong(counting, decision) };
      if (judged.note === 'applied') counting.push(judged);
      return judged;
    });
  return { trusted, doubted };
};

/** That a marker of the attempt had come twice is asked anew: it may have been the thief's own. */
const noteAmong = (
  counting: readonly DecisionSummary[],
  decision: DecisionSummary,
): DecisionSummary['note'] =>
  decision.note === 'late' ? decision.note : noteBehind(counting, decision);
