import type { NewRecord } from '../../services/core/log/record.ts';
import type { Shape } from '../../services/core/markers/codec.ts';
import type { Body } from '../../services/core/markers/upcast.ts';
import {
  headerNames,
  markerType,
  preAuthenticationEncoding,
} from '../../services/core/markers/wire.ts';
import type { Step } from './given.ts';
import { keyOf, markerOf, raw, signed, tools } from './given.ts';
import type { Said } from './markers.ts';
import { audience, planned } from './markers.ts';
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
  const content = `${keyOf(name).keyId}:${tools.text.encodeBase64(signature)}`;
  return withHeader(
    headerNames.schema,
    schemaDigest,
  )(withHeader(headerNames.signature, content)({ ...record, value }));
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

/** Steps of a history that bring such a record; `ci` is trusted by then. */
export const forged: {
  readonly digestOf: (shape: Shape) => string;
  readonly under: (schemaDigest: string) => Promise<Step>;
  readonly longer: () => Promise<Step>;
  readonly body: (shape: Shape, says: Said, over: Body, name?: string) => Promise<Step>;
  readonly forAudience: (other: string) => Promise<Step>;
  readonly by: (name: string) => Promise<Step>;
} = {
  digestOf: (shape: Shape): string => tools.codec.writer(shape).digest,
  under: async (schemaDigest: string): Promise<Step> => {
    const record = await signed('ci', planned(), 'forged');
    return raw(await signedUnder(record, schemaDigest, record.value));
  },
  longer: async (): Promise<Step> => {
    const record = await signed('ci', planned(), 'forged');
    const { digest } = tools.codec.writer('plan');
    return raw(await signedUnder(record, digest, Uint8Array.from([...record.value, 0])));
  },
  body: async (shape: Shape, says: Said, over: Body, name = 'ci'): Promise<Step> => {
    const record = await signed(name, says, 'forged');
    const body = { ...markerOf(name, says, 'forged'), ...over };
    return raw(await signedBody(record, shape, body, name));
  },
  forAudience: async (other: string): Promise<Step> => {
    const record = await signed('ci', planned(), 'forged');
    const { digest } = tools.codec.writer('plan');
    return raw(await signedUnder(record, digest, record.value, 'ci', other));
  },
  by: async (name: string): Promise<Step> => raw(await signed(name, planned(), 'forged')),
};
