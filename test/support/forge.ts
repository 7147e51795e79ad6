import type { NewRecord } from '../../services/core/log/record.ts';
import type { Shape } from '../../services/core/markers/codec.ts';
import type { Body } from '../../services/core/markers/upcast.ts';
import {
  headerNames,
  markerType,
  preAuthenticationEncoding,
} from '../../services/core/markers/wire.ts';
import { keyOf, tools } from './given.ts';
import { audience } from './markers.ts';
import { withHeader } from './spoil.ts';

// Records that are well signed and wrong: what a trusted but faulty or hostile program could send.

/** The record with other bytes, signed for that schema and audience. */
export const signedUnder = async (
  record: NewRecord,
  schemaDigest: string,
  value: Uint8Array,
  name = 'ci',
  forAudience: string = audience,
): Promise<NewRecord> => {
  const type = markerType(schemaDigest, forAudience);
  const signature = await keyOf(name).sign(preAuthenticationEncoding(tools.text, type, value));
  const signed = `${keyOf(name).keyId}:${tools.text.encodeBase64(signature)}`;
  return withHeader(
    headerNames.schema,
    schemaDigest,
  )(withHeader(headerNames.signature, signed)({ ...record, value }));
};

/** The record with another body of a shape, which nobody has looked at. */
export const signedBody = async (
  record: NewRecord,
  shape: Shape,
  body: Body,
  name = 'ci',
): Promise<NewRecord> => {
  const { schema, bytes } = tools.codec.encode(shape, body);
  return signedUnder(record, schema.digest, bytes, name);
};
