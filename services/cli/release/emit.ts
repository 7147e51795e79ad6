import type { NewRecord } from '../../core/log/record.ts';
import type { Deliver } from '../../ports/delivery.ts';
import type { Receipt } from '../../core/markers/http-wire.ts';
import type { Emittable, Slot } from '../../core/markers/marker.ts';
import { mayExport } from '../../core/telemetry/export/exporter-named.ts';
import { readHeaders, signMarker, traceParentOf } from '../../core/markers/wire.ts';
import { markerLine } from '../../core/spool/marker-line.ts';
import { slotKey } from '../../core/markers/slot.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Numbered } from '../../ports/numbering.ts';
import type { PlannedHereProblem } from '../../ports/planned-here.ts';
import type { Signer } from '../../ports/signer.ts';
import type { Given } from '../terminal/arguments.ts';
import { jobOf } from './job-of.ts';
import { isCi } from '../../sdk/ci/ci-job.ts';
import { deploymentToPlan, deploymentToUpdate, keepPlan } from './deployment-of.ts';
import type { Asked } from './deployment-of.ts';
import type { Draft, EmittingCommand, Origin } from './draft.ts';
import { completeMarker } from './draft.ts';
import { draftMarker } from './draft-marker.ts';
import { logOfJob } from './log-of-job.ts';
import { screeningOf } from './screening.ts';
import { readTimeout } from '../terminal/duration.ts';
import { nearest } from '../../core/nearest.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, refuse } from '../problem.ts';
import type { Note } from '../terminal/note.ts';
import type { Deadline } from '../../sdk/deadline.ts';
import { openDeadline } from '../../sdk/deadline.ts';
import { deliverByHttp } from '../../sdk/deliver-http.ts';
import type { Cause } from '../../sdk/send-or-keep.ts';
import { keepReserveMs, lateCause, sendOrKeep } from '../../sdk/send-or-keep.ts';
import { nothingKept, refusalProblem, refusedNote, tellKept } from './kept.ts';

/** What an emitting command came to. `marker` and what stands in it were made even where it was refused. */
export type Emitted = {
  readonly receipt: Receipt | undefined;
  readonly marker: Emittable | undefined;
  readonly problem: CliProblem | undefined;
  /** Settles when OpenTelemetry was told of it, by the deadline; never rejects. It is to be awaited before the process ends. */
  readonly telemetry?: Promise<void>;
};

/**
 * Flags to marker to log; `occurredAt` where it was before now (Unix ms). What is wrong in the command line is said before anything is opened or written; then the
 * rules are asked; only then is it signed and appended.
 */
export const emit = async (
  ports: CliPorts,
  command: EmittingCommand,
  given: Given,
  occurredAt?: number,
): Promise<Emitted> => {
  const timeoutMs = readTimeout(given, ports.settings.emitWithinMs);
  if (!timeoutMs.ok) return failed(timeoutMs.problem);
  // A machine so busy that we were late to start leaves us half of the time all the same.
  const endMs = Math.max(timeoutMs.value, ports.sinceStartMs() + timeoutMs.value / 2);
  const soon = openDeadline(ports, endMs);
  const isFirst = await soon.before(timeoutMs.value / 2, isFirstUse(ports, given));
  const deadline = isFirst === true ? openDeadline(ports, endMs + firstUseMs) : soon;
  const asked: HowToSend = {
    deadline,
    reserveMs: keepReserveMs(timeoutMs.value),
    // Who freezes a place wants to know that it is frozen.
    isStrict: given.has('strict') || command === 'freeze',
    isAsync: given.has('async'),
    keyFile: given.value('key'),
    occurredAt,
  };
  // What cannot even be made by then has nothing that could be kept.
  const emitted = await deadline.before(-madeGraceMs, emitWithin(ports, command, given, asked));
  if (emitted !== undefined) return emitted;
  const message = `not done after ${timeoutMs.value} ms; it may be that nothing is stored or kept`;
  const hint = 'is this machine, its disk or git very slow? --timeout gives more time';
  return unmade(ports, problem('timeout', message, hint), asked);
};

/** An outage before there was a marker that could be kept: a failure for who asks for one. */
const unmade = (
  { note }: CliPorts,
  cause: CliProblem,
  { isStrict }: Pick<HowToSend, 'isStrict'>,
): Emitted => {
  if (isStrict) return failed(cause);
  note(cause);
  return { receipt: undefined, marker: undefined, problem: undefined };
};

