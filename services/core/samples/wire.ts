import type { CheckTools } from '../check/check-record.ts';
import type { SideRecordProblem } from '../check/side-record.ts';
import { checkSideRecord } from '../check/side-record.ts';
import type { LogRecord, NewRecord } from '../log/record.ts';
import type { MarkerCodec, Shape } from '../markers/codec.ts';
import type { Text } from '../markers/crypto.ts';
import type { Sign } from '../markers/wire.ts';
import { headerNames, preAuthenticationEncoding } from '../markers/wire.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import type { DatedKey, KeyProblem } from '../trust/trust.ts';
import { coversSlot, keyProblem, keyProblemAt } from '../trust/trust.ts';
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
    | SideRecordProblem['code']
    | SampleFieldProblem['code']
    | 'out-of-scope'
    | 'audience-wrong';
  readonly message: string;
};

/**
 * Accepts a record of `samples` by its bytes and the keys that the log has named: sizes, key, signature over the
 * exact bytes, and only then decoding and form; last whether the key may speak of that place. A retired key is judged
 * as of the record's append time; where that is left out, as of now. Never throws on bytes.
 */
export const checkSample = (
  tools: CheckTools,
  audience: string,
  keys: ReadonlyMap<string, DatedKey>,
  record: NewRecord & Partial<Pick<LogRecord, 'appendedAtMs'>>,
): Result<Sample, SampleProblem> => {
  const typeOf = (schemaDigest: string): string => sampleType(schemaDigest, audience);
  const { appendedAtMs } = record;
  const endedOf = (key: DatedKey): KeyProblem | undefined =>
    appendedAtMs === undefined ? keyProblem(key) : keyProblemAt(key, appendedAtMs);
  const rules = { role: 'analyser', typeOf, endedOf } as const;
  const checked = checkSideRecord(tools, { audience, keys }, rules, record);
  if (!checked.ok) return checked;
  const { signer, schema, body } = checked.value;
  const parsed = parseSample(schema.shape, body);
  if (!parsed.ok) return parsed;
  const sample = parsed.value;
  if (sample.audience !== audience)
    return refuse('audience-wrong', `the sample was written for another audience than ${audience}`);
  if (tools.text.decodeUtf8(record.key) !== sampleKey(sample))
    return refuse('header-mismatch', 'the record key does not say what the body says');
  const { environment, component } = sample;
  if (!coversSlot(signer, { namespace: '', environment, component, target: null }))
    return refuse('out-of-scope', `the key ${signer.id} may not speak of ${sampleKey(sample)}`);
  return ok(sample);
};

const refuse = (code: SampleProblem['code'], message: string): Result<never, SampleProblem> =>
  fail({ code, message });
