import type { AnalysisOpened, Origin } from '../../samples/sample.ts';
import type { CohortLabels, Policy } from '../policy/policy.ts';

export type Cohort = 'canary' | 'baseline';

export const isCohort = (value: unknown): value is Cohort =>
  value === 'canary' || value === 'baseline';

/**
 * Why a point is in no cohort.
 * - `other-namespace`: both sides name a namespace, and not the same one;
 * - `other-target`: the same of the target;
 * - `other-version`: neither the canary nor what held the slot;
 * - `other-cohort`: the policy tells cohorts apart by an attribute, and it has neither value;
 * - `either-cohort`: it could be both, because it names no version, or nothing but the version names it, and both have
 *   that version; or it has the attribute of one cohort and the version of the other.
 */
export type NoCohort =
  | 'other-namespace'
  | 'other-target'
  | 'other-version'
  | 'other-cohort'
  | 'either-cohort';

/** What stands on either side where nobody names a namespace: it contradicts nothing. */
const unnamed = 'default';

/** What a cohort is told by, of what an opening says. */
export type Cohorts = Pick<
  AnalysisOpened,
  'deployment' | 'namespace' | 'target' | 'canary' | 'baseline'
>;

/**
 * The cohort of a sender. A deployment.id is decisive for the canary; without one its service.version is asked.
 * The baseline goes by the versions that held the slot when the analysis was opened. Where the policy names an
 * attribute for it, that alone decides, unless the version says the opposite. What a sender says of its target counts
 * where the policy says by which attribute.
 */
export const cohortOf = (
  cohorts: Cohorts,
  { targetAttribute, cohorts: labels }: Pick<Policy, 'targetAttribute' | 'cohorts'>,
  origin: Origin,
): Cohort | NoCohort => {
  const { namespace, target } = cohorts;
  if (origin.namespace !== namespace && origin.namespace !== unnamed && namespace !== unnamed)
    return 'other-namespace';
  if (
    targetAttribute !== null &&
    target !== null &&
    origin.target !== null &&
    origin.target !== target
  )
    return 'other-target';
  return labels === null ? byVersion(cohorts, origin) : byLabel(cohorts, labels, origin);
};

const byVersion = (
  { deployment, canary, baseline }: Cohorts,
  origin: Origin,
): Cohort | NoCohort => {
  if (origin.deployment === deployment) return 'canary';
  if (origin.version === null && origin.deployment === null) return 'either-cohort';
  const isBaseline = baseline.some(({ version }) => version === origin.version);
  const isCanary = origin.deployment === null && origin.version === canary.version;
  if (isBaseline && isCanary) return 'either-cohort';
  if (isBaseline) return 'baseline';
  return isCanary ? 'canary' : 'other-version';
};

const byLabel = (
  { canary, baseline }: Cohorts,
  labels: CohortLabels,
  { version, attributes }: Origin,
): Cohort | NoCohort => {
  const label = attributes.find(({ name }) => name === labels.attribute)?.value;
  if (label !== labels.canary && label !== labels.baseline) return 'other-cohort';
  const isOfBaseline = baseline.some((one) => one.version === version);
  const isOfCanary = canary.version === version;
  if (label === labels.canary) return isOfBaseline && !isOfCanary ? 'either-cohort' : 'canary';
  return isOfCanary && !isOfBaseline ? 'either-cohort' : 'baseline';
};
