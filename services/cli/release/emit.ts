import type { NewRecord } from '../../core/log/record.ts';
import type { Receipt } from '../../core/markers/http-wire.ts';
import type { Logged, Planned, Slot, Update } from '../../core/markers/marker.ts';
import { readHeaders, signMarker } from '../../core/markers/wire.ts';
import { slotKey } from '../../core/markers/slot.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Numbered } from '../../ports/numbering.ts';
import type { Signer } from '../../ports/signer.ts';
import { announceNames } from './announce.ts';
import type { Given } from '../terminal/arguments.ts';
import { ciJob } from './ci/ci-job.ts';
import type { Delivered } from './deliver.ts';
import { deliverAtHand, deliverThrough, deliverUnasked, nothingStored } from './deliver.ts';
import { deploymentToPlan, deploymentToUpdate, keepPlan } from './deployment-of.ts';
import type { Asked } from './deployment-of.ts';
import type { Draft, EmittingCommand, Origin } from './draft.ts';
import { completeMarker, draftMarker } from './draft.ts';
import { screeningOf } from './screening.ts';
import { readTimeout } from '../terminal/duration.ts';
import { nearest } from '../../core/nearest.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, refuse } from '../problem.ts';

type Emittable = Planned | Update | Logged;

/** What an emitting command came to. `marker` and what stands in it were made even where it was refused. */
export type Emitted = {
  readonly receipt: Receipt | undefined;
  readonly marker: Emittable | undefined;
  readonly problem: CliProblem | undefined;
};

/**
 * Flags to marker to log. What is wrong in the command line is said before anything is opened or written; then the
 * rules are asked; only then is it signed and appended.
 */
export const emit = async (
  ports: CliPorts,
  command: EmittingCommand,
  given: Given,
): Promise<Emitted> => {
  const timeoutMs = readTimeout(given);
  if (!timeoutMs.ok) return failed(timeoutMs.problem);
  const done = new AbortController();
  const work = emitWithin(ports, command, given, timeoutMs.value);
  const timeout = ports.clock
    .sleep(timeoutMs.value, done.signal)
    .then(() =>
      failed(
        problem(
          'timeout',
          `not done after ${timeoutMs.value} ms`,
          'it may have been stored; the same command again does no harm',
        ),
      ),
    );
  try {
    return await Promise.race([work, timeout]);
  } finally {
    done.abort();
  }
};

const emitWithin = async (
  ports: CliPorts,
  command: EmittingCommand,
  given: Given,
  timeoutMs: number,
): Promise<Emitted> => {
  const job = ciJob(ports.env);
  const { settings, host, repositoryAddress, git, note } = ports;
  const { audience } = settings;
  const screening = screeningOf(given, job, note);
  const origin: Origin = { audience, job, host, repositoryAddress, git, note, screening };
  const draft = await draftMarker(command, given, origin);
  if (!draft.ok) return failed(draft.problem);
  noteStrategy(ports, given);
  const asked: Asked = { given, job, deployName: draft.value.deployName };
  const checked = await rehearse(ports, draft.value, given, origin);
  if (!checked.ok) return failed(checked.problem);

  const opened = await openDoor(ports);
  if (!opened.ok) return failed(nothingStored(opened.problem));
  const door = opened.value;
  const signer = await readSigner(ports, given);
  if (!signer.ok) return failed(signer.problem);
  // Folders of CI jobs come and go: there the run is what counts.
  const { keyId } = signer.value;
  const numbered = job === null ? await ports.numbering.take(keyId) : null;
  const emitted = await emitNumbered(ports, {
    draft: draft.value,
    place: checked.value,
    ...{ asked, origin, door, timeoutMs, numbered },
    signer: signer.value,
  });
  if (numbered !== null && isUnused(emitted)) await ports.numbering.giveBack(keyId, numbered);
  return emitted;
};

/** Whether it is certain that nothing with this number was stored. What an outage swallowed leaves a gap to be seen. */
const isUnused = ({ receipt, problem: cause }: Emitted): boolean =>
  cause === undefined
    ? receipt?.delivery === 'duplicate'
    : cause.exit === 2 || cause.exit === 3 || cause.exit === 4 || cause.exit === 5;

type Emission = {
  readonly draft: Draft;
  readonly place: Slot | null;
  readonly asked: Asked;
  readonly origin: Origin;
  readonly door: Door;
  readonly timeoutMs: number;
  readonly numbered: Numbered | null;
  readonly signer: Signer;
};

