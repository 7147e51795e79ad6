import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import avsc from 'avsc';
import type { Schema } from 'avsc';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { schemasFolder } from '../../services/adapters/avro/schema-files.ts';
import { parseSchema } from '../../services/adapters/avro/schema-tree.ts';
import { resolutionFaults } from '../../services/dev/schema-rules/compatibility.ts';
import { publish, publishedFaults } from '../../services/dev/schema-rules/published.ts';
import { schemaFolderFaults } from '../../services/dev/schema-rules/schema-folder.ts';

type Field = { name: string; type: unknown; doc?: string; default?: unknown };
type Record = { doc?: string; fields: Field[] };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-schemas-'));
  cpSync(schemasFolder, folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const edit = (file: string, change: (schema: Record) => void): void => {
  const path = join(folder, file);
  const schema = JSON.parse(readFileSync(path, 'utf8')) as Record;
  change(schema);
  writeFileSync(path, JSON.stringify(schema, null, 2));
};
const fieldOf = (schema: Record, name: string): Field => {
  const field = schema.fields.find((one) => one.name === name);
  if (field === undefined) throw new Error(`there is no field ${name}`);
  return field;
};
const note: Field = { name: 'note', type: 'string', doc: 'A note.' };

test('the schemas of this house are right', () => {
  expect(schemaFolderFaults(schemasFolder)).toEqual([]);
});

describe('a change that another version cannot live with is reported', () => {
  test('a new field without a default', () => {
    edit('decision.v2.avsc', (schema) => schema.fields.push(note));
    expect(schemaFolderFaults(folder)).toEqual([
      'decision.v2.avsc cannot read decision.v1.avsc: the field note was not written and has no default',
    ]);
  });

  test('a field without a default that goes', () => {
    edit('decision.v1.avsc', (schema) => schema.fields.push(note));
    expect(schemaFolderFaults(folder)).toEqual([
      'decision.v1.avsc cannot read decision.v2.avsc: the field note was not written and has no default',
    ]);
  });

  test('a type that reads in one direction only', () => {
    edit('decision.v1.avsc', (schema) => schema.fields.push({ ...note, type: 'int' }));
    edit('decision.v2.avsc', (schema) => schema.fields.push({ ...note, type: 'long' }));
    expect(schemaFolderFaults(folder)).toEqual([
      'decision.v1.avsc cannot read decision.v2.avsc: the field note was written as long and is read as int',
    ]);
  });

  test('a field that may no longer be null', () => {
    edit('decision.v2.avsc', (schema) => {
      fieldOf(schema, 'metric').type = 'string';
      fieldOf(schema, 'metric').default = '';
    });
    expect(schemaFolderFaults(folder)).toEqual([
      'decision.v2.avsc cannot read decision.v1.avsc: the field metric may have been written as null',
    ]);
  });
});

describe('a schema that breaks a rule of the house is reported', () => {
  test.each([
    [
      'a field without a doc',
      (schema: Record) => void delete fieldOf(schema, 'version').doc,
      'place.v1.avsc: the field plimsoll.Place.version has no doc',
    ],
    [
      'a record without a doc',
      (schema: Record) => void delete schema.doc,
      'place.v1.avsc: the record plimsoll.Place has no doc',
    ],
    [
      'a double without a reason',
      (schema: Record) => void schema.fields.push({ ...note, type: ['null', 'double'] }),
      'place.v1.avsc: the field plimsoll.Place.note holds a double without a reason in services/dev/schema-rules/lint.ts',
    ],
    [
      'a map',
      (schema: Record) =>
        void schema.fields.push({ ...note, type: { type: 'map', values: 'int' } }),
      'place.v1.avsc: The field note has the type map, which our records do not use.',
    ],
    [
      'a list of what takes no bytes',
      (schema: Record) =>
        void schema.fields.push({ ...note, type: { type: 'array', items: 'null' } }),
      'place.v1.avsc: The field note[] has the type null, which our records do not use.',
    ],
    [
      'an envelope field in words of its own',
      (schema: Record) => void (fieldOf(schema, 'kind').doc = 'Sort.'),
      'place.v1.avsc: the envelope field kind is not the same as in change.v1.avsc',
    ],
    [
      'an envelope in another order',
      (schema: Record) => void schema.fields.splice(2, 0, note),
      'place.v1.avsc: field 3 is note, the envelope has kind there',
    ],
  ])('%s', (_name, change, sentence) => {
    edit('place.v1.avsc', change);
    expect(schemaFolderFaults(folder)).toContain(sentence);
  });

  test('a default that does not fit', () => {
    edit('place.v1.avsc', (schema) => schema.fields.push({ ...note, default: 7 }));
    expect(schemaFolderFaults(folder).join()).toMatch(/^place\.v1\.avsc: /);
  });

  test('a version left out, and one that no upcaster leads to', () => {
    cpSync(join(folder, 'tick.v1.avsc'), join(folder, 'tick.v3.avsc'));
    edit('tick.v3.avsc', (schema) => schema.fields.push({ ...note, default: '' }));
    expect(schemaFolderFaults(folder)).toEqual([
      'tick.v2.avsc is missing: versions count up from 1',
      'tick has schemas up to version 3, and the upcasters lift to 1',
    ]);
  });

  test('two versions whose bytes cannot be told apart', () => {
    cpSync(join(folder, 'update.v1.avsc'), join(folder, 'update.v2.avsc'));
    edit('update.v2.avsc', (schema) => (schema.doc = 'Other words.'));
    expect(schemaFolderFaults(folder)).toEqual([
      'update.v1.avsc and update.v2.avsc have the same canonical form: bytes cannot tell them apart',
    ]);
  });

  test('a file that is no JSON, and one of an unknown shape', () => {
    writeFileSync(join(folder, 'place.v1.avsc'), '{');
    expect(schemaFolderFaults(folder)[0]).toMatch(/^place\.v1\.avsc: /);
    writeFileSync(join(folder, 'places.v1.avsc'), '{}');
    expect(schemaFolderFaults(folder)).toEqual([
      'places.v1.avsc is not named <shape>.v<version>.avsc',
    ]);
  });
});

describe('what is published', () => {
  beforeEach(() => rmSync(join(folder, 'published.json'), { force: true }));

  test('is listed once and then stands', () => {
    expect(publishedFaults(folder)).toContain(
      'plan.v1.avsc is not published: node services/dev/check-schemas.ts --publish adds it',
    );
    expect(publish(folder)).toContain('plan.v1.avsc');
    expect(publishedFaults(folder)).toEqual([]);
    expect(publish(folder)).toEqual([]);
  });

  test('is not changed by one byte, nor by publishing again', () => {
    publish(folder);
    const path = join(folder, 'plan.v1.avsc');
    writeFileSync(path, `${readFileSync(path, 'utf8')}\n`);
    const changed = [
      'plan.v1.avsc was published and has changed: put it back, and write what is new as the next version',
    ];
    expect(publishedFaults(folder)).toEqual(changed);
    cpSync(path, join(folder, 'plan.v2.avsc'));
    expect(publish(folder)).toEqual(['plan.v2.avsc']);
    expect(publishedFaults(folder)).toEqual(changed);
  });

  test('is not taken away', () => {
    publish(folder);
    rmSync(join(folder, 'update.v1.avsc'));
    expect(publishedFaults(folder)).toEqual([
      'update.v1.avsc was published and is gone: records on logs need it to be read',
    ]);
  });

  test('is a list that can be read', () => {
    writeFileSync(join(folder, 'published.json'), '{"plan.v1.avsc": 7}');
    expect(publishedFaults(folder)).toEqual([
      'published.json is not a list of files and SHA-256 digests',
    ]);
  });
});

describe('the command', () => {
  const run = (
    ...flags: readonly string[]
  ): { readonly status: number | null; readonly said: string } => {
    const script = join(schemasFolder, '..', 'services', 'dev', 'check-schemas.ts');
    const { status, stderr } = spawnSync(process.execPath, [script, '--folder', folder, ...flags], {
      encoding: 'utf8',
    });
    return { status, said: stderr };
  };

  test('ends with 0 where all is right, with 1 and sentences where it is not', () => {
    expect(run('--publish')).toEqual({ status: 0, said: '' });
    edit('place.v1.avsc', (schema) => void delete fieldOf(schema, 'version').doc);
    const { status, said } = run('--publish');
    expect(status).toBe(1);
    expect(said).toContain('the field plimsoll.Place.version has no doc\n');
    expect(said).toContain('place.v1.avsc was published and has changed');
  });
});

/** Our rule and avsc's resolver are two readings of one specification. */
describe('schema resolution', () => {
  const leaf = fc.constantFrom<unknown>('int', 'long', 'double', 'string', 'bytes', 'boolean');
  const type = fc.oneof(
    leaf,
    leaf.map((items) => ({ type: 'array', items })),
    leaf.map((value) => ['null', value]),
  );
  const field = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    type,
    withDefault: fc.boolean(),
  });
  const record = fc
    .uniqueArray(field, { selector: ({ name }) => name, minLength: 1 })
    .map((fields) =>
      JSON.stringify({
        type: 'record',
        name: 'R',
        fields: fields.map(({ name, type: of, withDefault }) =>
          withDefault ? { name, type: ['null', of].flat(), default: null } : { name, type: of },
        ),
      }).replaceAll('["null","null",', '["null",'),
    );

  test('is possible exactly where avsc can do it', () => {
    fc.assert(
      fc.property(record, record, (reader, writer) => {
        const ours = resolutionFaults(parseSchema(reader), parseSchema(writer)).length === 0;
        expect(ours).toBe(avscResolves(reader, writer));
      }),
      { numRuns: 2000 },
    );
  });

  const avscResolves = (reader: string, writer: string): boolean => {
    const open = (text: string): avsc.Type =>
      avsc.Type.forSchema(JSON.parse(text) as Schema, { wrapUnions: true });
    try {
      open(reader).createResolver(open(writer));
      return true;
    } catch {
      return false;
    }
  };
});
