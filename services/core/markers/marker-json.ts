import type { Json } from '../canonical.ts';
import type { Result } from '../result.ts';
import { fail } from '../result.ts';
import type { Text } from './crypto.ts';
import { isKind, kinds } from './kinds.ts';
import type { Marker } from './marker.ts';
import type { FieldProblem } from './parse-marker.ts';
import { parseMarker } from './parse-marker.ts';
import type { Body } from './upcast.ts';

// A marker as JSON, and back: every field by the name and value that it has in the newest version of its shape. Bytes
// (the public key of a key that is trusted) are base64. What was read back is the same marker; it is nobody's word any
// more, because the signature is over the Avro bytes.

export type MarkerJson = { readonly [field: string]: Json };

export const markerJson = (text: Text, marker: Marker): MarkerJson => {
  if (marker.kind !== 'log-opened' && marker.kind !== 'key-added') return plain(marker);
  const { key, ...rest } = marker;
  return { ...plain(rest), key: { ...plain(key), publicKey: text.encodeBase64(key.publicKey) } };
};

/** What decoding gave has prototypes of its own; this is plain. */
const plain = (value: object): MarkerJson => JSON.parse(JSON.stringify(value)) as MarkerJson;

/** Reads what `markerJson` wrote. Anything else is refused at the door, as any body is. */
export const readMarkerJson = (text: Text, json: Json): Result<Marker, FieldProblem> => {
  if (typeof json !== 'object' || json === null || !('kind' in json))
    return refuse('kind', 'is missing');
  const { kind } = json;
  if (typeof kind !== 'string' || !isKind(kind)) return refuse('kind', 'is not in the register');
  const body = withBytes(text, json);
  return body === undefined
    ? refuse('key.publicKey', 'is not base64')
    : parseMarker(kinds[kind].shape, body);
};

const withBytes = (text: Text, json: MarkerJson): Body | undefined => {
  const { key } = json;
  if (typeof key !== 'object' || key === null || Array.isArray(key)) return json;
  const { publicKey, ...rest } = key as MarkerJson;
  const bytes = typeof publicKey === 'string' ? text.decodeBase64(publicKey) : undefined;
  return bytes === undefined ? undefined : { ...json, key: { ...rest, publicKey: bytes } };
};

const refuse = (path: string, what: string): Result<never, FieldProblem> =>
  fail({ code: 'field-invalid', path, message: `${path} ${what}` });
