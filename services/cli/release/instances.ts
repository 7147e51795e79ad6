import type { InstanceStarted } from '../../core/instances/instance.ts';
import { instancesPath } from '../../core/instances/instance.ts';
import { parseInstance } from '../../core/instances/parse-instance.ts';
import { checkInstance, partitionOfInstance, signInstance } from '../../core/instances/wire.ts';
import type { NewRecord } from '../../core/log/record.ts';
import { toHttp } from '../../core/markers/http-wire.ts';
import type { FieldProblem } from '../../core/markers/parse-marker.ts';
import { slotKey } from '../../core/markers/slot.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { HttpClient } from '../../ports/http.ts';
import type { Given } from '../terminal/arguments.ts';
import { ciJob } from '../../sdk/ci/ci-job.ts';
import type { InstanceCommand } from '../commands/instances.ts';
import { append, nothingStored } from './deliver.ts';
import { plainText } from '../terminal/display.ts';
import { readTimeout } from '../terminal/duration.ts';
import { readSigner } from './emit.ts';
import { readAnswer } from '../terminal/gateway-answer.ts';
import type { Note } from '../terminal/note.ts';
import { printLines, printProblem, printText } from '../terminal/output.ts';
import { withoutSecrets } from './marker-fields.ts';
import { readPlace } from './place.ts';
import { screeningOf } from './screening.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem, ExitCode } from '../problem.ts';
import { problem, refuse } from '../problem.ts';
import { utcMsOf } from '../../core/utc-time.ts';
import { within } from '../terminal/within.ts';

/** What became of a start, one line of `instance start --json`. */
export type InstanceReceipt = {
  readonly instance: string;
  readonly marker: string;
  readonly kind: 'instance-started';
  readonly delivery: 'stored';
  readonly code: string | null;
  readonly partition: number;
  readonly position: number;
};

export const runInstances = async (
  ports: CliPorts,
  name: InstanceCommand,
  given: Given,
  isJson: boolean,
): Promise<ExitCode> => {
  const timeoutMs = readTimeout(given, ports.settings.emitWithinMs);
  const started = timeoutMs.ok
    ? await within(ports, timeoutMs.value, runs[name](ports, given, timeoutMs.value))
    : timeoutMs;
  if (!started.ok && isOutage(started.problem) && !given.has('strict')) {
    ports.note(notHeard(started.problem));
    return 0;
  }
  if (!started.ok) {
    printProblem(ports.terminal, isJson, started.problem);
    return given.has('no-fail') ? 0 : started.problem.exit;
  }
  const { receipt, instance } = started.value;
  if (isJson) printLines(ports.terminal, [receipt]);
  else printText(ports.terminal, [sentence(receipt, instance)]);
  return 0;
};

const isOutage = ({ exit }: CliProblem): boolean => exit === 1 || exit === 6 || exit === 8;

/** It is not kept for later: by then it would say what no longer runs. */
const notHeard = ({ message }: CliProblem): Note => ({
  code: 'not-heard',
  message: `nobody heard of this start: ${message}`,
  hint: 'a start is not kept for later; --strict makes this a failure',
});

type Delivered = Result<
  { readonly receipt: InstanceReceipt; readonly instance: InstanceStarted },
  CliProblem
>;

/** Flags to a signed start to its topic, by hand or through a gateway. */
const start = async (ports: CliPorts, given: Given, timeoutMs: number): Promise<Delivered> => {
  const { tools, gateway } = ports;
  const made = await makeInstance(ports, given);
  if (!made.ok) return made;
  const instance = made.value;
  // The log is opened first: its first use makes the keys.
  const log = gateway === null ? await ports.log() : ok(undefined);
  if (!log.ok) return fail(nothingStored(log.problem));
  const signer = await readSigner(ports, given);
  if (!signer.ok) return signer;
  const record = await signInstance(tools.codec, tools.text, instance, signer.value);
  const stored =
    gateway === null
      ? await appendAtHand(ports, record)
      : await sendThrough(ports, gateway, record, timeoutMs);
  if (!stored.ok) return stored;
  const { marker, kind } = instance;
  return ok({
    instance,
    receipt: { instance: instance.instance, marker, kind, delivery: 'stored', ...stored.value },
  });
};

const runs = { 'instance start': start };

