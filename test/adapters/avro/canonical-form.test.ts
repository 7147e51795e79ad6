import { createHash } from 'node:crypto';
import avsc from 'avsc';
import type { Schema } from 'avsc';
import { describe, expect, test } from 'vitest';
import {
  parsingCanonicalForm,
  schemaDigest,
} from '../../../services/adapters/avro/canonical-form.ts';
import { loadSchemas } from '../../../services/adapters/avro/schema-files.ts';

describe('the parsing canonical form', () => {
  // The rules of the specification by their names there.
  test.each([
    ['PRIMITIVES', '{"type":"int"}', '"int"'],
    [
      'PRIMITIVES inside a union',
      '["null", {"type":"long","logicalType":"timestamp-millis"}]',
      '["null","long"]',
    ],
    [
      'FULLNAMES from a namespace',
      '{"type":"fixed","name":"Digest","namespace":"a.b","size":32}',
      '{"name":"a.b.Digest","type":"fixed","size":32}',
    ],
    [
      'FULLNAMES: a name with dots ignores the namespace',
      '{"type":"enum","name":"x.Side","namespace":"a.b","symbols":["LEFT","RIGHT"]}',
      '{"name":"x.Side","type":"enum","symbols":["LEFT","RIGHT"]}',
    ],
    [
      'FULLNAMES: what is inside a record takes over its namespace, and names refer in full',
      '{"type":"record","name":"Tree","namespace":"wood","fields":[{"name":"left","type":["null","Tree"]},{"name":"leaf","type":{"type":"fixed","name":"Leaf","size":1}},{"name":"next","type":"Leaf"}]}',
      '{"name":"wood.Tree","type":"record","fields":[{"name":"left","type":["null","wood.Tree"]},{"name":"leaf","type":{"name":"wood.Leaf","type":"fixed","size":1}},{"name":"next","type":"wood.Leaf"}]}',
    ],
    [
      'STRIP and ORDER',
      '{"doc":"d","aliases":["B"],"fields":[{"default":1,"order":"ignore","type":"int","doc":"d","name":"n"}],"name":"A","type":"record"}',
      '{"name":"A","type":"record","fields":[{"name":"n","type":"int"}]}',
    ],
    ['STRINGS', '{"type":"\\u0073tring"}', '"string"'],
    [
      'INTEGERS',
      '{"type":"fixed","name":"F","size":16.0}',
      '{"name":"F","type":"fixed","size":16}',
    ],
    [
      'WHITESPACE',
      ' { "type" : "array" ,\n "items" : "null" } ',
      '{"type":"array","items":"null"}',
    ],
    ['a map', '{"values":{"type":"bytes"},"type":"map"}', '{"type":"map","values":"bytes"}'],
    [
      'a record without fields',
      '{"fields":[],"type":"record","name":"E"}',
      '{"name":"E","type":"record","fields":[]}',
    ],
    ['an empty union', '[ ]', '[]'],
  ])('%s', (_rule, text, form) => {
    expect(parsingCanonicalForm(text)).toBe(form);
    expect(parsingCanonicalForm(form)).toBe(form);
  });

  test('is taken by SHA-256, which gives the fingerprint that the field knows for "int"', () => {
    expect(schemaDigest('{"type":"int","doc":"any"}')).toBe(
      '3f2b87a9fe7cc9b13835598c3981cd45e3e355309e5090aa0933d7becb6fba45',
    );
  });

  test.each(loadSchemas())('of $shape v$version is what avsc takes it for', ({ text }) => {
    const type = avsc.Type.forSchema(JSON.parse(text) as Schema);
    expect(parsingCanonicalForm(text)).toBe(JSON.stringify(type.schema()));
    expect(schemaDigest(text)).toBe(type.fingerprint('sha256').toString('hex'));
    expect(schemaDigest(text)).toBe(
      createHash('sha256').update(parsingCanonicalForm(text)).digest('hex'),
    );
  });
});
