import type { MetricState } from './metric.ts';
import { runningLengthOf, settledLengthOf } from './metric.ts';
import type { FamilyRule } from './rule.ts';
import type { FamilyState } from './state.ts';

type Family = Pick<FamilyState, 'metrics' | 'settled' | 'running'>;

/** A metric of a family with its numbers; undefined: the rule has not so many. */
export const metricAt = (
  { metrics }: Pick<FamilyRule, 'metrics'>,
  state: Family,
  index: number,
): MetricState | undefined => {
  const { settled, running } = state;
  let [at, from] = [0, 0];
  for (let before = 0; before < index; before += 1) {
    const metric = metrics[before];
    const rest = state.metrics[before];
    if (metric === undefined || rest === undefined) return undefined;
    at += settledLengthOf(metric, rest);
    from += runningLengthOf(metric, rest);
  }
  const rest = state.metrics[index];
  return rest && { ...rest, settled, at, running, from };
};
