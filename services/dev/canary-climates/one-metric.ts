import type { Numbers, RuledJudge, WindowPlace } from '../../core/canary/judge/metric-judge.ts';
import { openNumbers } from '../../core/canary/judge/metric-judge.ts';

// One metric's judge without a family. Its numbers stand between those of others all the same, which it must not touch.

const others = -77;

export const initialOne = <Rule, Window, Rest, Explained>(
  judge: RuledJudge<Rule, Window, Rest, Explained>,
  rule: Rule,
): Rest & Numbers => {
  const { rest, settled, running } = judge.initial(rule);
  const among = (numbers: readonly number[]): readonly number[] => [others, ...numbers, others];
  return { ...rest, settled: among(settled), at: 1, running: among(running), from: 1 };
};

/** The state that comes in is not touched. Throws where others' numbers were. */
export const addToOne = <Rule, Window, Rest, Explained>(
  judge: RuledJudge<Rule, Window, Rest, Explained>,
  rule: Rule,
  state: Rest & Numbers,
  window: Window,
  place: WindowPlace,
): Rest & Numbers => {
  const open = { ...openNumbers(state.settled, state.running), at: state.at, from: state.from };
  const rest = judge.addWindow(rule, state, open, window, place);
  const { settled, running } = open;
  const lengths = [judge.settledLength(rule, rest), judge.runningLength(rule, rest)];
  const areLeft = [settled, running].every(
    (list, index) =>
      list[0] === others && list.at(-1) === others && list.length === (lengths[index] ?? 0) + 2,
  );
  if (!areLeft) throw new RangeError(`window ${place.index}: the numbers of others were touched`);
  return { ...rest, settled, at: state.at, running, from: state.from };
};
