import type { CheckTools } from '../check/check-record.ts';
import type { SideRecordProblem } from '../check/side-record.ts';
import { checkSideRecord } from '../check/side-record.ts';
import type { NewRecord } from '../log/record.ts';
import type { MarkerCodec, SchemaRef } from '../markers/codec.ts';
import type { Text } from '../markers/crypto.ts';
import type { FieldProblem } from '../markers/parse-marker.ts';
import { slotKey } from '../markers/slot.ts';
import type { Sign } from '../markers/wire.ts';
import { headerNames, preAuthenticationEncoding } from '../markers/wire.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import { partitionOfKey } from '../samples/key.ts';
import type { KeyState } from '../trust/trust.ts';
import { coversKind, coversSlot } from '../trust/trust.ts';
import type { InstanceStarted } from './instance.ts';
import { instancePartitions } from './instance.ts';
import { parseInstance } from './parse-instance.ts';

/** The type that an instance's signature binds: never that of a marker, so neither passes for the other. */
const instanceType = (schemaDigest: string, audience: string): string =>
  `application/vnd.plimsoll.instance.v1+avro;schema=${schemaDigest};audience=${audience}`;

/** Headers by which a record is routed and found: CloudEvents 1.0, Kafka protocol binding, binary mode. */
const routing = (
  instance: InstanceStarted,
  schema: SchemaRef,
): readonly (readonly [name: string, value: string])[] => [
  [headerNames.specVersion, '1.0'],
  [headerNames.id, instance.marker],
  [headerNames.type, `plimsoll.${instance.kind}.v${schema.version}`],
  [headerNames.source, instance.source],
  [headerNames.contentType, 'application/avro'],
];

/** A start as a signed record, ready to be appended. Throws for one that is not of its shape. */
export const signInstance = async (
  codec: MarkerCodec,
  text: Text,
  instance: InstanceStarted,
  signer: Sign,
): Promise<NewRecord> => {
  const { schema, bytes } = codec.encode('instance', instance);
  const type = instanceType(schema.digest, instance.audience);
  const signature = await signer.sign(preAuthenticationEncoding(text, type, bytes));
  const headers = [
    ...routing(instance, schema),
    [headerNames.schema, schema.digest],
    [headerNames.signature, `${signer.keyId}:${text.encodeBase64(signature)}`],
  ] as const;
  return {
    key: text.encodeUtf8(slotKey(instance.slot)),
    headers: headers.map(([name, value]) => ({ name, value: text.encodeUtf8(value) })),
    value: bytes,
  };
};

/** The partition that a record belongs to, by its key. */
export const partitionOfInstance = (text: Text, { key }: Pick<NewRecord, 'key'>): number =>
  partitionOfKey(text.decodeUtf8(key) ?? '', instancePartitions);

/** Why a record of `instances` is not counted. */
export type InstanceProblem = {
  readonly code:
    | SideRecordProblem['code']
    | FieldProblem['code']
    | 'kind-not-allowed'
    | 'out-of-scope'
    | 'audience-wrong';
  readonly message: string;
};

/**
 * Accepts a record of `instances` by its bytes and the keys that the log trusts now: sizes, key, signature over the
 * exact bytes, and only then decoding and form; last whether the key may speak of that place. Never throws on bytes.
 */
export const checkInstance = (
  tools: CheckTools,
  audience: string,
  keys: ReadonlyMap<string, KeyState>,
  record: NewRecord,
): Result<InstanceStarted, InstanceProblem> => {
  const typeOf = (schemaDigest: string): string => instanceType(schemaDigest, audience);
  const checked = checkSideRecord(tools, { audience, keys }, { role: 'emitter', typeOf }, record);
  if (!checked.ok) return checked;
  const { signer, headers, schema, body } = checked.value;
  const parsed = parseInstance(schema.shape, body);
  if (!parsed.ok) return refuse(parsed.problem.code, parsed.problem.message);
  const instance = parsed.value;
  if (instance.audience !== audience)
    return refuse('audience-wrong', `the record was written for another audience than ${audience}`);
  const differs = routing(instance, schema).find(
    ([name, value]) => headers.byName.get(name) !== value,
  );
  if (differs !== undefined)
    return refuse('header-mismatch', `the header ${differs[0]} does not say what the body says`);
  if (tools.text.decodeUtf8(record.key) !== slotKey(instance.slot))
    return refuse('header-mismatch', 'the record key does not say what the body says');
  if (!coversKind(signer, instance.kind))
    return refuse('kind-not-allowed', `the key ${signer.id} may not sign ${instance.kind} records`);
  return coversSlot(signer, instance.slot)
    ? ok(instance)
    : refuse(
        'out-of-scope',
        `the key ${signer.id} of ${signer.principal} may not act on ${slotKey(instance.slot)}`,
      );
};

const refuse = (code: InstanceProblem['code'], message: string): Result<never, InstanceProblem> =>
  fail({ code, message });
