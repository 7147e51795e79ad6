import { unsaidAt } from '../judge/missing.ts';
import type { Unsaid } from '../judge/said.ts';
import { unpromotedIn } from './unpromoted.ts';
import type { Unpromoted } from './unpromoted.ts';

/** A metric by which nothing is promoted so far, as one cohort does not say what became of its requests. */
export type UnsaidOf = Unsaid & { readonly metric: string };

export const statusUnsaid = (analysis: Unpromoted): readonly UnsaidOf[] => {
  const unpromoted = unpromotedIn(analysis);
  if (unpromoted === undefined) return [];
  const { rule, judge } = unpromoted;
  return rule.metrics.flatMap(({ id: metric }, index) => {
    const unsaid = unsaidAt(rule, judge, index);
    return unsaid === null ? [] : [{ metric, ...unsaid }];
  });
};
