import type { Kafka } from 'kafkajs';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { ReadProblem, RecordLog } from '../../ports/record-log.ts';
import { kafkaClient } from './client.ts';
import { before, messageOf } from './failure.ts';
import type { LeaseOptions } from './group-lease.ts';
import { openLane } from './lane.ts';
import { createPieceReader } from './piece-reader.ts';
import type { PieceReader } from './piece-reader.ts';
import { createPositionReader } from './position-reader.ts';
import type { PositionReader } from './position-reader.ts';
import { subscribeToTopic } from './subscription.ts';
import type { KafkaSubscription } from './subscription.ts';
import { ensureTopic } from './topic.ts';
import type { TopicPlan } from './topic.ts';

const answerWithinMsDefault = 10_000;

export type KafkaRecordLogOptions = LeaseOptions &
  TopicPlan & {
    /** An append, a read or the opening that takes longer is given up. */
    readonly answerWithinMs?: number;
  };

/**
 * - `unreachable`: no broker answered in time.
 * - `refused`: the topic is not there, and may not be created by us.
 * - `misfit`: it is there with settings under which our promises would not hold; the message says which.
 */
export type OpenProblem = {
  readonly code: 'unreachable' | 'refused' | 'misfit';
  readonly message: string;
  readonly hint: string;
};

/**
 * A log that is a Kafka topic, created if it is not there. Records are acknowledged by all in-sync replicas.
 * Times are the leading broker's clock: if it is set back, or another broker leads, they may go back too, so the fold
 * keeps a running maximum.
 */
export const openKafkaRecordLog = async (
  options: KafkaRecordLogOptions,
): Promise<Result<RecordLog, OpenProblem>> => {
  const { topic } = options;
  const answerWithinMs = options.answerWithinMs ?? answerWithinMsDefault;
  const kafka = kafkaClient(options);

  const ensured = await ensureOnAny(kafka, options, performance.now() + answerWithinMs);
  if (!ensured.ok) return ensured;
  const partitions = ensured.value;

  const lane = openLane(kafka, topic, answerWithinMs);
  const readers = new Map<number, PositionReader & PieceReader>();
  const subscriptions = new Set<KafkaSubscription>();
  let closed = false;
  /** Those that a group handed us since can be read, too. */
  let readable = partitions;
  const closedProblem: ReadProblem = { code: 'closed', message: `${topic} is closed` };

  const check = (partition: number, known = readable): void => {
    if (!Number.isInteger(partition) || partition < 0 || partition >= known) {
      throw new RangeError(`${topic} has no partition ${partition}`);
    }
  };
  const readerOf = (partition: number): PositionReader & PieceReader => {
    const known = readers.get(partition);
    if (known !== undefined) return known;
    const reader = createPositionReader(kafka, topic, partition);
    const made = { ...reader, ...createPieceReader(reader.fetch, () => performance.now()) };
    readers.set(partition, made);
    return made;
  };

  return ok({
    name: topic,
    partitions,
    append: async (partition, records) => {
      check(partition, partitions);
      if (closed) return fail({ code: 'unreachable', message: closedProblem.message });
      return lane.append(partition, records);
    },
    read: async (partition, from, recordsMax) => {
      check(partition);
      return closed
        ? fail(closedProblem)
        : readerOf(partition).read(from, recordsMax, answerWithinMs);
    },
    range: async (partition) => {
      check(partition);
      return closed ? fail(closedProblem) : readerOf(partition).range(answerWithinMs);
    },
    subscribe: async (group, subscriber) => {
      const subscription = subscribeToTopic(
        options,
        kafka,
        topic,
        group,
        subscriber,
        (partition) => (readable = Math.max(readable, partition + 1)),
      );
      subscriptions.add(subscription);
      void subscription.ended.then(() => subscriptions.delete(subscription));
      if (closed) void subscription.finish(closedProblem);
      return subscription;
    },
    close: async () => {
      closed = true;
      await Promise.all([
        lane.close(),
        ...[...subscriptions].map((subscription) => subscription.finish(closedProblem)),
        ...[...readers.values()].map((reader) => reader.close()),
      ]);
    },
  });
};

/**
 * Tries as often as there are brokers, each time beginning with the next: of one that takes connections and does not
 * answer, kafkajs believes at its second try that it did, and then throws whatever is asked.
 */
const ensureOnAny = async (
  kafka: Kafka,
  options: KafkaRecordLogOptions,
  deadlineMs: number,
): Promise<Result<number, OpenProblem>> => {
  for (let tries = 1; ; tries += 1) {
    const admin = kafka.admin();
    try {
      return await before(
        deadlineMs,
        admin.connect().then(() => ensureTopic(admin, options)),
      );
    } catch (error) {
      if (tries < options.brokers.length && performance.now() < deadlineMs) continue;
      return fail({
        code: 'unreachable',
        message: `${options.brokers.join(',')}: ${messageOf(error)}`,
        hint: 'see PLIMSOLL_LOG; is the broker up?',
      });
    } finally {
      void admin.disconnect().catch(() => undefined);
    }
  }
};
