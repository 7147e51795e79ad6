import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  RecordBatchFault,
  readRecordBatches,
} from '../../../services/adapters/kafka/record-batches.ts';
import {
  batchBytes,
  fetchAnswerBytes,
  fetchOfKafkajs,
  letKafkajsReadNoBytes,
} from '../../support/kafka-bytes.ts';

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

type Shown = {
  readonly position: number;
  readonly appendedAtMs: number;
  readonly key: string;
  readonly value: string;
  readonly headers: readonly string[];
};

/** As a position reader shows it. */
const byKafkajs = async (encoded: Buffer): Promise<readonly Shown[]> => {
  const answer = fetchAnswerBytes({ errorCode: 0, highWatermark: 0, batches: encoded });
  const { responses } = await fetchOfKafkajs().response.decode(answer);
  return (responses[0]?.partitions[0]?.messages ?? []).map((message) => ({
    position: Number(message.offset),
    appendedAtMs: Number(message.timestamp),
    key: message.isControlRecord ? '' : hex(message.key),
    value: message.isControlRecord ? '' : hex(message.value),
    headers: Object.entries(message.headers).flatMap(([at, values]) =>
      [values].flat().map((value) => `${at}=${hex(value)}`),
    ),
  }));
};

/** With the values of one name next to each other, and in the order that an object has: kafkajs knows no other. */
const byUs = (encoded: Buffer): readonly Shown[] =>
  (readRecordBatches(encoded, -Infinity) ?? []).map((record) => ({
    ...record,
    key: hex(record.key),
    value: hex(record.value),
    headers: Object.entries(Object.groupBy(record.headers, ({ name: at }) => at)).flatMap(
      ([at, values = []]) => values.map(({ value }) => `${at}=${hex(value)}`),
    ),
  }));

test('whatever batches hold, their records are those that kafkajs reads', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 3 }), async (batches) => {
      const encoded = Buffer.concat(await Promise.all(batches.map(batchBytes)));
      expect(byUs(encoded)).toEqual(await byKafkajs(encoded));
    }),
    { numRuns: 300 },
  );
});

const attributesAt = 21;
const recordsAt = 61;
/** Where a byte of a batch is another one: of its attributes, its count, or its records. */
const change = fc.record({
  at: fc.oneof(
    fc.integer({ min: attributesAt, max: attributesAt + 1 }),
    fc.integer({ min: recordsAt - 4, max: recordsAt - 1 }),
    fc.integer({ min: recordsAt, max: recordsAt + 400 }),
  ),
  to: fc.integer({ min: 0, max: 255 }),
});

/** Undefined where we refuse. */
const unlessRefused = (encoded: Buffer): readonly Shown[] | undefined => {
  try {
    return byUs(encoded);
  } catch (error) {
    if (error instanceof RecordBatchFault || String(error).includes('codec')) return undefined;
    throw error;
  }
};

test('batches that were tampered with are read as kafkajs reads them, or refused', async () => {
  letKafkajsReadNoBytes();
  const outcomes = { read: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      batch,
      fc.array(change, { minLength: 1, maxLength: 3 }),
      async (spec, changes) => {
        const encoded = await batchBytes(spec);
        for (const { at, to } of changes) if (at < encoded.length) encoded[at] = to;
        const ours = unlessRefused(encoded);
        outcomes[ours === undefined ? 'refused' : 'read'] += 1;
        expect(ours).toEqual(ours && (await byKafkajs(encoded)));
      },
    ),
    { numRuns: 1_000 },
  );
  expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(80);
});
