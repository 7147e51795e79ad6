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

describe('a body is read only from the very bytes that encoding it gives', () => {
  test.each(schemas)('$name, its bytes changed in every way', ({ node, text }) => {
    const type = avscType(text);
    fc.assert(
      fc.property(anyBody(node), anyChanges, (body, changes) => {
        const bytes = changed(type.toBuffer(body), changes);
        const read = readBody(node, bytes);
        expect(read.ok ? type.toBuffer(read.value) : bytes).toEqual(bytes);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    '"boolean"',
    '"int"',
    '"long"',
    '"string"',
    '"bytes"',
    '["null","long"]',
    '{"type":"array","items":"long"}',
  ])('%s, and the other way round: one byte, or two', (type) => {
    const text = `{"type":"record","name":"One","fields":[{"name":"a","type":${type}}]}`;
    const node = parseSchema(text);
    const avsc = avscType(text);
    const differing = shortStrings().filter(
      (bytes) => readBody(node, bytes).ok !== isReadAndWritten(avsc, bytes),
    );
    expect(differing).toEqual([]);
  });
});

type Change = {
  readonly how: 'set' | 'insert' | 'remove' | 'overlong' | 'cut';
  readonly at: number;
  readonly to: number;
};

const anyChanges = fc.array(
  fc.record({
    how: fc.constantFrom<Change['how'][]>('set', 'insert', 'remove', 'overlong', 'cut'),
    at: fc.nat(),
    to: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 2, 3, 0x7f, 0x80, 0xc0, 0xed)),
  }),
  { minLength: 1, maxLength: 3 },
);

/** `overlong`: a byte says that one more of its number follows, which is zero. */
const changed = (bytes: Uint8Array, changes: readonly Change[]): Buffer => {
  let list = [...bytes];
  for (const { how, at, to } of changes) {
    const index = at % Math.max(list.length, 1);
    if (how === 'set') list[index] = to;
    if (how === 'insert') list.splice(index, 0, to);
    if (how === 'remove') list.splice(index, 1);
    if (how === 'overlong') list.splice(index, 1, (list[index] ?? 0) | 0x80, 0);
    if (how === 'cut') list = list.slice(0, index);
  }
  return Buffer.from(list);
};

/** Every first byte, and second ones of each kind. */
const shortStrings = (): readonly Buffer[] => {
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const second = [0, 1, 2, 3, 4, 0x3f, 0x40, 0x41, 0x7f, 0x80, 0x81, 0xbf, 0xc3, 0xed, 0xff];
  return [
    Buffer.alloc(0),
    ...all.map((one) => Buffer.from([one])),
    ...all.flatMap((one) => second.map((two) => Buffer.from([one, two]))),
  ];
};

const isReadAndWritten = (type: ReturnType<typeof avscType>, bytes: Buffer): boolean => {
  try {
    return type.toBuffer(type.fromBuffer(bytes)).equals(bytes);
  } catch {
    return false;
  }
};

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
