import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';

const folder = resolve(import.meta.dirname, '../../schemas/cli');

const ajv = new Ajv2020({
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  allErrors: true,
});
for (const file of readdirSync(folder))
  ajv.addSchema(JSON.parse(readFileSync(join(folder, file), 'utf8')) as object);

/** Names of the published schemas. */
export const schemaNames: readonly string[] = readdirSync(folder).map((file) =>
  file.replace(/\.json$/, ''),
);

/** What is wrong with a line by the schema of that name; empty: nothing. */
export const faultsOf = (name: string, line: unknown): readonly string[] => {
  const validate = ajv.getSchema(`urn:plimsoll:cli:${name}`);
  if (validate === undefined) throw new Error(`there is no schema ${name}`);
  return validate(line) === true
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};
