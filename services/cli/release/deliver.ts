import { admitRecord, receiptOf } from '../../core/admit-record.ts';
import { checkOpening } from '../../core/check/check-record.ts';
import type { NewRecord } from '../../core/log/record.ts';
import type { Receipt } from '../../core/markers/http-wire.ts';
import { isKind } from '../../core/markers/kinds.ts';
import { headerNames } from '../../core/markers/wire.ts';
import { labelOf } from '../../core/spool/spooled-marker.ts';
import type { PolicyRow } from '../../core/policy-records.ts';
import { policyModel } from '../../core/policy-records.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Deliver, Delivery } from '../../ports/delivery.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { foldFailed, problem, refuse } from '../problem.ts';
import { rowTexts, scanRows } from '../reading/reading.ts';
import { faultOfExit } from './refusal-exit.ts';
import { refuseSealed } from '../operate/sealed.ts';

// The last step of an emitting command where the log is at hand: the signed record onto it. Loaded only there: who goes
// through a gateway starts without it.

type Delivered = Result<Receipt, CliProblem>;

/** The way to a log that is at hand: with its read models, or without them while they are away. */
export type DoorAtHand = {
  readonly atHand: AtHand | undefined;
  readonly deliver: Deliver;
};

/** `inTime` answers undefined where the work takes too long. */
export const openDoorAtHand = async (
  ports: CliPorts,
  inTime: <Value>(work: Promise<Value>) => Promise<Value | undefined>,
): Promise<Result<DoorAtHand, CliProblem>> => {
  const log = await ports.log();
  if (!log.ok) return log;
  const folded = await inTime(ports.atHand(() => undefined));
  // Read models that begin empty in each job would never be there in time.
  const atHand = folded ?? foldedLate;
  if (!atHand.ok && atHand.problem.code !== 'unreachable') return atHand;
  if (atHand.ok) {
    let isFresh = true;
    return ok({
      atHand: atHand.value,
      deliver: async (record) => {
        // What was appended just now is to be seen by the rules.
        const now = isFresh ? atHand : await ports.atHand(() => undefined);
        isFresh = false;
        return deliveryOf(now.ok ? await deliverAtHand(ports, now.value, record) : now);
      },
    });
  }
  // An outage of the read models alone must not lose a marker: the log takes it, and the fold judges it later.
  ports.note({
    code: 'not-checked',
    message: `${folded === undefined ? 'the read models are behind' : 'the read models cannot be reached'}, so nothing was checked: ${atHand.problem.message}`,
    hint: 'see later what became of it: plimsoll show, plimsoll dead-letters list',
  });
  return ok({
    atHand: undefined,
    deliver: async (record) => deliveryOf(await deliverUnasked(ports, log.value, record)),
  });
};

const foldedLate = fail(
  problem('unreachable', 'they are not folded to the end of the log in time', ''),
);

/** A rule's no is a refusal; all else is an outage, after which the same bytes may be sent again. */
const deliveryOf = (delivered: Delivered): Delivery => {
  if (delivered.ok) return { outcome: 'taken', receipt: delivered.value, warning: null };
  const { code, message, hint, exit } = delivered.problem;
  const fault = faultOfExit(exit);
  return fault === undefined
    ? { outcome: 'away', code, message, hint, mayBeStored: code === 'unknown' }
    : { outcome: 'refused', code, message, hint, fault };
};

/** Asks the rules what the marker would become, then appends it; what is on the log already is not sent again. */
const deliverAtHand = async (
  {
    clock,
    tools,
    note,
    settings: { audience },
  }: Pick<CliPorts, 'clock' | 'tools' | 'note' | 'settings'>,
  atHand: AtHand,
  record: NewRecord,
): Promise<Delivered> => {
  const { trust, next } = atHand.state;
  const sealed = refuseSealed(trust);
  if (sealed !== undefined) return sealed;
  const admitted = await admitRecord(
    { tools, audience, trust, next, nowMs: clock.nowMs() },
    { rows: (wanted) => rowTexts(atHand, wanted), newestPolicy: () => newestPolicy(atHand) },
    record,
  );
  if (!admitted.ok) return fail(nothingStored(admitted.problem));
  const { value: answer } = admitted;
  if (!answer.ok) {
    const { code, message, hint = '' } = answer.problem;
    return refuse(code, message, hint);
  }
  const admission = answer.value;
  // The log is here to its end: nobody has planned it. Whoever could have been told of a late one is gone.
  const isLate = record.headers.some(({ name }) => name === headerNames.waited);
  if (admission.code === 'unplanned' && !isLate)
    return refuse(
      'deployment-unknown',
      `no deployment ${admission.deployment} is known`,
      'plan it first: plimsoll release plan',
    );
  if (admission.answer === 'duplicate')
    return ok(receiptOf(admission, 'duplicate', admission.position));
  const position = await append(atHand.log, record);
  if (!position.ok) return position;
  if (admission.warning !== null)
    note({ code: admission.code ?? 'warning', message: admission.warning, hint: '' });
  return ok(receiptOf(admission, 'stored', position.value));
};