const emitNumbered = async (ports: CliPorts, emission: Emission): Promise<Emitted> => {
  const { asked, door, signer, timeoutMs } = emission;
  const made = await makeMarker(ports, emission);
  if (!made.ok) return failed(made.problem);
  const { marker, misplaced } = made.value;
  if (misplaced !== undefined) return refused(marker, misplaced, asked);
  const record = await signRecord(ports, marker, signer);
  if (!record.ok) return failed(record.problem, marker);

  const delivered = await door.deliver(marker, record.value, timeoutMs);
  if (!delivered.ok) return refused(marker, delivered.problem, asked);
  await remember(ports, asked, marker);
  if (door.atHand !== undefined && delivered.value.delivery === 'stored')
    await announceNames(door.atHand, marker.slot, ports.note);
  return { receipt: delivered.value, marker, problem: undefined };
};

const strategies = ['rolling', 'canary', 'blue-green', 'all-at-once'];

/** A strategy is any word, but a slip in `canary` would leave a deployment without a comparison. */
const noteStrategy = ({ note }: CliPorts, given: Given): void => {
  const written = given.value('strategy');
  const near = written === null ? undefined : nearest(written, strategies);
  if (near === undefined || near === written) return;
  // A share of the traffic makes it a canary too.
  const isMissed = near === 'canary' && !given.has('canary-share');
  note({
    code: 'strategy-unusual',
    message: `--strategy=${written}: did you mean ${near}?${isMissed ? ' Only canary is compared' : ''}`,
    hint: '',
  });
};

/** Stands for the planned place, which is not known yet, while the rest of an update is looked at. */
const somePlace: Slot = {
  namespace: 'default',
  environment: 'default',
  component: 'default',
  target: null,
};

/** The marker with ids that are not final: finds what is wrong in the command line. Answers the place. */
const rehearse = async (
  ports: CliPorts,
  draft: Draft,
  given: Given,
  origin: Origin,
): Promise<Result<Slot | null, CliProblem>> => {
  const slot = await draft.place(somePlace);
  if (!slot.ok) return slot;
  const marker = ports.ids.uuidV7();
  const deployment = given.value('deployment') ?? marker;
  const occurredAt = ports.clock.nowMs();
  const ids = { marker, deployment, occurredAt, numbered: null };
  const made = completeMarker(draft, ids, slot.value, given, origin);
  return made.ok ? slot : made;
};

/** The way to the log: itself and its read models, itself alone, or a gateway. */
type Door = {
  readonly atHand: AtHand | undefined;
  readonly deliver: (marker: Emittable, record: NewRecord, timeoutMs: number) => Promise<Delivered>;
};

const openDoor = async (ports: CliPorts): Promise<Result<Door, CliProblem>> => {
  const { gateway } = ports;
  if (gateway !== null)
    return ok({
      atHand: undefined,
      deliver: (_marker, record, timeoutMs) => deliverThrough(gateway, ports, record, timeoutMs),
    });
  const log = await ports.log();
  if (!log.ok) return log;
  const atHand = await ports.atHand(() => undefined);
  if (atHand.ok)
    return ok({
      atHand: atHand.value,
      deliver: (_marker, record) => deliverAtHand(ports, atHand.value, record),
    });
  if (atHand.problem.code !== 'unreachable') return atHand;
  // An outage of the read models alone must not lose a marker: the log takes it, and the fold judges it later.
  ports.note({
    code: 'not-checked',
    message: `the read models cannot be reached, so nothing was checked: ${atHand.problem.message}`,
    hint: 'see later what became of it: plimsoll show, plimsoll dead-letters list',
  });
  return ok({
    atHand: undefined,
    deliver: (marker, record) => deliverUnasked(ports, log.value, marker, record),
  });
};

/** Behind a gateway no key is made by itself: the log would not trust it. */
const trustedKeyHint =
  'name a key that the log trusts by PLIMSOLL_KEY or --key=FILE; plimsoll keys new --principal=NAME --out=FILE makes one, which an administrator has to trust';

/** The key that `--key` names, or PLIMSOLL_KEY, or the one that first use made. */
export const readSigner = async (
  ports: CliPorts,
  given: Given,
): Promise<Result<Signer, CliProblem>> => {
  const named = given.value('key') ?? ports.settings.keyFile;
  const signer = await ports.keys.read(named ?? ports.keys.pathOf('local'));
  if (signer.ok) return signer;
  const { code, message, hint } = signer.problem;
  const needsName = named === null && ports.gateway !== null && code === 'key-file-missing';
  return refuse(code, message, needsName ? trustedKeyHint : hint);
};

