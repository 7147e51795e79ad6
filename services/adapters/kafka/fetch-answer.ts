import type { Position } from '../../core/log/record.ts';
import type { Broker, FetchAnswer, KafkaProtocol } from './client.ts';
import { readRecordBatches } from './record-batches.ts';

// kafkajs asks and waits, we read the answer: its own reading makes an object of each header and a big number of each
// offset, and takes seven times as long.

/** What one fetch asks for, unless it needs room for more. A batch that is larger comes whole all the same. */
export const fetchBytesMax: number = 512 * 1024;

/** The version of fetch whose answers we read; Kafka 2.3 and later know it. kafkajs reads those of older brokers. */
const versionRead = 11;
const fetchKey = 1;

/** The broker, but with answers to fetches that hold the records from a position on. */
export const readingRecords = (broker: Broker, from: Position): Broker =>
  Object.create(broker, {
    lookupRequest: {
      value: (key: number, definition: unknown) => {
        const make = broker.lookupRequest(key, definition);
        return key === fetchKey ? (asked: unknown) => withRecords(make(asked), from) : make;
      },
    },
  }) as Broker;

const withRecords = (protocol: KafkaProtocol, from: Position): KafkaProtocol => {
  const { request, response } = protocol;
  if (request.apiVersion !== versionRead) return protocol;
  const decode: typeof response.decode = async (answer) =>
    readFetchAnswer(answer, from) ?? response.decode(answer);
  return { ...protocol, response: { ...response, decode } };
};

/**
 * An answer to a fetch of one partition as kafkajs has it (https://kafka.apache.org/protocol#The_Messages_Fetch), but with
 * records instead of messages. Undefined where the records lie there in an older format. Throws where it is no such
 * answer, and what `readRecordBatches` throws.
 */
export const readFetchAnswer = (answer: Buffer, from: Position): FetchAnswer | undefined => {
  const reader = new AnswerReader(answer);
  const clientSideThrottleTime = reader.int32();
  const errorCode = reader.int16();
  const sessionId = reader.int32();
  let isOlder = false;
  const partition = (): FetchAnswer['responses'][number]['partitions'][number] => {
    const head = {
      partition: reader.int32(),
      errorCode: reader.int16(),
      highWatermark: reader.int64(),
      lastStableOffset: reader.int64(),
      lastStartOffset: reader.int64(),
      abortedTransactions: reader.list(() => ({
        producerId: reader.int64(),
        firstOffset: reader.int64(),
      })),
      preferredReadReplica: reader.int32(),
    };
    const records = readRecordBatches(reader.bytes(), from);
    isOlder ||= records === undefined;
    return { ...head, messages: [], records: records ?? [] };
  };
  const responses = reader.list(
    () => ({
      topicName: reader.text(),
      partitions: reader.list(partition, 1),
    }),
    1,
  );
  // The broker has not slowed this answer down: it asks us to wait before the next one, which kafkajs does.
  return isOlder
    ? undefined
    : { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
};

/** Reading behind the end throws a RangeError. */
class AnswerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  /** As kafkajs has it: a text. */
  int64(): string {
    this.#at += 8;
    return String(this.#bytes.readBigInt64BE(this.#at - 8));
  }

  text(): string {
    return this.#take(this.int16()).toString('utf8');
  }

  bytes(): Buffer {
    return this.#take(this.int32());
  }

  list<Item>(item: () => Item, itemsMax = Infinity): Item[] {
    const items: Item[] = [];
    const count = this.int32();
    if (count > itemsMax) throw new RangeError('the broker answered more than was asked');
    for (let left = count; left > 0; left--) items.push(item());
    return items;
  }

  #take(length: number): Buffer {
    const from = this.#at;
    this.#at += Math.max(0, length);
    if (this.#at > this.#bytes.length) throw new RangeError('the broker sent half an answer');
    return this.#bytes.subarray(from, this.#at);
  }
}
