import type { Admin, Kafka } from 'kafkajs';
import { batchRecordsDefault } from '../../core/log/batch-size.ts';
import type { Position } from '../../core/log/record.ts';
import { ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { ReadProblem, RecordBatch, Subscriber, Subscription } from '../../ports/record-log.ts';
import { createFollowing } from '../following/following.ts';
import type { Ending, Following } from '../following/following.ts';
import { messageOf } from './failure.ts';
import type { KafkaAddress } from './client.ts';
import { joinGroup } from './group-lease.ts';
import type { LeaseOptions } from './group-lease.ts';
import { createPositionReader } from './position-reader.ts';
import type { Fetched, PositionReader } from './position-reader.ts';

const longPollMs = 1_000;
const pollWithinMs = 10_000;
/**
 * The membership is kept alive beside the work, so someone must notice work that does not end: others get the
 * partitions until it does.
 */
const batchPendingMaxMsDefault = 120_000;

export type KafkaSubscription = Subscription & {
  readonly finish: (reason: Ending) => Promise<void>;
};

/**
 * Follows the partitions that the group hands us, each read by position on its own connection. `onOwned` is told each of
 * them before it is read: it may have been added to the topic since we opened it.
 */
export const subscribeToTopic = (
  address: LeaseOptions,
  kafka: Kafka,
  topic: string,
  group: string,
  subscriber: Subscriber,
  onOwned: (partition: number) => void,
): KafkaSubscription => {
  const readers = new Map<number, PositionReader>();
  const leftovers = new Map<number, Fetched>();
  const hints = hintReader(address, kafka, topic, group);
  let assignments = 0;

  const poll = async (
    partition: number,
    from: Position,
  ): Promise<Result<RecordBatch | undefined, ReadProblem>> => {
    const left = leftovers.get(partition);
    if (left !== undefined && left.records[0]?.position === from) return ok(cut(partition, left));
    const reader = readers.get(partition) ?? createPositionReader(kafka, topic, partition);
    readers.set(partition, reader);
    const fetched = await reader.fetch(from, { waitMs: longPollMs, withinMs: pollWithinMs });
    if (fetched.ok && fetched.value.records.length > 0) return ok(cut(partition, fetched.value));
    if (!fetched.ok && fetched.problem.code !== 'closed') {
      // An outage passes, and the group decides whom the partition belongs to meanwhile.
      if (fetched.problem.code !== 'unreachable') return fetched;
      address.note?.({ from: `group ${group}`, message: fetched.problem.message });
    }
    // Nothing came in this long poll: let whoever pumps look whether the partition is still ours, and ask again.
    following.wake();
    return ok(undefined);
  };

  const batchRecordsMax = subscriber.batchRecordsMax ?? batchRecordsDefault;
  /** The first batch out of what was fetched; the rest waits for the next poll. */
  const cut = (partition: number, { records, end }: Fetched): RecordBatch => {
    leftovers.set(partition, { records: records.slice(batchRecordsMax), end });
    return { partition, records: records.slice(0, batchRecordsMax), end };
  };

  const batchPendingMaxMs = address.batchPendingMaxMs ?? batchPendingMaxMsDefault;
  const watched = async (partition: number, pending: Promise<void>): Promise<void> => {
    const timer = setTimeout(() => {
      address.note?.({
        from: `group ${group}`,
        message: `a batch of partition ${partition} is pending for more than ${batchPendingMaxMs / 1000} s: it is others' turn until it is done`,
      });
      lease.stepBack(pending);
    }, batchPendingMaxMs);
    try {
      await pending;
    } finally {
      clearTimeout(timer);
    }
  };

  const closeReader = async (partition: number): Promise<void> => {
    const reader = readers.get(partition);
    readers.delete(partition);
    leftovers.delete(partition);
    await reader?.close();
  };

  const assign = async (partitions: readonly number[]): Promise<void> => {
    assignments += 1;
    const current = assignments;
    for (const partition of following.owned()) {
      following.lose(partition);
      void closeReader(partition);
    }
    if (partitions.length === 0) return;
    const found = await hints.read();
    if (current !== assignments) return;
    for (const partition of partitions) {
      onOwned(partition);
      following.take(partition, found.get(partition) ?? null);
    }
  };

  const following: Following = createFollowing({
    subscriber: {
      startFrom: (partition, hint) => subscriber.startFrom(partition, hint),
      onBatch: (batch) => watched(batch.partition, subscriber.onBatch(batch)),
      onLost: (partition) => subscriber.onLost?.(partition),
    },
    read: poll,
    release: async () => {
      assignments += 1;
      await Promise.all([lease.leave(), hints.close(), ...[...readers.keys()].map(closeReader)]);
    },
  });
  const lease = joinGroup(address, topic, group, (partitions) => void assign(partitions));

  const finish = (reason: Ending): Promise<void> => {
    const finishing = following.finish(reason);
    // Ends the long polls, so that nobody waits for the rest of one.
    for (const partition of readers.keys()) void closeReader(partition);
    return finishing;
  };

  return {
    owned: following.owned,
    hint: async (partition, position) => {
      if (following.owned().includes(partition)) await lease.commit(partition, position);
    },
    ended: following.ended,
    stop: () => finish(undefined),
    finish,
  };
};

/** The positions the group has kept. Best effort: without an answer there are none. */
const hintReader = (
  address: KafkaAddress,
  kafka: Kafka,
  topic: string,
  group: string,
): {
  readonly read: () => Promise<ReadonlyMap<number, Position>>;
  readonly close: () => Promise<void>;
} => {
  let admin: Admin | undefined;
  const close = async (): Promise<void> => {
    const leaving = admin;
    admin = undefined;
    await leaving?.disconnect().catch(() => undefined);
  };
  return {
    read: async () => {
      try {
        admin ??= kafka.admin();
        await admin.connect();
        const [kept] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        const found = new Map<number, Position>();
        for (const { partition, offset } of kept?.partitions ?? []) {
          if (Number(offset) >= 0) found.set(partition, Number(offset));
        }
        return found;
      } catch (error) {
        address.note?.({
          from: `group ${group}`,
          message: `no hints: ${messageOf(error)}`,
        });
        await close();
        return new Map();
      }
    },
    close,
  };
};
