import type { Attempt } from '../../deployment.ts';
import { hasEnded } from '../../lifecycle.ts';
import type { DecisionRow } from '../../read-models.ts';
import type { Result } from '../../result.ts';
import type { ObeyedAct } from './question.ts';
import type { Refusal } from './refusal.ts';
import type { DeploymentRows } from './rows.ts';
import { decisionsOf } from './rows.ts';

// A gate: whether a pipeline may go on with a deployment. It opens on decisions that may be obeyed, and on nothing else.

/**
 * - `promote`: go on. `roll-back`: undo it. `hold`: a silence; `inconclusive`: the time was over without a verdict.
 * - `waiting`: nothing that may be obeyed yet; an advance is no promotion.
 * - `ended`: the attempt is over, and nothing will be decided any more.
 */
export type GateOutcome = 'promote' | 'roll-back' | 'hold' | 'inconclusive' | 'waiting' | 'ended';

/**
 * Why nothing is judged, where that is plain: nobody has said that it runs, or nothing held the slot before it, so that
 * there is nothing to compare it with.
 */
export type Unjudged = 'not-started' | 'no-baseline';

export type GateAnswer = {
  readonly outcome: GateOutcome;
  readonly attempt: Attempt;
  /** The decision that counts, or null. */
  readonly act: ObeyedAct | null;
  /** Null where it waits for more than that, or does not wait. */
  readonly unjudged: Unjudged | null;
  /** The newest decision that may not be obeyed, where it is newer than the one that counts, and why. */
  readonly refused: { readonly decision: DecisionRow; readonly refusal: Refusal } | null;
};

/** `undefined`: the deployment is not known, or nobody has planned it yet. */
export const gateOf = (
  rows: DeploymentRows,
  mayObey: (decision: DecisionRow) => Result<ObeyedAct, Refusal>,
): GateAnswer | undefined => {
  const { deployment } = rows;
  const attempt = deployment?.attempts.findLast(({ plan }) => plan !== null);
  if (deployment === undefined || attempt === undefined) return undefined;
  let refused: GateAnswer['refused'] = null;
  // The newest counts; what cannot be obeyed hides nothing that stands behind it.
  for (const decision of decisionsOf(deployment, attempt).toReversed()) {
    const answer = mayObey(decision);
    if (answer.ok) {
      const { value: act } = answer;
      return { outcome: outcomeOf(act), attempt, act, refused, unjudged: null };
    }
    refused ??= { decision, refusal: answer.problem };
  }
  const isOver = hasEnded(attempt);
  return {
    outcome: isOver ? 'ended' : 'waiting',
    attempt,
    act: null,
    refused,
    unjudged: isOver || refused !== null ? null : unjudgedIn(rows, attempt),
  };
};

const unjudgedIn = (
  { deployment, slot }: DeploymentRows,
  { plan, status }: Attempt,
): Unjudged | null => {
  if (status !== 'running') return 'not-started';
  const holders = (plan === null ? undefined : slot(plan.slot))?.holders ?? [];
  return holders.some((holder) => holder.deployment !== deployment?.id) ? null : 'no-baseline';
};

const outcomeOf = ({ kind, decision }: ObeyedAct): GateOutcome => {
  switch (kind) {
    case 'promote':
    case 'roll-back':
      return kind;
    case 'hold':
      return decision.stage === 'inconclusive' ? 'inconclusive' : 'hold';
    case 'advance':
      return 'waiting';
  }
};
