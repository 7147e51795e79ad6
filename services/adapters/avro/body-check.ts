import { arrayItemsMax, nestingMax, wholeNumberMax, wholeNumberMin } from './limits.ts';
import type { RecordNode, SchemaNode } from './schema-tree.ts';

/**
 * What keeps a value from being a body of the schema, as `place: why`, or undefined. Strict both ways: a
 * field that is missing and a field that the schema does not know are faults, so nothing is lost in silence.
 */
export const bodyFault = (schema: RecordNode, body: unknown): string | undefined =>
  faultOf(schema, body, { itemsLeft: arrayItemsMax, depth: 0 });

type Budget = { itemsLeft: number; depth: number };

function faultOf(node: SchemaNode, value: unknown, budget: Budget): string | undefined {
  switch (node.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `: not true or false`;
    case 'int':
      return isWhole(value, -(2 ** 31), 2 ** 31 - 1)
        ? undefined
        : ': not a whole number of 32 bits';
    case 'long':
      return isWhole(value, wholeNumberMin, wholeNumberMax)
        ? undefined
        : ': not a whole number from -2^52 to 2^53';
    case 'double':
      return typeof value === 'number' ? undefined : ': not a number';
    case 'string':
      return typeof value === 'string' && value.isWellFormed()
        ? undefined
        : ': not well-formed text';
    case 'bytes':
      return value instanceof Uint8Array ? undefined : ': not a Uint8Array';
    case 'nullable':
      return value === null ? undefined : faultOf(node.value, value, budget);
    case 'array':
      return arrayFault(node.items, value, budget);
    case 'record':
      return recordFault(node, value, budget);
  }
}

function arrayFault(items: SchemaNode, value: unknown, budget: Budget): string | undefined {
  if (!Array.isArray(value)) return ': not a list';
  budget.itemsLeft -= value.length;
  if (budget.itemsLeft < 0) return `: more items than the ${arrayItemsMax} of a record`;
  for (const [index, item] of value.entries()) {
    const fault = faultOf(items, item, budget);
    if (fault !== undefined) return `[${index}]${fault}`;
  }
  return undefined;
}

function recordFault(record: RecordNode, value: unknown, budget: Budget): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ': not an object';
  if (++budget.depth > nestingMax) return `: nested deeper than ${nestingMax} records`;
  const body = value as { readonly [name: string]: unknown };
  for (const field of record.fields) {
    const fault = Object.hasOwn(body, field.name)
      ? faultOf(field.node, body[field.name], budget)
      : ': missing';
    if (fault !== undefined) return `.${field.name}${fault}`;
  }
  const names = Object.keys(body);
  if (names.length !== record.fields.length) {
    const known = new Set(record.fields.map((field) => field.name));
    return `.${names.find((name) => !known.has(name)) ?? ''}: not a field of the schema`;
  }
  budget.depth--;
  return undefined;
}

const isWhole = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