const nothingMade = (ports: CliPorts, cause: Cause, how: HowToSend): Emitted =>
  unmade(ports, nothingKept(cause), how);

/** Beyond the deadline, for making keys and a database, which happens once: without a key nothing can be kept. */
const firstUseMs = 15_000;

/** Whether the log is a folder of ours that is still to be made, and the key with it. */
const isFirstUse = async (ports: CliPorts, given: Given): Promise<boolean> => {
  const { gateway, settings, keys } = ports;
  if (gateway !== null || settings.log.foundation !== 'sqlite' || isKeyNamed(ports, given))
    return false;
  const key = await keys.read(keys.pathOf('local'));
  return !key.ok && key.problem.code === 'key-file-missing';
};

const isKeyNamed = ({ settings }: CliPorts, given: Given): boolean =>
  given.value('key') !== null || settings.keyFile !== null;

/** So much later than the deadline: what is being laid down then is not to be called lost. */
const madeGraceMs = 3500;

type HowToSend = {
  readonly deadline: Deadline;
  readonly reserveMs: number;
  /** An outage is a failure. */
  readonly isStrict: boolean;
  /** It is laid down, and a process of its own delivers it. */
  readonly isAsync: boolean;
  /** The key that was named for this command. */
  readonly keyFile: string | null;
  /** Left out: now. */
  readonly occurredAt: number | undefined;
};

const emitWithin = async (
  allPorts: CliPorts,
  command: EmittingCommand,
  given: Given,
  how: HowToSend,
): Promise<Emitted> => {
  const ports = withPatience(allPorts, how);
  const found = jobOf(ports, given);
  if (!found.ok) return failed(found.problem);
  const job = found.value;
  const { settings, host, repositoryAddress, git, note } = ports;
  const { audience } = settings;
  const screening = screeningOf(given, job, note);
  const origin: Origin = {
    ...{ audience, job, host, note, screening },
    ...askedOnce(how.deadline, repositoryAddress, git),
  };
  const draft =
    command === 'emit'
      ? await (await import('../facts/draft-json.ts')).draftJson(ports, given)
      : await draftMarker(command, given, origin);
  if (!draft.ok) return failed(draft.problem);
  noteStrategy(ports, given);
  const { deployName, named, isOperators = false } = draft.value;
  const asked: Asked = { given, job, deployName, named };
  const checked = await rehearse(ports, draft.value, given, origin);
  if (!checked.ok) return failed(checked.problem);

  // Said once a deployment, where it begins.
  const onThisDisk = draft.value.about === 'updated' ? undefined : logOfJob(ports, job);
  if (onThisDisk !== undefined) note(onThisDisk);
  const door = await openDoor(ports, how);
  if (door.problem !== undefined) return failed(door.problem);
  const signer = await patiently(how, readSigner(ports, given, isOperators ? 'admin' : 'local'));
  if (signer === undefined) return unmade(ports, keyUnanswered, how);
  if (!signer.ok) {
    // On first use the log makes the key: where it could not, that is what went wrong.
    const cause = whyNoKey(ports, given, signer.problem, door);
    return cause === undefined ? failed(signer.problem) : nothingMade(ports, cause, how);
  }
  // Folders of CI jobs come and go: there the run is what counts.
  const { keyId } = signer.value;
  const numbered = job === null ? await ports.numbering.take(keyId) : null;
  const emitted = await emitNumbered(ports, {
    draft: draft.value,
    place: checked.value,
    ...{ asked, origin, door, how, numbered },
    signer: signer.value,
  });
  if (numbered !== null && isUnused(emitted)) await ports.numbering.giveBack(keyId, numbered);
  return emitted;
};

/**
 * A folder that hangs (a network drive that is gone) must not have all of the time. Where little is left it has this much
 * all the same: without a key nothing can be kept.
 */
const diskWithinMs = 1000;

/** Undefined: no answer in time. */
const patiently = <Value>(
  { deadline, reserveMs }: Pick<HowToSend, 'deadline' | 'reserveMs'>,
  work: Promise<Value>,
): Promise<Value | undefined> =>
  deadline.before(Math.min(reserveMs, deadline.leftMs() - diskWithinMs), work);

