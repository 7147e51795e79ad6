import * as fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { ProtobufReader } from '../../../services/adapters/otlp/protobuf-reader.ts';

const { Writer } = protobuf;
const FIELD = 4;

/** A reader that stands on the one field of a message. */
const standingOn = (bytes: Uint8Array): ProtobufReader => {
  const reader = new ProtobufReader(bytes);
  expect(reader.next(bytes.length)).toBe(true);
  expect(reader.field).toBe(FIELD);
  return reader;
};

const unsigned = (value: bigint): string => BigInt.asUintN(64, value).toString();
const varint = (value: bigint): Uint8Array =>
  Writer.create()
    .uint32(FIELD << 3)
    .uint64(unsigned(value))
    .finish();
const fixed64 = (value: bigint): Uint8Array =>
  Writer.create()
    .uint32((FIELD << 3) | 1)
    .fixed64(unsigned(value))
    .finish();

const uint64 = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc.bigInt(0n, 300n),
  fc.constantFrom(2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n),
);

describe('a number of 64 bits', () => {
  test('is exact up to 2^53, and above it stays above it', () => {
    fc.assert(
      fc.property(uint64, (value) => {
        for (const bytes of [varint(value), fixed64(value)]) {
          const reader = standingOn(bytes);
          const read =
            reader.wire === 0 ? reader.varint(bytes.length) : reader.fixed64(bytes.length);
          expect(reader.at).toBe(bytes.length);
          expect(read > Number.MAX_SAFE_INTEGER).toBe(value > BigInt(Number.MAX_SAFE_INTEGER));
          expect(Math.min(read, 2 ** 53)).toBe(Math.min(Number(value), 2 ** 53));
        }
      }),
    );
  });

  test('with a sign comes out as exact text', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
        const bytes = varint(value);
        expect(standingOn(bytes).int64Text(bytes.length)).toBe(value.toString());
      }),
    );
  });

  test('of nanoseconds comes out as exact milliseconds', () => {
    fc.assert(
      fc.property(uint64, (nanos) => {
        const bytes = fixed64(nanos);
        expect(standingOn(bytes).nanosAsMs(bytes.length)).toBe(Number(nanos / 1_000_000n));
      }),
    );
  });
});

test('a field is stepped over whole, whatever its type', () => {
  const bytes = Writer.create()
    .uint32((1 << 3) | 0)
    .uint64(unsigned(2n ** 64n - 1n))
    .uint32((2 << 3) | 1)
    .fixed64(7)
    .uint32((3 << 3) | 5)
    .fixed32(7)
    .uint32((536_870_911 << 3) | 2)
    .string('text')
    .uint32(FIELD << 3)
    .uint32(9)
    .finish();
  const reader = new ProtobufReader(bytes);
  const fields: number[] = [];
  while (reader.next(bytes.length)) {
    fields.push(reader.field);
    reader.skip(bytes.length);
  }
  expect(fields).toEqual([1, 2, 3, 536_870_911, FIELD]);
});
