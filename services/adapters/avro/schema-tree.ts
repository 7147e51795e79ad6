import { isObject, parseJson } from './json.ts';
import type { JsonObject } from './json.ts';

/**
 * The part of Avro that our records are made of, read from the text of a schema. Left out on purpose:
 * maps (JavaScript reorders and swallows keys), enums (no reader knows a later symbol), floats, fixed,
 * unions of more than null and one type, and array items that take no bytes (a few bytes could then
 * declare millions of them).
 */
export type SchemaNode =
  | { readonly type: PrimitiveName; readonly logicalType: string | undefined }
  | { readonly type: 'nullable'; readonly value: SchemaNode }
  | { readonly type: 'array'; readonly items: SchemaNode; readonly itemBytesMin: number }
  | RecordNode;

export type PrimitiveName = 'boolean' | 'int' | 'long' | 'double' | 'string' | 'bytes';

export type RecordNode = {
  readonly type: 'record';
  /** With its namespace. */
  readonly name: string;
  readonly doc: string | undefined;
  readonly fields: readonly FieldNode[];
};

export type FieldNode = {
  readonly name: string;
  readonly doc: string | undefined;
  readonly node: SchemaNode;
  /** The default as its schema writes it (JSON), or undefined: the field has none. */
  readonly byDefault: { readonly value: unknown } | undefined;
};

/** A schema that is no Avro, or uses what our records may not. Its message is a sentence with the place. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/** Throws a SchemaError: a schema that is not right is a fault of the release, not of a record. */
export function parseSchema(text: string): RecordNode {
  const parsed = parseJson(text);
  if (parsed === undefined) throw new SchemaError('The schema is not JSON.');
  const node = parseNode(parsed.value, { path: '', namespace: '', records: new Map() });
  if (node.type !== 'record') throw new SchemaError('The schema is not of a record.');
  return node;
}

type Place = {
  readonly path: string;
  readonly namespace: string;
  readonly records: Map<string, RecordNode>;
};

const primitives: { readonly [Name in PrimitiveName]: number } = {
  boolean: 1,
  int: 1,
  long: 1,
  double: 8,
  string: 1,
  bytes: 1,
};

const isPrimitive = (name: unknown): name is PrimitiveName =>
  typeof name === 'string' && Object.hasOwn(primitives, name);

function parseNode(schema: unknown, place: Place): SchemaNode {
  if (Array.isArray(schema)) return parseUnion(schema, place);
  if (typeof schema === 'string') return parseName(schema, place);
  if (!isObject(schema)) throw problemAt(place, 'is neither a name nor an object nor a union');
  if (schema['type'] === 'record') return parseRecord(schema, place);
  if (schema['type'] === 'array') return parseArray(schema, place);
  if (isPrimitive(schema['type'])) {
    const logicalType = schema['logicalType'];
    return {
      type: schema['type'],
      logicalType: typeof logicalType === 'string' ? logicalType : undefined,
    };
  }
  return parseNode(schema['type'], place);
}

function parseName(name: string, place: Place): SchemaNode {
  if (isPrimitive(name)) return { type: name, logicalType: undefined };
  const record = place.records.get(fullName(name, place.namespace));
  if (record === undefined)
    throw problemAt(place, `has the type ${name}, which our records do not use`);
  return record;
}

function parseUnion(branches: readonly unknown[], place: Place): SchemaNode {
  const [first, second] = branches;
  if (branches.length !== 2 || first !== 'null' || second === 'null' || Array.isArray(second))
    throw problemAt(place, 'is a union other than null and one type');
  return { type: 'nullable', value: parseNode(second, place) };
}

function parseArray(schema: JsonObject, place: Place): SchemaNode {
  const items = parseNode(schema['items'], { ...place, path: `${place.path}[]` });
  const itemBytesMin = bytesMin(items, new Set());
  if (itemBytesMin === 0) throw problemAt(place, 'has items that take no bytes');
  return { type: 'array', items, itemBytesMin };
}

function parseRecord(schema: JsonObject, place: Place): RecordNode {
  const { name, doc } = schema;
  if (typeof name !== 'string') throw problemAt(place, 'is a record without a name');
  const written = schema['namespace'];
  const full = fullName(name, typeof written === 'string' ? written : place.namespace);
  if (!full.split('.').every(isAvroName))
    throw problemAt(place, `has the name ${full}, which is no Avro name`);
  if (place.records.has(full)) throw problemAt(place, `defines ${full} a second time`);
  const fields: FieldNode[] = [];
  const record: RecordNode = { type: 'record', name: full, doc: textOrNone(doc), fields };
  place.records.set(full, record); // before its fields, which may name it
  if (!Array.isArray(schema['fields'])) throw problemAt(place, 'is a record without fields');
  const namespace = full.includes('.') ? full.slice(0, full.lastIndexOf('.')) : '';
  for (const field of schema['fields'] as readonly unknown[])
    fields.push(parseField(field, fields, { ...place, namespace }));
  return record;
}

function parseField(field: unknown, before: readonly FieldNode[], place: Place): FieldNode {
  if (!isObject(field) || typeof field['name'] !== 'string' || !isAvroName(field['name']))
    throw problemAt(place, 'has a field without an Avro name');
  const name = field['name'];
  const path = place.path === '' ? name : `${place.path}.${name}`;
  if (before.some((other) => other.name === name)) throw problemAt({ path }, 'is there twice');
  return {
    name,
    doc: textOrNone(field['doc']),
    node: parseNode(field['type'], { ...place, path }),
    byDefault: Object.hasOwn(field, 'default') ? { value: field['default'] } : undefined,
  };
}

/** The fewest bytes that a value can take; a record inside itself counts 0, which only loosens the bound. */
function bytesMin(node: SchemaNode, inside: ReadonlySet<RecordNode>): number {
  switch (node.type) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'double':
    case 'string':
    case 'bytes':
      return primitives[node.type];
    case 'nullable':
    case 'array':
      return 1;
    case 'record': {
      if (inside.has(node)) return 0;
      const deeper = new Set([...inside, node]);
      return node.fields.reduce((sum, field) => sum + bytesMin(field.node, deeper), 0);
    }
  }
}

const fullName = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;

// `__proto__` is a good Avro name and a bad JavaScript one.
const isAvroName = (name: string): boolean =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && name !== '__proto__';

const textOrNone = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

const problemAt = (place: { readonly path: string }, problem: string): SchemaError =>
  new SchemaError(`${place.path === '' ? 'The schema' : `The field ${place.path}`} ${problem}.`);
