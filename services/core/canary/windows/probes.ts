import type { ByCohort } from './by-cohort.ts';
import { byCohort } from './by-cohort.ts';
import type { Cohort } from './cohorts.ts';
import type { JudgedAs } from './judged-as.ts';

// Probes and scrapes count for nobody where both versions name them by their route. Where one alone does (its
// instrumentation is newer, or its router answers them), those of the other would count against it, or for it: then all count.

/** Whether a version has told of probes by their route, in any window so far. */
export type Probed = ByCohort<boolean>;

export const neverProbed: Probed = { canary: false, baseline: false };

type Told = { readonly cohort: Cohort; readonly judgedAs: readonly JudgedAs[] };

export const withProbed = (before: Probed, points: readonly Told[]): Probed =>
  before.canary && before.baseline
    ? before
    : byCohort(
        (cohort) =>
          before[cohort] ||
          points.some(
            (point) => point.cohort === cohort && point.judgedAs.some(({ isProbe }) => isProbe),
          ),
      );

/** Points that are of probes for all metrics that are made of them are left out; of the others those metrics are. */
export const withoutProbes = <Point extends Told>(
  { canary, baseline }: Probed,
  points: readonly Point[],
): readonly Point[] => {
  if (!canary || !baseline) return points;
  return points.flatMap((point) => {
    if (!point.judgedAs.some(({ isProbe }) => isProbe)) return [point];
    const judgedAs = point.judgedAs.filter(({ isProbe }) => isProbe !== true);
    return judgedAs.length === 0 ? [] : [{ ...point, judgedAs }];
  });
};
