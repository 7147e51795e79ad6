import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { avscWriter } from '../../../services/adapters/avro/avsc-type.ts';
import { writeBody } from '../../../services/adapters/avro/body-writer.ts';
import { loadSchemas } from '../../../services/adapters/avro/schema-files.ts';
import type { RecordNode } from '../../../services/adapters/avro/schema-tree.ts';
import { parseSchema } from '../../../services/adapters/avro/schema-tree.ts';
import { wholeNumberMax, wholeNumberMin } from '../../../services/adapters/avro/limits.ts';
import { anyBody } from '../../support/avro-bodies.ts';
import { goldenRecords, schemaTextOf } from '../../support/golden-records.ts';

const schemas = loadSchemas().map(({ shape, version, text }) => ({
  name: `${shape} v${version}`,
  text,
  node: parseSchema(text),
}));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('a body is written as', () => {
  test.each(goldenRecords('valid', 'body'))('the golden record has it: $name', (record) => {
    expect(hex(writeBody(parseSchema(schemaTextOf(record)), record.expect.body))).toBe(record.body);
  });

  test.each(schemas)('avsc writes it, whatever it says: $name', ({ node, text }) => {
    const write = avscWriter({ node, text });
    fc.assert(
      fc.property(anyBody(node), (body) => {
        expect(hex(writeBody(node, body))).toBe(hex(write(body)));
      }),
      { numRuns: 60 },
    );
  });
});

const only = (type: string): RecordNode =>
  parseSchema(`{"type":"record","name":"Only","fields":[{"name":"it","type":${type}}]}`);

describe('what is easily written wrong', () => {
  test.each([
    ...[0, -1, 1, -64, 64, 2 ** 30 - 1, 2 ** 30, -(2 ** 30), -(2 ** 30) - 1],
    ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, wholeNumberMax, wholeNumberMin],
  ])('the whole number %d is that of avsc', (it) => {
    const node = only('"long"');
    const text = '{"type":"record","name":"Only","fields":[{"name":"it","type":"long"}]}';
    expect(hex(writeBody(node, { it }))).toBe(hex(avscWriter({ node, text })({ it })));
  });

  test.each([0, 1, 47, 48, 49, 63, 64, 65, 1023, 1024, 5000])(
    'a text of %d letters, plain or not, is there whole',
    (length) => {
      const node = only('"string"');
      const text = '{"type":"record","name":"Only","fields":[{"name":"it","type":"string"}]}';
      for (const letter of ['a', 'é', '€', '😀']) {
        const body = { it: letter.repeat(length) };
        expect(hex(writeBody(node, body))).toBe(hex(avscWriter({ node, text })(body)));
      }
    },
  );

  test('what was written stays when the next is', () => {
    const node = only('"string"');
    const first = writeBody(node, { it: 'first' });
    const before = hex(first);
    writeBody(node, { it: 'second' });
    expect(hex(first)).toBe(before);
  });
});
