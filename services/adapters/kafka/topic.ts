// Node finds only some of kafkajs's names in it by themselves; the rest come by the whole.
import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { appendBytesMax } from '../../core/log/append-size.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { faultType, messageOf } from './failure.ts';

/** Three copies of which two must be in sync, where there are three brokers. */
const copiesWanted = 3;
const inSyncWanted = 2;

export type TopicPlan = {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  /** A topic that others made may have any number of partitions; ours is made with `partitions`. */
  readonly anyPartitions?: boolean;
  /** How long records are kept; `for-ever` for the log itself. */
  readonly keptMs: number | 'for-ever';
  /** Records are being copied into it with the times they have: it is no log yet. */
  readonly isCopy?: boolean;
  /** It is refused where it is not there; else it is made. */
  readonly mustExist?: boolean;
};

/** `misfit`: the topic exists, but with settings under which our promises would not hold. */
export type TopicProblem = {
  readonly code: 'misfit' | 'refused';
  readonly message: string;
  /** What an operator does about it. */
  readonly hint: string;
};

/**
 * Creates the topic if it is not there; else checks that it fits. Answers how many partitions it has. Rejects where
 * Kafka does not answer.
 */
export const ensureTopic = async (
  admin: Admin,
  plan: TopicPlan,
): Promise<Result<number, TopicProblem>> => {
  const partitions = await partitionCount(admin, plan.topic);
  if (partitions === undefined) {
    if (plan.mustExist === true)
      return fail({
        code: 'refused',
        message: `there is no Kafka topic ${plan.topic}`,
        hint: 'are the brokers and PLIMSOLL_AUDIENCE right?',
      });
    const created = await create(admin, plan);
    if (!created.ok) return created;
    await onceHeardOf(() => admin.fetchTopicMetadata({ topics: [plan.topic] }));
    // Those that lead its partitions may hear of them later than who answered this, and say until then that they do
    // not host them: whoever reads or appends next would be told of an outage that is none.
    await onceHeardOf(() => admin.fetchTopicOffsets(plan.topic));
    // Someone else may have created it in the same moment: it is checked like any other.
  } else if (partitions !== plan.partitions && plan.anyPartitions !== true) {
    return misfit(plan, `has ${partitions} partitions, not ${plan.partitions}`, makeAnew);
  }
  const fits = await onceHeardOf(() => checkSettings(admin, plan));
  if (!fits.ok) return fits;
  return ok((await partitionCount(admin, plan.topic)) ?? plan.partitions);
};

const heardOfTriesMax = 50;
const heardOfAgainMs = 100;
const unheardOf: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
]);

/** Each broker hears of a new topic in its own time. Until then it says that there is none: asked again, for 5 s. */
const onceHeardOf = async <Value>(ask: () => Promise<Value>): Promise<Value> => {
  for (let tries = 1; ; tries += 1)
    try {
      return await ask();
    } catch (error) {
      if (tries === heardOfTriesMax || !unheardOf.has(faultType(error) ?? '')) throw error;
      await new Promise((resolve) => setTimeout(resolve, heardOfAgainMs));
    }
};

