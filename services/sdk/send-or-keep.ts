import type { NewRecord } from '../core/log/record.ts';
import type { Receipt } from '../core/markers/http-wire.ts';
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
 * the time; where something of the same key still lies there afterwards, this one lies down behind it. Only a rule's no
 * leaves it nowhere. Rejects only if `deliver` or the spool break their promises by throwing before anything is known.
 */
export const sendOrKeep = async (
  ports: SendPorts,
  deadline: Deadline,
  sending: ToSend,
  reserveMs: number,
): Promise<Sent> => {
  const { deliver } = ports;
  if (typeof deliver !== 'function') return keep(ports, deadline, sending, deliver);
  const leftMs = (): number => Math.max(0, deadline.leftMs() - reserveMs);
  const before = await flushFirst({ ...ports, deliver }, deadline, reserveMs, sending.record);
  if (before.holdsBack) return keep(ports, deadline, sending, behindCause(before.cause));
  const work = deliver(sending.record, leftMs()).catch((error: unknown) => ({
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

/** What lies in the spool, for at most half of the time; and whether something that stays there holds this one back. */
const flushFirst = async (
  ports: FlushPorts & Pick<SendPorts, 'spool' | 'onFlushed'>,
  deadline: Deadline,
  reserveMs: number,
  record: NewRecord,
): Promise<{ readonly holdsBack: boolean; readonly cause: Cause | null }> => {
  const listingMs = (deadline.leftMs() - reserveMs) / 2;
  const waiting = await deadline.before(reserveMs + listingMs, ports.spool.waiting());
  // A spool that cannot be read, or does not answer, holds nobody back: what lies there is sent when it can.
  if (waiting?.ok !== true || waiting.value.length === 0) return { holdsBack: false, cause: null };
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
  return {
    holdsBack: flushed === undefined ? ahead.size > 0 : flushed.keysWaiting.has(keyHash),
    cause: flushed?.cause ?? null,
  };
};

const keep = async (
  { spool, graceMs }: SendPorts,
  deadline: Deadline,
  sending: ToSend,
  { code, message, hint }: Cause,
): Promise<Sent> => {
  const wanted = { ...sending, to: 'log' as const };
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
