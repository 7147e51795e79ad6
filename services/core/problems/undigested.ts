import { isFreshNote } from '../canary/analysis/judging-note.ts';
import { undigestedIn } from '../canary/obey/undigested.ts';
import { readDocumentText } from '../canary/policy/parse-policy.ts';
import { policyFor } from '../canary/policy/placed-policy.ts';
import { slotKey } from '../markers/slot.ts';
import type { Problem, ProblemRows } from './problem.ts';
import { problemOf } from './problem.ts';

/** Running canaries whose roll-back would be refused, as it could not name what it goes back to by its digest. */
export const undigestedProblems = ({
  judging,
  present,
  slots,
  attempts,
  policies,
}: ProblemRows): readonly Problem[] => {
  const states = new Map(slots.map((state) => [slotKey(state.slot), state]));
  return judging.flatMap((note) => {
    const { deployment, attempt, slot, version, openedAtMs } = note;
    const document = policies.findLast(({ at }) => at <= openedAtMs)?.document;
    const read = document === undefined ? undefined : readDocumentText(document);
    if (!isFreshNote(note, present.nowMs) || read?.ok !== true) return [];
    const line = attempts.find(
      (other) => other.deployment === deployment && other.attempt === attempt,
    );
    if (line === undefined) return [];
    const { required, onBehalf } = policyFor(read.value, slot.component, slot.environment).placed
      .policy;
    const refusal = undigestedIn({ ...line, slot, version }, states.get(slotKey(slot)), {
      requiresDigest: required.includes('digest'),
      onBehalf,
    });
    if (refusal === undefined) return [];
    return [
      problemOf({
        code: 'digest-missing',
        severity: 'warning',
        subject: `${deployment}/${attempt}`,
        message: `a roll-back of ${version} would not be obeyed: ${refusal.message}`,
        hint: refusal.hint,
        place: slot,
        deployment,
        at: openedAtMs,
      }),
    ];
  });
};