type Made = {
  readonly marker: Emittable;
  /** Why it is refused at once: the plan that is known here is for another place. */
  readonly misplaced: CliProblem | undefined;
};

const makeMarker = async (
  ports: CliPorts,
  { draft, asked, origin, place, door, numbered }: Emission,
): Promise<Result<Made, CliProblem>> => {
  const named = await nameDeployment(ports, draft, asked, place, door.atHand);
  if (!named.ok) return named;
  const { deployment, slot, planned } = named.value;
  const marker = completeMarker(
    draft,
    { marker: ports.ids.uuidV7(), deployment, occurredAt: ports.clock.nowMs(), numbered },
    slot,
    asked.given,
    origin,
  );
  if (!marker.ok) return marker;
  const isMisplaced = slot !== null && planned !== null && slotKey(slot) !== slotKey(planned);
  return ok({
    marker: marker.value,
    misplaced: isMisplaced
      ? problem(
          'slot-differs',
          `the deployment was planned for ${slotKey(planned)}, not ${slotKey(slot)}`,
          'leave the place out, or name the one that was planned',
        )
      : undefined,
  });
};

type Named = {
  readonly deployment: string;
  readonly slot: Slot | null;
  /** For an update: the place of its plan, as far as it is known here. */
  readonly planned: Slot | null;
};

const nameDeployment = async (
  ports: CliPorts,
  draft: Draft,
  asked: Asked,
  place: Slot | null,
  atHand: AtHand | undefined,
): Promise<Result<Named, CliProblem>> => {
  // The id of a log is its marker's.
  if (draft.kind === 'logged') return ok({ deployment: '', slot: place, planned: null });
  if (draft.kind === 'planned' && place !== null) {
    const deployment = await deploymentToPlan(ports, asked, place, atHand);
    return ok({ deployment, slot: place, planned: null });
  }
  const found = await deploymentToUpdate(ports, asked, atHand);
  if (!found.ok) return found;
  const { id, planned } = found.value;
  const slot = await draft.place(planned);
  return slot.ok ? ok({ deployment: id, slot: slot.value, planned }) : slot;
};

const traceParentPattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

const signRecord = async (
  { tools, env }: CliPorts,
  marker: Emittable,
  signer: Signer,
): Promise<Result<NewRecord, CliProblem>> => {
  const trace = env['TRACEPARENT'];
  const traceParent = trace !== undefined && traceParentPattern.test(trace) ? trace : null;
  const record = await signMarker(tools.codec, tools.text, marker, signer, traceParent);
  const sized = readHeaders(tools.text, record);
  return sized.ok
    ? ok(record)
    : refuse(sized.problem.code, sized.problem.message, 'nothing was written; say less');
};

/** So that the next command of that name from here knows what was planned, and whether it has ended. */
const remember = async (ports: CliPorts, asked: Asked, marker: Emittable): Promise<void> => {
  switch (marker.kind) {
    case 'succeeded':
    case 'failed':
    case 'canceled':
      await ports.planned.end(asked.deployName, marker.deployment);
      return;
    case 'planned':
      await keepPlan(ports, asked, marker);
      return;
    case 'started':
    case 'traffic-shifted':
    case 'logged':
  }
};

const failed = (cause: CliProblem, marker?: Emittable): Emitted => ({
  receipt: undefined,
  marker,
  problem: cause,
});

const refused = (marker: Emittable, cause: CliProblem, asked: Asked): Emitted => {
  const { code, exit } = cause;
  // What nobody answered to is neither stored nor refused.
  if (exit === 6 || exit === 8 || exit === 1) return failed(cause, marker);
  const { deployment, kind } = marker;
  return {
    receipt: {
      deployment,
      attempt: null,
      marker: marker.marker,
      kind,
      delivery: 'refused',
      code,
      position: null,
    },
    marker,
    problem:
      code === 'planned-differently' && asked.job === null
        ? {
            ...cause,
            hint: `end it first (${cancelCommand(asked)}), or give this one another name: plimsoll release plan <deploy-name>`,
          }
        : cause,
  };
};

/** Ends what the same words planned. */
const cancelCommand = ({ given }: Asked): string => {
  const deployment = given.value('deployment');
  return [
    'plimsoll release update',
    ...given.words.map((word) => (/^[\w.@:/-]+$/.test(word) ? word : `'${word}'`)),
    ...(deployment === null ? [] : [`--deployment=${deployment}`]),
    '--status=CANCELED',
  ].join(' ');
};
