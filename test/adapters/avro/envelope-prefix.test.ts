import avsc from 'avsc';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCodec } from '../../../services/adapters/avro/codec.ts';
import { loadSchemas } from '../../../services/adapters/avro/schema-files.ts';
import { goldenRecords } from '../../support/golden-records.ts';

const { prefix } = openCodec(loadSchemas());
const future = avsc.Type.forSchema(
  {
    type: 'record',
    name: 'Future',
    fields: [
      { name: 'marker', type: 'string' },
      { name: 'deployment', type: ['null', 'string'] },
      { name: 'kind', type: 'string' },
      { name: 'audience', type: 'string' },
      { name: 'unheardOf', type: { type: 'map', values: 'float' } },
    ],
  },
  { wrapUnions: false },
);
const first = {
  marker: '01890a5d-ac96-774b-bcce-b302099a8057',
  deployment: '3f2b87a9-fe7c-8c9b-9383-5598c3981cd4',
  kind: 'paused',
  audience: 'local',
};
const bytesOf = (fields: object): Uint8Array =>
  future.toBuffer({ ...first, unheardOf: { rest: 1 }, ...fields });

describe('the first fields of a record', () => {
  test('are read whatever its schema says after them', () => {
    expect(prefix(bytesOf({}))).toEqual(first);
    expect(prefix(bytesOf({ deployment: null }))).toEqual({ ...first, deployment: null });
    const long = { kind: 'k'.repeat(256) };
    expect(prefix(bytesOf(long))).toEqual({ ...first, ...long });
  });

  test('are read from a record that is spoiled after them', () => {
    const record = goldenRecords('invalid', 'body').find(({ name }) => name === 'truncated');
    expect(prefix(Buffer.from(record?.body ?? '', 'hex'))).toMatchObject({ kind: 'planned' });
  });

  test.each([
    ['a marker that is no UUID', { marker: 'x' }],
    ['a deployment that is no UUID', { deployment: '' }],
    ['a kind with a line feed', { kind: 'planned\n' }],
    ['a kind in other letters', { kind: 'Planned' }],
    ['an audience with an escape sequence', { audience: 'a\u001b[2J' }],
    ['a kind longer than 256 bytes', { kind: 'k'.repeat(257) }],
  ])('are not shown where there is %s', (_name, fields) => {
    expect(prefix(bytesOf(fields))).toBeUndefined();
  });

  test('are undefined or the true ones when the bytes are cut off, and never throw', () => {
    const whole = bytesOf({});
    for (let length = 0; length < whole.length; length++)
      expect(prefix(whole.subarray(0, length)) ?? first).toEqual(first);
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void prefix(bytes)));
  });
});
