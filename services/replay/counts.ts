import type { Outcome } from '../core/projection.ts';
import type { Count } from '../ports/replaying.ts';

/** Names that are counted each; what else comes is counted together. */
const namesMax = 1000;
const others = '(others)';

export const countOne = (counts: Map<string, number>, name: string): void => {
  const counted = counts.has(name) || counts.size < namesMax ? name : others;
  counts.set(counted, (counts.get(counted) ?? 0) + 1);
};

export const countOutcomes = (counts: Map<string, number>, outcomes: readonly Outcome[]): void => {
  for (const outcome of outcomes)
    countOne(
      counts,
      outcome.outcome === 'dead-letter' ? `dead-letter:${outcome.code}` : outcome.outcome,
    );
};

/** The most frequent first. */
export const countsOf = (counts: ReadonlyMap<string, number>): readonly Count[] =>
  [...counts]
    .map(([name, count]) => ({ name, count }))
    .toSorted((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1));
