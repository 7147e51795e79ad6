import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { openCodec } from '../../../services/adapters/avro/codec.ts';
import { loadSchemas, parseSchemaFileName } from '../../../services/adapters/avro/schema-files.ts';
import { parseSchema } from '../../../services/adapters/avro/schema-tree.ts';
import { newestVersion } from '../../../services/core/markers/upcast.ts';
import { anyBody } from '../../support/avro-bodies.ts';
import { goldenRecords } from '../../support/golden-records.ts';
import { readAvro } from '../../support/plain-avro-reader.ts';

const schemas = loadSchemas();
const codec = openCodec(schemas);
const written = schemas.filter((file) => file.version === codec.writer(file.shape).version);
const textOf = (digest: string): string => {
  const ref = codec.schema(digest);
  const file = schemas.find((one) => one.shape === ref?.shape && one.version === ref.version);
  if (file === undefined) throw new Error('the digest names no schema');
  return file.text;
};

const trustBody = {
  marker: '01890a5d-ac96-774b-bcce-b302099a8057',
  deployment: null,
  kind: 'key-retired',
  audience: 'local',
  source: '/operators/ana',
  occurredAt: 1_795_000_000_000,
  producer: null,
  sequence: null,
  attempt: null,
  log: '3f2b87a9-fe7c-8c9b-9383-5598c3981cd4',
  key: null,
  keyId: '0011223344556677',
  since: null,
  reason: 'left the company',
};
const trustWithKey = (publicKey: Uint8Array): object => ({
  ...trustBody,
  key: {
    id: '0011223344556677',
    principal: 'ana',
    algorithm: 'ed25519',
    publicKey,
    roles: ['trust-admin'],
    environments: ['*'],
    components: ['*'],
    kinds: ['*'],
  },
});

describe('what the codec writes', () => {
  test.each(written)('it reads again as it was: $shape', ({ shape, text }) => {
    fc.assert(
      fc.property(anyBody(parseSchema(text)), (body) => {
        const { schema, bytes } = codec.encode(shape, body);
        expect(codec.decode(schema.digest, bytes)).toEqual({ ok: true, value: { schema, body } });
      }),
      { numRuns: 50 },
    );
  });

  test.each(written)('a reader that has the schema file alone reads: $shape', ({ shape, text }) => {
    fc.assert(
      fc.property(anyBody(parseSchema(text)), (body) => {
        const { schema, bytes } = codec.encode(shape, body);
        expect(readAvro(textOf(schema.digest), bytes)).toEqual(body);
      }),
      { numRuns: 50 },
    );
  });

  test('is of the newest version of its shape, the one the rules lift to', () => {
    for (const { shape } of schemas) expect(codec.writer(shape).version).toBe(newestVersion(shape));
  });

  test('shares no memory with what it was made from', () => {
    const publicKey = new Uint8Array(32).fill(7);
    const { schema, bytes } = codec.encode('trust', trustWithKey(publicKey));
    const decoded = codec.decode(schema.digest, bytes);
    bytes.fill(0xff);
    publicKey.fill(0xff);
    expect(decoded).toMatchObject({
      value: { body: { key: { publicKey: new Uint8Array(32).fill(7) } } },
    });
  });
});

