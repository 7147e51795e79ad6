import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One record of test/golden/records, named by what is wrong with it (or, in valid/, special about it). */
export type GoldenRecord = {
  readonly name: string;
  /** One sentence for people. */
  readonly about: string;
  /** `body`: the bytes of a value under a schema; other layers look at whole records. */
  readonly layer: string;
  /** A file of schemas/, or a schema of its own. */
  readonly schema: string | object;
  /** Hex. */
  readonly body: string;
  readonly expect: { readonly code?: string; readonly body?: unknown };
};

const folder = join(import.meta.dirname, '..', 'golden', 'records');
const schemas = join(import.meta.dirname, '..', '..', 'schemas');

export const goldenRecords = (side: 'valid' | 'invalid', layer: string): readonly GoldenRecord[] =>
  readdirSync(join(folder, side))
    .toSorted()
    .map((file) => ({
      ...(JSON.parse(readFileSync(join(folder, side, file), 'utf8')) as GoldenRecord),
      name: file.replace(/\.json$/, ''),
    }))
    .filter((record) => record.layer === layer);

export const schemaTextOf = ({ schema }: GoldenRecord): string =>
  typeof schema === 'string' ? readFileSync(join(schemas, schema), 'utf8') : JSON.stringify(schema);
