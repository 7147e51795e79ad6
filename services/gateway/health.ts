import type { Json } from '../core/canonical.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Clock } from '../ports/clock.ts';
import type { HttpResponse } from '../ports/http.ts';
import type { Appender } from './appender.ts';
import { queueRecordsMax } from './appender.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import type { ReadSide } from './read-side.ts';

/** Read models further behind the log than this answer too little to send people here. */
export const lagRecordsMax = 10_000;
const probeWithinMs = 2000;

/** The process answers: that is all. */
export const getHealth = (): Result<HttpResponse, Problem> =>
  ok({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ status: 'alive' }),
  });

type Reason = { readonly code: string; readonly message: string };

/** Whether this gateway can do its work: the log and the read models answer, and the one follows the other. */
export const getReadiness = async (
  ports: Pick<GatewayPorts, 'log' | 'clock' | 'tools' | 'alongside'> & {
    readonly reads: ReadSide;
    readonly appender: Appender;
    readonly answers: () => { readonly [statusOrCode: string]: number };
  },
): Promise<Result<HttpResponse, Problem>> => {
  const asOf = await inTime(ports.clock, ports.reads.asOf());
  // Asked after it: what is applied by then lies on the log.
  const range = await inTime(ports.clock, ports.log.range(0));
  const reasons: Reason[] = [];
  if (range === undefined) reasons.push(noAnswer('log-unreachable', ports.log.name));
  else if (!range.ok) reasons.push({ code: 'log-unreachable', message: range.problem.message });
  if (asOf === undefined) reasons.push(noAnswer('store-unreachable', 'the store of read models'));
  else if (!asOf.ok) reasons.push({ code: asOf.problem.code, message: asOf.problem.message });
  const end = range?.ok === true ? range.value.end : null;
  const checkpoint = asOf?.ok === true ? asOf.value.checkpoint : null;
  const lagRecords = end === null || checkpoint === null ? null : end - checkpoint.next;
  if (lagRecords !== null && lagRecords > lagRecordsMax)
    reasons.push({ code: 'behind', message: `the read models are ${lagRecords} records behind` });
  // More applied than the log holds: they are not of this log, or it lost its end.
  if (lagRecords !== null && lagRecords < 0)
    reasons.push({
      code: 'log-shortened',
      message: `the read models hold ${-lagRecords} records that the log does not`,
    });
  if (checkpoint !== null && lagRecords !== null && lagRecords >= 0) {
    const last = await inTime(ports.clock, ports.log.read(0, checkpoint.next - 1, 1));
    const record = last?.ok === true ? last.value[0] : undefined;
    if (
      record !== undefined &&
      ports.tools.crypto.sha256Hex(record.value) !== checkpoint.lastDigest
    )
      reasons.push({
        code: 'foreign-log',
        message: `the read models were folded from another log, ${checkpoint.logId}`,
      });
  }
  // A sealed log is still read here; only appends must go where it went on.
  const known = asOf?.ok === true ? await inTime(ports.clock, ports.reads.trust()) : undefined;
  const sealed = known?.ok === true ? known.value.trust.sealed : null;
  const queued = ports.appender.queued();
  if (queued >= queueRecordsMax)
    reasons.push({ code: 'busy', message: `${queued} records wait for the log` });
  const state: { readonly [name: string]: Json } = {
    log: { name: ports.log.name, end },
    checkpoint: checkpoint === null ? null : { logId: checkpoint.logId, next: checkpoint.next },
    lagRecords,
    queued,
    ...(sealed === null ? {} : { appends: { code: 'log-sealed', ...sealed } }),
    gateway: { answers: ports.answers() },
    ...ports.alongside?.(),
  };
  const [first] = reasons;
  if (first !== undefined)
    return fail({
      code: 'not-ready',
      message: first.message,
      more: { ...state, reasons: reasons.map((reason) => ({ ...reason })) },
    });
  return ok({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ status: 'ready', ...state }),
  });
};

const inTime = async <Value>(clock: Clock, work: Promise<Value>): Promise<Value | undefined> => {
  const answered = new AbortController();
  const late = clock.sleep(probeWithinMs, answered.signal).then(() => undefined);
  const first = await Promise.race([work, late]);
  answered.abort();
  return first;
};

const noAnswer = (code: string, name: string): Reason => ({
  code,
  message: `${name} does not answer within ${probeWithinMs} ms`,
});
