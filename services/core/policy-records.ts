import type { Position } from './log/record.ts';
import type { Crypto } from './markers/crypto.ts';
import type { PolicySet } from './markers/marker.ts';
import type { OperationRow } from './operations.ts';
import { noOperationFields, operationRow } from './operations.ts';
import type { KeyState } from './trust/trust.ts';
import { coversEverywhere } from './trust/trust.ts';

// Documents of policies on the log. Each stands for itself; the newest counts from its position on.

/** One document that was set, by its position. */
export type PolicyRow = {
  readonly position: Position;
  readonly marker: string;
  /** When it counts. */
  readonly at: number;
  readonly occurredAt: number;
  readonly principal: string;
  readonly key: string;
  readonly source: string;
  readonly reason: string;
  readonly digest: string;
  /** Canonical JSON. A newer release may have written settings that this one does not know. */
  readonly document: string;
};

type From = { readonly position: Position; readonly at: number; readonly signer: KeyState };

/** The read model: rows by position, the newest last. */
export const policyModel = 'policy';

export const policyRow = (set: PolicySet, { position, at, signer }: From): PolicyRow => ({
  position,
  marker: set.marker,
  at,
  occurredAt: set.occurredAt,
  principal: signer.principal,
  key: signer.id,
  source: set.source,
  reason: set.reason,
  digest: set.digest,
  document: set.document,
});

/** Its line among what operators did. */
export const policyOperationRow = (set: PolicySet, from: From): OperationRow =>
  operationRow({ ...noOperationFields, ...set }, from, null);

/** Why this key may not set policies, or undefined: a document is about every place, also those it does not name. */
export const policyScopeRefusal = (signer: KeyState): string | undefined =>
  coversEverywhere(signer)
    ? undefined
    : `the key ${signer.id} of ${signer.principal} may act in some places only, and a document of policies is about all`;

/** Why it is not accepted, or undefined. */
export const policyRefusal = (
  crypto: Pick<Crypto, 'sha256HexOfText'>,
  { document, digest }: PolicySet,
  signer: KeyState,
): { readonly code: 'out-of-scope' | 'field-invalid'; readonly message: string } | undefined => {
  const refusal = policyScopeRefusal(signer);
  if (refusal !== undefined) return { code: 'out-of-scope', message: refusal };
  return crypto.sha256HexOfText(document) === digest
    ? undefined
    : { code: 'field-invalid', message: 'digest is not that of the document' };
};
