import { createCrypto } from '../adapters/ed25519/crypto.ts';
import { createText } from '../adapters/ed25519/text.ts';
import { openCodec } from '../adapters/avro/codec.ts';
import { loadSchemas } from '../adapters/avro/schema-files.ts';
import { checkBatch } from '../core/check/check-batch.ts';
import type { Checked } from '../core/check/check-batch.ts';
import type { Authentic, CheckTools } from '../core/check/check-record.ts';
import { checkOpening, checkRecord } from '../core/check/check-record.ts';
import type { LogRecord, Position } from '../core/log/record.ts';
import type { Marker, Slot } from '../core/markers/marker.ts';
import { slotKey } from '../core/markers/slot.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import { onBehalfOf } from '../core/trust/on-behalf.ts';
import type { Trust } from '../core/trust/trust.ts';
import { coversSlot, openTrust } from '../core/trust/trust.ts';
import type { Fact, NoFact } from './fact.ts';

/** Codec of the schemas of this release, cryptography, text. */
const openCheckTools = (): CheckTools => ({
  codec: openCodec(loadSchemas()),
  crypto: createCrypto(),
  text: createText(),
});

let shared: CheckTools | undefined;
const sharedTools = (): CheckTools => (shared ??= openCheckTools());

/**
 * Checks one record by the keys that stood before it, and decodes it. `trust` is what a `TrustLog` has folded from the
 * log's own records, never what came along with the record.
 */
export const verifyAndDecode = (
  record: LogRecord,
  { audience, trust, tools = sharedTools() }: VerifyWith,
): Result<Fact, NoFact> => {
  const checked = checkRecord(tools, audience, trust, record);
  return checked.ok ? placed(record, checked.value) : checked;
};

export type VerifyWith = {
  readonly audience: string;
  readonly trust: Trust;
  readonly tools?: CheckTools;
};

/** Who may sign, folded from the records of the log itself; each record is checked by those before it. */
export type TrustLog = {
  /** The next position that is looked at: what lies before it was taken already. */
  readonly next: () => Position;
  /** Undefined before record 0. */
  readonly trust: () => Trust | undefined;
  /**
   * Takes the next record, or a later one where those between are no changes of trust. Undefined: it was taken before.
   * `foreign-log`: record 0 opens another log than the pinned one, and nothing after it is ever taken.
   */
  readonly take: (record: LogRecord) => Result<Fact, NoFact> | undefined;
};

export type TrustLogOptions = {
  readonly audience: string;
  /** The log that is meant, as `plimsoll show 0` names it; null takes the first that comes. */
  readonly logId: string | null;
  readonly tools?: CheckTools;
};

export const openTrustLog = ({
  audience,
  logId,
  tools = sharedTools(),
}: TrustLogOptions): TrustLog => {
  let next = 0;
  let trust: Trust | undefined;

  const open = (record: LogRecord): Result<Fact, NoFact> => {
    if (record.position !== 0)
      return fail({
        code: 'log-not-opened',
        message: 'record 0, which opens the log, did not come',
      });
    const opened = checkOpening(tools, audience, record);
    if (!opened.ok) return opened;
    if (logId !== null && opened.value.log !== logId)
      return fail({
        code: 'foreign-log',
        message: `this is the log ${opened.value.log}, and ${logId} is pinned`,
      });
    trust = openTrust(opened.value, tools.crypto.sha256Hex(record.value));
    next = 1;
    const { id, principal } = opened.value.key;
    return ok(factOf(record, opened.value, { keyId: id, principal, onBehalf: null }, 0));
  };

  return {
    next: () => next,
    trust: () => trust,
    take: (record) => {
      if (trust === undefined) return open(record);
      if (record.position < next) return undefined;
      const { checked, trust: after } = checkBatch(tools, audience, trust, [record]);
      trust = after;
      next = record.position + 1;
      const [only] = checked;
      return only === undefined ? undefined : outcomeOf(record, only);
    },
  };
};

const outcomeOf = (record: LogRecord, checked: Checked): Result<Fact, NoFact> => {
  switch (checked.outcome) {
    case 'authentic':
    case 'trust-changed':
    case 'trust-repeated':
      return placed(record, checked.authentic);
    case 'rejected':
      return fail({ code: checked.code, message: checked.message });
  }
};

/** A place that the record itself names must be one for which its signer may speak. An update is its plan's to judge. */
const placed = (
  record: LogRecord,
  { marker, signer, waitedMs }: Authentic,
): Result<Fact, NoFact> => {
  const slot = slotOf(marker);
  if (slot !== null && !coversSlot(signer, slot))
    return fail({
      code: 'out-of-scope',
      message: `the key ${signer.id} of ${signer.principal} may not act on ${slotKey(slot)}`,
    });
  return ok(
    factOf(
      record,
      marker,
      { keyId: signer.id, principal: signer.principal, onBehalf: onBehalfOf(signer, marker) },
      waitedMs,
    ),
  );
};

const slotOf = (marker: Marker): Slot | null => ('slot' in marker ? marker.slot : null);

const factOf = (
  { position, appendedAtMs }: LogRecord,
  marker: Marker,
  { onBehalf, ...signer }: Fact['signer'] & Pick<Fact, 'onBehalf'>,
  waitedMs: number,
): Fact => ({ position, appendedAtMs, marker, signer, onBehalf, waitedMs });
