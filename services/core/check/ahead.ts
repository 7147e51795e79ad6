import type { LogRecord, Position } from '../log/record.ts';
import type { WireHeaders, WireProblem } from '../markers/wire.ts';
import { markerType, preAuthenticationEncoding, readHeaders } from '../markers/wire.ts';
import type { Result } from '../result.ts';
import type { Trust } from '../trust/trust.ts';
import { keyProblem } from '../trust/trust.ts';
import { isWeakSignature } from '../trust/weak-keys.ts';
import type { CheckTools } from './check-record.ts';
import { signatureText } from './check-record.ts';

/** A signature that a check of these records will ask about. */
export type SignatureAhead = {
  readonly position: Position;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
};

/**
 * Signatures that may be checked before the records are, all at once: of the records whose key is known by now. What
 * is asked beside them, of keys that these records add and of waiting times, is checked when it is come to.
 */
export const signaturesAhead = (
  tools: CheckTools,
  audience: string,
  trust: Trust,
  records: readonly LogRecord[],
): { readonly signed: readonly SignatureAhead[]; readonly headers: HeadersRead } => {
  const headers = new Map<Position, Result<WireHeaders, WireProblem>>();
  const signed: SignatureAhead[] = [];
  for (const record of records) {
    const { position, value } = record;
    const read = readHeaders(tools.text, record);
    headers.set(position, read);
    if (!read.ok || tools.signatures?.known(position, 'value') !== undefined) continue;
    const { keyId, signature, schemaDigest } = read.value;
    const key = trust.keys.get(keyId);
    if (key === undefined || keyProblem(key) !== undefined || isWeakSignature(signature)) continue;
    const digestOf = (): string => tools.crypto.sha256Hex(value);
    if (tools.repeats?.isGood(schemaDigest, signatureText(read.value), digestOf) === true) continue;
    const type = markerType(schemaDigest, audience);
    const message = preAuthenticationEncoding(tools.text, type, value);
    signed.push({ position, publicKey: key.publicKey, message, signature });
  }
  return { signed, headers };
};

export type HeadersRead = ReadonlyMap<Position, Result<WireHeaders, WireProblem>>;
