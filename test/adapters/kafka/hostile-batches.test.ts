import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readFetchAnswer } from '../../../services/adapters/kafka/fetch-answer.ts';
import {
  RecordBatchFault,
  readRecordBatches,
} from '../../../services/adapters/kafka/record-batches.ts';
import type { LogRecord } from '../../../services/core/log/record.ts';
import {
  batchBytes,
  encoder,
  fetchAnswerBytes,
  rawBatchBytes,
  recordBytes,
  varint,
} from '../../support/kafka-bytes.ts';

const lengthAt = 8;
const magicAt = 16;
const headBytes = 61;
const gzip = 1;
const unpackedBytesMax = 4_000_000;
const atOnceMax = 100_000;

const none = -1;
/** A record without key, value and headers, with the offset and the time of its batch. */
const smallest = recordBytes(0, 0, none, none, 0);

const read = (bytes: Buffer, from = 0): readonly LogRecord[] => {
  const records = readRecordBatches(bytes, from);
  if (records === undefined) throw new Error('an older format');
  return records;
};
const readOne = (record: Buffer): LogRecord | undefined =>
  read(rawBatchBytes({ count: 1, records: record }), -Infinity)[0];
const refuses = (bytes: Buffer, message: string): void => {
  expect(() => read(bytes, -Infinity)).toThrow(RecordBatchFault);
  expect(() => read(bytes, -Infinity)).toThrow(message);
};
const refusesRecords = (count: number, ...records: readonly Buffer[]): void =>
  refuses(rawBatchBytes({ count, records: Buffer.concat(records) }), 'a record that is not whole');

describe('a record ends where it says', () => {
  test('and a value may not have bytes of the one behind it', () => {
    const greedy = Buffer.concat([Buffer.of(2 * 5), Buffer.of(0, 0, 0, 1, 2 * 4)]);
    refusesRecords(2, greedy, smallest);
    const last = recordBytes(0, 0, none, none, 1, 1, 'a', smallest.length);
    refusesRecords(2, last, smallest);
  });

  test('and no two have the same headers', () => {
    const headers = Buffer.concat(Array.from({ length: 20 }, () => Buffer.from([2, 120, 0])));
    const claims = Array.from({ length: 20 }, () => recordBytes(0, 0, none, none, 20));
    refusesRecords(20, ...claims, headers);
  });

  test('with nothing behind its headers', () => {
    refusesRecords(1, recordBytes(0, 0, none, none, 0, '!'));
    refusesRecords(1, recordBytes(0, 0, none, none, 1, 1, 'a', none, '!'));
  });

  test('which is within its batch', () => {
    refusesRecords(1, smallest.subarray(0, -1));
    refusesRecords(1, Buffer.of(0));
    refusesRecords(1, Buffer.of(1));
    refusesRecords(1, Buffer.concat([varint(-7), smallest]));
    refusesRecords(1, Buffer.of());
  });

  test('also where numbers are cut off', () => {
    refusesRecords(2, Buffer.concat([Buffer.of(2 * 2), Buffer.of(0, 0x80)]), smallest);
  });
});

describe('lengths and counts below zero', () => {
  test('of a key, a value or the value of a header mean that there is none', () => {
    expect(readOne(recordBytes(0, 0, -5, -(2n ** 31n), 1, 1, 'a', -3))).toMatchObject({
      key: new Uint8Array(),
      value: new Uint8Array(),
      headers: [{ name: 'a', value: new Uint8Array() }],
    });
  });

  test('of headers, and of the name of one, are refused', () => {
    refusesRecords(1, recordBytes(0, 0, none, none, -1));
    refusesRecords(1, recordBytes(0, 0, none, none, 1, -1, none));
    refusesRecords(1, recordBytes(0, 0, none, none, 1, -1));
  });

  test('of a batch are refused, so that no batch is read for ever', () => {
    for (const length of [0, -1, -lengthAt, -12, -13, -(2 ** 31)]) {
      const bytes = rawBatchBytes({ count: 1, records: smallest });
      bytes.writeInt32BE(length, lengthAt);
      refuses(bytes, 'a record batch without a head');
    }
    refuses(rawBatchBytes({ count: -1, records: smallest }), 'a batch of -1 records');
  });

  test('that are zero are empty', () => {
    expect(readOne(recordBytes(0, 0, 0, 0, 1, 0, 0))).toMatchObject({
      key: new Uint8Array(),
      value: new Uint8Array(),
      headers: [{ name: '', value: new Uint8Array() }],
    });
  });
});

