import { policyFor, presetEverywhere } from '../../core/canary/policy/placed-policy.ts';
import type { PlacedPolicy } from '../../core/canary/policy/placed-policy.ts';
import { readPolicyFile } from '../../core/canary/policy/policy-file.ts';
import { presetNames, presets } from '../../core/canary/policy/presets.ts';
import { documentFileBytesMax } from '../../core/canary/policy/policy-text.ts';
import { readDocumentText } from '../../core/canary/policy/parse-policy.ts';
import type { TimedMarker } from '../../core/canary/backtest/markers.ts';
import { isoTime } from '../../core/instant.ts';
import { isPolicySet } from '../../core/markers/kinds.ts';
import { nearest } from '../../core/nearest.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { shortTime } from '../terminal/display.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';

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
  if (!text.ok) {
    const near = nearest(path, presetNames);
    const presetsNamed = `it is neither one of the presets (${presetNames.join(', ')}) nor a file that can be read`;
    return fail({
      ...text.problem,
      hint: near === undefined ? presetsNamed : `did you mean ${near}? ${presetsNamed}`,
    });
  }
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

/**
 * The policy that markers tell of, as it stood at a time; undefined: nobody had set one, as far as they tell.
 * `atMs`: milliseconds since 1970.
 */
export const policyToldBy = (
  markers: readonly TimedMarker[],
  { component, environment }: PolicyPlace,
  atMs: number,
): Result<NamedPolicy | undefined, CliProblem> => {
  const told = markers.findLast((one) => isPolicySet(one.marker) && one.atMs <= atMs);
  if (told === undefined || !isPolicySet(told.marker)) return ok(undefined);
  const set = `set at ${shortTime(isoTime(told.atMs))}`;
  const document = readDocumentText(told.marker.document);
  if (!document.ok)
    return refuse(
      'policy-invalid',
      `the markers tell of a policy (${set}) that this release cannot read: ${document.problem[0]?.message ?? ''}`,
      'name another by --policy=FILE or --policy=standard',
    );
  const { placed, index } = policyFor(document.value, component, environment);
  return ok({
    name:
      index === null
        ? `standard (what the markers tell was ${set} has none for this place)`
        : `of the markers, ${set}`,
    placed,
  });
};