const makeInstance = async (
  ports: CliPorts,
  given: Given,
): Promise<Result<InstanceStarted, CliProblem>> => {
  const job = ciJob(ports.env);
  const slot = await readPlace(given, job, ports.repositoryAddress);
  if (!slot.ok) return slot;
  const nowMs = ports.clock.nowMs();
  const written = given.value('started-at');
  const startedAtMs = written === null ? nowMs : utcMsOf(written);
  if (startedAtMs === null)
    return refuse(
      'option-invalid',
      `--started-at=${JSON.stringify((written ?? '').slice(0, 64))} is no time`,
      'write it in UTC, such as 2026-11-21T10:00:00Z',
    );
  const body = withoutSecrets(
    {
      marker: ports.ids.uuidV7(),
      deployment: given.value('deployment'),
      kind: 'instance-started',
      audience: ports.settings.audience,
      source: given.value('source') ?? job?.source ?? `plimsoll/${ports.host}`,
      occurredAt: nowMs,
      producer: null,
      sequence: null,
      attempt: null,
      slot: slot.value,
      version: given.value('target-version'),
      digest: given.value('digest'),
      instance: given.value('instance') ?? ports.host,
      cluster: given.value('cluster'),
      zone: given.value('zone'),
      startedAt: startedAtMs,
    },
    '--reason',
    screeningOf(given, job, ports.note),
  );
  if (!body.ok) return body;
  const parsed = parseInstance('instance', body.value);
  return parsed.ok ? parsed : fieldRefused(parsed.problem);
};

const optionOfField: { readonly [path: string]: string } = {
  version: '--target-version',
  'slot.namespace': '--namespace',
  'slot.environment': '--environment-name',
  'slot.component': '--component-name',
  'slot.target': '--target',
  startedAt: '--started-at',
};

const fieldRefused = ({ code, path, message }: FieldProblem): Result<never, CliProblem> => {
  const what = message.startsWith(path) ? message.slice(path.length) : ` ${message}`;
  return refuse(
    code,
    `${optionOfField[path] ?? `--${path}`}${what}`,
    'nothing was written; mend it and call again',
  );
};

type Stored = Result<Pick<InstanceReceipt, 'code' | 'partition' | 'position'>, CliProblem>;

/** Asks the keys that the log trusts, so that whoever may not speak there is told, and then appends. */
const appendAtHand = async (ports: CliPorts, record: NewRecord): Promise<Stored> => {
  const { tools, settings } = ports;
  const atHand = await ports.atHand(() => undefined);
  if (!atHand.ok && atHand.problem.code !== 'unreachable') return atHand;
  if (atHand.ok) {
    const { keys } = atHand.value.state.trust;
    const checked = checkInstance(tools, settings.audience, keys, record);
    if (!checked.ok)
      return refuse(
        checked.problem.code,
        checked.problem.message,
        'nothing was written; plimsoll keys list shows who may sign what',
      );
  }
  const topic = await ports.instances.topic();
  if (!topic.ok) return fail(nothingStored(topic.problem));
  const partition = partitionOfInstance(tools.text, record);
  const position = await append(topic.value, record, partition);
  return position.ok
    ? ok({ code: atHand.ok ? null : 'not-checked', partition, position: position.value })
    : position;
};

const sendThrough = async (
  { tools }: CliPorts,
  gateway: HttpClient,
  record: NewRecord,
  withinMs: number,
): Promise<Stored> => {
  const { headers, body } = toHttp(tools.text, record);
  const answer = await gateway({ method: 'POST', path: instancesPath, headers, body }, withinMs);
  const json = readAnswer(tools.text, answer);
  if (!json.ok)
    return !answer.ok && answer.problem.code === 'no-connection'
      ? fail(nothingStored(json.problem))
      : json;
  const { code, partition, position } = json.value;
  return typeof partition === 'number' && typeof position === 'number'
    ? ok({ code: typeof code === 'string' ? code : null, partition, position })
    : fail(problem('unreachable', 'the answer is not that of a gateway', 'see PLIMSOLL_URL'));
};

const sentence = (receipt: InstanceReceipt, instance: InstanceStarted): string =>
  plainText(
    `instance ${instance.instance} of ${slotKey(instance.slot)} runs ${instance.version}${instance.digest === null ? '' : ` (${instance.digest})`} (instances ${receipt.partition}, position ${receipt.position})`,
  );
