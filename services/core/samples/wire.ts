import type { CheckTools } from '../check/check-record.ts';
import type { NewRecord } from '../log/record.ts';
import type { DecodeProblem, MarkerCodec, Shape } from '../markers/codec.ts';
import type { Text } from '../markers/crypto.ts';
import type { Body } from '../markers/upcast.ts';
import { upcast } from '../markers/upcast.ts';
import type { Sign, WireProblem } from '../markers/wire.ts';
import { headerNames, preAuthenticationEncoding, readHeaders } from '../markers/wire.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import type { KeyState } from '../trust/trust.ts';
import { coversSlot, hasRole, keyProblem } from '../trust/trust.ts';
import { isWeakSignature } from '../trust/weak-keys.ts';
import { sampleKey } from './key.ts';
import type { SampleFieldProblem } from './parse-sample.ts';
import { parseSample } from './parse-sample.ts';
import type { Sample, SampleKind } from './sample.ts';

const shapeOfKind: { readonly [Kind in SampleKind]: Shape } = {
  points: 'points',
  'analysis-opened': 'analysis',
  tick: 'tick',
  copy: 'copy',
};

/** The type that a sample's signature binds: never that of a marker, so neither passes for the other. */
const sampleType = (schemaDigest: string, audience: string): string =>
  `application/vnd.plimsoll.sample.v1+avro;schema=${schemaDigest};audience=${audience}`;

/** A sample as a signed record, ready to be appended. Throws for a sample that is not of its shape. */
export const signSample = async (
  codec: MarkerCodec,
  text: Text,
  sample: Sample,
  signer: Sign,
): Promise<NewRecord> => {
  const { schema, bytes } = codec.encode(shapeOfKind[sample.kind], sample);
  const type = sampleType(schema.digest, sample.audience);
  const signature = await signer.sign(preAuthenticationEncoding(text, type, bytes));
  const header = (name: string, value: string): NewRecord['headers'][number] => ({
    name,
    value: text.encodeUtf8(value),
  });
  return {
    key: text.encodeUtf8(sampleKey(sample)),
    headers: [
      header(headerNames.contentType, 'application/avro'),
      header(headerNames.schema, schema.digest),
      header(headerNames.signature, `${signer.keyId}:${text.encodeBase64(signature)}`),
    ],
    value: bytes,
  };
};

/** Why a record of `samples` is not used. It is counted and stepped over. */
export type SampleProblem = {
  readonly code:
    | WireProblem['code']
    | DecodeProblem['code']
    | SampleFieldProblem['code']
    | 'key-unknown'
    | 'key-retired'
    | 'key-compromised'
    | 'signature-weak'
    | 'signature-bad'
    | 'role-missing'
    | 'out-of-scope'
    | 'audience-wrong';
  readonly message: string;
};

/**
 * Accepts a record of `samples` by its bytes and the keys that the log trusts now: sizes, key, signature over the
 * exact bytes, and only then decoding and form; last whether the key may speak of that place. Never throws on bytes.
 */
export const checkSample = (
  { codec, crypto, text }: CheckTools,
  audience: string,
  keys: ReadonlyMap<string, KeyState>,
  record: NewRecord,
): Result<Sample, SampleProblem> => {
  const headers = readHeaders(text, record);
  if (!headers.ok) return headers;
  const { schemaDigest, keyId, signature } = headers.value;
  const signer = keys.get(keyId);
  if (signer === undefined)
    return refuse('key-unknown', `no key ${keyId} is trusted on the log of ${audience}`);
  const ended = keyProblem(signer);
  if (ended !== undefined) return fail(ended);
  if (!hasRole(signer, 'analyser'))
    return refuse('role-missing', `the key ${keyId} has not the role analyser`);
  if (isWeakSignature(signature))
    return refuse('signature-weak', 'the signature is built on a point of low order');
  const message = preAuthenticationEncoding(text, sampleType(schemaDigest, audience), record.value);
  if (!crypto.verify('ed25519', signer.publicKey, message, signature))
    return refuse('signature-bad', `the signature does not fit these bytes and ${audience}`);
  const decoded = codec.decode(schemaDigest, record.value);
  if (!decoded.ok) return decoded;
  const { schema, body } = decoded.value;
  const parsed = parseSample(schema.shape, upcast(schema.shape, schema.version, body as Body));
  if (!parsed.ok) return parsed;
  const sample = parsed.value;
  if (sample.audience !== audience)
    return refuse('audience-wrong', `the sample was written for another audience than ${audience}`);
  if (text.decodeUtf8(record.key) !== sampleKey(sample))
    return refuse('header-mismatch', 'the record key does not say what the body says');
  const { environment, component } = sample;
  if (!coversSlot(signer, { namespace: '', environment, component, target: null }))
    return refuse('out-of-scope', `the key ${keyId} may not speak of ${sampleKey(sample)}`);
  return ok(sample);
};

const refuse = (code: SampleProblem['code'], message: string): Result<never, SampleProblem> =>
  fail({ code, message });
