import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import type { Environment } from './prerequisites.ts';
import { kafkaAnswers, redisAnswers } from './readiness.ts';

const kafkaImage = 'apache/kafka:4.3.0';
const redisImage = 'redis:8';

export type DockerStack = {
  readonly kafkaBrokers: readonly string[];
  readonly redisUrl: string;
  readonly versions: { readonly kafka: string; readonly redis: string };
  readonly stop: () => Promise<void>;
};

/**
 * Starts both servers in containers, or answers undefined where no Docker engine answers.
 * UNTRIED: no engine was at hand where this was written. If an engine answers and a container does not come up,
 * the caller says so and goes on natively.
 */
export async function startInDocker(env: Environment): Promise<DockerStack | undefined> {
  if (!mayHaveEngine(env)) return undefined;
  // Loaded only here: it takes a second.
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  try {
    await getContainerRuntimeClient();
  } catch {
    return undefined;
  }

  // Kafka tells its clients its own address, so the port outside must be known before it starts.
  const port = await freePort();
  const kafka = new GenericContainer(kafkaImage)
    .withExposedPorts({ container: 9092, host: port })
    .withEnvironment({
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_NODE_ID: '1',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_LISTENERS: 'PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '500',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    });
  const redis = new GenericContainer(redisImage)
    .withExposedPorts(6379)
    .withCommand(['redis-server', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction']);

  const started = await Promise.allSettled([kafka.start(), redis.start()]);
  const stop = async (): Promise<void> => {
    await Promise.all(
      started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.stop()] : [])),
    );
  };
  const [, redisOutcome] = started;
  const failed = started.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined || redisOutcome.status === 'rejected') {
    await stop();
    throw failed?.reason;
  }
  const kafkaBrokers = [`127.0.0.1:${port}`];
  const redisUrl = `redis://${redisOutcome.value.getHost()}:${redisOutcome.value.getMappedPort(6379)}`;
  try {
    const [, redisVersion] = await Promise.all([
      kafkaAnswers(kafkaBrokers),
      redisAnswers(redisUrl),
    ]);
    const kafkaVersion = kafkaImage.slice(kafkaImage.indexOf(':') + 1);
    return { kafkaBrokers, redisUrl, versions: { kafka: kafkaVersion, redis: redisVersion }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Asking a Docker library takes seconds where there is none, so look for its socket first. */
function mayHaveEngine(env: Environment): boolean {
  if (env['DOCKER_HOST'] !== undefined) return true;
  const sockets = [
    '/var/run/docker.sock',
    join(homedir(), '.docker', 'run', 'docker.sock'),
    join(env['XDG_RUNTIME_DIR'] ?? '/run/user/0', 'docker.sock'),
  ];
  return sockets.some((socket) => existsSync(socket));
}
