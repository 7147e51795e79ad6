import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startInDocker } from './docker.ts';
import { startKafkaCluster } from './native-kafka.ts';
import type { KafkaNode, KafkaOptions } from './native-kafka.ts';
import { startNativeRedis } from './native-redis.ts';
import type { NativeRedis } from './native-redis.ts';
import { removeFolder, removeFolderOnExit } from './own-process.ts';
import { needPrograms } from './prerequisites.ts';
import type { Environment, Program } from './prerequisites.ts';
import { StackProblem } from './problem.ts';
import type { Say } from './problem.ts';
import { kafkaAnswers, redisAnswers } from './readiness.ts';

/** The servers of a native stack, each to be killed, paused and started again, and cut off where it has a proxy. */
export type StackParts = { readonly kafka: readonly KafkaNode[]; readonly redis: NativeRedis };

/** Real Kafka and Redis that answer. */
export type Stack = {
  readonly kafkaBrokers: readonly string[];
  readonly redisUrl: string;
  /** For instance `4.3.0` and `7.0.15`. A Kafka given by address does not tell its version. */
  readonly versions: { readonly kafka: string; readonly redis: string };
  readonly how: 'addresses' | 'docker' | 'native';
  /** Ends what was started here and removes its data; given addresses are left alone. Safe to call twice. */
  readonly stop: () => Promise<void>;
  /** To kill, pause and cut. Undefined where the servers are not processes of ours. */
  readonly parts?: StackParts;
};

export type StackOptions = {
  /** PLIMSOLL_TEST_KAFKA, PLIMSOLL_TEST_REDIS, PLIMSOLL_INSTALL, XDG_CACHE_HOME, DOCKER_HOST are looked at. */
  readonly env?: Environment;
  readonly say?: Say;
  /** Further programs that the caller will run, installed with the rest. */
  readonly programs?: readonly Program[];
  /** Kafka nodes, 1 unless told. Three are always native, unless addresses are given. */
  readonly nodes?: 1 | 3;
  /** A TCP proxy of ours stands before each server, and clients are sent there. Native as well. */
  readonly proxied?: boolean;
};

/**
 * Real Kafka and Redis, in this order: the addresses in the environment; containers, where a Docker engine
 * answers; native processes on free loopback ports with a folder of their own. Resolves when a record went through
 * Kafka and Redis answered PING. Throws `StackProblem`.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const env = options.env ?? process.env;
  const say = options.say ?? (() => undefined);
  const given = givenAddresses(env);
  if (options.programs !== undefined) await needPrograms(options.programs, env, say);
  if (given !== undefined) return useAddresses(given);
  const { nodes = 1, proxied = false } = options;
  const plain = nodes === 1 && !proxied;
  return (plain ? await inDocker(env, say) : undefined) ?? native(env, say, { nodes, proxied });
}

/** The parts of a stack, for a test of faults. Throws `StackProblem` where the servers are not ours to kill. */
export function partsOf(stack: Stack): StackParts {
  if (stack.parts !== undefined) return stack.parts;
  throw new StackProblem(
    'not-ours',
    'only servers that the stack runs as native processes can be killed, paused or cut off',
  );
}

type Addresses = { readonly kafkaBrokers: readonly string[]; readonly redisUrl: string };

function givenAddresses(env: Environment): Addresses | undefined {
  const kafka = env['PLIMSOLL_TEST_KAFKA'] ?? '';
  const redis = env['PLIMSOLL_TEST_REDIS'] ?? '';
  if (kafka === '' && redis === '') return undefined;
  if (kafka === '' || redis === '') {
    throw new StackProblem(
      'bad-address',
      'set both PLIMSOLL_TEST_KAFKA and PLIMSOLL_TEST_REDIS, or neither',
    );
  }
  const kafkaBrokers = kafka.split(',').map((broker) => broker.trim());
  const wrong = kafkaBrokers.find(
    (broker) => !/^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/.test(broker),
  );
  if (wrong !== undefined) {
    throw new StackProblem('bad-address', `PLIMSOLL_TEST_KAFKA: "${wrong}" is not host:port`);
  }
  if (!/^rediss?:\/\/\S+$/.test(redis)) {
    throw new StackProblem(
      'bad-address',
      'PLIMSOLL_TEST_REDIS is not of the form redis://host:port',
    );
  }
  return { kafkaBrokers, redisUrl: redis };
}

async function useAddresses({ kafkaBrokers, redisUrl }: Addresses): Promise<Stack> {
  const [, redis] = await Promise.all([kafkaAnswers(kafkaBrokers), redisAnswers(redisUrl)]);
  return {
    kafkaBrokers,
    redisUrl,
    versions: { kafka: 'of the given address', redis },
    how: 'addresses',
    stop: async () => undefined,
  };
}

async function inDocker(env: Environment, say: Say): Promise<Stack | undefined> {
  try {
    const stack = await startInDocker(env);
    return stack && { ...stack, how: 'docker' };
  } catch (error) {
    say(
      `Docker answers, but its containers do not start (${String(error)}): using native processes`,
    );
    return undefined;
  }
}

async function native(env: Environment, say: Say, kafkaOptions: KafkaOptions): Promise<Stack> {
  // One after the other: two apt-get at once would wait for each other's lock.
  await needPrograms(['java', 'redis-server'], env, say);
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-stack-'));
  removeFolderOnExit(folder);
  const { proxied } = kafkaOptions;
  const started = await Promise.allSettled([
    startKafkaCluster(join(folder, 'kafka'), env, say, kafkaOptions),
    startNativeRedis(join(folder, 'redis'), env, say, { proxied }),
  ]);
  const stop = async (): Promise<void> => {
    await Promise.all(
      started.flatMap((server) => (server.status === 'fulfilled' ? [server.value.close()] : [])),
    );
    removeFolder(folder);
  };
  const [kafka, redis] = started;
  if (kafka.status === 'rejected' || redis.status === 'rejected') {
    await stop();
    throw kafka.status === 'rejected' ? kafka.reason : (redis as PromiseRejectedResult).reason;
  }
  return {
    kafkaBrokers: kafka.value.brokers,
    redisUrl: redis.value.url,
    versions: { kafka: kafka.value.version, redis: redis.value.version },
    how: 'native',
    stop,
    parts: { kafka: kafka.value.nodes, redis: redis.value },
  };
}
