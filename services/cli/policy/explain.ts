import type { PolicyDocument, PlacedPolicy } from '../../core/canary/policy/placed-policy.ts';
import { leavesProbesOut } from '../../core/canary/policy/attribute-filter.ts';
import { placeText, policyFor } from '../../core/canary/policy/placed-policy.ts';
import { policySettings, policyText } from '../../core/canary/policy/policy-text.ts';
import { policyYaml } from '../../core/canary/policy/policy-yaml.ts';
import { presets } from '../../core/canary/policy/presets.ts';
import { readDocumentText } from '../../core/canary/policy/parse-policy.ts';
import type { Json } from '../../core/canonical.ts';
import { canonicalJson } from '../../core/canonical.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { Given } from '../terminal/arguments.ts';
import { digestShown, plainText } from '../terminal/display.ts';
import { openReader } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import { policyFileAt } from './file.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';

/** The policy of a place, and where it is from. */
export type Applying = {
  readonly placed: PlacedPolicy;
  /** `policy.yaml:12`, `position 812`, or null: nobody set any policy for this place. */
  readonly from: string | null;
  readonly source: 'file' | 'log' | 'preset';
  readonly line: number | null;
  readonly position: number | null;
};

/** By the file that is named, else by PLIMSOLL_POLICY, else by what was set on the log. */
export const applyingPolicy = async (
  ports: CliPorts,
  given: Given,
): Promise<Result<Applying, CliProblem>> => {
  const component = given.value('component') ?? '';
  const environment = given.value('environment') ?? '';
  const path = given.words[0] ?? ports.settings.policyFile;
  if (path === null) return ofLog(ports, component, environment);
  if (given.words[0] === undefined)
    ports.note({
      code: 'policy-overridden',
      message: `PLIMSOLL_POLICY names ${path}, which counts here in place of what was set`,
      hint: '',
    });
  const file = await policyFileAt(ports, path);
  if (!file.ok) return { ok: false, problem: file.problem.problem };
  const { document, placeOf } = file.value;
  const { placed, index } = policyFor(document, component, environment);
  const line = index === null ? null : placeOf(['policies', index]).line;
  return ok({
    placed,
    from: line === null ? null : `${path}:${line}`,
    source: line === null ? 'preset' : 'file',
    line,
    position: null,
  });
};

const ofLog = async (
  ports: CliPorts,
  component: string,
  environment: string,
): Promise<Result<Applying, CliProblem>> => {
  const set = await policySet(ports);
  if (!set.ok) return set;
  let document: PolicyDocument | null = null;
  if (set.value !== null) {
    const read = readDocumentText(canonicalJson(set.value['document'] ?? null));
    if (!read.ok)
      return refuse(
        'policy-unread',
        `this release does not read the policies set at position ${positionOf(set.value)}: ${read.problem[0]?.message ?? ''}`,
        'a newer release may have set them; install that',
      );
    document = read.value;
  }
  const { placed, index } = policyFor(document, component, environment);
  const position = index === null || set.value === null ? null : Number(positionOf(set.value));
  return ok({
    placed,
    from: position === null ? null : `position ${position}`,
    source: position === null ? 'preset' : 'log',
    line: null,
    position,
  });
};

/** The newest that was set; whoever only asks makes no installation where there is none. */
const policySet = async (ports: CliPorts): Promise<Result<Line | null, CliProblem>> => {
  if (!(await ports.isMade())) return ok(null);
  const reader = await openReader(ports);
  return reader.ok ? reader.value.policy(null) : reader;
};

const positionOf = ({ position }: Line): string =>
  typeof position === 'number' ? String(position) : '';

export const explainPolicy = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const applying = await applyingPolicy(ports, given);
  if (!applying.ok) return applying;
  const { placed, source, line, position } = applying.value;
  const digest = ports.tools.crypto.sha256HexOfText(policyText(placed));
  if (isJson) {
    const shown: Line = {
      component: given.value('component'),
      environment: given.value('environment'),
      source,
      line,
      position,
      preset: placed.preset,
      digest,
      policy: policySettings(placed),
    };
    printLines(ports.terminal, [shown]);
    return ok(undefined);
  }
  const remarks = remarksOf(placed);
  const lines = policyYaml(placed, (name) => remarks.get(name) ?? null);
  printText(ports.terminal, [
    plainText(`# ${whyText(given, applying.value)}`),
    `# policy ${digestShown(digest)}: so decisions name it`,
    ...probesLine(placed),
    ...lines.map(plainText),
  ]);
  return ok(undefined);
};

