import type { DatedKey } from '../trust/trust.ts';
import { keyProblemAt } from '../trust/trust.ts';

/**
 * Whose samples a state was folded from, and which keys nobody knew when samples of theirs were stepped over: what the
 * log says of a key later may make both wrong. Plain JSON.
 */
export type Signers = {
  /** Append time of the newest sample that was taken, by key id. */
  readonly taken: { readonly [keyId: string]: number };
  readonly unknown: readonly string[];
};

/** Key ids are whatever a record says. */
const unknownMax = 100;

export const noSigners: Signers = { taken: {}, unknown: [] };

export const withTaken = (signers: Signers, keyId: string, appendedAtMs: number): Signers => {
  const before = signers.taken[keyId];
  if (before !== undefined && before >= appendedAtMs) return signers;
  return { ...signers, taken: { ...signers.taken, [keyId]: appendedAtMs } };
};

export const withUnknown = (signers: Signers, keyId: string): Signers =>
  signers.unknown.includes(keyId) || signers.unknown.length >= unknownMax
    ? signers
    : { ...signers, unknown: [...signers.unknown, keyId] };

/**
 * Whether these keys judge the samples as they were judged. Where not, the state is another than the same samples give
 * now, and whoever holds it reads them again.
 */
export const judgedAlike = (
  { taken, unknown }: Signers,
  keys: ReadonlyMap<string, DatedKey>,
): boolean =>
  // A key that nobody knows any more is not ended: the read models are being filled again.
  Object.entries(taken).every(([id, appendedAtMs]) => {
    const key = keys.get(id);
    return key === undefined || keyProblemAt(key, appendedAtMs) === undefined;
  }) && unknown.every((id) => !keys.has(id));
