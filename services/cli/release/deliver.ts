import { admitRecord, receiptOf } from '../../core/admit-record.ts';
import { checkOpening } from '../../core/check/check-record.ts';
import type { NewRecord } from '../../core/log/record.ts';
import type { Receipt } from '../../core/markers/http-wire.ts';
import { markersPath, toHttp } from '../../core/markers/http-wire.ts';
import { isKind } from '../../core/markers/kinds.ts';
import type { Logged, Planned, Update } from '../../core/markers/marker.ts';
import type { PolicyRow } from '../../core/policy-records.ts';
import { policyModel } from '../../core/policy-records.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { HttpClient } from '../../ports/http.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { JsonFields } from '../../core/json-text.ts';
import { readAnswer } from '../terminal/gateway-answer.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { foldFailed, problem, refuse } from '../problem.ts';
import { rowTexts, scanRows } from '../reading/reading.ts';
import { refuseSealed } from '../operate/sealed.ts';

// The last step of an emitting command: the signed record onto the log, by hand or through a gateway.

export type Delivered = Result<Receipt, CliProblem>;
type Emittable = Planned | Update | Logged;

/** Asks the rules what the marker would become, then appends it; what is on the log already is not sent again. */
export const deliverAtHand = async (
  { clock, tools, settings: { audience } }: Pick<CliPorts, 'clock' | 'tools' | 'settings'>,
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
  // The log is here to its end: nobody has planned it.
  if (admission.code === 'unplanned')
    return refuse(
      'deployment-unknown',
      `no deployment ${admission.deployment} is known`,
      'plan it first: plimsoll release plan',
    );
  if (admission.answer === 'duplicate')
    return ok(receiptOf(admission, 'duplicate', admission.position));
  const position = await append(atHand.log, record);
  return position.ok ? ok(receiptOf(admission, 'stored', position.value)) : position;
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
export const deliverUnasked = async (
  ports: Pick<CliPorts, 'tools' | 'settings'>,
  log: RecordLog,
  marker: Emittable,
  record: NewRecord,
): Promise<Delivered> => {
  const foreign = await foreignLog(ports, log);
  if (foreign !== undefined) return fail(foreign);
  const position = await append(log, record);
  return position.ok
    ? ok({
        deployment: marker.deployment,
        attempt: null,
        marker: marker.marker,
        kind: marker.kind,
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

export const deliverThrough = async (
  gateway: HttpClient,
  { tools, note }: Pick<CliPorts, 'tools' | 'note'>,
  record: NewRecord,
  withinMs: number,
): Promise<Delivered> => {
  const { headers, body } = toHttp(tools.text, record);
  const answer = await gateway({ method: 'POST', path: markersPath, headers, body }, withinMs);
  if (!answer.ok && answer.problem.code === 'unreachable')
    return fail(problem('unreachable', answer.problem.message, appendHints.unknown));
  const json = readAnswer(tools.text, answer);
  if (!json.ok)
    return !answer.ok && answer.problem.code === 'no-connection'
      ? fail(nothingStored(json.problem))
      : json;
  const receipt = readReceipt(json.value);
  if (receipt === undefined)
    return fail(problem('unreachable', 'the answer is not that of a gateway', 'see PLIMSOLL_URL'));
  const { warning } = json.value;
  if (typeof warning === 'string')
    note({ code: receipt.code ?? 'warning', message: warning, hint: '' });
  return ok(receipt);
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

const deliveries = ['stored', 'spooled', 'refused', 'duplicate'];

const readReceipt = ({
  deployment,
  attempt,
  marker,
  kind,
  delivery,
  code,
  position,
}: JsonFields): Receipt | undefined => {
  const isNumberOrNull = (value: unknown): boolean => value === null || Number.isInteger(value);
  const isReceipt =
    (deployment === null || typeof deployment === 'string') &&
    typeof marker === 'string' &&
    typeof kind === 'string' &&
    isKind(kind) &&
    deliveries.includes(delivery as string) &&
    isNumberOrNull(attempt) &&
    isNumberOrNull(position) &&
    (code === null || typeof code === 'string');
  return isReceipt
    ? ({ deployment, attempt, marker, kind, delivery, code, position } as Receipt)
    : undefined;
};
