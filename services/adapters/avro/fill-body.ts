import type { FillBody, Shape } from '../../core/markers/codec.ts';
import { fail, ok } from '../../core/result.ts';
import { bodyFault } from './body-check.ts';
import { isObject } from './json.ts';
import { newestSchema } from './newest-schema.ts';
import type { SchemaFile } from './schema-files.ts';
import type { RecordNode, SchemaNode } from './schema-tree.ts';
import { parseSchema } from './schema-tree.ts';

/**
 * Completes what a person or a program wrote, by the newest schema of a shape: what has a default gets it, what may be
 * absent is null, a list is empty, a record is completed inside. Everything else must be there and nothing more may be.
 */
export const openBodyFiller = (schemas: readonly SchemaFile[]): FillBody => {
  const nodes = new Map<Shape, RecordNode>();
  const nodeOf = (shape: Shape): RecordNode => {
    const known = nodes.get(shape);
    if (known !== undefined) return known;
    const node = parseSchema(newestSchema(schemas, shape).text);
    nodes.set(shape, node);
    return node;
  };
  return (shape, written) => {
    const node = nodeOf(shape);
    const body = completed(node, written);
    const fault = bodyFault(node, body);
    if (fault === undefined) return ok(body as { readonly [field: string]: unknown });
    // `.slot.component: missing`
    const [, path = '', what = ''] = /^\.?(.*?): (.*)$/s.exec(fault) ?? [];
    return fail({ code: 'field-invalid', path, message: `${path} is ${what}` });
  };
};

const completed = (node: SchemaNode, value: unknown): unknown => {
  switch (node.type) {
    case 'nullable':
      return value === null ? null : completed(node.value, value);
    case 'array':
      return Array.isArray(value) ? value.map((item) => completed(node.items, item)) : value;
    case 'record':
      return isObject(value) ? completedRecord(node, value) : value;
    case 'boolean':
    case 'int':
    case 'long':
    case 'double':
    case 'string':
    case 'bytes':
      return value;
  }
};

const completedRecord = (
  { fields }: RecordNode,
  value: { readonly [name: string]: unknown },
): unknown => {
  const added = fields.flatMap(({ name, node, byDefault }): (readonly [string, unknown])[] => {
    if (Object.hasOwn(value, name)) return [];
    if (byDefault !== undefined) return [[name, byDefault.value]];
    switch (node.type) {
      case 'nullable':
        return [[name, null]];
      case 'array':
        return [[name, []]];
      case 'record':
        return [[name, completedRecord(node, {})]];
      case 'boolean':
      case 'int':
      case 'long':
      case 'double':
      case 'string':
      case 'bytes':
        return [];
    }
  });
  const known = new Map(fields.map((field) => [field.name, field.node]));
  const given = Object.entries(value).map(([name, inside]): readonly [string, unknown] => {
    const node = known.get(name);
    return [name, node === undefined ? inside : completed(node, inside)];
  });
  return Object.fromEntries([...given, ...added]);
};