const keyUnanswered: CliProblem = problem(
  'timeout',
  'the disk does not answer that the key lies on, so there is no marker; nothing was stored or kept',
  'is a network drive gone? See PLIMSOLL_KEY or --key',
);

/** What is kept on this disk beside the spool, each question for a part of the time. */
const withPatience = (ports: CliPorts, how: HowToSend): CliPorts => {
  const { planned, numbering } = ports;
  const inTime = async <Value>(
    work: Promise<Result<Value, PlannedHereProblem>>,
  ): Promise<Result<Value, PlannedHereProblem>> =>
    (await patiently(how, work)) ??
    fail({ code: 'unanswered', message: 'the disk does not answer' });
  return {
    ...ports,
    planned: {
      names: () => inTime(planned.names()),
      last: (name) => inTime(planned.last(name)),
      begin: (name, plan, before) => inTime(planned.begin(name, plan, before)),
      end: (name, deployment) => inTime(planned.end(name, deployment)),
    },
    numbering: {
      ...numbering,
      take: async (keyId) => (await patiently(how, numbering.take(keyId))) ?? null,
    },
  };
};

/** The repository, each question once and for a part of the time: a git that hangs is no reason to be late. */
const askedOnce = (
  deadline: Deadline,
  address: () => Promise<string | null>,
  git: Origin['git'],
): Pick<Origin, 'repositoryAddress' | 'git'> => {
  const inTime = async <Value>(work: Promise<Value | null>): Promise<Value | null> =>
    (await deadline.before((deadline.leftMs() * 3) / 4, work)) ?? null;
  let asked: Promise<string | null> | undefined;
  return {
    repositoryAddress: () => (asked ??= inTime(address())),
    git: { head: () => inTime(git.head()) },
  };
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
  readonly how: HowToSend;
  readonly numbered: Numbered | null;
  readonly signer: Signer;
};

const emitNumbered = async (ports: CliPorts, emission: Emission): Promise<Emitted> => {
  const { asked, door, how, signer } = emission;
  const made = await makeMarker(ports, emission);
  if (!made.ok)
    return made.problem.exit === 8 ? unmade(ports, made.problem, how) : failed(made.problem);
  const { marker, misplaced } = made.value;
  if (misplaced !== undefined) return refused(marker, misplaced, asked);
  const record = await signRecord(ports, marker, signer);
  if (!record.ok) return failed(record.problem, marker);

  const newNames = await newNamesOf(door, marker, how);
  const sent = await send(ports, { door, how, signer }, marker, record.value);
  if (!sent.ok) return refused(marker, sent.problem, asked);
  const { receipt, problem: cause } = sent.value;
  await remember(ports, asked, marker);
  if (receipt.delivery === 'stored') newNames.forEach(ports.note);
  // With --async whoever is to deliver it tells of it.
  const isLeft = how.isAsync && receipt.delivery === 'spooled';
  if (!mayExport(ports.env) || isLeft || receipt.delivery === 'duplicate')
    return { receipt, marker, problem: cause };
  const { job, deployName } = asked;
  const exported = { job, deployName, marker, receipt, atHand: door.atHand };
  const telemetry = import('./export-telemetry.ts')
    .then(({ exportTelemetry }) => exportTelemetry(ports, how.deadline, exported))
    // The marker is where it is to be, whatever goes wrong here.
    .catch((thrown: unknown) =>
      ports.note({
        code: 'telemetry-not-sent',
        message: `OpenTelemetry was not told of it: ${String(thrown)}`,
        hint: 'the marker is not affected',
      }),
    );
  return { receipt, marker, problem: cause, telemetry };
};

/** Asked for a part of the time: a name is not worth a late marker. A gateway says it by itself. */
const newNamesOf = async (
  { atHand }: Door,
  marker: Emittable,
  { deadline }: HowToSend,
): Promise<readonly Note[]> => {
  if (atHand === undefined) return [];
  const { namesUsedFirst } = await import('./announce.ts');
  const told = await deadline.before(
    (deadline.leftMs() * 3) / 4,
    namesUsedFirst(atHand, marker).catch(() => []),
  );
  return told ?? [];
};

/** For a disk that is slow. In a CI the log of the job holds the marker, too. */
const graceMs = 3000;
const graceMsInCi = 500;

type Sending = Pick<Emission, 'door' | 'how' | 'signer'>;

