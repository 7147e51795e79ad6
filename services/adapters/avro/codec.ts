import type { Type } from 'avsc';
import type { MarkerCodec, SchemaRef, Shape } from '../../core/markers/codec.ts';
import { fail, ok } from '../../core/result.ts';
import { avscType } from './avsc-type.ts';
import { bodyFault } from './body-check.ts';
import { readBody } from './body-reader.ts';
import { schemaDigest } from './canonical-form.ts';
import { readEnvelopePrefix } from './envelope-prefix.ts';
import type { SchemaFile } from './schema-files.ts';
import { parseSchema } from './schema-tree.ts';
import type { RecordNode } from './schema-tree.ts';

type OpenSchema = { readonly ref: SchemaRef; readonly node: RecordNode; readonly type: Type };

/**
 * A codec over published schemas; the newest version of each shape is the one it writes. Throws a
 * SchemaError for a schema that our records may not use, and an Error for two with one digest.
 */
export function openCodec(schemas: readonly SchemaFile[]): MarkerCodec {
  const byDigest = new Map<string, OpenSchema>();
  const writers = new Map<Shape, OpenSchema>();
  for (const { shape, version, text } of schemas) {
    const ref: SchemaRef = { shape, version, digest: schemaDigest(text) };
    const same = byDigest.get(ref.digest)?.ref;
    if (same !== undefined)
      throw new Error(`${shape} v${version} has the digest of ${same.shape} v${same.version}`);
    const opened: OpenSchema = { ref, node: parseSchema(text), type: avscType(text) };
    byDigest.set(ref.digest, opened);
    if (version > (writers.get(shape)?.ref.version ?? 0)) writers.set(shape, opened);
  }

  const writerOf = (shape: Shape): OpenSchema => {
    const writer = writers.get(shape);
    if (writer === undefined) throw new Error(`no schema of the shape ${shape} was opened`);
    return writer;
  };

  return {
    schema: (digest) => byDigest.get(digest)?.ref,
    writer: (shape) => writerOf(shape).ref,
    encode: (shape, body) => {
      const { ref, node, type } = writerOf(shape);
      const fault = bodyFault(node, body);
      if (fault !== undefined) throw new TypeError(`${shape}${fault}`);
      return { schema: ref, bytes: plainBytes(type.toBuffer(body)) };
    },
    decode: (digest, bytes) => {
      const opened = byDigest.get(digest);
      if (opened === undefined)
        return fail({
          code: 'schema-unknown',
          message: `no schema here has the digest ${shown(digest)}`,
        });
      const body = readBody(opened.node, bytes);
      if (!body.ok) return body;
      return ok({ schema: opened.ref, body: body.value });
    },
    prefix: readEnvelopePrefix,
  };
}

const plainBytes = (buffer: Buffer): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

const shown = (digest: string): string =>
  /^[0-9a-f]{64}$/.test(digest) ? digest : 'that is no digest';
