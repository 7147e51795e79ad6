import { heldBackCodes } from '../canary/analysis/held-back.ts';
import type { JudgingNote } from '../canary/analysis/judging-note.ts';
import { isFreshNote } from '../canary/analysis/judging-note.ts';
import {
  noBoundRemedy,
  noBoundWords,
  slowerPartRemedy,
  slowerPartWords,
  unsaidRemedy,
  unsaidWords,
} from '../canary/judge/sentence.ts';
import type { Problem, ProblemCode, ProblemRows } from './problem.ts';
import { placeName, problemOf } from './problem.ts';

/** Running canaries that are not promoted for what their telemetry shows, or does not show, whatever the evidence. */
export const unpromotedProblems = ({ judging, present }: ProblemRows): readonly Problem[] =>
  judging.flatMap((note) => {
    if (!isFreshNote(note, present.nowMs)) return [];
    const { noBound, slowerPart, unsaid, held } = note;
    const [bound] = noBound;
    const [slower] = slowerPart;
    const [untold] = unsaid;
    return [
      ...(bound ? [about(note, 'no-bound', noBound, noBoundWords(bound), noBoundRemedy)] : []),
      ...(slower
        ? [about(note, 'slower-part', slowerPart, slowerPartWords(slower), slowerPartRemedy)]
        : []),
      ...(untold
        ? [about(note, 'status-unsaid', unsaid, unsaidWords(untold), unsaidRemedy(untold))]
        : []),
      ...heldBackCodes.flatMap((code) => {
        const metrics = held.filter((one) => one.code === code);
        const [first] = metrics;
        return first ? [about(note, code, metrics, first.message, first.hint)] : [];
      }),
    ];
  });

/** `message` and `hint` are of the first of the metrics. */
const about = (
  { deployment, attempt, slot, version, openedAtMs }: JudgingNote,
  code: ProblemCode,
  metrics: readonly { readonly metric: string | null }[],
  message: string,
  hint: string,
): Problem => {
  const names = metrics.flatMap(({ metric }) => metric ?? []);
  const by = names.length === 0 ? '' : ` by ${names.join(', ')}`;
  return problemOf({
    code,
    severity: 'warning',
    subject: `${deployment}/${attempt}`,
    message: `${version} is judged in ${placeName(slot)}${by}: ${message}`,
    hint,
    place: slot,
    deployment,
    count: metrics.length,
    missing: names,
    at: openedAtMs,
  });
};
