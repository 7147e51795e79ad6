import type { NewRecord } from '../core/log/record.ts';
import type { Receipt } from '../core/markers/http-wire.ts';
import { buildsOnEarlier } from '../core/markers/kinds.ts';
import { labelOf } from '../core/spool/spooled-marker.ts';
import type { Deliver, DeliveryRefused } from '../ports/delivery.ts';
import type { Spool, SpoolProblem } from '../ports/spool.ts';
import type { Deadline } from './deadline.ts';
import type { Flushed, FlushPorts } from './flush-spool.ts';
import { flushSpool } from './flush-spool.ts';

/** Why a marker was not delivered. */
export type Cause = { readonly code: string; readonly message: string; readonly hint: string };

/** What became of a signed marker by its deadline. */
export type Sent =
  | { readonly outcome: 'taken'; readonly receipt: Receipt; readonly warning: string | null }
  | { readonly outcome: 'refused'; readonly refusal: DeliveryRefused }
  /** It lies in the spool, and is sent by whoever comes next. */
  | { readonly outcome: 'spooled'; readonly cause: Cause; readonly bytes: Uint8Array }
  /** Not even the spool took it. These bytes are all there is of it. */
  | {
      readonly outcome: 'unkept';
      readonly cause: Cause;
      readonly problem: SpoolProblem;
      readonly bytes: Uint8Array;
    };

export type SendPorts = Omit<FlushPorts, 'deliver' | 'spool'> & {
  readonly spool: Spool;
  /** Null where it is known that nobody can take it: the cause says why. */
  readonly deliver: Deliver | Cause;
  /** How long at least a disk is waited for, past the deadline if need be: what it does not keep may be nowhere. */
  readonly graceMs: number;
  /** Told of each that lay in the spool and was looked at. */
  readonly onFlushed?: (flushed: Flushed) => void;
};

export type ToSend = {
  readonly record: NewRecord;
  /** Null for what is about no deployment. */
  readonly deployment: string | null;
};

/** Of the deadline, for laying the marker down when nobody took it. */
export const keepReserveMs = (timeoutMs: number): number => Math.min(500, timeoutMs / 4);

/** One command sends so many of those that lie there. */
const flushedMax = 20;

/**
 * Delivers a signed marker by the deadline, or lays it into the spool. What lies there goes before it, for at most half of
 * the time; where something of the same key still lies there afterwards, or nobody knows and it builds on what was said
 * before, this one lies down behind it. Only a rule's no leaves it nowhere. Rejects only if `deliver` or the spool break
 * their promises by throwing before anything is known.
 */
export const sendOrKeep = async (
  ports: SendPorts,
  deadline: Deadline,
  sending: ToSend,
  reserveMs: number,
): Promise<Sent> => {
  const { deliver } = ports;
  if (typeof deliver !== 'function') return keep(ports, deadline, sending, deliver);
  const able = { ...ports, deliver };
  const before = await flushFirst(able, deadline, reserveMs, sending.record);
  if (before.ahead === 'some') return keep(ports, deadline, sending, behindCause(before.cause));
  const { kind } = labelOf(ports.tools.text, sending.record);
  return before.ahead === 'unknown' && buildsOnEarlier(kind)
    ? keepOrDeliver(able, deadline, sending, reserveMs, unlistedCause(before.cause))
    : deliverOrKeep(able, deadline, sending, reserveMs);
};

type AbleToDeliver = SendPorts & Pick<FlushPorts, 'deliver'>;

const deliverOrKeep = async (
  ports: AbleToDeliver,
  deadline: Deadline,
  sending: ToSend,
  reserveMs: number,
): Promise<Sent> => {
  const withinMs = Math.max(0, deadline.leftMs() - reserveMs);
  const work = ports.deliver(sending.record, withinMs).catch((error: unknown) => ({
    outcome: 'away' as const,
    code: 'internal',
    message: error instanceof Error ? error.message : String(error),
    hint: 'this is a fault of Plimsoll; please report it',
    mayBeStored: true,
  }));
  const delivery = await deadline.before(reserveMs, work);
  if (delivery === undefined) return keep(ports, deadline, sending, lateCause);
  switch (delivery.outcome) {
    case 'taken':
      return { outcome: 'taken', receipt: delivery.receipt, warning: delivery.warning };
    case 'refused':
      return { outcome: 'refused', refusal: delivery };
    case 'away':
      return keep(ports, deadline, sending, delivery);
  }
};

/**
 * Behind what nobody could list: a disk that is slow keeps it in its place, and one that keeps nothing must not cost it.
 * Of the disk's grace the first part is for keeping it, the others for delivering it after all and for the answer of the disk.
 */
