import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRecordBatches } from '../../../services/adapters/kafka/record-batches.ts';
import { batchBytes, fetchAnswerBytes, fetchOfKafkajs } from '../../support/kafka-bytes.ts';

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
/** kafkajs keeps headers in an object, which has an order of its own for numbers and a life of its own for some names. */
const name = fc
  .string({ maxLength: 12, unit: 'binary' })
  .filter((text) => text.isWellFormed() && !/^\d*$/.test(text) && !(text in {}));
const batch = fc.record({
  firstOffset: fc.integer({ min: 0, max: 2 ** 40 }),
  firstTimestamp: fc.integer({ min: 0, max: 2 ** 42 }),
  compression: fc.constantFrom(0 as const, 1 as const),
  records: fc.array(
    fc.record({
      key: fc.option(bytes),
      value: fc.option(bytes),
      headers: fc.dictionary(
        name,
        fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 3 })),
        {
          maxKeys: 5,
        },
      ),
      laterMs: fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
    }),
    { minLength: 1, maxLength: 8 },
  ),
});

const hex = (buffer: Uint8Array | null): string => Buffer.from(buffer ?? []).toString('hex');

test('whatever batches hold, their records are those that kafkajs reads', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 3 }), async (batches) => {
      const encoded = Buffer.concat(await Promise.all(batches.map(batchBytes)));
      const answer = fetchAnswerBytes({ errorCode: 0, highWatermark: 0, batches: encoded });
      const { responses } = await fetchOfKafkajs().response.decode(answer);
      const theirs = (responses[0]?.partitions[0]?.messages ?? []).map((message) => ({
        position: Number(message.offset),
        appendedAtMs: Number(message.timestamp),
        key: hex(message.key),
        value: hex(message.value),
        headers: Object.entries(message.headers).flatMap(([at, values]) =>
          [values].flat().map((value) => `${at}=${hex(value)}`),
        ),
      }));
      const ours = (readRecordBatches(encoded, 0) ?? []).map((record) => ({
        ...record,
        key: hex(record.key),
        value: hex(record.value),
        headers: record.headers.map(({ name: at, value }) => `${at}=${hex(value)}`),
      }));
      expect(ours).toEqual(theirs);
    }),
    { numRuns: 300 },
  );
});
