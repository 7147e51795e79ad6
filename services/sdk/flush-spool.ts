import type { Crypto, Text } from '../core/markers/crypto.ts';
import type { Sign } from '../core/markers/wire.ts';
import { waitedHeader, waitedMessage, withWaited } from '../core/markers/wire.ts';
import type { NewRecord } from '../core/log/record.ts';
import { isTooOld, labelOf } from '../core/spool/spooled-marker.ts';
import type { Deliver, Delivery, DeliveryRefused } from '../ports/delivery.ts';
import type { Spool, SpoolEntry, SpooledRead } from '../ports/spool.ts';

export type FlushPorts = {
  readonly tools: { readonly text: Text; readonly crypto: Pick<Crypto, 'sha256Hex'> };
  readonly audience: string;
  readonly spool: Pick<Spool, 'read' | 'remove' | 'refuse'>;
  readonly deliver: Deliver;
  /** Says how long a marker waited: a key that the log trusts. The marker keeps the signature that it has. */
  readonly signer: Sign;
};

/** What became of one marker of the spool. */
export type Flushed = {
  readonly marker: string;
  readonly kind: string | null;
  readonly deployment: string | null;
  /** `waiting`: it still lies there. `expired`: it lies there, and is sent only to who asks for it. */
  readonly delivery: 'stored' | 'duplicate' | 'refused' | 'waiting' | 'expired';
  readonly code: string | null;
  readonly message: string | null;
  readonly position: number | null;
  /** Milliseconds; null where it could not be read. */
  readonly waitedMs: number | null;
};

export type FlushOptions = {
  readonly from: 'waiting' | 'refused';
  /** At most so many are tried. */
  readonly markersMax: number;
  /** How long one try may take, asked before each; 0 ends the flush. */
  readonly withinMs: () => number;
  readonly withExpired: boolean;
  /** Keys of which something waits already. */
  readonly keysWaiting?: ReadonlySet<string>;
  readonly onFlushed?: (flushed: Flushed) => void;
};

export type FlushSummary = {
  readonly delivered: number;
  readonly refused: number;
  readonly expired: number;
  /** Those that were looked at and still wait, and those that nobody came to. */
  readonly waiting: number;
  /** Why the last one was not taken. */
  readonly cause: { readonly code: string; readonly message: string; readonly hint: string } | null;
  /** Keys of which something still waits: what is said of them next must not overtake it. */
  readonly keysWaiting: ReadonlySet<string>;
  /** Nobody is there, or the time is over: it makes no sense to go on. */
  readonly isOver: boolean;
};

/** So many tries in a row to no avail, and nobody is there. */
const awayMax = 3;

/**
 * Delivers what lies in a spool, in its order. A marker that is not taken now holds back those of the same key behind it
 * and no others. Each is removed when it is on the log, and not before; if we stop in between it is sent once more, which
 * does no harm. What a rule refuses is laid aside with the reason.
 */