const keepOrDeliver = async (
  ports: AbleToDeliver,
  deadline: Deadline,
  sending: ToSend,
  reserveMs: number,
  cause: Cause,
): Promise<Sent> => {
  const { spool, graceMs } = ports;
  const wanted = wantedOf(sending);
  const partMs = graceMs / 6;
  const keeping = spool.keep(wanted);
  const leftMs = deadline.leftMs();
  const kept = await deadline.before(Math.min(leftMs / 2, leftMs - 4 * partMs), keeping);
  if (kept?.ok === true) return { outcome: 'spooled', cause, bytes: spool.bytesOf(wanted) };
  // Asked once: it may still come to lie there.
  const last = { ...ports, spool: { ...spool, keep: () => keeping }, graceMs: partMs };
  const endMs = kept === undefined ? Math.min(0, deadline.leftMs() - partMs) : reserveMs;
  const sent = await deliverOrKeep(last, deadline, sending, endMs);
  return sent.outcome === 'refused' && wantsEarlier.has(sent.refusal.code)
    ? keep(last, deadline, sending, cause)
    : sent;
};

/** Refusals of what may lack nothing but a marker that lies in the spool. */
const wantsEarlier: ReadonlySet<string> = new Set([
  'deployment-unknown',
  'not-deployed',
  'not-released',
]);

/** The cause of what nobody answered to in time. */
export const lateCause: Cause = {
  code: 'timeout',
  message: 'no answer in time',
  hint: 'it may have been stored; the same marker again does no harm',
};

const behindCause = (cause: Cause | null): Cause => ({
  code: cause?.code ?? 'timeout',
  message: `earlier markers of it still wait${cause === null ? '' : ` (${cause.message})`}`,
  hint: cause?.hint ?? 'plimsoll flush sends them',
});

const unlistedCause = (cause: Cause | null): Cause => ({
  code: cause?.code ?? 'timeout',
  message: `earlier markers of it may still wait, and the spool ${cause === null ? 'did not say so in time' : `cannot be read (${cause.message})`}`,
  hint: 'plimsoll flush sends them',
});

/** What lies in the spool, for at most half of the time; and whether something of the same key stays there. */
const flushFirst = async (
  ports: FlushPorts & Pick<SendPorts, 'spool' | 'onFlushed'>,
  deadline: Deadline,
  reserveMs: number,
  record: NewRecord,
): Promise<{ readonly ahead: 'none' | 'some' | 'unknown'; readonly cause: Cause | null }> => {
  const listingMs = (deadline.leftMs() - reserveMs) / 2;
  const waiting = await deadline.before(reserveMs + listingMs, ports.spool.waiting());
  if (waiting?.ok !== true)
    return {
      ahead: 'unknown',
      cause: waiting === undefined ? null : { ...waiting.problem, hint: '' },
    };
  if (waiting.value.length === 0) return { ahead: 'none', cause: null };
  const keyHash = ports.spool.keyHashOf(record);
  const ahead = new Set(
    waiting.value.filter((entry) => entry.keyHash === keyHash).map(({ marker }) => marker),
  );
  const halfMs = (deadline.leftMs() - reserveMs) / 2;
  const work = flushSpool(ports, waiting.value, {
    from: 'waiting',
    markersMax: flushedMax,
    withinMs: () => Math.max(0, deadline.leftMs() - reserveMs - halfMs),
    withExpired: false,
    onFlushed: (flushed) => {
      if (flushed.delivery !== 'waiting') ahead.delete(flushed.marker);
      ports.onFlushed?.(flushed);
    },
  });
  const flushed = await deadline.before(reserveMs + halfMs, work);
  const isAhead = flushed === undefined ? ahead.size > 0 : flushed.keysWaiting.has(keyHash);
  return { ahead: isAhead ? 'some' : 'none', cause: flushed?.cause ?? null };
};

const wantedOf = (sending: ToSend): ToSend & { readonly to: 'log' } => ({ ...sending, to: 'log' });

const keep = async (
  { spool, graceMs }: SendPorts,
  deadline: Deadline,
  sending: ToSend,
  { code, message, hint }: Cause,
): Promise<Sent> => {
  const wanted = wantedOf(sending);
  const cause = { code, message, hint };
  const bytes = spool.bytesOf(wanted);
  const kept = await deadline.before(Math.min(0, deadline.leftMs() - graceMs), spool.keep(wanted));
  if (kept?.ok === true) return { outcome: 'spooled', cause, bytes };
  const problem = kept?.problem ?? {
    code: 'spool-failed' as const,
    message: `${spool.place} did not answer in time`,
  };
  return { outcome: 'unkept', cause, problem, bytes };
};
