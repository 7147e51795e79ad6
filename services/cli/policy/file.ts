import type { PolicyFile, TextProblem } from '../../core/canary/policy/policy-file.ts';
import { readPolicyFile } from '../../core/canary/policy/policy-file.ts';
import { documentFileBytesMax } from '../../core/canary/policy/policy-text.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { plainText } from '../terminal/display.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem } from '../problem.ts';

/** A file of policies, or all that is wrong with it. The problem of the command tells the first of them. */
export type ReadPolicyFile = Result<
  PolicyFile,
  { readonly problem: CliProblem; readonly faults: readonly TextProblem[] }
>;

export const policyFileAt = async (
  { readTextFile, yaml }: Pick<CliPorts, 'readTextFile' | 'yaml'>,
  path: string,
): Promise<ReadPolicyFile> => {
  const text = await readTextFile(path, documentFileBytesMax);
  if (!text.ok) return fail({ problem: text.problem, faults: [] });
  const { read } = await yaml();
  const file = readPolicyFile(read, text.value);
  if (file.ok) return ok(file.value);
  const [first, ...others] = file.problem;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  const told = first === undefined ? path : `${faultText(path, first)}${more}`;
  return fail({
    problem: problem('policy-invalid', told, `plimsoll policy check ${path} tells everything`),
    faults: file.problem,
  });
};

/** `policy.yaml:8:9 what is wrong`, as editors and compilers write it. */
export const faultText = (path: string, { line, column, message }: TextProblem): string =>
  plainText(`${path}:${line}:${column} ${message}`);