export const flushSpool = async (
  ports: FlushPorts,
  entries: readonly SpoolEntry[],
  options: FlushOptions,
): Promise<FlushSummary> => {
  const { spool } = ports;
  const { from, markersMax, withinMs, withExpired, onFlushed } = options;
  const count = { delivered: 0, refused: 0, expired: 0, waiting: 0 };
  const keysWaiting = new Set<string>(options.keysWaiting);
  let cause: FlushSummary['cause'] = null;
  let awayInARow = 0;
  let tried = 0;
  let isOver = false;
  const told = (flushed: Flushed): void => onFlushed?.(flushed);
  const wait = (entry: SpoolEntry, read: SpooledRead | null, why: FlushSummary['cause']): void => {
    cause = why ?? cause;
    count.waiting += 1;
    keysWaiting.add(entry.keyHash);
    told(lineOf(ports, entry, read, 'waiting', why, null));
  };
  for (const [index, entry] of entries.entries()) {
    const budgetMs = withinMs();
    if (budgetMs <= 0 || tried >= markersMax || awayInARow >= awayMax) {
      isOver = true;
      for (const left of entries.slice(index)) wait(left, null, null);
      break;
    }
    if (keysWaiting.has(entry.keyHash)) {
      wait(entry, null, null);
      continue;
    }
    const read = await spool.read(entry, from);
    if (!read.ok) {
      const { code, message } = read.problem;
      if (code === 'spool-damaged') {
        await spool.refuse(entry, { code, message, hint: damagedHint });
        count.refused += 1;
        told(lineOf(ports, entry, null, 'refused', { code, message }, null));
      } else wait(entry, null, { code, message, hint: 'see the folder of the spool' });
      continue;
    }
    const spooled = read.value;
    // Another process was faster: it is delivered.
    if (spooled === undefined) continue;
    if (spooled.isExpired && !withExpired) {
      count.expired += 1;
      told(lineOf(ports, entry, spooled, 'expired', null, null));
      continue;
    }
    tried += 1;
    const delivery = await deliverLate(ports, spooled, budgetMs);
    if (delivery.outcome === 'taken') {
      awayInARow = 0;
      count.delivered += 1;
      const { delivery: word, code, position } = delivery.receipt;
      await spool.remove(entry, from);
      const by = word === 'duplicate' ? 'duplicate' : 'stored';
      told(lineOf(ports, entry, spooled, by, code === null ? null : { code }, position));
      continue;
    }
    const { code, message, hint } = delivery;
    if (delivery.outcome === 'refused' && !isOfTheWay(delivery)) {
      awayInARow = 0;
      if (from === 'waiting') await spool.refuse(entry, { code, message, hint });
      count.refused += 1;
      told(lineOf(ports, entry, spooled, 'refused', { code, message }, null));
      continue;
    }
    awayInARow += 1;
    wait(entry, spooled, { code, message, hint });
  }
  return { ...count, cause, keysWaiting, isOver };
};

const damagedHint = 'it cannot be read; the log of the CI job may have it as plimsoll-marker:v1:…';

/** No fault of the marker's: of who delivers it, or of where it is delivered to. */
const isOfTheWay = ({ code }: DeliveryRefused): boolean =>
  code === 'waited-bad' || code === 'log-sealed' || code === 'foreign-log' || code === 'wrong-log';

/** Once, with how long it waited, signed by who delivers it. Whatever goes wrong, it is an answer. */
const deliverLate = async (
  ports: Pick<FlushPorts, 'tools' | 'audience' | 'deliver' | 'signer'>,
  { record, waitedMs }: { readonly record: NewRecord; readonly waitedMs: number },
  withinMs: number,
): Promise<Delivery> => {
  const { tools, audience, deliver, signer } = ports;
  const { text, crypto } = tools;
  if (isTooOld(waitedMs))
    return {
      outcome: 'refused',
      code: 'waited-too-long',
      message: 'it waited for more than 400 days, and no log takes such a marker',
      hint: 'plimsoll spool drop removes it',
      fault: 'rule',
    };
  try {
    const message = waitedMessage(text, audience, waitedMs, crypto.sha256Hex(record.value));
    const signature = await signer.sign(message);
    const waited = waitedHeader(text, waitedMs, signer.keyId, signature);
    return await deliver(withWaited(record, waited), withinMs);
  } catch (error) {
    return {
      outcome: 'away',
      code: 'internal',
      message: error instanceof Error ? error.message : String(error),
      hint: 'this is a fault of Plimsoll; please report it',
      mayBeStored: true,
    };
  }
};

const lineOf = (
  { tools }: FlushPorts,
  entry: SpoolEntry,
  read: SpooledRead | null,
  delivery: Flushed['delivery'],
  why: { readonly code: string; readonly message?: string } | null,
  position: number | null,
): Flushed => ({
  marker: entry.marker,
  kind: read === null ? null : labelOf(tools.text, read.record).kind,
  deployment: read?.deployment ?? null,
  delivery,
  code: why?.code ?? null,
  message: why?.message ?? null,
  position,
  waitedMs: read?.waitedMs ?? null,
});