describe('a body that is not of the shape is a TypeError that names the place', () => {
  const { reason: _, ...withoutReason } = trustBody;
  test.each([
    ['a field that is missing', withoutReason, 'trust.reason: missing'],
    ['a field the schema does not know', { ...trustBody, note: 'x' }, 'trust.note: not a field'],
    [
      'undefined for null',
      { ...trustBody, reason: undefined },
      'trust.reason: not well-formed text',
    ],
    ['a fraction for a long', { ...trustBody, occurredAt: 0.5 }, 'trust.occurredAt: not a whole'],
    [
      'a number avsc would change',
      { ...trustBody, since: -(2 ** 52) - 1 },
      'trust.since: not a whole',
    ],
    ['a lone surrogate', { ...trustBody, source: '\ud800' }, 'trust.source: not well-formed text'],
    ['a plain list for bytes', trustWithKey([1] as never), 'trust.key.publicKey: not a Uint8Array'],
    ['inherited fields', Object.create(trustBody), 'trust.marker: missing'],
    ['null', null, 'trust: not an object'],
  ])('%s', (_name, body, message) => {
    expect(() => codec.encode('trust', body)).toThrow(TypeError);
    expect(() => codec.encode('trust', body)).toThrow(message);
  });

  test('but many records side by side are no nesting', () => {
    const plan = goldenRecords('valid', 'body').find(({ name }) => name === 'records_side_by_side');
    const { bytes } = codec.encode('plan', plan?.expect.body);
    expect(Buffer.from(bytes).toString('hex')).toBe(plan?.body);
  });

  test('more list items than a reader takes', () => {
    const roles = Array.from({ length: 10_001 }, () => '');
    const { key } = trustWithKey(new Uint8Array(32)) as { readonly key: object };
    expect(() => codec.encode('trust', { ...trustBody, key: { ...key, roles } })).toThrow(
      'trust.key.roles: more items than the 10000 of a record',
    );
  });
});

describe('decoding', () => {
  test('knows only the digests of its schemas', () => {
    const { bytes } = codec.encode('trust', trustBody);
    for (const digest of [
      '0'.repeat(64),
      '',
      '__proto__',
      codec.writer('plan').digest.toUpperCase(),
    ])
      expect(codec.decode(digest, bytes)).toMatchObject({
        ok: false,
        problem: { code: 'schema-unknown' },
      });
  });

  test('of the same bytes under another shape is refused or another reading, never a throw', () => {
    const { bytes } = codec.encode('trust', trustBody);
    for (const { shape } of written) codec.decode(codec.writer(shape).digest, bytes);
  });

  test('gives plain objects, whatever the data is named', () => {
    const { schema, bytes } = codec.encode('trust', trustWithKey(new Uint8Array(32)));
    const decoded = codec.decode(schema.digest, bytes);
    if (!decoded.ok) throw new Error('refused');
    const body = decoded.value.body as { readonly key: object };
    for (const object of [body, body.key]) {
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
      for (const property of Object.values(Object.getOwnPropertyDescriptors(object)))
        expect(property).toHaveProperty('value');
    }
  });
});

describe('opening schemas', () => {
  const small = (type: string): string =>
    `{"type":"record","name":"Plan","fields":[{"name":"a","type":${type}}]}`;

  test('whose bytes could not be told apart is an error', () => {
    const text = small('"long"');
    const documented = small('{"type":"long","doc":"the same to a reader"}');
    expect(() =>
      openCodec([
        { shape: 'plan', version: 1, text },
        { shape: 'plan', version: 2, text: documented },
      ]).schema('some digest'),
    ).toThrow('plan v2 has the digest of plan v1');
  });

  test.each([
    ['a map', '{"type":"map","values":"string"}'],
    ['an enum', '{"type":"enum","name":"E","symbols":["A"]}'],
    ['a float', '"float"'],
    ['a union of two records', '["null","string","long"]'],
    ['a union that ends with null', '["string","null"]'],
    ['a list of nulls', '{"type":"array","items":"null"}'],
    [
      'a list of empty records',
      '{"type":"array","items":{"type":"record","name":"E","fields":[]}}',
    ],
    [
      'a field of that name',
      '{"type":"record","name":"E","fields":[{"name":"__proto__","type":"long"}]}',
    ],
  ])('that hold %s is an error', (_name, type) => {
    const opened = openCodec([{ shape: 'plan', version: 1, text: small(type) }]);
    expect(() => opened.writer('plan')).toThrow(/The (schema|field)/);
    expect(() => opened.schema('some digest')).toThrow(/The (schema|field)/);
  });

  test('takes only file names of the form <shape>.v<version>.avsc', () => {
    expect(parseSchemaFileName('update.v2.avsc')).toEqual({ shape: 'update', version: 2 });
    for (const file of [
      'update.avsc',
      'update.v0.avsc',
      'update.v02.avsc',
      'upgrade.v1.avsc',
      'toString.v1.avsc',
    ])
      expect(parseSchemaFileName(file)).toBeUndefined();
  });
});
