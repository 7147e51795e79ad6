import type { Header, NewRecord } from '../log/record.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import type { MarkerCodec, SchemaRef } from './codec.ts';
import type { Text } from './crypto.ts';
import { kinds } from './kinds.ts';
import { headerBytesMax, headersMax, keyBytesMax, valueBytesMax, waitedMsMax } from './limits.ts';
import type { Marker } from './marker.ts';
import { slotKey } from './slot.ts';

/** CloudEvents 1.0, Kafka protocol binding, binary mode; and our own three. */
export const headerNames = {
  specVersion: 'ce_specversion',
  id: 'ce_id',
  type: 'ce_type',
  source: 'ce_source',
  contentType: 'content-type',
  traceParent: 'traceparent',
  schema: 'plimsoll-schema',
  signature: 'plimsoll-signature',
  waited: 'plimsoll-waited',
} as const;

const contentType = 'application/avro';

/** W3C trace context as it was said, or null where it is none: https://www.w3.org/TR/trace-context/#traceparent-header */
export const traceParentOf = (said: string | undefined): string | null =>
  said !== undefined && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(said)
    ? said
    : null;

/**
 * DSSE 1.0.2 pre-authentication encoding: `DSSEv1 SP len(type) SP type SP len(body) SP body`, lengths in bytes
 * as ASCII decimals.
 */
export const preAuthenticationEncoding = (
  text: Text,
  type: string,
  body: Uint8Array,
): Uint8Array => {
  const typeBytes = text.encodeUtf8(type);
  const head = text.encodeUtf8(`DSSEv1 ${typeBytes.length} ${type} ${body.length} `);
  const message = new Uint8Array(head.length + body.length);
  message.set(head);
  message.set(body, head.length);
  return message;
};

/**
 * The type that a marker's signature binds: format version, writer schema and audience. A verifier builds it from
 * its own audience, so a swapped schema or another audience's record is simply a bad signature.
 */
export const markerType = (schemaDigest: string, audience: string): string =>
  `application/vnd.plimsoll.marker.v1+avro;schema=${schemaDigest};audience=${audience}`;

const waitedType = (audience: string): string =>
  `application/vnd.plimsoll.waited.v1;audience=${audience}`;

/** What a deliverer signs to say that a marker waited: the time and the digest of the marker's value. */
export const waitedMessage = (
  text: Text,
  audience: string,
  waitedMs: number,
  valueDigest: string,
): Uint8Array =>
  preAuthenticationEncoding(
    text,
    waitedType(audience),
    text.encodeUtf8(`${waitedMs} ${valueDigest}`),
  );

/** The record's key: what its facts are about. */
const recordKey = (marker: Marker): string => {
  switch (marker.kind) {
    case 'planned':
    case 'started':
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'traffic-shifted':
    case 'phase-advanced':
    case 'promote':
    case 'advance':
    case 'hold':
    case 'roll-back':
      return marker.deployment;
    case 'logged':
    case 'recorded':
    case 'undeployed':
    case 'released':
    case 'support-ended':
    case 'label':
    case 'freeze':
    case 'flag-changed':
    case 'config-changed':
    case 'secret-changed':
    case 'migration-started':
    case 'migration-finished':
    case 'incident-opened':
    case 'incident-resolved':
      return slotKey(marker.slot);
    case 'log-opened':
    case 'key-added':
    case 'key-retired':
    case 'key-compromised':
      return 'trust';
    case 'generation-begun':
    case 'generation-paused':
    case 'generation-built':
    case 'generation-switched':
    case 'generation-dropped':
    case 'letters-redriven':
    case 'letters-discarded':
    case 'retention-set':
    case 'deployments-forgotten':
    case 'log-archived':
    case 'log-sealed':
    case 'log-continued':
    case 'decisions-stopped':
    case 'decisions-resumed':
    case 'freeze-lifted':
    case 'decision-approved':
    case 'decision-declined':
      return 'operation';
    case 'policy-set':
      return 'policy';
  }
};

const typeHeader = (kind: string, schema: SchemaRef): string =>
  `plimsoll.${kind}.v${schema.version}`;

