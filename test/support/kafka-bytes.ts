import { createRequire } from 'node:module';

// Batches and answers as kafkajs itself writes and reads them: what we read must be the same.

const inside = createRequire(createRequire(import.meta.url).resolve('kafkajs'));

/** What kafkajs's encoder is asked for here. */
export type Encoder = {
  readonly buffer: Buffer;
  readonly writeInt8: (number: number) => Encoder;
  readonly writeInt16: (number: number) => Encoder;
  readonly writeInt32: (number: number) => Encoder;
  readonly writeInt64: (number: bigint) => Encoder;
  readonly writeString: (text: string) => Encoder;
  readonly writeBytes: (bytes: Buffer) => Encoder;
};

export const encoder = (): Encoder => {
  const Made = inside('./src/protocol/encoder') as new () => Encoder;
  return new Made();
};

export type RecordSpec = {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | readonly Buffer[]>>;
  /** Milliseconds after the batch's first. */
  readonly laterMs: number;
};

export type BatchSpec = {
  readonly firstOffset: number;
  readonly firstTimestamp: number;
  readonly records: readonly RecordSpec[];
  /** 0: not packed, 1: gzip. */
  readonly compression: 0 | 1;
};

/** The bytes of one batch. */
export const batchBytes = async (batch: BatchSpec): Promise<Buffer> => {
  const { RecordBatch } = inside('./src/protocol/recordBatch/v0') as {
    readonly RecordBatch: (asked: unknown) => Promise<Encoder>;
  };
  const record = inside('./src/protocol/recordBatch/record/v0') as (asked: unknown) => Encoder;
  const records = batch.records.map(({ laterMs, ...rest }, offsetDelta) =>
    record({ ...rest, offsetDelta, timestampDelta: laterMs }),
  );
  const encoded = await RecordBatch({
    ...batch,
    maxTimestamp: batch.firstTimestamp + 1_000_000,
    lastOffsetDelta: records.length - 1,
    records,
  });
  return encoded.buffer;
};

/** A number as records have it, of any size: https://protobuf.dev/programming-guides/encoding/#signed-ints */
export const varint = (number: number | bigint): Buffer => {
  const big = BigInt(number);
  const bytes: number[] = [];
  for (
    let left = big < 0n ? -2n * big - 1n : 2n * big;
    bytes.length === 0 || left > 0n;
    left >>= 7n
  )
    bytes.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
  return Buffer.from(bytes);
};

/** A record of any parts behind its length: they are written down as they are. */
export const recordBytes = (...parts: readonly (number | bigint | string)[]): Buffer => {
  const written = parts.map((part) =>
    typeof part === 'string' ? Buffer.from(part) : varint(part),
  );
  const body = Buffer.concat([Buffer.of(0), ...written]);
  return Buffer.concat([varint(body.length), body]);
};

/** A batch of any bytes that says it has `count` records. */
export const rawBatchBytes = (batch: {
  readonly count: number;
  readonly records: Buffer;
  readonly attributes?: number;
  readonly firstOffset?: number;
}): Buffer =>
  Buffer.concat([
    encoder()
      .writeInt64(BigInt(batch.firstOffset ?? 0))
      .writeInt32(49 + batch.records.length)
      .writeInt32(0)
      .writeInt8(2)
      .writeInt32(0)
      .writeInt16(batch.attributes ?? 0)
      .writeInt32(Math.max(0, batch.count - 1))
      .writeInt64(0n)
      .writeInt64(0n)
      .writeInt64(-1n)
      .writeInt16(-1)
      .writeInt32(-1)
      .writeInt32(batch.count).buffer,
    batch.records,
  ]);

/** An answer to a fetch of version 11 with one partition of one topic. */
export const fetchAnswerBytes = (partition: {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly batches: Buffer;
}): Buffer =>
  encoder()
    .writeInt32(7)
    .writeInt16(0)
    .writeInt32(42)
    .writeInt32(1)
    .writeString('topic')
    .writeInt32(1)
    .writeInt32(0)
    .writeInt16(partition.errorCode)
    .writeInt64(BigInt(partition.highWatermark))
    .writeInt64(3n)
    .writeInt64(2n)
    .writeInt32(1)
    .writeInt64(8n)
    .writeInt64(9n)
    .writeInt32(-1)
    .writeBytes(partition.batches).buffer;

type ByKafkajs = {
  readonly responses: readonly {
    readonly partitions: readonly {
      readonly messages: readonly {
        readonly offset: string;
        readonly timestamp: string;
        readonly key: Buffer | null;
        readonly value: Buffer | null;
        readonly headers: Readonly<Record<string, Buffer | readonly Buffer[]>>;
        readonly isControlRecord: boolean;
      }[];
    }[];
  }[];
};

type Decoder = { readVarInt: () => number; readBytes: (bytes: number) => Buffer };

/**
 * Kafka takes any length below zero for no bytes (Utils.readBytes), kafkajs does so with -1 alone, and goes back by all
 * others. From now on it reads them as Kafka does.
 */
export const letKafkajsReadNoBytes = (): void => {
  const decoder = inside('./src/protocol/decoder') as {
    readonly prototype: { readVarIntBytes: (this: Decoder) => Buffer | null };
  };
  decoder.prototype.readVarIntBytes = function readVarIntBytes() {
    const length = this.readVarInt();
    return length < 0 ? null : this.readBytes(length);
  };
};

/** How kafkajs lays out and reads a fetch of version 11. */
export const fetchOfKafkajs = (): {
  readonly request: { readonly apiVersion: number };
  readonly response: {
    readonly decode: (answer: Buffer) => Promise<ByKafkajs>;
    readonly parse: (answer: unknown) => Promise<unknown>;
  };
} => {
  const { protocol } = inside('./src/protocol/requests/fetch') as {
    readonly protocol: (asked: { readonly version: number }) => (asked: unknown) => unknown;
  };
  return protocol({ version: 11 })({ topics: [] }) as ReturnType<typeof fetchOfKafkajs>;
};