describe('numbers', () => {
  const laterBy = (number: bigint): number | undefined =>
    readOne(recordBytes(number, 0, none, none, 0))?.appendedAtMs;

  test('of up to ten bytes are read, with their sign', () => {
    for (let bits = 0n; bits < 63n; bits++) {
      expect(laterBy(2n ** bits)).toBe(2 ** Number(bits));
      expect(laterBy(-(2n ** bits))).toBe(-(2 ** Number(bits)));
    }
    expect(laterBy(-(2n ** 63n))).toBe(-(2 ** 63));
    expect(laterBy(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('of eleven bytes are none, and lengths have five', () => {
    refusesRecords(1, recordBytes(2n ** 69n, 0, none, none, 0));
    expect(laterBy(2n ** 68n)).toBe(2 ** 68);
    refusesRecords(1, recordBytes(0, 0, 2n ** 34n, none, 0));
  });

  test('have, where they are lengths, no more than 32 bits: Kafka takes the others, and leaves them out', () => {
    expect(readOne(recordBytes(0, 0, 2n ** 32n + 3n, 'key', none, 0))?.key).toHaveLength(3);
    refusesRecords(1, recordBytes(0, 0, 2n ** 30n, none, 0));
  });
});

describe('a batch has as many records as it says', () => {
  test('and nothing else', () => {
    refusesRecords(3, smallest, smallest);
    refuses(
      rawBatchBytes({ count: 1, records: Buffer.concat([smallest, smallest]) }),
      'more in it than its records',
    );
    refuses(rawBatchBytes({ count: 0, records: smallest }), 'more in it than its records');
  });

  test('and may have none, packed or not', async () => {
    for (const attributes of [0, gzip])
      expect(read(rawBatchBytes({ count: 0, records: Buffer.of(), attributes }))).toEqual([]);
    const empty = { firstOffset: 0, firstTimestamp: 0, records: [], compression: 1 } as const;
    expect(read(await batchBytes(empty))).toEqual([]);
  });
});

describe('a batch that is packed', () => {
  const packed = (count: number, records: Buffer, firstOffset = 0): Buffer =>
    rawBatchBytes({ count, records: gzipSync(records), attributes: gzip, firstOffset });
  const large = (bytes: number): Buffer => recordBytes(0, 0, none, bytes, 'x'.repeat(bytes), 0);

  test('unpacks to twice the largest that a topic takes, and to no more', () => {
    const value = unpackedBytesMax - (large(3_000_000).length - 3_000_000);
    const most = packed(1, large(value));
    expect(read(most)[0]?.value).toHaveLength(value);
    refuses(packed(1, large(value + 1)), 'does not unpack to 4000000 bytes or less');
  });

  test('must be packed as it says', () => {
    refuses(
      rawBatchBytes({ count: 1, records: smallest, attributes: gzip }),
      'does not unpack to 4000000 bytes or less',
    );
  });

  test('is left for the next fetch where those before it filled the memory that one may have', () => {
    const bytes = Buffer.concat([0, 1, 2].map((at) => packed(1, large(3_000_000), at)));
    expect(read(bytes).map(({ position }) => position)).toEqual([0, 1]);
    expect(read(bytes, 2).map(({ position }) => position)).toEqual([2]);
  });

  test('of very many records is read in parts', () => {
    const count = 250_000;
    const records = Buffer.concat(
      Array.from({ length: count }, (_, at) => recordBytes(0, at, none, none, 0)),
    );
    const bytes = packed(count, records);
    const sizes = [0, atOnceMax, 2 * atOnceMax].map((from) => {
      const part = read(bytes, from);
      expect(part[0]?.position).toBe(from);
      expect(part.at(-1)?.position).toBe(from + part.length - 1);
      return part.length;
    });
    expect(sizes).toEqual([atOnceMax, atOnceMax, count - 2 * atOnceMax]);
  });
});

test('an older message is known by its seventeenth byte, however short it is', () => {
  for (let bytes = magicAt + 1; bytes < headBytes; bytes++) {
    const message = Buffer.alloc(bytes);
    message.writeInt32BE(bytes - 12, lengthAt);
    message.writeInt8(1, magicAt);
    expect(readRecordBatches(message, 0)).toBeUndefined();
  }
});

test('an answer with more than the one partition that was asked for is refused', () => {
  const answer = fetchAnswerBytes({ errorCode: 0, highWatermark: 0, batches: Buffer.of() });
  const topics = answer.indexOf(encoder().writeInt32(1).writeString('topic').buffer);
  const partitions = topics + 4 + 2 + 'topic'.length;
  expect(() => readFetchAnswer(answer, 0)).not.toThrow();
  for (const at of [topics, partitions]) {
    const more = Buffer.from(answer);
    more.writeInt32BE(2, at);
    expect(() => readFetchAnswer(more, 0)).toThrow('more than was asked');
  }
});
