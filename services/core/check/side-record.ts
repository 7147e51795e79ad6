import type { NewRecord } from '../log/record.ts';
import type { DecodeProblem, SchemaRef } from '../markers/codec.ts';
import type { Role } from '../markers/marker.ts';
import type { Body } from '../markers/upcast.ts';
import { upcast } from '../markers/upcast.ts';
import type { WireHeaders, WireProblem } from '../markers/wire.ts';
import { preAuthenticationEncoding, readHeaders } from '../markers/wire.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import type { KeyProblem, KeyState } from '../trust/trust.ts';
import { hasRole, keyProblem } from '../trust/trust.ts';
import { isWeakSignature } from '../trust/weak-keys.ts';
import type { CheckTools } from './check-record.ts';

/** Why a record of a topic beside the log is not used, whatever it says. */
export type SideRecordProblem = {
  readonly code:
    | WireProblem['code']
    | DecodeProblem['code']
    | 'key-unknown'
    | 'key-retired'
    | 'key-compromised'
    | 'signature-weak'
    | 'signature-bad'
    | 'role-missing';
  readonly message: string;
};

/** A record of a topic beside the log, proven to be its signer's; its form is the caller's to judge. */
export type SideRecord = {
  readonly signer: KeyState;
  readonly headers: WireHeaders;
  readonly schema: SchemaRef;
  /** As the newest version of its shape has it. */
  readonly body: Body;
};

/** What the records of one such topic are held to. */
export type SideRules<Key extends KeyState> = {
  readonly role: Role;
  readonly typeOf: (schemaDigest: string) => string;
  readonly endedOf?: (key: Key) => KeyProblem | undefined;
};

/**
 * Accepts a record of a topic beside the log by its bytes and the keys that the log trusts: sizes, key and its
 * role, signature over the exact bytes, and only then decoding. `typeOf`: the type that its signature binds, by the
 * schema's digest. `endedOf`: whether the key had ended for this record; left out: whether it has ended now. Never
 * throws on bytes.
 */
export const checkSideRecord = <Key extends KeyState>(
  { codec, crypto, text }: CheckTools,
  { audience, keys }: { readonly audience: string; readonly keys: ReadonlyMap<string, Key> },
  { role, typeOf, endedOf = keyProblem }: SideRules<Key>,
  record: NewRecord,
): Result<SideRecord, SideRecordProblem> => {
  const headers = readHeaders(text, record);
  if (!headers.ok) return headers;
  const { schemaDigest, keyId, signature } = headers.value;
  const signer = keys.get(keyId);
  if (signer === undefined)
    return refuse('key-unknown', `no key ${keyId} is trusted on the log of ${audience}`);
  const ended = endedOf(signer);
  if (ended !== undefined) return fail(ended);
  if (!hasRole(signer, role))
    return refuse('role-missing', `the key ${keyId} has not the role ${role}`);
  if (isWeakSignature(signature))
    return refuse('signature-weak', 'the signature is built on a point of low order');
  const message = preAuthenticationEncoding(text, typeOf(schemaDigest), record.value);
  if (!crypto.verify('ed25519', signer.publicKey, message, signature))
    return refuse('signature-bad', `the signature does not fit these bytes and ${audience}`);
  const decoded = codec.decode(schemaDigest, record.value);
  if (!decoded.ok) return decoded;
  const { schema, body } = decoded.value;
  return ok({
    signer,
    headers: headers.value,
    schema,
    body: upcast(schema.shape, schema.version, body as Body),
  });
};

const refuse = (
  code: SideRecordProblem['code'],
  message: string,
): Result<never, SideRecordProblem> => fail({ code, message });
