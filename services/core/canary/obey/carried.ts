import type { DecisionSummary } from '../../deployment.ts';
import { sameSlot } from '../../markers/slot.ts';
import type { Result } from '../../result.ts';
import { ok } from '../../result.ts';
import { analysisIdOf } from '../attempts/canary-attempts.ts';
import { firstRefusal } from './form.ts';
import type { ObeyQuestion } from './question.ts';
import type { Refusal } from './refusal.ts';
import { refuse } from './refusal.ts';
import type { JudgedPlace } from './standing.ts';

/**
 * Whether the evidence of an earlier attempt that a decision goes on from is that of the same artifact, as far as is
 * known here: of attempts of the same deployment, and of those that were rolled back in the slot, which are those that
 * the flap guard would let pass. What another deployment left that was not rolled back, readers do not know.
 */
export const judgeCarried = (
  decision: DecisionSummary,
  { deployment, attempt }: Pick<JudgedPlace, 'deployment' | 'attempt'>,
  { rows, digest }: Pick<ObeyQuestion, 'rows' | 'digest'>,
): Result<void, Refusal> => {
  const { carriedFrom, fromDigest, analysis } = decision;
  if (carriedFrom === null) return ok(undefined);
  const isIts = (id: string, number: number): boolean =>
    analysisIdOf(digest, id, number) === carriedFrom;
  const earlier = deployment.attempts.find(({ number }) => isIts(deployment.id, number));
  const rolledBack = rows.slotGuard?.rollBacks.find((one) => isIts(one.deployment, one.attempt));
  const foreign = (what: string): Result<never, Refusal> =>
    refuse('carried-foreign', `it goes on from the evidence of analysis ${carriedFrom}, ${what}`);
  return firstRefusal([
    () =>
      fromDigest === null
        ? foreign('and names no artifact: evidence goes by digests alone')
        : ok(undefined),
    () => (carriedFrom === analysis ? foreign('which is its own') : ok(undefined)),
    () =>
      earlier !== undefined && earlier.number > attempt.number
        ? foreign(`which is of the later attempt ${earlier.number}`)
        : ok(undefined),
    () =>
      earlier !== undefined && earlier.plan?.digest !== fromDigest
        ? foreign(`which is of attempt ${earlier.number}, of another artifact`)
        : ok(undefined),
    () =>
      earlier?.plan && !sameSlot(earlier.plan.slot, attempt.plan.slot)
        ? foreign(`which is of attempt ${earlier.number}, in another place`)
        : ok(undefined),
    () =>
      rolledBack !== undefined && rolledBack.fromDigest !== fromDigest
        ? foreign(
            `which rolled back another artifact (${rolledBack.fromDigest ?? 'without a digest'}, position ${rolledBack.position})`,
          )
        : ok(undefined),
  ]);
};
