import type { AnalysisOpened, Origin } from '../samples/sample.ts';

export type Cohort = 'canary' | 'baseline';

/**
 * Why a point is in no cohort.
 * - `other-namespace`: both sides name a namespace, and not the same one;
 * - `other-target`: the same of the target;
 * - `other-version`: neither the canary nor what held the slot;
 * - `either-cohort`: it could be both, because nothing but the version names it, and both have that version.
 */
export type NoCohort = 'other-namespace' | 'other-target' | 'other-version' | 'either-cohort';

/** What stands on either side where nobody names a namespace: it contradicts nothing. */
const unnamed = 'default';

/**
 * The cohort of a sender. A deployment.id is decisive for the canary; without one its service.version is asked.
 * The baseline goes by the versions that held the slot when the analysis was opened. What a sender says of its target
 * counts where the policy says by which attribute.
 */
export const cohortOf = (
  { deployment, namespace, target, canary, baseline }: AnalysisOpened,
  targetAttribute: string | null,
  origin: Origin,
): Cohort | NoCohort => {
  if (origin.namespace !== namespace && origin.namespace !== unnamed && namespace !== unnamed)
    return 'other-namespace';
  if (
    targetAttribute !== null &&
    target !== null &&
    origin.target !== null &&
    origin.target !== target
  )
    return 'other-target';
  if (origin.deployment === deployment) return 'canary';
  const isBaseline = baseline.some(({ version }) => version === origin.version);
  const isCanary = origin.deployment === null && origin.version === canary.version;
  if (isBaseline && isCanary) return 'either-cohort';
  if (isBaseline) return 'baseline';
  return isCanary ? 'canary' : 'other-version';
};