/** Delivers the signed record, or keeps it. The problem beside a receipt: it was kept, and `--strict` wants more. */
const send = async (
  ports: CliPorts,
  { door, how, signer }: Sending,
  marker: Emittable,
  record: NewRecord,
): Promise<
  Result<{ readonly receipt: Receipt; readonly problem: CliProblem | undefined }, CliProblem>
> => {
  const { tools, settings, spool } = ports;
  const { deadline, reserveMs, isStrict } = how;
  const { deployment } = marker;
  let refusedBefore = 0;
  const sent = await sendOrKeep(
    {
      ...{ tools, audience: settings.audience, spool, signer },
      deliver: door.deliver,
      graceMs: isCi(ports.env) ? graceMsInCi : graceMs,
      onFlushed: ({ delivery }) => (refusedBefore += delivery === 'refused' ? 1 : 0),
    },
    deadline,
    { record, deployment },
    reserveMs,
  );
  // Without a disk there is nothing that a process of its own could deliver.
  if (sent.outcome === 'unkept' && sent.cause.code === asyncCause.code) {
    const waiting = { ...how, isAsync: false };
    const opened = await openDoor(ports, waiting);
    if (opened.problem === undefined && typeof opened.deliver === 'function')
      return send(ports, { door: opened, how: waiting, signer }, marker, record);
  }
  if (refusedBefore > 0) ports.note(refusedNote(refusedBefore));
  switch (sent.outcome) {
    case 'taken': {
      const { receipt, warning } = sent;
      if (warning !== null)
        ports.note({ code: receipt.code ?? 'warning', message: warning, hint: '' });
      return ok({
        receipt: { ...receipt, deployment: receipt.deployment ?? deployment },
        problem: undefined,
      });
    }
    case 'refused':
      return fail(refusalProblem(sent.refusal));
    case 'spooled':
    case 'unkept': {
      if (how.isAsync && sent.outcome === 'spooled')
        await ports.flushApart(
          how.keyFile,
          mayExport(ports.env) ? markerLine(tools.text, sent.bytes) : null,
        );
      return ok(tellKept(ports, marker, sent, isStrict));
    }
  }
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
  const deployment = draft.about === 'none' ? null : (draft.named ?? marker);
  const occurredAt = ports.clock.nowMs();
  const ids = { marker, deployment, occurredAt, numbered: null };
  const made = completeMarker(draft, ids, slot.value, given, origin);
  return made.ok ? slot : made;
};

/** The way to the log: itself and its read models, itself alone, or a gateway. */
type Door = {
  readonly atHand: AtHand | undefined;
  /** The cause where nobody can take anything now. */
  readonly deliver: Deliver | Cause;
  /** What no waiting mends. */
  readonly problem: CliProblem | undefined;
};

const openDoor = async (
  ports: CliPorts,
  { deadline, reserveMs, isAsync }: HowToSend,
): Promise<Door> => {
  const { gateway, tools } = ports;
  const atHand = undefined;
  if (isAsync && (gateway !== null || (await ports.isMade())))
    return { atHand, deliver: asyncCause, problem: undefined };
  if (gateway !== null)
    return {
      atHand,
      deliver: deliverByHttp(gateway, tools.text, ports.settings.logId),
      problem: undefined,
    };
  const { openDoorAtHand } = await import('./deliver.ts');
  // The read models are waited for as long as the log itself may still be appended to.
  const halfMs = (deadline.leftMs() + reserveMs) / 2;
  const opened = await deadline.before(
    reserveMs,
    openDoorAtHand(ports, (work) => deadline.before(halfMs, work)),
  );
  if (opened === undefined) return { atHand, deliver: lateCause, problem: undefined };
  if (opened.ok) return { ...opened.value, problem: undefined };
  const { problem: cause } = opened;
  const isOutage = cause.exit === 1 || cause.exit === 6 || cause.exit === 8;
  return { atHand, deliver: cause, problem: isOutage ? undefined : cause };
};

/** The reason why what `--async` sends is not delivered yet. */
const asyncCause: Cause = {
  code: 'async',
  message: 'it is delivered by a process of its own',
  hint: 'plimsoll flush sends what it could not',
};

/** Why there is no key, where the log was to make it: it could not be opened. */
const whyNoKey = (
  ports: CliPorts,
  given: Given,
  { code }: CliProblem,
  { deliver }: Door,
): Cause | undefined =>
  isKeyNamed(ports, given) ||
  ports.gateway !== null ||
  code !== 'key-file-missing' ||
  typeof deliver === 'function'
    ? undefined
    : deliver;

