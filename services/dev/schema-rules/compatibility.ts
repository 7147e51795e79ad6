import type { FieldNode, RecordNode, SchemaNode } from '../../adapters/avro/schema-tree.ts';

/**
 * Why a reader with one schema could not read what another wrote, by Avro 1.12 "Schema Resolution", one
 * sentence each; none where it can. Stricter in one thing: a changed logicalType changes what a value means.
 */
export const resolutionFaults = (reader: RecordNode, writer: RecordNode): readonly string[] =>
  faultsOf(reader, writer, '', new Set());

/** Promotions of the specification: what is written as the first can be read as the others. */
const promotions: { readonly [written: string]: readonly string[] } = {
  int: ['long', 'double'],
  long: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};

function faultsOf(
  reader: SchemaNode,
  writer: SchemaNode,
  path: string,
  compared: ReadonlySet<SchemaNode>,
): readonly string[] {
  if (reader.type === 'nullable')
    return faultsOf(
      reader.value,
      writer.type === 'nullable' ? writer.value : writer,
      path,
      compared,
    );
  if (writer.type === 'nullable') return [`${place(path)} may have been written as null`];
  if (reader.type === 'record' || writer.type === 'record')
    return reader.type === 'record' && writer.type === 'record'
      ? recordFaults(reader, writer, path, compared)
      : [typeChanged(reader, writer, path)];
  if (reader.type === 'array' || writer.type === 'array')
    return reader.type === 'array' && writer.type === 'array'
      ? faultsOf(reader.items, writer.items, `${path}[]`, compared)
      : [typeChanged(reader, writer, path)];
  if (reader.type !== writer.type && promotions[writer.type]?.includes(reader.type) !== true)
    return [typeChanged(reader, writer, path)];
  if (reader.logicalType !== writer.logicalType)
    return [`${place(path)} was written as ${meaning(writer)} and is read as ${meaning(reader)}`];
  return [];
}

function recordFaults(
  reader: RecordNode,
  writer: RecordNode,
  path: string,
  compared: ReadonlySet<SchemaNode>,
): readonly string[] {
  if (reader.name !== writer.name)
    return [`${place(path)} was written as ${writer.name} and is read as ${reader.name}`];
  if (compared.has(reader)) return []; // a record inside itself
  const deeper = new Set([...compared, reader]);
  const written = new Map(writer.fields.map((field) => [field.name, field]));
  return reader.fields.flatMap((field) =>
    fieldFaults(
      field,
      written.get(field.name),
      path === '' ? field.name : `${path}.${field.name}`,
      deeper,
    ),
  );
}

function fieldFaults(
  field: FieldNode,
  written: FieldNode | undefined,
  path: string,
  compared: ReadonlySet<SchemaNode>,
): readonly string[] {
  if (written !== undefined) return faultsOf(field.node, written.node, path, compared);
  return field.byDefault === undefined ? [`${place(path)} was not written and has no default`] : [];
}

const typeChanged = (reader: SchemaNode, writer: SchemaNode, path: string): string =>
  `${place(path)} was written as ${writer.type} and is read as ${reader.type}`;

const meaning = (node: {
  readonly type: string;
  readonly logicalType: string | undefined;
}): string => node.logicalType ?? `plain ${node.type}`;

const place = (path: string): string => (path === '' ? 'the record' : `the field ${path}`);