const partitionCount = async (admin: Admin, topic: string): Promise<number | undefined> => {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.length;
  } catch (error) {
    if (faultType(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    throw error;
  }
};

const create = async (admin: Admin, plan: TopicPlan): Promise<Result<void, TopicProblem>> => {
  const { brokers } = await admin.describeCluster();
  const enough = brokers.length >= copiesWanted;
  const settings = {
    ...timesOf(plan.isCopy === true),
    'cleanup.policy': 'delete',
    'retention.ms': plan.keptMs === 'for-ever' ? '-1' : String(plan.keptMs),
    'retention.bytes': '-1',
    'min.insync.replicas': String(enough ? inSyncWanted : 1),
    // One append is one batch, all or none. The other half is room for Kafka's framing of many small records.
    'max.message.bytes': String(2 * appendBytesMax),
    // Whatever a producer sends: any reader can read it, and nothing unpacks into more than was stored.
    'compression.type': 'uncompressed',
  };
  try {
    await admin.createTopics({
      // kafkajs would reject where a broker has not heard of the topic yet; we wait ourselves.
      waitForLeaders: false,
      topics: [
        {
          topic: plan.topic,
          numPartitions: plan.partitions,
          replicationFactor: enough ? copiesWanted : 1,
          configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
        },
      ],
    });
    return ok(undefined);
  } catch (error) {
    if (refusedTypes.has(faultType(error) ?? firstType(error) ?? '')) {
      return fail({
        code: 'refused',
        message: `${plan.topic} cannot be created: ${messageOf(error)}`,
        hint: 'the brokers refuse it: allow this client to create topics',
      });
    }
    throw error;
  }
};

const timeType = 'message.timestamp.type';
/** Kafka refuses times that are far from its own clock, unless it is told that none is too far. */
const noLimitMs = String(2n ** 63n - 1n);

/** Whose times the records have: the log's own, or while they are copied those that they bring. */
const timesOf = (isCopy: boolean): { readonly [name: string]: string } =>
  isCopy
    ? {
        [timeType]: 'CreateTime',
        'message.timestamp.before.max.ms': noLimitMs,
        'message.timestamp.after.max.ms': noLimitMs,
      }
    : { [timeType]: 'LogAppendTime' };

/** Whether records of the topic get the time of the broker, or keep the one they bring. */
export const isCopyTopic = async (admin: Admin, topic: string): Promise<boolean> =>
  (await describe(admin, topic, [timeType])).get(timeType) === 'CreateTime';

/**
 * Lets a topic keep the times that records bring, or end that. Other settings that the topic has stay as they are:
 * the request that Kafka knows replaces them all, so they are sent along.
 */
export const setTopicTimes = async (
  admin: Admin,
  topic: string,
  isCopy: boolean,
): Promise<void> => {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
  });
  const own = (resources[0]?.configEntries ?? []).filter(
    ({ configName, configSource }) =>
      configSource === kafkajs.ConfigSource.TOPIC_CONFIG &&
      !configName.startsWith('message.timestamp.'),
  );
  const settings = {
    ...Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue])),
    ...timesOf(isCopy),
  };
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: topic,
        configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
      },
    ],
  });
};

const describe = async (
  admin: Admin,
  topic: string,
  configNames: string[],
): Promise<ReadonlyMap<string, string>> => {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames }],
  });
  return new Map(
    resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
  );
};

const refusedTypes: ReadonlySet<string> = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'POLICY_VIOLATION',
  'INVALID_CONFIG',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REPLICATION_FACTOR',
]);

/** kafkajs gathers the faults of several topics in one error. */
const firstType = (error: unknown): string | undefined => {
  const errors = (error as { readonly errors?: readonly unknown[] } | undefined)?.errors;
  return errors === undefined ? undefined : faultType(errors[0]);
};

const checkSettings = async (
  admin: Admin,
  plan: TopicPlan,
): Promise<Result<void, TopicProblem>> => {
  const found = await describe(admin, plan.topic, [
    timeType,
    'cleanup.policy',
    'retention.ms',
    'retention.bytes',
  ]);
  const needed: [name: string, value: string][] = [
    ...(plan.isCopy === true ? [] : ([[timeType, 'LogAppendTime']] satisfies [[string, string]])),
    ['cleanup.policy', 'delete'],
  ];
  if (plan.keptMs === 'for-ever') needed.push(['retention.ms', '-1'], ['retention.bytes', '-1']);
  const wrong = needed.filter(([name, value]) => (found.get(name) ?? value) !== value);
  if (wrong.length === 0) return ok(undefined);
  const faults = wrong.map(
    ([name, value]) => `has ${name}=${found.get(name)}; it must be ${value}`,
  );
  const isCopied = found.get(timeType) === 'CreateTime' && plan.keptMs === 'for-ever';
  const hint =
    plan.anyPartitions === true ? alterLine(plan, wrong) : isCopied ? goOnCopying : makeAnew;
  return misfit(plan, faults.join(', '), hint);
};

const makeAnew =
  'Plimsoll makes this topic itself: remove it if nothing of worth is in it, or choose another PLIMSOLL_AUDIENCE';

const goOnCopying =
  'a log was being copied into it: run the same plimsoll migrate again, it goes on where it stopped; if none was, remove the topic';

/** A topic of telemetry may stay whoever made it: the Collector's exporter lets brokers make it as they like. */
const alterLine = (plan: TopicPlan, settings: readonly (readonly [string, string])[]): string =>
  [
    'kafka-configs --bootstrap-server',
    plan.brokers.join(','),
    '--alter --entity-type topics --entity-name',
    plan.topic,
    '--add-config',
    settings.map(([name, value]) => `${name}=${value}`).join(','),
  ].join(' ');

const misfit = (plan: TopicPlan, what: string, hint: string): Result<never, TopicProblem> =>
  fail({ code: 'misfit', message: `the Kafka topic ${plan.topic} ${what}`, hint });
