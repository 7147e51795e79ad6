import { isFreshNote } from '../canary/analysis/judging-note.ts';
import type { Problem, ProblemRows } from './problem.ts';
import { placeName, problemOf } from './problem.ts';

/** Metrics that a policy wants and that neither cohort of a running canary sends: such a name looks like one that is fine. */
export const unsentProblems = ({ judging, present }: ProblemRows): readonly Problem[] =>
  judging.flatMap((note) => {
    const { unsent, deployment, attempt, slot, version } = note;
    if (unsent.length === 0 || !isFreshNote(note, present.nowMs)) return [];
    const names = unsent.map(({ id, names: sent }) => `${id} (${sent.join(', ')})`);
    return [
      problemOf({
        code: 'metric-unsent',
        severity: 'warning',
        subject: `${deployment}/${attempt}`,
        message: `neither ${version} nor what it is compared with in ${placeName(slot)} sends ${names.join(', ')}: ${unsent.some(({ critical }) => critical) ? 'nothing is promoted without it' : 'the rest is judged without it'}`,
        hint: 'send it, or take it out of the policy with weight: 0; plimsoll policy check FILE --against=CAPTURE finds such names. Requests of probes and scrapes alone (/healthz, /metrics) are none',
        place: slot,
        deployment,
        count: unsent.length,
        missing: unsent.map(({ id }) => id),
        at: note.openedAtMs,
      }),
    ];
  });
