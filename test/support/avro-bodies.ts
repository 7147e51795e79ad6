import * as fc from 'fast-check';
import type { SchemaNode } from '../../services/adapters/avro/schema-tree.ts';
import { wholeNumberMax, wholeNumberMin } from '../../services/adapters/avro/limits.ts';

/** Any body that a schema without recursion allows, favouring the awkward ones. */
export function anyBody(node: SchemaNode): fc.Arbitrary<unknown> {
  switch (node.type) {
    case 'boolean':
      return fc.boolean();
    case 'int':
      return fc.integer();
    case 'long':
      return fc.integer({ min: wholeNumberMin, max: wholeNumberMax });
    case 'double':
      return fc.double();
    case 'string':
      return fc.oneof(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.constantFrom('', '__proto__', 'constructor', '\u0000', '\ufeff', 'x'.repeat(3000)),
      );
    case 'bytes':
      return fc.uint8Array({ maxLength: 70 });
    case 'nullable':
      return fc.option(anyBody(node.value), { nil: null });
    case 'array':
      return fc.array(anyBody(node.items), { maxLength: 4 });
    case 'record':
      return fc.record(
        Object.fromEntries(node.fields.map((field) => [field.name, anyBody(field.node)])),
        { noNullPrototype: true },
      );
  }
}
