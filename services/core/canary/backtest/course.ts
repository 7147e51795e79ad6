import type { Policy } from '../policy/policy.ts';
import type { Comparison } from '../rollouts/comparison.ts';
import { comparisonOf } from '../rollouts/comparison.ts';

/** What markers tell of how a rollout went, as far as it decides how it is judged. */
export type Course = {
  readonly strategy: string | null;
  readonly rollback: boolean;
  /** The start, then each shift of the traffic, in their order; null: that record does not say it. */
  readonly moments: readonly {
    readonly atMs: number;
    readonly share: number | null;
    readonly colour: string | null;
  }[];
  /** When the analysis was opened, where a decision tells it. */
  readonly openedAtMs: number | null;
};

export type ToldComparison = {
  readonly comparison: Comparison;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
};

/**
 * How the analyser judges such a rollout, and from which moment on: the first at which it can be judged, or that at which
 * it was. Undefined: under a policy that asks for these kinds of rollout it is not judged.
 */
export const comparisonTold = (
  { strategy, rollback, moments, openedAtMs }: Course,
  rollouts: Policy['rollouts'],
): ToldComparison | undefined => {
  let [share, colour]: [number | null, string | null] = [null, null];
  for (const [index, moment] of moments.entries()) {
    share = moment.share ?? share;
    colour = moment.colour ?? colour;
    const next = moments[index + 1];
    if (openedAtMs !== null && next !== undefined && next.atMs <= openedAtMs) continue;
    const comparison = comparisonOf({ plan: { strategy }, share, colour, rollback }, rollouts);
    if (comparison !== undefined) return { comparison, sinceMs: openedAtMs ?? moment.atMs };
  }
  return undefined;
};
