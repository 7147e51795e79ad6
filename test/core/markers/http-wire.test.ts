import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NewRecord } from '../../../services/core/log/record.ts';
import { fromHttp, toHttp } from '../../../services/core/markers/http-wire.ts';
import { headerNames } from '../../../services/core/markers/wire.ts';
import { signed, tools } from '../../support/given.ts';
import { place, planned, logged } from '../../support/markers.ts';
import { text as textOf, value } from '../../support/records.ts';

const { text } = tools;

const sent = (record: NewRecord): ReturnType<typeof fromHttp> => {
  const { headers, body } = toHttp(text, record);
  return fromHttp(text, (name) => headers[name], body);
};

describe('a marker over HTTP', () => {
  test('arrives as the record that was signed', async () => {
    const waited = { name: headerNames.waited, value: text.encodeUtf8('12:0123:AA==') };
    for (const record of [
      await signed('ci', planned(), 'one'),
      await signed('ci', logged('2.0.0', { slot: place('Köln / "Süd" 100%') }), 'two'),
    ]) {
      expect(textOf(value(sent(record)))).toBe(textOf(record));
      const late = { ...record, headers: [...record.headers, waited] };
      expect(textOf(value(sent(late)))).toBe(textOf(late));
    }
  });

  test('travels in headers that any proxy lets through, under the names of CloudEvents', async () => {
    const { headers } = toHttp(text, await signed('ci', planned(), 'one'));
    expect(headers).toMatchObject({
      'ce-specversion': '1.0',
      'ce-type': 'plimsoll.planned.v1',
      'content-type': 'application/avro',
    });
    for (const [name, content] of Object.entries(headers)) {
      expect(name).toMatch(/^[a-z-]+$/);
      expect(content).toMatch(/^[\u0021-\u007e]+$/);
    }
  });

  test('keeps any text in its source', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (source) => {
        const record: NewRecord = {
          key: text.encodeUtf8(source),
          headers: [{ name: headerNames.source, value: text.encodeUtf8(source) }],
          value: new Uint8Array([1, 2, 3]),
        };
        expect(textOf(value(sent(record)))).toBe(textOf(record));
      }),
    );
  });

  test('without its key, or with broken encoding, is refused with the name of the header', () => {
    const given = (headers: { readonly [name: string]: string }): ReturnType<typeof fromHttp> =>
      fromHttp(text, (name) => headers[name], new Uint8Array());
    expect(given({})).toMatchObject({
      problem: { code: 'header-missing', message: expect.stringContaining('plimsoll-key') },
    });
    expect(given({ 'plimsoll-key': '%E0%A4' })).toMatchObject({
      problem: { code: 'header-malformed', message: expect.stringContaining('plimsoll-key') },
    });
    expect(given({ 'plimsoll-key': 'k', 'ce-source': '%' })).toMatchObject({
      problem: { code: 'header-malformed', message: expect.stringContaining('ce-source') },
    });
  });
});
