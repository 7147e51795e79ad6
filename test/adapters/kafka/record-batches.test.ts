import { describe, expect, test } from 'vitest';
import { readFetchAnswer, readingRecords } from '../../../services/adapters/kafka/fetch-answer.ts';
import type { Broker, KafkaProtocol } from '../../../services/adapters/kafka/client.ts';
import { readRecordBatches } from '../../../services/adapters/kafka/record-batches.ts';
import { batchBytes, fetchAnswerBytes, fetchOfKafkajs } from '../../support/kafka-bytes.ts';
import type { LogRecord } from '../../../services/core/log/record.ts';
import type { BatchSpec, RecordSpec } from '../../support/kafka-bytes.ts';

const attributesAt = 22;
const magicAt = 16;
const recordsAt = 61;
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

const record = (spec: Partial<RecordSpec> = {}): RecordSpec => ({
  key: Buffer.from('a key'),
  value: Buffer.from('a value'),
  headers: {},
  laterMs: 0,
  ...spec,
});
const batch = (spec: Partial<BatchSpec> = {}): Promise<Buffer> =>
  batchBytes({
    firstOffset: 10,
    firstTimestamp: 1_795_000_000_000,
    records: [record(), record({ laterMs: 5 }), record({ laterMs: -3 })],
    compression: 0,
    ...spec,
  });

