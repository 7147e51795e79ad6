import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { avscType } from '../../../services/adapters/avro/avsc-type.ts';
import { readBody } from '../../../services/adapters/avro/body-reader.ts';
import { loadSchemas } from '../../../services/adapters/avro/schema-files.ts';
import { parseSchema } from '../../../services/adapters/avro/schema-tree.ts';
import { anyBody } from '../../support/avro-bodies.ts';
import { goldenRecords, schemaTextOf } from '../../support/golden-records.ts';
import { readAvro } from '../../support/plain-avro-reader.ts';

const schemas = loadSchemas().map((file) => ({
  name: `${file.shape} v${file.version}`,
  text: file.text,
  node: parseSchema(file.text),
}));
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('a body that is as our writers write it', () => {
  test.each(goldenRecords('valid', 'body'))('is taken: $name', (record) => {
    const read = readBody(parseSchema(schemaTextOf(record)), bytesOf(record.body));
    expect(read).toEqual({ ok: true, value: record.expect.body });
  });

  test.each(goldenRecords('valid', 'body'))('a reader of plain Avro agrees on: $name', (record) => {
    expect(readAvro(schemaTextOf(record), bytesOf(record.body))).toEqual(record.expect.body);
  });

  test.each(schemas)('of $name, whatever it says, is what avsc wrote', ({ node, text }) => {
    const type = avscType(text);
    fc.assert(
      fc.property(anyBody(node), (body) => {
        expect(readBody(node, type.toBuffer(body))).toEqual({ ok: true, value: body });
      }),
      { numRuns: 60 },
    );
  });
});

describe('a body that is not', () => {
  test.each(goldenRecords('invalid', 'body'))('is refused: $name', (record) => {
    const read = readBody(parseSchema(schemaTextOf(record)), bytesOf(record.body));
    expect(read).toMatchObject({ ok: false, problem: { code: record.expect.code } });
  });

  test('is refused at every length shorter than its own', () => {
    const plan = goldenRecords('valid', 'body').find((record) => record.name === 'plan');
    if (plan === undefined) throw new Error('the golden plan is gone');
    const node = parseSchema(schemaTextOf(plan));
    const whole = bytesOf(plan.body);
    for (let length = 0; length < whole.length; length++)
      expect(readBody(node, whole.subarray(0, length))).toMatchObject({
        ok: false,
        problem: { code: 'body-malformed' },
      });
  });

  test.each([
    ['utf8_surrogate', 'version: is not UTF-8'],
    [
      'array_bomb_within_item_limit',
      'details.tickets: declares 10000 items, more than the bytes can hold',
    ],
    ['trailing_byte', 'the body: 1 bytes are left over'],
  ])('says where the fault is: %s', (fault, message) => {
    const record = goldenRecords('invalid', 'body').find(({ name }) => name === fault);
    if (record === undefined) throw new Error('the golden record is gone');
    expect(readBody(parseSchema(schemaTextOf(record)), bytesOf(record.body))).toMatchObject({
      problem: { message },
    });
  });
});

describe('bytes from a stranger', () => {
  test.each(schemas)('read as $name, never throw', ({ node }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        readBody(node, bytes);
      }),
      { numRuns: 500 },
    );
  });

  test.each(schemas)(
    'one byte of a good $name changed: refused, or another good body',
    (schema) => {
      const type = avscType(schema.text);
      const change = fc.record({ at: fc.nat(), to: fc.nat({ max: 255 }) });
      fc.assert(
        fc.property(anyBody(schema.node), change, (body, { at, to }) => {
          const bytes = Buffer.from(type.toBuffer(body));
          bytes[at % bytes.length] = to;
          const read = readBody(schema.node, bytes);
          expect(read.ok ? type.toBuffer(read.value) : bytes).toEqual(bytes);
        }),
        { numRuns: 200 },
      );
    },
  );

  test('make no list longer than the bytes themselves', () => {
    const node = parseSchema(
      '{"type":"record","name":"Lists","fields":[{"name":"a","type":{"type":"array","items":{"type":"array","items":"long"}}}]}',
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const read = readBody(node, bytes);
        if (!read.ok) return;
        const { a } = read.value as { readonly a: readonly (readonly number[])[] };
        expect(a.length + a.flat().length).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});
