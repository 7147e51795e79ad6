import type { Shape } from '../../core/markers/codec.ts';
import type { FieldForm, FieldsOfShape, ShapeField } from '../../core/markers/shape-field.ts';
import { newestSchema } from './newest-schema.ts';
import type { SchemaFile } from './schema-files.ts';
import type { FieldNode, RecordNode, SchemaNode } from './schema-tree.ts';
import { parseSchema } from './schema-tree.ts';

/** What can be said in each shape, read from its newest schema when it is first asked for. */
export const openShapeFields = (schemas: readonly SchemaFile[]): FieldsOfShape => {
  const known = new Map<Shape, readonly ShapeField[]>();
  return (shape) => {
    const before = known.get(shape);
    if (before !== undefined) return before;
    const fields = fieldsIn(parseSchema(newestSchema(schemas, shape).text), { path: [] });
    known.set(shape, fields);
    return fields;
  };
};

/** `isAbsent`: the record that they are in may be left out whole. */
type Inside = { readonly path: readonly string[]; readonly isAbsent?: boolean };

const fieldsIn = (
  { fields }: RecordNode,
  { path: outer, isAbsent = false }: Inside,
): readonly ShapeField[] =>
  fields.flatMap((field) => {
    const path = [...outer, field.name];
    const node = bare(field.node);
    if (node.type === 'record')
      return fieldsIn(node, { path, isAbsent: isAbsent || field.node.type === 'nullable' });
    const isList = node.type === 'array';
    const item = isList ? bare(node.items) : node;
    const byDefault = defaultOf(field);
    return [
      {
        path,
        doc: field.doc ?? '',
        form: formOf(item),
        isList,
        parts:
          item.type === 'record'
            ? item.fields.map((part) => ({
                name: part.name,
                isOptional: defaultOf(part) !== undefined,
              }))
            : [],
        byDefault: byDefault === undefined && isAbsent ? null : byDefault,
      },
    ];
  });

const bare = (node: SchemaNode): Exclude<SchemaNode, { readonly type: 'nullable' }> =>
  node.type === 'nullable' ? bare(node.value) : node;

const formOf = (node: SchemaNode): FieldForm => {
  switch (node.type) {
    case 'nullable':
      return formOf(node.value);
    case 'record':
      return 'parts';
    case 'boolean':
      return 'truth';
    case 'int':
      return 'whole-number';
    case 'long':
      return node.logicalType === 'timestamp-millis' ? 'time' : 'whole-number';
    case 'double':
      return 'number';
    case 'string':
      return 'text';
    case 'bytes':
    case 'array':
      throw new TypeError(`a ${node.type} cannot be written as a text`);
  }
};

/** As a body is completed, which does not ask for a default where there can be only one. */
const defaultOf = ({ node, byDefault }: FieldNode): unknown => {
  if (byDefault !== undefined) return byDefault.value;
  if (node.type === 'nullable') return null;
  return node.type === 'array' ? [] : undefined;
};