/** A marker in its bytes, ready to be signed. */
export type Unsigned = {
  readonly marker: Marker;
  readonly schema: SchemaRef;
  readonly value: Uint8Array;
  /** The bytes to sign. */
  readonly message: Uint8Array;
};

const toUnsigned = (codec: MarkerCodec, text: Text, marker: Marker): Unsigned => {
  const { schema, bytes } = codec.encode(kinds[marker.kind].shape, marker);
  const message = preAuthenticationEncoding(
    text,
    markerType(schema.digest, marker.audience),
    bytes,
  );
  return { marker, schema, value: bytes, message };
};

/** The record as it travels. `traceParent` is W3C trace context, or null. */
const toRecord = (
  text: Text,
  unsigned: Unsigned,
  keyId: string,
  signature: Uint8Array,
  traceParent: string | null,
): NewRecord => {
  const { marker, schema, value } = unsigned;
  const header = (name: string, content: string): Header => ({
    name,
    value: text.encodeUtf8(content),
  });
  return {
    key: text.encodeUtf8(recordKey(marker)),
    value,
    headers: [
      header(headerNames.specVersion, '1.0'),
      header(headerNames.id, marker.marker),
      header(headerNames.type, typeHeader(marker.kind, schema)),
      header(headerNames.source, marker.source),
      header(headerNames.contentType, contentType),
      header(headerNames.schema, schema.digest),
      header(headerNames.signature, `${keyId}:${text.encodeBase64(signature)}`),
      ...(traceParent === null ? [] : [header(headerNames.traceParent, traceParent)]),
    ],
  };
};

/** Whoever signs: a `Signer` of the ports, seen from here. */
export type Sign = {
  readonly keyId: string;
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
};

/** A marker as a signed record, ready to be appended. */
export const signMarker = async (
  codec: MarkerCodec,
  text: Text,
  marker: Marker,
  signer: Sign,
  traceParent: string | null = null,
): Promise<NewRecord> => {
  const unsigned = toUnsigned(codec, text, marker);
  return toRecord(text, unsigned, signer.keyId, await signer.sign(unsigned.message), traceParent);
};

/** The header by which a deliverer says, signed, how long a marker waited on its spool. */
export const waitedHeader = (
  text: Text,
  waitedMs: number,
  keyId: string,
  signature: Uint8Array,
): Header => ({
  name: headerNames.waited,
  value: text.encodeUtf8(`${waitedMs}:${keyId}:${text.encodeBase64(signature)}`),
});

/** The record with another signed waiting time in the place of one that it may have. */
export const withWaited = (record: NewRecord, waited: Header): NewRecord => ({
  key: record.key,
  value: record.value,
  headers: [...record.headers.filter(({ name }) => name !== headerNames.waited), waited],
});

export type WireProblem = {
  readonly code:
    | 'value-too-large'
    | 'key-too-large'
    | 'headers-too-many'
    | 'header-too-large'
    | 'header-missing'
    | 'header-malformed'
    | 'header-mismatch';
  readonly message: string;
};

/** Headers that passed the caps, as text. They are hints; nothing in them is believed yet. */
export type WireHeaders = {
  readonly schemaDigest: string;
  readonly keyId: string;
  readonly signature: Uint8Array;
  readonly waited: {
    readonly ms: number;
    readonly keyId: string;
    readonly signature: Uint8Array;
  } | null;
  readonly byName: HeaderTexts;
};

export type HeaderTexts = { readonly get: (name: string) => string | undefined };

