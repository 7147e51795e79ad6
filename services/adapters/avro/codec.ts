import type { MarkerCodec, SchemaRef, Shape } from '../../core/markers/codec.ts';
import { fail, ok } from '../../core/result.ts';
import { bodyFault } from './body-check.ts';
import { readBody } from './body-reader.ts';
import { writeBody } from './body-writer.ts';
import { readEnvelopePrefix } from './envelope-prefix.ts';
import { openSchema } from './open-schema.ts';
import type { SchemaFile } from './schema-files.ts';
import type { RecordNode } from './schema-tree.ts';

/** Builds what turns bodies of a schema into bytes. All builders give the same bytes. */
export type BodyWriter = (schema: {
  readonly node: RecordNode;
  readonly text: string;
}) => (body: unknown) => Uint8Array;

/** For whoever writes a few records and must be there soon. */
const plainWriter: BodyWriter =
  ({ node }) =>
  (body) =>
    writeBody(node, body);

type OpenSchema = {
  readonly ref: SchemaRef;
  readonly node: RecordNode;
  readonly write: (body: unknown) => Uint8Array;
};

/**
 * A codec over published schemas; the newest version of each shape is the one it writes. A schema is opened when it is
 * first asked for, because most commands use one: then a SchemaError is thrown for one that our records may not use, and
 * an Error for two with one digest.
 */
export function openCodec(
  schemas: readonly SchemaFile[],
  writerOf: BodyWriter = plainWriter,
): MarkerCodec {
  const opened = new Map<SchemaFile, OpenSchema>();
  const open = (file: SchemaFile): OpenSchema => {
    const known = opened.get(file);
    if (known !== undefined) return known;
    const { shape, version, text } = file;
    const { node, digest } = openSchema(file);
    let write: ((body: unknown) => Uint8Array) | undefined;
    const schema: OpenSchema = {
      ref: { shape, version, digest },
      node,
      write: (body) => (write ??= writerOf({ node, text }))(body),
    };
    opened.set(file, schema);
    return schema;
  };

  const newest = new Map<Shape, SchemaFile>();
  for (const file of schemas)
    if (file.version > (newest.get(file.shape)?.version ?? 0)) newest.set(file.shape, file);
  const writing = (shape: Shape): OpenSchema => {
    const file = newest.get(shape);
    if (file === undefined) throw new Error(`no schema of the shape ${shape} was opened`);
    return open(file);
  };

  let digests: ReadonlyMap<string, OpenSchema> | undefined;
  const reading = (digest: string): OpenSchema | undefined =>
    (digests ??= byDigest(schemas.map(open))).get(digest);

  return {
    schema: (digest) => reading(digest)?.ref,
    writer: (shape) => writing(shape).ref,
    encode: (shape, body) => {
      const { ref, node, write } = writing(shape);
      const fault = bodyFault(node, body);
      if (fault !== undefined) throw new TypeError(`${shape}${fault}`);
      return { schema: ref, bytes: write(body) };
    },
    decode: (digest, bytes) => {
      const schema = reading(digest);
      if (schema === undefined)
        return fail({
          code: 'schema-unknown',
          message: `no schema here has the digest ${shown(digest)}`,
        });
      const body = readBody(schema.node, bytes);
      if (!body.ok) return body;
      return ok({ schema: schema.ref, body: body.value });
    },
    prefix: readEnvelopePrefix,
  };
}

const byDigest = (schemas: readonly OpenSchema[]): ReadonlyMap<string, OpenSchema> => {
  const found = new Map<string, OpenSchema>();
  for (const schema of schemas) {
    const { shape, version, digest } = schema.ref;
    const same = found.get(digest)?.ref;
    if (same !== undefined)
      throw new Error(`${shape} v${version} has the digest of ${same.shape} v${same.version}`);
    found.set(digest, schema);
  }
  return found;
};

const shown = (digest: string): string =>
  /^[0-9a-f]{64}$/.test(digest) ? digest : 'that is no digest';
