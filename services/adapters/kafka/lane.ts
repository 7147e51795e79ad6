import type { Kafka, Message, Producer } from 'kafkajs';
import { appendBytes, appendBytesMax } from '../../core/log/append-size.ts';
import type { NewRecord } from '../../core/log/record.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { AppendProblem, Appended } from '../../ports/record-log.ts';
import { requestTimeoutMs } from './client.ts';
import { TimeUp, before, faultType, messageOf } from './failure.ts';

/** Appends that wait together travel in one request, up to this many records and `mergedBytesMax`. */
const mergedRecordsMax = 500;
const mergedBytesMax = 500_000;
const brokerWaitMs = requestTimeoutMs - 1_000;

/** kafkajs tries again within one send, with the same sequence number; our deadline ends it, not this count. */
const sendTriesMax = 1_000;

/** The broker said no before writing anything, and would say no again. */
const refusals: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'CORRUPT_MESSAGE',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'POLICY_VIOLATION',
  'INVALID_REQUIRED_ACKS',
]);

type Outcome = Result<readonly Appended[], AppendProblem>;

/**
 * The one way in. kafkajs's idempotent producer loses acknowledged records when two sends are under way and a
 * connection drops, so there is at most one send under way, to one partition; and after any send that did not
 * answer well the producer is thrown away, and a new one starts with a new identity.
 */
export type Lane = {
  readonly append: (partition: number, records: readonly NewRecord[]) => Promise<Outcome>;
  /** Lets what is under way and waiting come to its end, then disconnects. */
  readonly close: () => Promise<void>;
};

type Waiting = {
  readonly partition: number;
  readonly records: readonly NewRecord[];
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly settle: (outcome: Outcome) => void;
};

/** One producer's life. `sends` counts the tries of the send under way that got as far as choosing a partition. */
type Life = { readonly producer: Producer; abandoned: boolean; sends: number };

/** A record that is copied from another log keeps the time it has, where the topic lets it. */
type Sent = NewRecord & { readonly appendedAtMs?: number };

export const openLane = (kafka: Kafka, topic: string, appendWithinMs: number): Lane => {
  const queue: Waiting[] = [];
  let life: Life | undefined;
  let working: Promise<void> | undefined;

  const begin = (): Life => {
    // kafkajs asks for the partition anew at each try: the one place to stop a send that was given up.
    const partitioner = ({ message }: { readonly message: Message }): number => {
      if (begun.abandoned) throw Object.assign(new Error('given up'), { retriable: false });
      begun.sends += 1;
      return message.partition ?? 0;
    };
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: sendTriesMax },
      createPartitioner: () => partitioner,
    });
    const begun: Life = { producer, abandoned: false, sends: 0 };
    return begun;
  };

  const abandon = (given: Life, under: Promise<unknown>): void => {
    given.abandoned = true;
    if (life === given) life = undefined;
    const disconnect = (): Promise<void> => given.producer.disconnect().catch(() => undefined);
    // Twice: a try that is under way may connect again after the first.
    void disconnect();
    void under.then(disconnect, disconnect);
  };

  const connected = async (deadlineMs: number): Promise<Life> => {
    if (life !== undefined) return life;
    const begun = begin();
    const connecting = begun.producer.connect();
    try {
      await before(deadlineMs, connecting);
    } catch (error) {
      abandon(begun, connecting);
      throw error;
    }
    life = begun;
    return begun;
  };

  const send = async (
    group: readonly Waiting[],
    partition: number,
    deadlineMs: number,
  ): Promise<Outcome> => {
    let using: Life;
    try {
      using = await connected(deadlineMs);
    } catch (error) {
      return fail({ code: 'unreachable', message: `${topic}: ${messageOf(error)}` });
    }
    const records = group.flatMap((waiting) => waiting.records);
    using.sends = 0;
    const sending = using.producer.send({
      topic,
      acks: -1,
      timeout: brokerWaitMs,
      messages: records.map((record) => toMessage(record, partition)),
    });
    try {
      const [answer] = await before(deadlineMs, sending);
      const first = Number(answer?.baseOffset);
      const appendedAtMs = Number(answer?.logAppendTime);
      if (!Number.isSafeInteger(first) || first < 0)
        throw new Error('the broker answered without a position');
      return ok(records.map((_, index) => ({ position: first + index, appendedAtMs })));
    } catch (error) {
      abandon(using, sending);
      return fail(problemOf(topic, error, using.sends, records.length));
    }
  };

  const work = async (): Promise<void> => {
    for (let group = takeGroup(queue); group !== undefined; group = takeGroup(queue)) {
      const [{ partition, deadlineMs }] = group;
      if (performance.now() > deadlineMs) {
        const message = `${topic}: not sent in time; other appends were waiting before it`;
        for (const waiting of group) waiting.settle(fail({ code: 'unreachable', message }));
        continue;
      }
      const outcome = await send(group, partition, deadlineMs);
      let first = 0;
      for (const { records, settle } of group) {
        settle(outcome.ok ? ok(outcome.value.slice(first, first + records.length)) : outcome);
        first += records.length;
      }
    }
    working = undefined;
  };

  return {
    append: (partition, records) => {
      const bytes = appendBytes(records);
      if (bytes > appendBytesMax) {
        const message = `${bytes} bytes in one append to ${topic}; ${appendBytesMax} is the most`;
        return Promise.resolve(fail({ code: 'refused', message }));
      }
      if (records.length === 0) return Promise.resolve(ok([]));
      const { promise, resolve: settle } = Promise.withResolvers<Outcome>();
      const deadlineMs = performance.now() + appendWithinMs;
      queue.push({ partition, records, bytes, deadlineMs, settle });
      working ??= work();
      return promise;
    },
    close: async () => {
      await working;
      await life?.producer.disconnect().catch(() => undefined);
      life = undefined;
    },
  };
};

/** The append that waits longest, and those behind it that go to the same partition and fit beside it. */
const takeGroup = (queue: Waiting[]): readonly [Waiting, ...Waiting[]] | undefined => {
  const first = queue.shift();
  if (first === undefined) return undefined;
  const group: [Waiting, ...Waiting[]] = [first];
  let { bytes } = first;
  let records = first.records.length;
  for (let next = queue[0]; next !== undefined; next = queue[0]) {
    bytes += next.bytes;
    records += next.records.length;
    if (next.partition !== first.partition || bytes > mergedBytesMax || records > mergedRecordsMax)
      break;
    queue.shift();
    group.push(next);
  }
  return group;
};

const problemOf = (
  topic: string,
  error: unknown,
  sends: number,
  records: number,
): AppendProblem => {
  const message = `${topic}: ${messageOf(error)}`;
  if (sends === 0) return { code: 'unreachable', message };
  // An earlier try may have been written although its answer was lost: then a later no proves nothing.
  const triedOnce = sends === records;
  if (triedOnce && !(error instanceof TimeUp) && refusals.has(faultType(error) ?? '')) {
    return { code: 'refused', message };
  }
  return { code: 'unknown', message };
};

const toMessage = (record: Sent, partition: number): Message => {
  // No prototype: a header may be called like something that every object inherits.
  const headers: Record<string, Buffer[]> = Object.create(null);
  for (const { name, value } of record.headers) (headers[name] ??= []).push(toBuffer(value));
  const { appendedAtMs } = record;
  return {
    partition,
    key: toBuffer(record.key),
    value: toBuffer(record.value),
    headers,
    // A topic that gives its own times, as every log does, takes no notice.
    ...(appendedAtMs === undefined ? {} : { timestamp: String(appendedAtMs) }),
  };
};

const toBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
