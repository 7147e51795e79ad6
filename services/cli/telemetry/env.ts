import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import { uuidPattern } from '../../core/markers/parse-marker.ts';
import { nearest } from '../../core/nearest.ts';
import {
  deploymentSpan,
  readTraceParent,
  writeTraceParent,
} from '../../core/telemetry/export/trace-context.ts';
import type { ResourceAttributes } from '../../core/telemetry/resource-attributes.ts';
import { attributeNames } from '../../core/telemetry/resource-attributes.ts';
import { envFormats } from '../commands/telemetry.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { Given } from '../terminal/arguments.ts';
import { printLines, printText } from '../terminal/output.ts';
import { knownAttributes } from './known-attributes.ts';
import type { Told, Variables } from './variables.ts';
import { lineTexts, shellText, variablesFor } from './variables.ts';

/** The line of `env --json`. */
export type EnvLine = {
  readonly deployment: string;
  /** Resource attributes as they will be, those that were set already among them. */
  readonly attributes: Told['attributes'];
  /** Variables to be set. */
  readonly variables: Variables;
};

/** `plimsoll env`: prints variables for whoever starts what is deployed. Nothing is opened, written or asked. */
export const runEnv = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const format = readFormat(given, isJson);
  if (!format.ok) return format;
  const named = given.value('deployment');
  if (named !== null && !uuidPattern.test(named))
    return refuse(
      'option-invalid',
      `--deployment=${JSON.stringify(named.slice(0, 64))} is no id of a deployment`,
      'plan prints it, and plimsoll timeline shows it: a UUID in lower case',
    );
  const known = await knownAttributes(ports, given);
  if (!known.ok) return known;
  const { attributes, variables: told, notes } = variablesFor(ports.env, known.value);
  for (const note of notes) ports.note(note);
  const { attempt } = known.value;
  const traced = given.has('trace') ? traceVariables(ports, attributes, attempt) : {};
  const variables = { ...told, ...traced };
  switch (format.value) {
    case 'sh':
      printText(ports.terminal, [shellText(variables)]);
      break;
    case 'dotenv':
    case 'github':
      printText(ports.terminal, lineTexts(variables));
      break;
    case 'json': {
      const deployment = attributes[attributeNames.deployment] ?? '';
      printLines(ports.terminal, [{ deployment, attributes, variables } satisfies EnvLine]);
      break;
    }
  }
  return ok(undefined);
};

/** What is started with them works in the deployment's span; whoever is in a trace of their own stays there. */
const traceVariables = (
  { env, tools, note }: CliPorts,
  attributes: ResourceAttributes,
  attempt: string | null,
): Variables => {
  const deployment = attributes[attributeNames.deployment] ?? '';
  const parent = readTraceParent(env['TRACEPARENT']);
  const span = deploymentSpan(tools.crypto.sha256HexOfText, deployment, attempt, parent);
  if (span.parentSpanId === null) return { TRACEPARENT: writeTraceParent(span) };
  note({
    code: 'trace-kept',
    message: 'TRACEPARENT is set already, and stays: the span of the deployment is its child',
    hint: 'to work in the span of the deployment: unset TRACEPARENT',
  });
  return {};
};

type Format = (typeof envFormats)[number];

const readFormat = (given: Given, isJson: boolean): Result<Format, CliProblem> => {
  const written = given.value('format') ?? (isJson ? 'json' : 'sh');
  const format = envFormats.find((one) => one === written);
  if (format === undefined) {
    const near = nearest(written, envFormats);
    return refuse(
      'option-invalid',
      `--format=${JSON.stringify(written.slice(0, 64))} is none that is known`,
      `${near === undefined ? '' : `did you mean ${near}? `}It is one of ${envFormats.join(', ')}`,
    );
  }
  return isJson && format !== 'json'
    ? refuse('option-invalid', `--json and --format=${format} contradict each other`, 'name one')
    : ok(format);
};
