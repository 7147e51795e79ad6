import { isFreshNote } from '../canary/analysis/judging-note.ts';
import { togetherHint, togetherText } from '../canary/analysis/targets-together.ts';
import type { Problem, ProblemRows } from './problem.ts';
import { placeName, problemOf } from './problem.ts';

/** Running canaries of one target that are judged by the telemetry of several: another region can hide what this one shows. */
export const togetherProblems = ({ judging, present }: ProblemRows): readonly Problem[] =>
  judging.flatMap((note) => {
    const { targets, deployment, attempt, slot, version } = note;
    if (targets.length === 0 || slot.target === null || !isFreshNote(note, present.nowMs))
      return [];
    return [
      problemOf({
        code: 'targets-together',
        severity: 'warning',
        subject: `${deployment}/${attempt}`,
        message: `${version} is judged in ${placeName(slot)}: ${togetherText(slot.target, targets)}`,
        hint: togetherHint(slot.target, targets),
        place: slot,
        deployment,
        count: targets.length,
        at: note.openedAtMs,
      }),
    ];
  });
