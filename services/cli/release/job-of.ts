import type { CiJob, Environment } from '../../sdk/ci/ci-job.ts';
import { attemptSetting, ciJob, runSetting } from '../../sdk/ci/ci-job.ts';
import { nameText } from '../../sdk/ci/ci-words.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';

/** The CI job that this runs in, with the run and the attempt that options name. */
export const jobOf = (
  { env, note }: Pick<CliPorts, 'env' | 'note'>,
  given: Given,
): Result<CiJob | null, CliProblem> => {
  const over: Record<string, string> = {};
  for (const [option, setting] of runOptions) {
    const named = given.value(option);
    if (named === null) {
      noteUnused(env, setting, note);
      continue;
    }
    if (nameText({ [setting]: named }, setting) === null)
      return refuse(
        'option-invalid',
        `--${option}=${JSON.stringify(named.slice(0, 64))} is no name`,
        `write what all jobs of the run say alike, such as --${option}=1234`,
      );
    over[setting] = named;
  }
  const job = ciJob({ ...env, ...over });
  if (job === null && over[attemptSetting] !== undefined)
    return refuse(
      'option-missing',
      '--run-attempt counts the tries of a run, and there is none',
      'name the run, too: --run-id=ID',
    );
  return ok(job);
};

/** What all jobs share must never stop one of them. */
const noteUnused = (env: Environment, setting: string, note: CliPorts['note']): void => {
  const written = env[setting] ?? '';
  if (written === '' || nameText(env, setting) !== null) return;
  note({
    code: 'setting-unused',
    message: `${setting} is no name, and is not obeyed`,
    hint: 'one line, as short as a name',
  });
};

const runOptions = [
  ['run-id', runSetting],
  ['run-attempt', attemptSetting],
] as const;
