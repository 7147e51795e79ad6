import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { encodeStatus } from '../../../services/adapters/otlp/status-response.ts';

const status = new protobuf.Type('Status')
  .add(new protobuf.Field('code', 1, 'int32'))
  .add(new protobuf.Field('message', 2, 'string'));

test.each(['otlp-malformed: not protobuf', '', 'é'.repeat(200), '€'.repeat(1000)])(
  'a status in protobuf is what protobufjs reads: %s',
  (message) => {
    const bytes = encodeStatus('application/x-protobuf', 3, message);
    expect(status.toObject(status.decode(bytes))).toEqual({ code: 3, message });
  },
);

test('a status in JSON is an object', () => {
  const bytes = encodeStatus('application/json', 14, 'down');
  expect(JSON.parse(Buffer.from(bytes).toString())).toEqual({ code: 14, message: 'down' });
});

test('a message is cut where it grows too long, and never inside of a character', () => {
  const bytes = encodeStatus('application/x-protobuf', 8, `${'a'.repeat(999)}😀`);
  const read = status.toObject(status.decode(bytes)) as { readonly message: string };
  expect(read.message).toBe(`${'a'.repeat(999)}\ufffd`);
});
