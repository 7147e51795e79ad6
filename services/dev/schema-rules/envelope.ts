import { isObject, parseJson } from '../../adapters/avro/json.ts';
import type { SchemaFile } from '../../adapters/avro/schema-files.ts';
import { canonicalJson } from '../../core/canonical.ts';
import type { Json } from '../../core/canonical.ts';
import type { Shape } from '../../core/markers/codec.ts';

/** What every record of the log begins with, so that one of an unknown schema can still be listed. */
const envelopeFields = [
  'marker',
  'deployment',
  'kind',
  'audience',
  'source',
  'occurredAt',
  'producer',
  'sequence',
  'attempt',
];

const logShapes: readonly Shape[] = ['plan', 'update', 'place', 'decision', 'trust'];

/** Log schemas that do not begin with the envelope, or describe a field of it in words of their own. */
export function envelopeFaults(schemas: readonly SchemaFile[]): readonly string[] {
  const onLog = schemas.filter((schema) => logShapes.includes(schema.shape));
  const first = onLog[0];
  if (first === undefined) return [];
  const model = firstFields(first.text);
  return onLog.flatMap((schema) => {
    const fields = firstFields(schema.text);
    return envelopeFields.flatMap((name, index) => {
      const field = fields[index];
      if (field?.name !== name)
        return [
          `${fileOf(schema)}: field ${index + 1} is ${field?.name ?? 'no field'}, the envelope has ${name} there`,
        ];
      return field.text === model[index]?.text
        ? []
        : [`${fileOf(schema)}: the envelope field ${name} is not the same as in ${fileOf(first)}`];
    });
  });
}

export const fileOf = (schema: SchemaFile): string => `${schema.shape}.v${schema.version}.avsc`;

function firstFields(text: string): readonly { readonly name: string; readonly text: string }[] {
  const schema = parseJson(text)?.value;
  const fields = isObject(schema) && Array.isArray(schema['fields']) ? schema['fields'] : [];
  return fields.slice(0, envelopeFields.length).map((field: unknown) => ({
    name: isObject(field) && typeof field['name'] === 'string' ? field['name'] : 'no field',
    text: canonicalJson(field as Json),
  }));
}
