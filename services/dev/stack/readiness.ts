import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Kafka, Partitioners, logLevel } from 'kafkajs';
import { StackProblem } from './problem.ts';

const readyWithinMs = 120_000;
const readyTopicPrefix = 'plimsoll-stack-ready-';

/**
 * Resolves once one record was produced to a new topic and came back through a consumer group: from then on
 * neither the leader nor the group coordinator is still loading. The topic is deleted again. `copies`: of how many
 * nodes a record must reach the disk.
 */
export async function kafkaAnswers(brokers: readonly string[], copies = 1): Promise<void> {
  const kafka = new Kafka({
    clientId: 'plimsoll-stack',
    brokers: [...brokers],
    // A fresh broker answers "coordinator is loading" a few times: no reason for alarm, nor for a log line.
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 10_000 },
  });
  const topic = `${readyTopicPrefix}${randomUUID()}`;
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 100 });
  const roundTrip = async (): Promise<void> => {
    await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
    // Not waited for here: kafkajs rejects where a node has not heard of the topic yet. The producer tries again.
    await admin.createTopics({
      topics: [{ topic, numPartitions: 1, replicationFactor: copies }],
      waitForLeaders: false,
    });
    await producer.send({ topic, messages: [{ value: topic }] });
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.run({ eachMessage: async () => resolve() }).catch(reject);
    });
    await consumer.stop();
    await admin.deleteTopics({ topics: [topic] });
    // A left group would otherwise stay listed. Not worth a failure.
    await admin.deleteGroups([topic]).catch(() => undefined);
  };
  try {
    await within(readyWithinMs, `Kafka at ${brokers.join(',')}`, roundTrip());
  } finally {
    await Promise.allSettled([consumer.disconnect(), producer.disconnect(), admin.disconnect()]);
  }
}

/** Resolves with the server's version, for instance `8.0.2`, or `8.1.1 (Valkey)`, once PING is answered. */
export async function redisAnswers(url: string): Promise<string> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => 100,
    maxRetriesPerRequest: null,
  });
  // Refused connections while it starts are expected; ioredis would print them without a listener.
  redis.on('error', () => undefined);
  try {
    const info = await within(
      readyWithinMs,
      `Redis at ${url}`,
      redis.ping().then(() => redis.info('server')),
    );
    const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1];
    return valkey === undefined
      ? (/^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown')
      : `${valkey} (Valkey)`;
  } finally {
    redis.disconnect();
  }
}

export async function within<Value>(
  timeoutMs: number,
  who: string,
  work: Promise<Value>,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new StackProblem('not-started', `${who} did not answer within ${timeoutMs / 1000} s`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
