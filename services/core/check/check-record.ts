import type { Json } from '../canonical.ts';
import { canonicalJson } from '../canonical.ts';
import type { LogRecord, NewRecord, Position } from '../log/record.ts';
import type { DecodeProblem, MarkerCodec } from '../markers/codec.ts';
import type { Crypto, Text } from '../markers/crypto.ts';
import { kinds } from '../markers/kinds.ts';
import type { LogOpened, Marker } from '../markers/marker.ts';
import type { FieldProblem } from '../markers/parse-marker.ts';
import { parseMarker } from '../markers/parse-marker.ts';
import type { Body } from '../markers/upcast.ts';
import { upcast } from '../markers/upcast.ts';
import type { WireHeaders, WireProblem } from '../markers/wire.ts';
import {
  headerNames,
  headersMatch,
  markerType,
  preAuthenticationEncoding,
  readHeaders,
  waitedMessage,
} from '../markers/wire.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import { keyIdOf } from '../trust/key-id.ts';
import { speaksForOthers, tokenOfSource } from '../trust/on-behalf.ts';
import type { KeyState, Trust } from '../trust/trust.ts';
import { coversKind, hasRole, keyProblem } from '../trust/trust.ts';
import { isWeakSignature } from '../trust/weak-keys.ts';
import type { Repeats } from './repeats.ts';

/** Of a record's two signatures: the signer's over its value, the deliverer's over its waiting time. */
export type Signed = 'value' | 'waited';

/** What is known of signature checks already, and who hears what came of each that is asked for. */
export type SignatureChecks = {
  /** What came of this check, or undefined: it has to be made. */
  readonly known: (position: Position, signed: Signed) => boolean | undefined;
  readonly found: (position: Position, signed: Signed, isGood: boolean) => void;
};

export type CheckTools = {
  readonly codec: MarkerCodec;
  readonly crypto: Crypto;
  readonly text: Text;
  /** Left out: every signature is checked. */
  readonly signatures?: SignatureChecks;
  /** Headers that were read before, by position. */
  readonly headers?: ReadonlyMap<Position, Result<WireHeaders, WireProblem>>;
  /** What came of signatures of values that were checked beside this thread, by position. */
  readonly ahead?: ReadonlyMap<Position, boolean>;
  /** Left out: every signature is checked, whether it came before or not. */
  readonly repeats?: Repeats;
};

/** A record whose signer, bytes and form are proven. Its place and scope are the fold's to judge. */
export type Authentic = {
  readonly marker: Marker;
  readonly signer: KeyState;
  /** What makes the same marker id the same marker: SHA-256 of the value, hex; see `contentDigest`. */
  readonly digest: string;
  /** How long it waited on a spool, as a trusted deliverer says. 0 where nobody says. */
  readonly waitedMs: number;
};

export type CheckProblem = {
  readonly code:
    | WireProblem['code']
    | DecodeProblem['code']
    | FieldProblem['code']
    | 'key-unknown'
    | 'key-retired'
    | 'key-compromised'
    | 'signature-weak'
    | 'signature-bad'
    | 'waited-bad'
    | 'role-missing'
    | 'token-unnamed'
    | 'kind-not-allowed'
    | 'audience-wrong'
    | 'log-not-opened';
  readonly message: string;
};

/**
 * Accepts a record or not by its bytes and by the keys that the records before it have named. The order is fixed:
 * sizes, key, signature over the exact bytes, and only then decoding, form and role. Never throws on bytes.
 */
