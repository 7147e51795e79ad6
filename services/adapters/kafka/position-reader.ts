import type { Kafka } from 'kafkajs';
import type { Header, LogRecord, Position } from '../../core/log/record.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { LogRange, ReadProblem } from '../../ports/record-log.ts';
import { clusterOf, readUncommitted } from './client.ts';
import type { Cluster, FetchedMessage } from './client.ts';
import { fetchBytesMax, readingRecords } from './fetch-answer.ts';
import { before, isOffsetOutOfRange, messageOf } from './failure.ts';
import { RecordBatchFault } from './record-batches.ts';

const betweenTriesMs = 200;

export type Fetched = { readonly records: readonly LogRecord[]; readonly end: Position };

/** Reads one partition by position on a connection of its own. */
export type PositionReader = {
  /**
   * What lies from a position on, without gaps: up to `bytesMax` (`fetchBytesMax` unless told) or one batch; waits up
   * to `waitMs` for something to come. It connects again until `withinMs` are over.
   */
  readonly fetch: (
    from: Position,
    limits: { readonly waitMs: number; readonly withinMs: number; readonly bytesMax?: number },
  ) => Promise<Result<Fetched, ReadProblem>>;
  readonly range: (withinMs: number) => Promise<Result<LogRange, ReadProblem>>;
  /** Whoever waits for an answer gets `closed` at once. */
  readonly close: () => Promise<void>;
};

export const createPositionReader = (
  kafka: Kafka,
  topic: string,
  partition: number,
): PositionReader => {
  let cluster: Promise<Cluster> | undefined;
  const waiters = new Set<() => void>();
  let closed = false;

  const connect = async (): Promise<Cluster> => {
    const connecting = clusterOf(kafka);
    try {
      await connecting.connect();
      await connecting.addTargetTopic(topic);
      return connecting;
    } catch (error) {
      await connecting.disconnect().catch(() => undefined);
      throw error;
    }
  };

  const disconnect = async (): Promise<void> => {
    const leaving = cluster;
    cluster = undefined;
    await leaving?.then((connected) => connected.disconnect()).catch(() => undefined);
  };

  /**
   * Waits for the work, or until the reader is closed. What waits has a promise of its own: one that all waited on
   * would keep every answer that it ever raced against for as long as it is open.
   */
  const unlessClosed = async (work: Promise<unknown>): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiters.add(resolve);
    try {
      await Promise.race([work, promise]);
    } finally {
      waiters.delete(resolve);
    }
  };

  /** Tries until the time is up. After any failure it starts from a fresh connection, and so finds a new leader. */
  const trying = async <Value>(
    withinMs: number,
    ask: (connected: Cluster) => Promise<Value>,
  ): Promise<Result<Value, ReadProblem>> => {
    const deadlineMs = performance.now() + withinMs;
    for (;;) {
      if (closed) return fail({ code: 'closed', message: `${topic}/${partition} is closed` });
      try {
        cluster ??= connect();
        const answer = before(deadlineMs, cluster.then(ask));
        await unlessClosed(answer);
        if (!closed) return ok(await answer);
      } catch (error) {
        if (isOffsetOutOfRange(error) || error instanceof RecordBatchFault) throw error;
        void disconnect();
        if (performance.now() + betweenTriesMs > deadlineMs) {
          return fail({
            code: 'unreachable',
            message: `${topic}/${partition}: ${messageOf(error)}`,
          });
        }
        await unlessClosed(pause(betweenTriesMs));
      }
    }
  };

  const fetchOnce = async (
    connected: Cluster,
    from: Position,
    waitMs: number,
    bytesMax: number,
  ): Promise<Fetched> => {
    const leader = Object.keys(connected.findLeaderForPartitions(topic, [partition]))[0];
    if (leader === undefined) throw new Error('the partition has no leader');
    const broker = await connected.findBroker({ nodeId: leader });
    const { responses } = await readingRecords(broker, from).fetch({
      isolationLevel: readUncommitted,
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: bytesMax,
      topics: [
        { topic, partitions: [{ partition, fetchOffset: String(from), maxBytes: bytesMax }] },
      ],
    });
    const answer = responses[0]?.partitions[0];
    if (answer === undefined) throw new Error('the broker answered without the partition');
    // A batch comes whole, so it may begin before the position that was asked for.
    const records =
      answer.records ?? answer.messages.map(toRecord).filter(({ position }) => position >= from);
    return { records, end: Number(answer.highWatermark) };
  };

  const range = (withinMs: number): Promise<Result<LogRange, ReadProblem>> =>
    trying(withinMs, async (connected) => {
      const at = async (fromBeginning: boolean): Promise<Position> => {
        const [answer] = await connected.fetchTopicsOffset([
          { topic, partitions: [{ partition }], fromBeginning },
        ]);
        const offset = Number(answer?.partitions[0]?.offset);
        if (!Number.isSafeInteger(offset))
          throw new Error('the broker answered without a position');
        return offset;
      };
      return { start: await at(true), end: await at(false) };
    });

  const outOfRange = async (from: Position, withinMs: number): Promise<ReadProblem> => {
    const held = await range(withinMs);
    if (!held.ok) return held.problem;
    const { start, end } = held.value;
    return from < start
      ? {
          code: 'before-start',
          message: `${topic}/${partition}: the log begins at position ${start} now; ${from} is gone`,
        }
      : { code: 'beyond-end', message: `${topic}/${partition}: ${from} is past the end, ${end}` };
  };

  const corrupt = (message: string): Result<never, ReadProblem> =>
    fail({ code: 'corrupt', message: `${topic}/${partition}: ${message}` });

  return {
    fetch: async (from, { waitMs, withinMs, bytesMax = fetchBytesMax }) => {
      try {
        const fetched = await trying(withinMs, (connected) =>
          fetchOnce(connected, from, waitMs, bytesMax),
        );
        if (!fetched.ok) return fetched;
        const missing = fetched.value.records.findIndex(
          ({ position }, index) => position !== from + index,
        );
        if (missing === -1) return fetched;
        return corrupt(`position ${from + missing} is missing; is the topic compacted?`);
      } catch (error) {
        if (error instanceof RecordBatchFault) return corrupt(error.message);
        if (!isOffsetOutOfRange(error)) throw error;
        return fail(await outOfRange(from, withinMs));
      }
    },
    range,
    close: () => {
      closed = true;
      for (const wake of waiters) wake();
      return disconnect();
    },
  };
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A control record of a stranger's transaction is an empty record: nothing to believe, and no gap. */
const toRecord = (message: FetchedMessage): LogRecord => ({
  position: Number(message.offset),
  appendedAtMs: Number(message.timestamp),
  key: message.isControlRecord ? new Uint8Array() : toBytes(message.key),
  headers: Object.entries(message.headers).flatMap(([name, values]) => toHeaders(name, values)),
  value: message.isControlRecord ? new Uint8Array() : toBytes(message.value),
});

/** kafkajs puts what an object inherits under such a name before the value; what is not bytes was not sent. */
const toHeaders = (name: string, values: unknown): readonly Header[] =>
  (Array.isArray(values) ? values : [values])
    .filter((value): value is Buffer | null => value === null || Buffer.isBuffer(value))
    .map((value) => ({ name, value: toBytes(value) }));

const toBytes = (buffer: Buffer | null): Uint8Array =>
  buffer === null
    ? new Uint8Array()
    : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
