import type { Attempt, Plan } from '../../deployment.ts';
import type { Policy } from '../policy/policy.ts';

/**
 * What stands against the new version.
 * - `concurrent`: the old one, side by side, window by window;
 * - `before-after`: the old one as it was in the half-hour before the start;
 * - `colours`: the old colour, side by side while both are served, and from the full switch on as it was before it.
 */
export type Comparison = 'concurrent' | 'before-after' | 'colours';

const comparisons: readonly Comparison[] = ['concurrent', 'before-after', 'colours'];

export const isComparison = (text: string): text is Comparison =>
  comparisons.some((one) => one === text);

/** Strategies, as a plan names them, that have a comparison of their own. */
const canaryStrategy = 'canary';
const blueGreenStrategy = 'blue-green';

/** What decides how an attempt is judged. */
export type Rollout = Pick<Attempt, 'share' | 'colour' | 'rollback'> & {
  readonly plan: Pick<Plan, 'strategy'> | null;
};

/**
 * How an attempt is judged; undefined: it is not, or not yet. A canary always is. Blue/green is when a colour has got
 * all the traffic, and any other rollout from its start on, where the policy asks for it. A roll-back is not held
 * against what it leaves.
 */
export const comparisonOf = (
  { plan, share, colour, rollback }: Rollout,
  { beforeAfter, blueGreen }: Policy['rollouts'],
): Comparison | undefined => {
  if (plan === null) return undefined;
  if (plan.strategy === canaryStrategy) return 'concurrent';
  const hasAll = share === null || share === 1;
  if (colour !== null && hasAll && blueGreen && !rollback) return 'colours';
  if (share !== null) return 'concurrent';
  const isWhole = colour === null && plan.strategy !== blueGreenStrategy;
  return isWhole && beforeAfter && !rollback ? 'before-after' : undefined;
};

/** Whether it will be judged when its colour has got all the traffic. */
export const awaitsColour = (
  { plan, colour, rollback }: Rollout,
  { blueGreen }: Policy['rollouts'],
): boolean => blueGreen && plan?.strategy === blueGreenStrategy && colour === null && !rollback;