export const checkRecord = (
  tools: CheckTools,
  audience: string,
  trust: Trust,
  record: LogRecord,
): Result<Authentic, CheckProblem> => {
  const headers = tools.headers?.get(record.position) ?? readHeaders(tools.text, record);
  if (!headers.ok) return headers;
  const signer = trust.keys.get(headers.value.keyId);
  if (signer === undefined)
    return refuse('key-unknown', `no key ${headers.value.keyId} is trusted on this log`);
  const ended = keyProblem(signer);
  if (ended !== undefined) return fail(ended);
  const digest = tools.crypto.sha256Hex(record.value);
  const signed = checkSignature(tools, audience, signer.publicKey, headers.value, record, digest);
  if (!signed.ok) return signed;
  const marker = readMarker(tools, audience, headers.value, record);
  if (!marker.ok) return marker;
  const role = roleFault(signer, marker.value);
  if (role !== undefined) return fail(role);
  if (!coversKind(signer, marker.value.kind))
    return refuse(
      'kind-not-allowed',
      `the key ${signer.id} may not sign ${marker.value.kind} records`,
    );
  const waited = checkWaited(tools, audience, trust, headers.value, record.position, digest);
  if (!waited.ok) return waited;
  return ok({
    marker: marker.value,
    signer,
    digest: contentDigest(tools.crypto, marker.value, signer, digest),
    waitedMs: waited.value,
  });
};

/**
 * A request that tells no time is given one by the gateway that takes it, so of two gateways that take it at once, under
 * one Idempotency-Key, each has its own. It is one request all the same, and its first time stands: of what is said on
 * behalf of others the time is no content.
 */
const contentDigest = (
  crypto: Crypto,
  marker: Marker,
  signer: KeyState,
  valueDigest: string,
): string =>
  speaksForOthers(signer) && kinds[marker.kind].role === 'emitter'
    ? crypto.sha256HexOfText(canonicalJson({ ...marker, occurredAt: null } as unknown as Json))
    : valueDigest;

/** Who speaks for others says what emitters say, and with whose token. */
const roleFault = (signer: KeyState, marker: Marker): CheckProblem | undefined => {
  const { role } = kinds[marker.kind];
  if (role === 'emitter' && speaksForOthers(signer))
    return tokenOfSource(marker.source) === undefined
      ? {
          code: 'token-unnamed',
          message: `the key ${signer.id} speaks for others, and the source does not say for whom`,
        }
      : undefined;
  return hasRole(signer, role)
    ? undefined
    : {
        code: 'role-missing',
        message: `the key ${signer.id} has not the role ${role} that a ${marker.kind} record needs`,
      };
};

/**
 * Record 0. It names the key that signed it, so it is decoded first (bounded) and believed only as far as a log's
 * opening must be: who pins the log id decides whether this is the log that was meant.
 */
export const checkOpening = (
  tools: CheckTools,
  audience: string,
  record: LogRecord,
): Result<LogOpened, CheckProblem> => {
  const headers = readHeaders(tools.text, record);
  if (!headers.ok) return headers;
  const marker = readMarker(tools, audience, headers.value, record);
  if (!marker.ok) return marker;
  const opened = marker.value;
  if (opened.kind !== 'log-opened')
    return refuse('log-not-opened', `record 0 is a ${opened.kind} record; it must be log-opened`);
  if (opened.key.id !== headers.value.keyId || !hasRole(opened.key, 'trust-admin'))
    return refuse(
      'log-not-opened',
      'record 0 must be signed by the trust administrator that it names',
    );
  const digest = tools.crypto.sha256Hex(record.value);
  const { publicKey } = opened.key;
  const signed = checkSignature(tools, audience, publicKey, headers.value, record, digest);
  return signed.ok ? ok(opened) : signed;
};

const checkSignature = (
  tools: CheckTools,
  audience: string,
  publicKey: Uint8Array,
  headers: WireHeaders,
  { position, value }: LogRecord,
  digest: string,
): Result<void, CheckProblem> => {
  if (isWeakSignature(headers.signature))
    return refuse('signature-weak', 'the signature is built on a point of low order');
  const isGood = askedOnce(tools, position, 'value', () => {
    const { schemaDigest, signature } = headers;
    const signed = signatureText(headers);
    if (tools.repeats?.isGood(schemaDigest, signed, () => digest) === true) return true;
    const verified =
      tools.ahead?.get(position) ??
      tools.crypto.verify(
        'ed25519',
        publicKey,
        preAuthenticationEncoding(tools.text, markerType(schemaDigest, audience), value),
        signature,
      );
    if (verified) tools.repeats?.keep(schemaDigest, signed, digest);
    return verified;
  });
  return isGood
    ? ok(undefined)
    : refuse(
        'signature-bad',
        `the signature does not fit these bytes, schema ${headers.schemaDigest.slice(0, 12)} and audience ${audience}`,
      );
};

