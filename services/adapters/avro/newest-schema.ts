import type { Shape } from '../../core/markers/codec.ts';
import type { SchemaFile } from './schema-files.ts';

/** The schema that a shape is written with. Throws where none was opened: a fault of the release. */
export const newestSchema = (schemas: readonly SchemaFile[], shape: Shape): SchemaFile => {
  const newest = schemas
    .filter((schema) => schema.shape === shape)
    .reduce<SchemaFile | undefined>(
      (best, schema) => (best === undefined || schema.version > best.version ? schema : best),
      undefined,
    );
  if (newest === undefined) throw new TypeError(`no schema of the shape ${shape} was opened`);
  return newest;
};
