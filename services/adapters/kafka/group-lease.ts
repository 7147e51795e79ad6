import kafkajs from 'kafkajs';
import type { Consumer, Kafka } from 'kafkajs';
import { kafkaClient, requestTimeoutMs, tries } from './client.ts';
import type { KafkaAddress } from './client.ts';
import { messageOf } from './failure.ts';
import { openMembership } from './membership.ts';
import { inRuns } from './share-out.ts';

const leaseMsDefault = 10_000;
const rebalanceTimeoutMs = 15_000;
/** So many may come late before the lease is over. */
const heartbeatsPerLease = 10;
const idleWaitMs = 250;
const partitionsLookMsDefault = 30_000;
const beforeRejoinMs = 500;
/** At up to 1 s each: a member that outlives a broker's restart keeps its partitions without a new election. */
const outageTriesMax = 30;

/** Membership in a consumer group: who owns which partition, and nothing else. */
export type GroupLease = {
  /** Keeps a position for the group. Best effort: a failure is a note. */
  readonly commit: (partition: number, position: number) => Promise<void>;
  /** Leaves, and joins again when `until` is settled. */
  readonly stepBack: (until: Promise<unknown>) => void;
  readonly leave: () => Promise<void>;
};

export type LeaseOptions = KafkaAddress & {
  /**
   * A member that says nothing for so long has lost its partitions: Kafka's session timeout. 10,000 unless told; a
   * broker allows 6,000 at least unless its `group.min.session.timeout.ms` says otherwise.
   */
  readonly leaseMs?: number;
  /** A batch that is pending for longer hands its partitions to others. 120,000 unless told. */
  readonly batchPendingMaxMs?: number;
  /** After so long a partition that was added to the topic is shared out. 30,000 unless told. */
  readonly partitionsLookMs?: number;
};

/**
 * Joins a group, and again after every failure, until `leave`. `onAssigned` is told all partitions that are ours now,
 * and is told none while the group is being shared out anew.
 *
 * kafkajs keeps the membership alive, but fetches nothing: every partition is paused in the moment it is assigned,
 * and is read by position instead. So kafkajs can neither start a batch after the partition was lost, nor jump to
 * another position when ours is gone.
 */
export const joinGroup = (
  address: LeaseOptions,
  topic: string,
  group: string,
  onAssigned: (partitions: readonly number[]) => void,
): GroupLease => {
  const leaveAsked = Promise.withResolvers<void>();
  let leaving = false;
  let steppedBack = Promise.withResolvers<void>();
  let away: Promise<unknown> | undefined;
  let member: Consumer | undefined;

  const stay = async (): Promise<void> => {
    while (!leaving) {
      // Partitions are shared out by the order of member ids, which begin with the client's: the oldest member stays first,
      // so a newcomer stands by instead of taking the partition from the one that works.
      const kafka = kafkaClient(address, `-${Date.now()}`);
      const leaseMs = address.leaseMs ?? leaseMsDefault;
      const consumer = newConsumer(kafka, group, leaseMs, address.partitionsLookMs);
      const crashed = watch(consumer, topic, leaseMs, (partitions) => {
        if (!leaving) onAssigned(partitions);
      });
      try {
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: async () => undefined,
        });
        member = consumer;
        await Promise.race([crashed, leaveAsked.promise, steppedBack.promise]);
      } catch (error) {
        address.note?.({
          from: `group ${group}`,
          message: `left it: ${messageOf(error)}`,
        });
      }
      member = undefined;
      if (!leaving) onAssigned([]);
      await consumer.disconnect().catch(() => undefined);
      if (away !== undefined) {
        await Promise.race([away, leaveAsked.promise]);
        away = undefined;
        steppedBack = Promise.withResolvers();
      }
      if (!leaving) await Promise.race([pause(beforeRejoinMs), leaveAsked.promise]);
    }
  };
  const staying = stay();

  return {
    commit: async (partition, position) => {
      try {
        await member?.commitOffsets([{ topic, partition, offset: String(position) }]);
      } catch (error) {
        address.note?.({
          from: `group ${group}`,
          message: `hint not kept: ${messageOf(error)}`,
        });
      }
    },
    stepBack: (until) => {
      away = until.catch(() => undefined);
      steppedBack.resolve();
    },
    leave: async () => {
      leaving = true;
      leaveAsked.resolve();
      await staying;
    },
  };
};

const newConsumer = (
  kafka: Kafka,
  group: string,
  leaseMs: number,
  partitionsLookMs: number = partitionsLookMsDefault,
): Consumer =>
  kafka.consumer({
    groupId: group,
    sessionTimeout: leaseMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    heartbeatInterval: leaseMs / heartbeatsPerLease,
    maxWaitTimeInMs: idleWaitMs,
    allowAutoTopicCreation: false,
    metadataMaxAge: partitionsLookMs,
    // While a member of a release before is in the group, all share out as it does.
    partitionAssigners: [inRuns, kafkajs.PartitionAssigners.roundRobin],
    // We join again ourselves, with a new consumer: one place that does it.
    retry: { ...tries, retries: outageTriesMax, restartOnFailure: async () => false },
  });

/** Rejects when the consumer has given up, or when its coordinator was silent for longer than any join takes. */
const watch = (
  consumer: Consumer,
  topic: string,
  leaseMs: number,
  onAssigned: (partitions: readonly number[]) => void,
): Promise<never> => {
  const crashed = Promise.withResolvers<never>();
  crashed.promise.catch(() => undefined);
  const { joined, rejoining, acknowledged } = openMembership(onAssigned, (why) =>
    crashed.reject(new Error(why)),
  );
  // A consumer that was put out while its coordinator was loading may neither join again nor say anything. How long
  // the first join takes is for kafkajs to say.
  let heardAtMs = Number.POSITIVE_INFINITY;
  const silentMsMax = rebalanceTimeoutMs + requestTimeoutMs + leaseMs;
  const watching = setInterval(() => {
    if (performance.now() - heardAtMs > silentMsMax)
      crashed.reject(new Error(`its coordinator was silent for more than ${silentMsMax} ms`));
  }, leaseMs);
  watching.unref();
  crashed.promise.catch(() => clearInterval(watching));
  consumer.on(consumer.events.STOP, () => clearInterval(watching));

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    heardAtMs = performance.now();
    const partitions = payload.memberAssignment[topic] ?? [];
    // kafkajs calls this before its first fetch, without a turn of the event loop between.
    consumer.pause([{ topic, partitions: [...partitions] }]);
    joined(payload.memberId, partitions);
  });
  consumer.on(consumer.events.HEARTBEAT, () => {
    heardAtMs = performance.now();
    acknowledged();
  });
  consumer.on(consumer.events.REBALANCING, rejoining);
  consumer.on(consumer.events.CRASH, ({ payload }) => crashed.reject(payload.error));
  return crashed.promise;
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