describe('record batches', () => {
  test('hold records with their positions and times, keys, values and headers', async () => {
    const headers = { ce_id: Buffer.from('1'), 'content-type': Buffer.from('avro') };
    const bytes = await batch({ records: [record({ headers }), record({ headers, laterMs: 7 })] });
    const read = readRecordBatches(bytes, 0) ?? [];
    expect(read.map(({ position, appendedAtMs }) => [position, appendedAtMs])).toEqual([
      [10, 1_795_000_000_000],
      [11, 1_795_000_000_007],
    ]);
    for (const { key, value, headers: found } of read) {
      expect([textOf(key), textOf(value)]).toEqual(['a key', 'a value']);
      expect(found.map(({ name, value: bytesOf }) => [name, textOf(bytesOf)])).toEqual([
        ['ce_id', '1'],
        ['content-type', 'avro'],
      ]);
    }
  });

  test('come whole: what lies before the position that was asked for is left out', async () => {
    const bytes = Buffer.concat([await batch(), await batch({ firstOffset: 13 })]);
    const read = readRecordBatches(bytes, 12) ?? [];
    expect(read.map(({ position }) => position)).toEqual([12, 13, 14, 15]);
  });

  test('but the last one may be cut off anywhere, and is left out then', async () => {
    const [first, second] = [await batch(), await batch({ firstOffset: 13 })];
    for (let cut = 0; cut < second.length; cut++) {
      const read = readRecordBatches(Buffer.concat([first, second.subarray(0, cut)]), 0) ?? [];
      expect(read.map(({ position }) => position)).toEqual([10, 11, 12]);
    }
  });

  test('have one time for all where the log gives the times', async () => {
    const bytes = await batch();
    bytes.writeUInt8(0x08, attributesAt);
    const read = readRecordBatches(bytes, 0) ?? [];
    expect(new Set(read.map(({ appendedAtMs }) => appendedAtMs))).toEqual(
      new Set([1_795_000_000_000 + 1_000_000]),
    );
  });

  test('of control records are empty records, so that positions have no gap', async () => {
    const bytes = await batch();
    bytes.writeUInt8(0x20, attributesAt);
    const read = readRecordBatches(bytes, 0) ?? [];
    expect(read.map(({ key, value }) => [key.length, value.length])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  test('are read where they are packed by gzip', async () => {
    const read = readRecordBatches(await batch({ compression: 1 }), 11) ?? [];
    expect(read.map(({ position, value }) => [position, textOf(value)])).toEqual([
      [11, 'a value'],
      [12, 'a value'],
    ]);
  });

  test('that are packed otherwise are refused by the name of what was found', async () => {
    const bytes = await batch();
    bytes.writeUInt8(4, attributesAt);
    expect(() => readRecordBatches(bytes, 0)).toThrow('codec 4; only gzip (1) is read');
  });

  test('of an older format are for others to read', async () => {
    const bytes = await batch();
    bytes.writeUInt8(1, magicAt);
    expect(readRecordBatches(bytes, 0)).toBeUndefined();
  });

  test('whose records do not fit into them are refused, and nothing is read beyond them', async () => {
    const bytes = await batch({ records: [record({ value: Buffer.from('xyz') })] });
    const readTorn = (at: number): readonly LogRecord[] | string => {
      const torn = Buffer.from(bytes);
      torn.writeUInt8(0x7e, at);
      try {
        return readRecordBatches(torn, 0) ?? [];
      } catch (error) {
        return String(error);
      }
    };
    const outcomes = Array.from({ length: bytes.length - recordsAt }, (_, at) =>
      readTorn(recordsAt + at),
    );
    const refusals = outcomes.filter((outcome) => typeof outcome === 'string');
    expect(new Set(refusals)).toEqual(
      new Set(['Error: the broker sent a record that is not whole']),
    );
    const read = outcomes.flatMap((outcome) => (typeof outcome === 'string' ? [] : outcome));
    expect(read.every(({ value }) => value.length <= 3)).toBe(true);
  });
});

describe('an answer to a fetch', () => {
  const partition = { errorCode: 0, highWatermark: 99 };

  test('is what kafkajs reads, but with records', async () => {
    const answer = fetchAnswerBytes({ ...partition, batches: await batch() });
    const byKafkajs = await fetchOfKafkajs().response.decode(answer);
    const read = readFetchAnswer(answer, 0);
    const { messages: _, ...rest } = byKafkajs.responses[0]?.partitions[0] ?? { messages: [] };
    expect(read).toMatchObject({
      ...byKafkajs,
      responses: [{ topicName: 'topic', partitions: [rest] }],
    });
    expect(read?.responses[0]?.partitions[0]?.records).toHaveLength(3);
  });

  test('with nothing in it is whole', () => {
    const read = readFetchAnswer(fetchAnswerBytes({ ...partition, batches: Buffer.alloc(0) }), 0);
    expect(read?.responses[0]?.partitions[0]).toMatchObject({ highWatermark: '99', records: [] });
  });

  test('that is cut off is refused', async () => {
    const answer = fetchAnswerBytes({ ...partition, batches: await batch() });
    for (let cut = 0; cut < answer.length; cut++)
      expect(() => readFetchAnswer(answer.subarray(0, cut), 0)).toThrow(RangeError);
  });

  /** A broker that makes calls as kafkajs does, and answers with what it is told. */
  const brokerOf = (protocol: KafkaProtocol, answer: Buffer): Broker => ({
    lookupRequest: () => () => protocol,
    async fetch() {
      const { response } = this.lookupRequest(1, undefined)(undefined);
      return response.parse(await response.decode(answer));
    },
  });
  const anything = {} as Parameters<Broker['fetch']>[0];
  const protocol = fetchOfKafkajs() as unknown as KafkaProtocol;

  test('holds records where the broker knows version 11, and messages of kafkajs where it does not', async () => {
    const answer = fetchAnswerBytes({ ...partition, batches: await batch() });
    const ours = await readingRecords(brokerOf(protocol, answer), 11).fetch(anything);
    expect(ours.responses[0]?.partitions[0]).toMatchObject({
      messages: [],
      records: [{ position: 11 }, { position: 12 }],
    });
    const older = { ...protocol, request: { apiVersion: 10 } };
    const theirs = await readingRecords(brokerOf(older, answer), 11).fetch(anything);
    expect(theirs.responses[0]?.partitions[0]?.records).toBeUndefined();
    expect(theirs.responses[0]?.partitions[0]?.messages).toHaveLength(3);
  });

  test('that tells of a fault fails as it does with kafkajs', async () => {
    const outOfRange = 1;
    const answer = fetchAnswerBytes({
      ...partition,
      errorCode: outOfRange,
      batches: Buffer.alloc(0),
    });
    await expect(
      readingRecords(brokerOf(protocol, answer), 0).fetch(anything),
    ).rejects.toMatchObject({ name: 'KafkaJSOffsetOutOfRange' });
  });
});
