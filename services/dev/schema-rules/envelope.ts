import { isObject, parseJson } from '../../adapters/avro/json.ts';
import type { SchemaFile } from '../../adapters/avro/schema-files.ts';
import { canonicalJson } from '../../core/canonical.ts';
import type { Json } from '../../core/canonical.ts';
import type { Shape } from '../../core/markers/codec.ts';

type Envelope = { readonly shapes: readonly Shape[]; readonly fields: readonly string[] };

/** What every record of the log and of `instances` begins with, so that one of an unknown schema can still be listed. */
const logEnvelope: Envelope = {
  shapes: [
    'plan',
    'update',
    'place',
    'change',
    'decision',
    'trust',
    'operation',
    'policy',
    'instance',
  ],
  fields: [
    'marker',
    'deployment',
    'kind',
    'audience',
    'source',
    'occurredAt',
    'producer',
    'sequence',
    'attempt',
  ],
};

/** What every record of `samples` begins with: whom it is for, and the two names that are its key. */
const sampleEnvelope: Envelope = {
  shapes: ['points', 'analysis', 'tick', 'copy'],
  fields: ['kind', 'audience', 'environment', 'component'],
};

/** Schemas that do not begin with their envelope, or describe a field of it in words of their own. */
export const envelopeFaults = (schemas: readonly SchemaFile[]): readonly string[] =>
  [logEnvelope, sampleEnvelope].flatMap((envelope) =>
    faultsOf(
      envelope,
      schemas.filter((schema) => envelope.shapes.includes(schema.shape)),
    ),
  );

function faultsOf(envelope: Envelope, schemas: readonly SchemaFile[]): readonly string[] {
  const first = schemas[0];
  if (first === undefined) return [];
  const model = firstFields(first.text, envelope);
  return schemas.flatMap((schema) => {
    const fields = firstFields(schema.text, envelope);
    return envelope.fields.flatMap((name, index) => {
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

function firstFields(
  text: string,
  envelope: Envelope,
): readonly { readonly name: string; readonly text: string }[] {
  const schema = parseJson(text)?.value;
  const fields = isObject(schema) && Array.isArray(schema['fields']) ? schema['fields'] : [];
  return fields.slice(0, envelope.fields.length).map((field: unknown) => ({
    name: isObject(field) && typeof field['name'] === 'string' ? field['name'] : 'no field',
    text: canonicalJson(field as Json),
  }));
}