/** Key id and signature in one. */
export const signatureText = ({ byName }: WireHeaders): string =>
  byName.get(headerNames.signature) ?? '';

const askedOnce = (
  { signatures }: CheckTools,
  position: Position,
  signed: Signed,
  verify: () => boolean,
): boolean => {
  const isGood = signatures?.known(position, signed) ?? verify();
  signatures?.found(position, signed, isGood);
  return isGood;
};

/** What a record says, whoever signed it: bounded decode, form, and headers that say the same. */
export const readMarker = (
  { codec, crypto, text }: Pick<CheckTools, 'codec' | 'crypto' | 'text'>,
  audience: string,
  headers: WireHeaders,
  record: NewRecord,
): Result<Marker, CheckProblem> => {
  const decoded = codec.decode(headers.schemaDigest, record.value);
  if (!decoded.ok) return decoded;
  const { schema, body } = decoded.value;
  const parsed = parseMarker(schema.shape, upcast(schema.shape, schema.version, body as Body));
  if (!parsed.ok) return fail({ code: parsed.problem.code, message: parsed.problem.message });
  if (parsed.value.audience !== audience)
    return refuse('audience-wrong', `the record was written for another audience than ${audience}`);
  const matches = headersMatch(text, record, headers, parsed.value, schema);
  if (!matches.ok) return matches;
  if (parsed.value.kind === 'log-opened' || parsed.value.kind === 'key-added') {
    const { id, principal, publicKey } = parsed.value.key;
    if (id !== keyIdOf(crypto, text, principal, publicKey))
      return refuse('field-invalid', 'key.id is not the id of this principal and public key');
  }
  return parsed;
};

/**
 * How long a record says that it waited before it was appended; undefined where nobody who may has signed that.
 * 0 where it says nothing, also where its headers cannot be read.
 */
export const provenWaitMs = (
  tools: CheckTools,
  audience: string,
  trust: Trust,
  record: LogRecord,
): number | undefined => {
  const headers = readHeaders(tools.text, record);
  if (!headers.ok) return 0;
  const digest = tools.crypto.sha256Hex(record.value);
  const waited = checkWaited(tools, audience, trust, headers.value, record.position, digest);
  return waited.ok ? waited.value : undefined;
};

/** A waiting time counts only when a key in good standing that may deliver has signed it for this value. */
const checkWaited = (
  tools: CheckTools,
  audience: string,
  trust: Trust,
  { waited }: WireHeaders,
  position: Position,
  digest: string,
): Result<number, CheckProblem> => {
  if (waited === null) return ok(0);
  const key = trust.keys.get(waited.keyId);
  if (key === undefined || keyProblem(key) !== undefined)
    return refuse('waited-bad', `no key ${waited.keyId} in good standing signs waiting times`);
  if (!['emitter', 'gateway', 'operator'].some((role) => key.roles.some((has) => has === role)))
    return refuse('waited-bad', `the key ${waited.keyId} has no role that delivers markers`);
  if (
    isWeakSignature(waited.signature) ||
    !askedOnce(tools, position, 'waited', () =>
      tools.crypto.verify(
        'ed25519',
        key.publicKey,
        waitedMessage(tools.text, audience, waited.ms, digest),
        waited.signature,
      ),
    )
  )
    return refuse('waited-bad', 'the waiting time is not signed for this value');
  return ok(waited.ms);
};

const refuse = (code: CheckProblem['code'], message: string): Result<never, CheckProblem> =>
  fail({ code, message });
