import { isUtf8 } from 'node:buffer';
import type { EnvelopePrefix } from '../../core/markers/codec.ts';

const textBytesMax = 256;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const word = /^[a-z][a-z0-9-]*$/;
const audienceName = /^[a-z0-9][a-z0-9._-]*$/;

/**
 * marker, deployment, kind, audience: the first four fields of every shape, whatever follows them. A body
 * that begins otherwise gives undefined; one that only looks like it is the reason to act on none of this.
 */
export function readEnvelopePrefix(bytes: Uint8Array): EnvelopePrefix | undefined {
  const marker = readText(bytes, 0);
  if (marker === undefined || !uuid.test(marker.text)) return undefined;
  const deployment = readTextOrNull(bytes, marker.end);
  if (deployment === undefined) return undefined;
  if (deployment.text !== null && !uuid.test(deployment.text)) return undefined;
  const kind = readText(bytes, deployment.end);
  if (kind === undefined || !word.test(kind.text)) return undefined;
  const audience = readText(bytes, kind.end);
  if (audience === undefined || !audienceName.test(audience.text)) return undefined;
  return {
    marker: marker.text,
    deployment: deployment.text,
    kind: kind.text,
    audience: audience.text,
  };
}

type Piece<Text> = { readonly text: Text; readonly end: number };

/** Branch 0 of the union is null, branch 1 a string: the bytes 0 and 2 in zigzag. */
function readTextOrNull(bytes: Uint8Array, at: number): Piece<string | null> | undefined {
  if (bytes[at] === 0) return { text: null, end: at + 1 };
  return bytes[at] === 2 ? readText(bytes, at + 1) : undefined;
}

/** A length of at most two bytes is enough for 256. */
function readText(bytes: Uint8Array, at: number): Piece<string> | undefined {
  const first = bytes[at] ?? 0;
  const second = first > 0x7f ? (bytes[at + 1] ?? 0) : 0;
  const zigzag = (first & 0x7f) | (second << 7);
  if (zigzag % 2 !== 0 || second > 0x7f || zigzag / 2 > textBytesMax) return undefined;
  const start = at + (first > 0x7f ? 2 : 1);
  const end = start + zigzag / 2;
  const text = bytes.subarray(start, end);
  if (end > bytes.length || !isUtf8(text)) return undefined;
  return { text: Buffer.from(text).toString('utf8'), end };
}