/** Behind a gateway no key is made by itself: the log would not trust it. */
const trustedKeyHint =
  'name a key that the log trusts by PLIMSOLL_KEY or --key=FILE; plimsoll keys new --principal=NAME --out=FILE makes one, which an administrator has to trust';

/** The key that `--key` names, or PLIMSOLL_KEY, or the one that first use made. */
export const readSigner = async (
  ports: CliPorts,
  given: Given,
  byDefault: 'local' | 'admin' = 'local',
): Promise<Result<Signer, CliProblem>> => {
  const named = given.value('key') ?? ports.settings.keyFile;
  const signer = await ports.keys.read(named ?? ports.keys.pathOf(byDefault));
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
  { draft, asked, origin, place, door, how, numbered }: Emission,
): Promise<Result<Made, CliProblem>> => {
  const named = await nameDeployment(ports, draft, asked, place, door.atHand);
  if (!named.ok) return named;
  const { deployment, slot, planned } = named.value;
  const marker = completeMarker(
    await toldWithChanges(ports, { draft, asked, door, how }, deployment, slot),
    {
      marker: ports.ids.uuidV7(),
      deployment,
      occurredAt: how.occurredAt ?? ports.clock.nowMs(),
      numbered,
    },
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

/** With what it brings, as far as that can be told in a part of the time, and nobody has told it. */
const toldWithChanges = async (
  ports: CliPorts,
  { draft, asked: { given }, door, how }: Pick<Emission, 'draft' | 'asked' | 'door' | 'how'>,
  deployment: string | null,
  slot: Slot | null,
): Promise<Draft> => {
  const isAsked = draft.kind === 'planned' || draft.kind === 'logged';
  if (!isAsked || slot === null || given.has('change') || given.value('since') === 'none')
    return draft;
  // Whoever cannot deliver cannot ask either.
  if (typeof door.deliver !== 'function' || !ports.git.isHere()) return draft;
  const { deadline } = how;
  const partMs = deadline.leftMs() / 4;
  const { draftWithChanges } = await import('./draft-with-changes.ts');
  const work = draftWithChanges(ports, {
    draft,
    given,
    slot,
    deployment,
    withinMs: partMs,
    atHand: door.atHand,
    // Whatever is wrong with what it brings, it is deployed.
  }).catch(() => draft);
  return (await deadline.before(deadline.leftMs() - partMs, work)) ?? draft;
};

type Named = {
  /** Null: its own, which is its marker's id, or none. */
  readonly deployment: string | null;
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
  if (draft.about === 'own' || draft.about === 'none')
    return ok({ deployment: null, slot: place, planned: null });
  if (draft.about === 'planned' && place !== null) {
    const deployment = await deploymentToPlan(ports, asked, place, atHand);
    return ok({ deployment, slot: place, planned: null });
  }
  const found = await deploymentToUpdate(ports, asked, atHand);
  if (!found.ok) return found;
  const { id, planned } = found.value;
  const slot = await draft.place(planned);
  return slot.ok ? ok({ deployment: id, slot: slot.value, planned }) : slot;
};

const signRecord = async (
  { tools, env }: CliPorts,
  marker: Emittable,
  signer: Signer,
): Promise<Result<NewRecord, CliProblem>> => {
  const traceParent = traceParentOf(env['TRACEPARENT']);
  const record = await signMarker(tools.codec, tools.text, marker, signer, traceParent);
  const sized = readHeaders(tools.text, record);
  return sized.ok
    ? ok(record)
    : refuse(sized.problem.code, sized.problem.message, 'nothing was written; say less');
};

/** So that the next command of that name from here knows what was planned, and whether it has ended. */
const remember = async (ports: CliPorts, asked: Asked, marker: Emittable): Promise<void> => {
  const { kind } = marker;
  if (kind === 'planned') await keepPlan(ports, asked, marker);
  else if (kind === 'succeeded' || kind === 'failed' || kind === 'canceled')
    await ports.planned.end(asked.deployName, marker.deployment);
};

const failed = (cause: CliProblem, marker?: Emittable): Emitted => ({
  receipt: undefined,
  marker,
  problem: cause,
});

const refused = (marker: Emittable, cause: CliProblem, asked: Asked): Emitted => {
  const { code } = cause;
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
