import { policyFor, presetEverywhere } from '../core/canary/policy/placed-policy.ts';
import type { PlacedPolicy } from '../core/canary/policy/placed-policy.ts';
import { readPolicyFile } from '../core/canary/policy/policy-file.ts';
import { presetNames, presets } from '../core/canary/policy/presets.ts';
import { documentFileBytesMax } from '../core/canary/policy/policy-text.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { CliPorts } from './ports.ts';
import type { CliProblem } from './problem.ts';
import { refuse } from './problem.ts';

/** How a backtest judges, with the name that was asked for. */
export type NamedPolicy = { readonly name: string; readonly placed: PlacedPolicy };

/** What a policy is asked for. */
export type PolicyPlace = { readonly component: string; readonly environment: string };

/** A policy by the name of a preset or of its file, for this place; null: the standard preset. */
export const readNamedPolicy = async (
  ports: Pick<CliPorts, 'readTextFile' | 'yaml'>,
  written: string | null,
  { component, environment }: PolicyPlace,
): Promise<Result<NamedPolicy, CliProblem>> => {
  const preset = presetNames.find((name) => name === (written ?? 'standard'));
  if (preset !== undefined)
    return ok({
      name: preset,
      placed: { ...presetEverywhere, preset, policy: presets[preset] },
    });
  const path = written ?? '';
  const text = await ports.readTextFile(path, documentFileBytesMax);
  if (!text.ok)
    return fail({
      ...text.problem,
      hint: `it is neither one of the presets (${presetNames.join(', ')}) nor a file that can be read`,
    });
  const file = readPolicyFile((await ports.yaml()).read, text.value);
  if (file.ok)
    return ok({
      name: path,
      placed: policyFor(file.value.document, component, environment).placed,
    });
  const [first] = file.problem;
  return refuse(
    'policy-invalid',
    first === undefined
      ? `${path} is no policy`
      : `${path}, line ${first.line}, column ${first.column}: ${first.message}`,
    'plimsoll policy check FILE tells all that is wrong with it',
  );
};
