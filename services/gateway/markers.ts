import { receiptOf } from '../core/admit-record.ts';
import type { NewRecord, Position } from '../core/log/record.ts';
import { fromHttp, withinHeader } from '../core/markers/http-wire.ts';
import type { Receipt } from '../core/markers/http-wire.ts';
import { valueBytesMax } from '../core/markers/limits.ts';
import { markerKey } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { KeyState } from '../core/trust/trust.ts';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import type { Verdict } from './admission.ts';
import { admitMarker } from './admission.ts';
import type { Appender } from './appender.ts';
import { bodyOf } from './body.ts';
import { namesUsedFirst } from './new-names.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';
import type { ReadSide } from './read-side.ts';
import type { Recent } from './recent.ts';

/** What the gateway answers to a marker: a receipt, and in words what there is to know. */
export type GatewayReceipt = Receipt & { readonly warning: string | null };

/** How long a marker waits for the projector, where records that are not folded yet may change the answer. */
export const catchUpWithinMs = 2000;

export type MarkerPorts = Pick<GatewayPorts, 'log' | 'tools' | 'audience' | 'clock'> & {
  readonly reads: ReadSide;
  readonly appender: Appender;
  readonly recent: Recent;
};

/** POST /v1/markers: one signed record. Whatever is not proven here does not reach the log. */
export const postMarker = async (
  ports: MarkerPorts,
  request: HttpRequest,
): Promise<Result<HttpResponse, Problem>> => {
  const record = await readRecord(ports, request);
  return record.ok ? storeRecord(ports, record.value, undefined, patienceOf(request)) : record;
};

/** How long the projector is waited for: half of what the sender has, where it says so. */
const patienceOf = (request: HttpRequest): number => {
  const within = request.header(withinHeader) ?? '';
  return /^[0-9]{1,9}$/.test(within)
    ? Math.min(catchUpWithinMs, Number(within) / 2)
    : catchUpWithinMs;
};

/** Proves a signed record, asks the rules and what else may speak against its signer, and has it appended unless it is there. */
export const storeRecord = async (
  ports: MarkerPorts,
  record: NewRecord,
  faultOf: (signer: KeyState) => Problem | undefined = () => undefined,
  patienceMs: number = catchUpWithinMs,
): Promise<Result<HttpResponse, Problem>> => {
  const verdict = await admitCaughtUp(ports, record, patienceMs);
  if (!verdict.ok) return verdict;
  const fault = faultOf(verdict.value.authentic.signer);
  if (fault !== undefined) return fail(fault);
  if (verdict.value.answer === 'duplicate')
    return ok(respond(verdict.value, 'duplicate', verdict.value.position));
  const { authentic, heldUpTo } = verdict.value;
  const newNames = await namesUsedFirst(ports.reads, authentic.marker);
  const identity = markerKey(authentic.marker.marker, authentic.signer.principal);
  const taken = await ports.recent.once(identity, authentic.digest, heldUpTo, () =>
    ports.appender.append(record),
  );
  if (!taken.ok) return taken;
  const { position, isFirst } = taken.value;
  const warning = [verdict.value.warning, newNames].filter((text) => text !== null).join('; ');
  const told = { ...verdict.value, warning: warning === '' ? null : warning };
  return ok(respond(told, isFirst ? 'stored' : 'duplicate', position));
};

/** Whether a request says that its body is JSON, of whatever dialect. */
export const isJson = ({ header }: Pick<HttpRequest, 'header'>): boolean =>
  /^application\/(?:[a-z.-]+\+)?json\b/i.test(header('content-type') ?? '');

/** The signed record that a request carries; nothing in it is believed yet. */
export const readRecord = async (
  { tools }: Pick<MarkerPorts, 'tools'>,
  request: HttpRequest,
): Promise<Result<NewRecord, Problem>> => {
  const encoding = request.header('content-encoding');
  // What is signed are the bytes that travel; and what is not unpacked cannot burst.
  if (encoding !== undefined)
    return refuse(
      'content-encoding-unsupported',
      'a marker travels as it was signed, without Content-Encoding',
    );
  if (isJson(request))
    return refuse(
      'json-not-taken',
      'no JSON is taken here',
      'send the signed Avro body: plimsoll with PLIMSOLL_URL does',
    );
  if (request.header('content-type') !== 'application/avro')
    return refuse('content-type-unsupported', 'the content type must be application/avro');
  const body = await bodyOf(request, valueBytesMax, 'value-too-large');
  return body.ok ? fromHttp(tools.text, request.header, body.value) : body;
};

/**
 * A key that was just added, a plan that was just appended: they are on the log before they are in the read models.
 * Where that may be so the verdict waits for the projector.
 */
const admitCaughtUp = async (
  ports: MarkerPorts,
  record: NewRecord,
  patienceMs: number,
): Promise<Result<Verdict, Problem>> => {
  const verdict = await admitMarker(ports, record);
  if (!dependsOnUnread(verdict)) return verdict;
  const range = await ports.log.range(0);
  if (!range.ok) return refuse('log-unreachable', range.problem.message);
  const last = range.value.end - 1;
  const reached = await ports.reads.waitFor(last, patienceMs);
  if (reached.ok) return admitMarker(ports, record);
  if (reached.problem.code !== 'not-yet') return reached;
  if (verdict.ok) return verdict;
  return fail({
    ...reached.problem,
    code: 'behind',
    message: `${verdict.problem.message}; but the read models are behind the log: ${reached.problem.message}`,
  });
};

const dependsOnUnread = (verdict: Result<Verdict, Problem>): boolean =>
  verdict.ok
    ? verdict.value.code === 'unplanned'
    : ['key-unknown', 'waited-bad', 'deployment-unknown'].includes(verdict.problem.code);

const respond = (
  verdict: Verdict,
  delivery: 'stored' | 'duplicate',
  position: Position | null,
): HttpResponse => {
  const receipt: GatewayReceipt = {
    ...receiptOf(verdict, delivery, position),
    warning: verdict.warning,
  };
  return {
    status: delivery === 'stored' ? 201 : 200,
    headers: {
      'content-type': 'application/json',
      ...(receipt.deployment === null ? {} : { location: `/v1/deployments/${receipt.deployment}` }),
    },
    body: JSON.stringify(receipt),
  };
};
