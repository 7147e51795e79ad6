import { createHash } from 'node:crypto';
import { isObject, parseJson } from './json.ts';
import type { JsonObject } from './json.ts';
import { SchemaError } from './schema-tree.ts';

/**
 * The parsing canonical form of a schema (Avro 1.12 specification, "Parsing Canonical Form for Schemas"):
 * what a reader of the bytes must know, and nothing else. Any Avro schema is taken. Throws a SchemaError.
 */
export function parsingCanonicalForm(text: string): string {
  const parsed = parseJson(text);
  if (parsed === undefined) throw new SchemaError('The schema is not JSON.');
  return canonical(parsed.value, '');
}

/** SHA-256 (64 hex digits) of the parsing canonical form: the name of a schema on the wire. */
export const schemaDigest = (text: string): string =>
  createHash('sha256').update(parsingCanonicalForm(text), 'utf8').digest('hex');

const primitiveNames: ReadonlySet<unknown> = new Set([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
]);

function canonical(schema: unknown, namespace: string): string {
  if (typeof schema === 'string')
    return quote(primitiveNames.has(schema) ? schema : fullName(schema, namespace));
  if (Array.isArray(schema))
    return `[${schema.map((branch) => canonical(branch, namespace)).join(',')}]`;
  if (!isObject(schema)) throw new SchemaError('The schema holds what is no type.');
  const { type } = schema;
  if (type === 'array') return `{"type":"array","items":${canonical(schema['items'], namespace)}}`;
  if (type === 'map') return `{"type":"map","values":${canonical(schema['values'], namespace)}}`;
  if (type === 'record' || type === 'error' || type === 'enum' || type === 'fixed')
    return canonicalNamed(schema, type, namespace);
  return canonical(type, namespace);
}

function canonicalNamed(schema: JsonObject, type: string, outer: string): string {
  const written = schema['namespace'];
  const name = fullName(String(schema['name']), typeof written === 'string' ? written : outer);
  const namespace = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : '';
  const head = `{"name":${quote(name)},"type":${quote(type)}`;
  if (type === 'enum')
    return `${head},"symbols":[${listOf(schema, 'symbols').map(quote).join(',')}]}`;
  if (type === 'fixed') return `${head},"size":${Number(schema['size'])}}`;
  const fields = listOf(schema, 'fields').map((field) => {
    if (!isObject(field))
      throw new SchemaError(`The record ${name} has a field that is no object.`);
    return `{"name":${quote(field['name'])},"type":${canonical(field['type'], namespace)}}`;
  });
  return `${head},"fields":[${fields.join(',')}]}`;
}

function listOf(schema: JsonObject, name: string): readonly unknown[] {
  const list = schema[name];
  if (!Array.isArray(list)) throw new SchemaError(`A ${String(schema['type'])} has no ${name}.`);
  return list;
}

const fullName = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;

const quote = (text: unknown): string => JSON.stringify(text);
