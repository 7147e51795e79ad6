import type { Covering, FieldSecret } from '../../core/secrets/screen-body.ts';
import { textsIn } from '../../sdk/ci/job-texts.ts';
import type { Given } from '../terminal/arguments.ts';
import type { Note } from '../terminal/note.ts';

/** What becomes of secrets in what a pipeline says. Without one they are refused, wherever they stand. */
export type Screening = Covering & {
  /** Says once what was written over. */
  readonly tell: (found: readonly FieldSecret[]) => void;
};

/**
 * What somebody wrote is refused, unless --redact asks to write over it. What the CI job says of itself is written
 * over always: nobody typed it, and it must not keep a marker back.
 */
export const screeningOf = (
  given: Given,
  job: object | null,
  note: (told: Note) => void,
): Screening => {
  const isRedacting = given.has('redact');
  const fromJob = textsIn(job);
  let isTold = false;
  return {
    covers: (text) => isRedacting || fromJob.has(text),
    coversNames: (text) => fromJob.has(text),
    tell: (found) => {
      if (isTold || found.length === 0) return;
      isTold = true;
      const places = [...new Set(found.map(({ path, kind }) => `${path} (${kind})`))];
      note({
        code: 'secret-masked',
        message: `what looks like a secret was written over in ${places.join(', ')}`,
        hint: 'if it was shown in a log or a page, change it',
      });
    },
  };
};
