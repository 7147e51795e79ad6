import { decide } from '../../../services/core/canary/decide.ts';
import type { Decision } from '../../../services/core/canary/decide.ts';
import { initialJudge, judgeWindow } from '../../../services/core/canary/judge.ts';
import type { JudgeState } from '../../../services/core/canary/judge.ts';
import type { JudgePolicy } from '../../../services/core/canary/policy.ts';
import type { WindowCounts } from '../../../services/core/canary/window.ts';

/** Canary requests and errors, baseline requests and errors of one window. */
export type Counts = readonly [number, number, number, number];

export const emptyWindow: Counts = [0, 0, 0, 0];

export const repeat = (times: number, counts: Counts): readonly Counts[] =>
  Array.from({ length: times }, () => counts);

export const windowAt = (
  policy: JudgePolicy,
  index: number,
  [canaryRequests, canaryErrors, baselineRequests, baselineErrors]: Counts,
): WindowCounts => ({
  index,
  startMs: index * policy.windowMs,
  canary: { requests: canaryRequests, errors: canaryErrors },
  baseline: { requests: baselineRequests, errors: baselineErrors },
});

/** Judges the windows in order, from `from` or from the beginning. */
export const judgeAll = (
  policy: JudgePolicy,
  windows: readonly Counts[],
  from: JudgeState = initialJudge(policy),
): JudgeState =>
  windows.reduce(
    (state, counts) => judgeWindow(policy, state, windowAt(policy, state.nextIndex, counts)),
    from,
  );

/** All decisions on the way, each with the index of the window that led to it. */
export const decisionsOn = (
  policy: JudgePolicy,
  windows: readonly Counts[],
): readonly { readonly window: number; readonly decision: Decision }[] => {
  let state = initialJudge(policy);
  return windows.flatMap((counts, index) => {
    state = judgeWindow(policy, state, windowAt(policy, index, counts));
    const decision = decide(policy, state);
    return decision === undefined ? [] : [{ window: index, decision }];
  });
};