/** Sizes first, then the headers that checking needs. Looks at no byte of the value. */
export const readHeaders = (text: Text, record: NewRecord): Result<WireHeaders, WireProblem> => {
  if (record.value.length > valueBytesMax)
    return refuse(
      'value-too-large',
      `the value has ${record.value.length} bytes; at most ${valueBytesMax} are taken`,
    );
  if (record.key.length > keyBytesMax)
    return refuse(
      'key-too-large',
      `the key has ${record.key.length} bytes; at most ${keyBytesMax} are taken`,
    );
  if (record.headers.length > headersMax)
    return refuse(
      'headers-too-many',
      `${record.headers.length} headers; at most ${headersMax} are taken`,
    );
  // So few that looking through them is less work than a Map.
  const names: string[] = [];
  const contents: string[] = [];
  for (const { name, value } of record.headers) {
    if (name.length + value.length > headerBytesMax)
      return refuse('header-too-large', `a header is larger than ${headerBytesMax} bytes`);
    const content = text.decodeUtf8(value);
    if (content === undefined || names.includes(name))
      return refuse('header-malformed', 'a header is not UTF-8 or stands twice');
    names.push(name);
    contents.push(content);
  }
  return readSignatures(text, { get: (name) => contents[names.indexOf(name)] });
};

const readSignatures = (text: Text, byName: HeaderTexts): Result<WireHeaders, WireProblem> => {
  const schemaDigest = byName.get(headerNames.schema);
  const signatureText = byName.get(headerNames.signature);
  if (schemaDigest === undefined || signatureText === undefined)
    return refuse(
      'header-missing',
      `${headerNames.schema} and ${headerNames.signature} must both be there`,
    );
  if (!/^[0-9a-f]{64}$/.test(schemaDigest))
    return refuse('header-malformed', `${headerNames.schema} must be 64 hex digits`);
  const signed = readSignature(text, signatureText);
  if (signed === undefined)
    return refuse(
      'header-malformed',
      `${headerNames.signature} must be a key id, a colon and 64 bytes in base64`,
    );
  const waitedText = byName.get(headerNames.waited);
  const { keyId, signature } = signed;
  if (waitedText === undefined) return ok({ schemaDigest, keyId, signature, waited: null, byName });
  const [msText = '', ...rest] = waitedText.split(':');
  const waitedSigned = readSignature(text, rest.join(':'));
  const ms = /^(0|[1-9][0-9]{0,11})$/.test(msText) ? Number(msText) : Number.NaN;
  if (waitedSigned === undefined || !(ms <= waitedMsMax))
    return refuse(
      'header-malformed',
      `${headerNames.waited} must be milliseconds, a key id and a signature`,
    );
  return ok({ schemaDigest, keyId, signature, waited: { ms, ...waitedSigned }, byName });
};

const readSignature = (
  text: Text,
  content: string,
): { readonly keyId: string; readonly signature: Uint8Array } | undefined => {
  // 88 signs of strict base64 that give 64 bytes are 86 of its alphabet and two of equality.
  if (content.length !== keyIdLength + 1 + base64Length || content[keyIdLength] !== ':')
    return undefined;
  const keyId = content.slice(0, keyIdLength);
  if (!/^[0-9a-f]{16}$/.test(keyId)) return undefined;
  const signature = text.decodeBase64(content.slice(keyIdLength + 1));
  return signature?.length === signatureBytes ? { keyId, signature } : undefined;
};

const keyIdLength = 16;
const base64Length = 88;
const signatureBytes = 64;

const routingHints: readonly (readonly [
  name: string,
  says: (marker: Marker, schema: SchemaRef) => string,
])[] = [
  [headerNames.specVersion, () => '1.0'],
  [headerNames.id, ({ marker }) => marker],
  [headerNames.type, ({ kind }, schema) => typeHeader(kind, schema)],
  [headerNames.source, ({ source }) => source],
  [headerNames.contentType, () => contentType],
];

/** After the signature: every routing hint must say what the body says. */
export const headersMatch = (
  text: Text,
  record: NewRecord,
  headers: WireHeaders,
  marker: Marker,
  schema: SchemaRef,
): Result<void, WireProblem> => {
  for (const [name, says] of routingHints)
    if (headers.byName.get(name) !== says(marker, schema))
      return refuse('header-mismatch', `the header ${name} does not say what the body says`);
  if (text.decodeUtf8(record.key) !== recordKey(marker))
    return refuse('header-mismatch', 'the record key does not say what the body says');
  return ok(undefined);
};

const refuse = (code: WireProblem['code'], message: string): Result<never, WireProblem> =>
  fail({ code, message });