const newestPolicy = async (atHand: AtHand): Promise<Result<PolicyRow | undefined, CliProblem>> => {
  const newest = await scanRows<PolicyRow>(atHand, policyModel, {
    range: { newestFirst: true },
    wantedMax: 1,
  });
  return newest.ok ? ok(newest.value[0]) : newest;
};

/**
 * Appends without asking the rules, for when the read models cannot be reached: the fold judges it later. That it is
 * the log that PLIMSOLL_LOG_ID names is asked of the log itself.
 */
const deliverUnasked = async (
  ports: Pick<CliPorts, 'tools' | 'settings'>,
  log: RecordLog,
  record: NewRecord,
): Promise<Delivered> => {
  const foreign = await foreignLog(ports, log);
  if (foreign !== undefined) return fail(foreign);
  const { marker, kind } = labelOf(ports.tools.text, record);
  if (!isKind(kind)) throw new TypeError(`a record of ours has the kind ${kind}`);
  const position = await append(log, record);
  return position.ok
    ? ok({
        // Whoever sends it knows; the record's key does not say it of every kind.
        deployment: null,
        attempt: null,
        marker,
        kind,
        delivery: 'stored',
        code: 'not-checked',
        position: position.value,
      })
    : position;
};

/** Why this is not the log that was pinned, or undefined. */
const foreignLog = async (
  { tools, settings: { audience, logId } }: Pick<CliPorts, 'tools' | 'settings'>,
  log: RecordLog,
): Promise<CliProblem | undefined> => {
  if (logId === null) return undefined;
  const read = await log.read(0, 0, 1);
  if (!read.ok)
    return nothingStored(problem(read.problem.code, read.problem.message, appendHints.unreachable));
  const [opening] = read.value;
  if (opening === undefined)
    return foldFailed({ code: 'log-empty', message: `${log.name} has no record 0 yet` });
  const opened = checkOpening(tools, audience, opening);
  if (!opened.ok)
    return foldFailed({
      code: 'log-not-opened',
      message: `record 0 of ${log.name} does not open this log: ${opened.problem.message}`,
    });
  return opened.value.log === logId
    ? undefined
    : foldFailed({
        code: 'foreign-log',
        message: `${log.name} is the log ${opened.value.log}; PLIMSOLL_LOG_ID asks for ${logId}`,
      });
};

/** An outage before anything was sent, with what came of the marker: who reads on past --no-fail must not miss it. */
export const nothingStored = (cause: CliProblem): CliProblem =>
  cause.exit === 6 ? { ...cause, message: `${cause.message}; nothing was stored` } : cause;

const appendTriesMax = 3;

/** Appends one record; where nobody knows whether it was stored it is sent again, which does no harm. */
export const append = async (
  log: RecordLog,
  record: NewRecord,
  partition = 0,
): Promise<Result<number, CliProblem>> => {
  const positions = await appendAll(log, [record], partition);
  return positions.ok ? ok(positions.value[0] ?? 0) : positions;
};

/** The same for records that stand next to each other, all or none. */
export const appendAll = async (
  log: RecordLog,
  records: readonly NewRecord[],
  partition = 0,
): Promise<Result<readonly number[], CliProblem>> => {
  for (let tried = 1; ; tried++) {
    const appended = await log.append(partition, records);
    if (appended.ok) return ok(appended.value.map(({ position }) => position));
    const { message } = appended.problem;
    // What the first try left open, a later one that could not even be sent does not settle.
    const isOpen = tried > 1 && appended.problem.code === 'unreachable';
    const code = isOpen ? 'unknown' : appended.problem.code;
    // Nobody knows whether it was stored. The same bytes again are the same marker, which counts once.
    if (code === 'unknown' && tried < appendTriesMax) continue;
    const cause = problem(code, message, appendHints[code]);
    return fail(code === 'unreachable' ? nothingStored(cause) : cause);
  }
};

const appendHints: {
  readonly [Code in 'unreachable' | 'unknown' | 'refused' | 'corrupt']: string;
} = {
  unreachable: 'is the log up? See PLIMSOLL_LOG',
  unknown: 'it may have been stored; the same command again does no harm',
  refused: 'nothing was written; is the disk full, or the log not writable?',
  corrupt: 'nothing was written; restore the log from a backup',
};