/** What the settings do not say: which requests they are not about. */
const probesLine = ({ policy }: PlacedPolicy): readonly string[] => {
  const names = policy.metrics.filter(leavesProbesOut).map(({ id }) => id);
  return names.length === 0
    ? []
    : [
        plainText(
          `# without requests of probes and scrapes (/healthz, /metrics): ${names.join(', ')}`,
        ),
      ];
};

/** `checkout in production: component checkout in every environment (policy.yaml:12), over the preset standard`. */
export const whyText = (given: Given, { placed, from }: Applying): string => {
  const where = `${given.value('component') ?? ''} in ${given.value('environment') ?? ''}`;
  return from === null
    ? `${where}: the preset ${placed.preset}, as no policy is for it`
    : `${where}: ${placeText(placed)} (${from}), over the preset ${placed.preset}`;
};

/** What differs from the preset, by name of setting, with the preset's word for it. */
const remarksOf = (placed: PlacedPolicy): ReadonlyMap<string, string> => {
  const remarks = new Map<string, string>();
  const { preset } = placed;
  const ours = policySettings(placed);
  const theirs = policySettings({ ...placed, policy: presets[preset] });
  const compare = (name: string, here: Json | undefined, there: Json | undefined): void => {
    if (canonicalJson(here ?? null) === canonicalJson(there ?? null)) return;
    const was = there === undefined ? 'not in' : `${differing(here, there)} in`;
    remarks.set(name, `set here; ${was} ${preset}`);
  };
  for (const name of Object.keys(ours))
    if (name !== 'metrics') compare(name, ours[name], theirs[name]);
  const metricsOf = ({ metrics }: typeof ours): readonly (readonly [string, Json])[] =>
    (metrics as readonly { readonly name: string }[]).map((metric) => [
      metric.name,
      metric as Json,
    ]);
  const known = new Map(metricsOf(theirs));
  for (const [name, metric] of metricsOf(ours)) {
    const there = known.get(name);
    if ((metric as Line)['weight'] === 0) remarks.set(`metrics.${name}`, 'not judged here');
    else if (there === undefined) remarks.set(`metrics.${name}`, `set here; not in ${preset}`);
    else if (canonicalJson(there) !== canonicalJson(metric))
      remarks.set(`metrics.${name}`, `changed here: ${changesOf(metric, there)}`);
  }
  const { cohorts, rollouts } = placed.policy;
  if (cohorts !== null)
    remarks.set(
      'cohorts',
      cohorts.freshBaseline
        ? 'the baseline is started anew beside the canary: both are cold alike, a warm-up of 0 is sound'
        : `canary and baseline are told apart by ${cohorts.attribute}, not by version`,
    );
  if (rollouts.beforeAfter || rollouts.blueGreen)
    remarks.set('rollouts', 'before and after, not side by side: weaker than a canary');
  return remarks;
};

/** Of settings with parts only those that differ, as the preset has them. */
const differing = (here: Json | undefined, there: Json): string =>
  isParts(here) && isParts(there)
    ? Object.entries(there)
        .filter(([name, was]) => canonicalJson(here[name] ?? null) !== canonicalJson(was))
        .map(([name, was]) => `${name}: ${flat(was)}`)
        .join(', ')
    : flat(there);

const isParts = (value: Json | undefined): value is Line =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const changesOf = (here: Json, there: Json): string => {
  const [ours, theirs] = [here as Line, there as Line];
  return Object.keys(theirs)
    .filter((name) => canonicalJson(ours[name] ?? null) !== canonicalJson(theirs[name] ?? null))
    .map((name) => `${name} (${flat(theirs[name] ?? null)})`)
    .join(', ');
};

const flatMax = 40;

const flat = (value: Json): string => {
  const text =
    typeof value === 'string'
      ? value
      : canonicalJson(value).replaceAll(/["{}]/g, '').replaceAll(',', ', ');
  return text.length > flatMax ? `${text.slice(0, flatMax)}…` : text;
};
