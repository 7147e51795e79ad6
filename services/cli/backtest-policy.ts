import type { JudgePolicy } from '../core/canary/policy.ts';
import { parsePolicy, standardPreset } from '../core/canary/policy.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Selection } from '../core/telemetry/telemetry-point.ts';
import type { CliPorts } from './ports.ts';
import type { CliProblem } from './problem.ts';
import { problem } from './problem.ts';

/** What a policy judges of telemetry. */
export const selectedBy = (_policy: JudgePolicy): Selection => ({
  metrics: new Map(
    ['http.server.request.duration', 'rpc.server.call.duration', 'rpc.server.duration'].map(
      (name) => [name, []],
    ),
  ),
  targetAttributes: [],
});

/** How a backtest judges, with the name that was asked for. */
export type NamedPolicy = { readonly name: string; readonly policy: JudgePolicy };

const policyBytesMax: number = 64 * 1024;

/** A policy by the name of a preset or of its file; null: the standard preset. */
export const readNamedPolicy = async (
  { readTextFile }: Pick<CliPorts, 'readTextFile'>,
  written: string | null,
): Promise<Result<NamedPolicy, CliProblem>> => {
  if (written === null || written === 'standard')
    return ok({ name: 'standard', policy: standardPreset });
  const text = await readTextFile(written, policyBytesMax);
  if (!text.ok) return text;
  let given: unknown;
  try {
    given = JSON.parse(text.value);
  } catch {
    return invalid(`${written} is no JSON`);
  }
  const parsed = parsePolicy(given);
  return parsed.ok
    ? ok({ name: written, policy: parsed.value })
    : invalid(`${written}: ${parsed.problem.message}`);
};

const invalid = (message: string): Result<never, CliProblem> =>
  fail(problem('policy-invalid', message, 'a policy holds what is otherwise than in the preset'));
