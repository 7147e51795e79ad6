import { schemaDigest } from './canonical-form.ts';
import type { SchemaFile } from './schema-files.ts';
import type { RecordNode } from './schema-tree.ts';
import { parseSchema } from './schema-tree.ts';

/** What a codec works out of a schema's text. */
export type WorkedOutSchema = {
  readonly node: RecordNode;
  /** SHA-256 of its canonical form, in hex. */
  readonly digest: string;
};

/**
 * Throws a SchemaError where our records may not use it. A built package has another function in the place of this one,
 * which reads what this one said when the package was built.
 */
export const openSchema = ({ text }: SchemaFile): WorkedOutSchema => ({
  node: parseSchema(text),
  digest: schemaDigest(text),
});
