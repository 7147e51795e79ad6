import { isFreshNote } from '../canary/analysis/judging-note.ts';
import { noBoundRemedy, noBoundWords } from '../canary/judge/sentence.ts';
import type { Problem, ProblemRows } from './problem.ts';
import { placeName, problemOf } from './problem.ts';

/** Running canaries that will not be promoted, as the buckets of their durations would not show that they are slower. */
export const boundsFarProblems = ({ judging, present }: ProblemRows): readonly Problem[] =>
  judging.flatMap((note) => {
    const { noBound, deployment, attempt, slot, version } = note;
    const [first] = noBound;
    if (first === undefined || !isFreshNote(note, present.nowMs)) return [];
    return [
      problemOf({
        code: 'no-bound',
        severity: 'warning',
        subject: `${deployment}/${attempt}`,
        message: `${version} is judged in ${placeName(slot)} by ${noBound.map(({ metric }) => metric).join(', ')}: ${noBoundWords(first)}`,
        hint: noBoundRemedy,
        place: slot,
        deployment,
        count: noBound.length,
        missing: noBound.map(({ metric }) => metric),
        at: note.openedAtMs,
      }),
    ];
  });
