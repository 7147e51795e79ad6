import type { CheckTools } from '../../core/check/check-record.ts';
import type { Checked } from '../../core/check/check-batch.ts';
import type { Position } from '../../core/log/record.ts';
import type { KeyState, Trust } from '../../core/trust/trust.ts';
import { coversEverywhere, hasRole } from '../../core/trust/trust.ts';
import { isWeakSignature } from '../../core/trust/weak-keys.ts';
import type { Entry, Identity, Manifest } from './manifest.ts';
import { entryMessage, fileName } from './manifest.ts';

// Which entries of a manifest count, by the keys that the archived log itself names.

/** A `log-archived` record that the archived log accepted: who said where that the archive had this digest. */
export type Witness = {
  readonly position: Position;
  readonly digest: string;
  readonly keyId: string;
};

/** The witness in a record, or undefined. The fold takes operations only of keys for everything. */
export const witnessIn = (checked: Checked): Witness | undefined => {
  if (checked.outcome !== 'authentic') return undefined;
  const { marker, signer } = checked.authentic;
  if (marker.kind !== 'log-archived' || marker.digest === null) return undefined;
  return coversEverywhere(signer)
    ? { position: checked.record.position, digest: marker.digest, keyId: signer.id }
    : undefined;
};

export type EntryFault = { readonly index: number; readonly message: string };

/**
 * The last entry that does not count, and why; undefined where all do. An entry counts by its own signature while its
 * key is good at the archive's end. Of a key that was found compromised later a thief can sign any old file anew:
 * such an entry counts only where a `log-archived` record from before the key was lost names it or an entry after it,
 * and where that record lies in an entry that counts itself.
 */
export const untrustedEntry = (
  tools: CheckTools,
  trust: Trust,
  { identity, entries, digests }: Manifest,
  witnesses: readonly Witness[],
): EntryFault | undefined => {
  const indexOf = new Map(digests.slice(1).map((digest, index) => [digest, index]));
  const inOrder = witnesses.toSorted((one, other) => one.position - other.position);
  /** For entries from here back: how early the earliest record that names one at or after it lies. */
  const namedAt: Position[] = entries.map(() => Number.POSITIVE_INFINITY);
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    const entry = entries[index];
    if (entry === undefined) continue;
    const named = Math.min(namedAt[index] ?? Infinity, namedAt[index + 1] ?? Infinity);
    namedAt[index] = named;
    const message = faultOf(tools, trust, identity, entry, named);
    if (message !== undefined) return { index, message };
    while ((inOrder.at(-1)?.position ?? -1) >= entry.first) {
      const witness = inOrder.pop();
      const names = witness === undefined ? undefined : indexOf.get(witness.digest);
      if (witness === undefined || names === undefined || names >= index) continue;
      if (!isLost(trust.keys.get(witness.keyId), witness.position))
        namedAt[names] = Math.min(namedAt[names] ?? Infinity, witness.position);
    }
  }
  return undefined;
};

const isLost = (key: KeyState | undefined, position: Position): boolean =>
  key === undefined || (key.compromised !== null && key.compromised.since <= position);

const faultOf = (
  { crypto, text }: CheckTools,
  trust: Trust,
  identity: Identity,
  entry: Entry,
  namedAt: Position,
): string | undefined => {
  const key = trust.keys.get(entry.key);
  if (key === undefined) return `is signed by ${entry.key}, a key that the log has not named`;
  if (!hasRole(key, 'operator')) return `is signed by ${key.id}, which has not the role operator`;
  if (key.retiredAt !== null && key.retiredAt <= entry.last)
    return `is signed by ${key.id}, which was retired at position ${key.retiredAt}`;
  if (key.compromised !== null && key.compromised.since <= entry.last)
    return `is signed by ${key.id}, which is compromised since position ${key.compromised.since}`;
  if (key.compromised !== null && namedAt >= key.compromised.since)
    return `(${fileName(entry)}) is signed by ${key.id}, which is compromised since position ${key.compromised.since} [key-compromised]; no log-archived record from before then names it, so whoever has the key may have written it anew`;
  const signature = text.decodeBase64(entry.signature);
  const isGood =
    signature?.length === 64 &&
    !isWeakSignature(signature) &&
    crypto.verify('ed25519', key.publicKey, entryMessage(text, identity, entry), signature);
  return isGood ? undefined : `has a signature that does not fit what it says`;
};
