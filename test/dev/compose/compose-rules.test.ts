import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { composeFaults } from '../../../services/dev/compose/compose-rules.ts';
import type { Files } from '../../../services/dev/compose/compose-rules.ts';

const composeFile = readFileSync('docker-compose.yml', 'utf8');
const dockerfilePath = 'services/dev/compose/Dockerfile';

const onDisk: Files = {
  has: existsSync,
  read: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
};

/** The file with one thing changed, everywhere it stands. */
const planted = (from: string, to: string): string => {
  expect(composeFile).toContain(from);
  return composeFile.replaceAll(from, to);
};

test('nothing is wrong with the file as it is', () => {
  expect(composeFaults(composeFile, onDisk)).toEqual([]);
});

test.each([
  ['a tab', 'services:\n', 'services:\n\t', 'yaml'],
  ['a name twice', 'name: plimsoll\n', 'name: plimsoll\nname: other\n', 'yaml'],
  ['a bad project name', 'name: plimsoll\n', 'name: Plimsoll!\n', 'name'],
  ['an unknown word at the top', 'name: plimsoll\n', 'name: plimsoll\nservice: {}\n', 'service'],
  ['an unknown word of a service', '  init: true', '  initt: true', 'initt'],
  ['an init that is neither yes nor no', '  init: true', '  init: maybe', 'init'],
  [
    'no restart',
    '  restart: unless-stopped\n  stop_grace_period: 20s',
    '  stop_grace_period: 20s',
    'restart',
  ],
  ['a time without a unit', 'stop_grace_period: 20s', 'stop_grace_period: 20', 'stop_grace_period'],
  [
    'a health check without a program',
    "test: ['CMD', 'redis-cli', 'ping']",
    "test: ['CMD']",
    'healthcheck',
  ],
  ['an unknown word of a health check', 'start_period: 10s', 'startperiod: 10s', 'startperiod'],
  [
    'a health check that is gone',
    "    healthcheck:\n      test: ['CMD', 'redis-cli', 'ping']\n      interval: 5s\n      timeout: 3s\n      retries: 12\n",
    '',
    'redis: has no health check',
  ],
  ['an image without a version', 'image: redis:8', 'image: redis', 'names no version'],
  ['an image that changes', 'image: redis:8', 'image: redis:latest', 'names no version'],
  ['a Dockerfile that is not there', 'compose/Dockerfile', 'compose/Containerfile', 'no file'],
  ['a context that is not there', 'context: .', 'context: ./nowhere', 'no folder'],
  ['a volume that is not declared', '  redis-data:\n', '', 'redis-data is not declared'],
  ['a volume that nobody uses', '  redis-data:\n', '  redis-data:\n  spare:\n', 'spare'],
  ['a folder instead of a volume', 'redis-data:/data', './data:/data', 'is not VOLUME:/FOLDER'],
  [
    'a service that is not there',
    'kafka-3: { condition',
    'kafka-4: { condition',
    'no such service',
  ],
  [
    'a wait for the start alone',
    'redis: { condition: service_healthy }',
    'redis: { condition: service_started }',
    'until it is healthy',
  ],
  [
    'a circle',
    "    command: ['redis-server'",
    "    depends_on: { gateway: { condition: service_healthy } }\n    command: ['redis-server'",
    'a circle',
  ],
  ['one port for two', '127.0.0.1:9093:9092', '127.0.0.1:9092:9092', '9092 is taken'],
  ['a port for everybody', "'127.0.0.1:6379:6379'", "'6379:6379'", 'on loopback alone'],
  ['a port that is none', "'127.0.0.1:6379:6379'", "'127.0.0.1:redis'", 'is not ADDRESS:PORT:PORT'],
  [
    'a port where nothing listens',
    '127.0.0.1:4318:4318',
    '127.0.0.1:4318:4317',
    'nothing listens on 4317',
  ],
  [
    'another port than senders know',
    'PLIMSOLL_OTLP_PORT: 4318',
    'PLIMSOLL_OTLP_PORT: 4319',
    'senders know',
  ],
  [
    'a gateway on loopback',
    'PLIMSOLL_HOST: 0.0.0.0',
    'PLIMSOLL_HOST: 127.0.0.1',
    'ports are published',
  ],
  [
    'a setting that nobody reads',
    'PLIMSOLL_AUDIENCE:',
    'PLIMSOLL_AUDIENZ:',
    'PLIMSOLL_AUDIENZ is no setting',
  ],
  [
    'a setting that cannot be read',
    'kafka://kafka-1:19092,',
    'kafka//kafka-1:19092,',
    'PLIMSOLL_LOG',
  ],
  [
    'a setting that is not ours',
    '  PLIMSOLL_AUDIENCE: local',
    '  NODE_ENV: production',
    'NODE_ENV is not ours',
  ],
  [
    'a setting that is a list',
    'PLIMSOLL_AUDIENCE: local',
    'PLIMSOLL_AUDIENCE: [local]',
    'PLIMSOLL_AUDIENCE: must be a text',
  ],
  [
    'a setting from outside without a default',
    '${PLIMSOLL_OTLP_SOURCES:-}',
    '${PLIMSOLL_OTLP_SOURCES}',
    'PLIMSOLL_OTLP_SOURCES: must be ${NAME:-DEFAULT} alone',
  ],
  [
    'a setting from outside that nobody reads',
    'PLIMSOLL_OTLP_SOURCES: ${',
    'PLIMSOLL_OTLP_TOKENS: ${',
    'PLIMSOLL_OTLP_TOKENS is no setting',
  ],
  ['a broker that is not there', ',kafka-3:19092', ',kafka-9:19092', 'no service kafka-9'],
  [
    'a broker at another port',
    ',kafka-3:19092\n',
    ',kafka-3:29092\n',
    'kafka-3 does not listen there',
  ],
  [
    'a Redis at another port',
    'redis://redis:6379',
    'redis://redis:6380',
    'redis does not listen there',
  ],
  ['a store that is a file', 'redis://redis:6379', 'sqlite:./data', 'PLIMSOLL_STORE must be Redis'],
  ['a command that is none', "command: ['analyser']", "command: ['analyzer']", 'no analyser runs'],
  [
    'a verifier that looks once',
    "'verify-models', '--follow', '--every=10m'",
    "'verify-models'",
    'is no service',
  ],
  ['a verifier that cannot be told so', '--every=10m', '--each=10m', '--each'],
  ['one projector alone', 'replicas: 2', 'replicas: 1', 'stands by'],
  [
    'keys that go with the container',
    'plimsoll-data:/var/lib/plimsoll/plimsoll-data',
    'plimsoll-data:/var/lib/plimsoll',
    'keys',
  ],
  [
    'a health check at another port',
    '127.0.0.1:9464/healthz',
    '127.0.0.1:9465/healthz',
    'asks where nothing answers',
  ],
  ['a Redis that forgets', "'--appendonly', 'yes'", "'--appendonly', 'no'", 'append-only'],
  ['a Redis that evicts', 'noeviction', 'allkeys-lru', 'never evict'],
  [
    'a Redis without a volume',
    "volumes: ['redis-data:/data']",
    "volumes: ['redis-data:/tmp']",
    '/data',
  ],
  ['two nodes of one id', 'KAFKA_NODE_ID: 3', 'KAFKA_NODE_ID: 2', 'KAFKA_CONTROLLER_QUORUM_VOTERS'],
  ['two nodes on one volume', 'kafka-3-data:/var', 'kafka-2-data:/var', 'share a volume'],
  [
    'a node told as another',
    'INSIDE://kafka-3:19092',
    'INSIDE://kafka-2:19092',
    'INSIDE must be told',
  ],
  [
    'a node told at another port',
    'OUTSIDE://127.0.0.1:9094',
    'OUTSIDE://127.0.0.1:9095',
    'OUTSIDE must be told',
  ],
  ['a cluster id that is none', 'cGxpbXNvbGwtbG9jYWwtMQ', 'plimsoll', 'CLUSTER_ID is no id'],
  [
    'fewer copies',
    'KAFKA_DEFAULT_REPLICATION_FACTOR: 3',
    'KAFKA_DEFAULT_REPLICATION_FACTOR: 1',
    'KAFKA_DEFAULT_REPLICATION_FACTOR must be 3',
  ],
  [
    'one copy in sync',
    'KAFKA_MIN_INSYNC_REPLICAS: 2',
    'KAFKA_MIN_INSYNC_REPLICAS: 1',
    'KAFKA_MIN_INSYNC_REPLICAS must be 2',
  ],
  ['topics by typing error', "TOPICS_ENABLE: 'false'", "TOPICS_ENABLE: 'true'", 'typing error'],
  [
    'data in no volume',
    'KAFKA_LOG_DIRS: /var/lib/kafka/data',
    'KAFKA_LOG_DIRS: /tmp/kafka',
    'is in no volume',
  ],
])('%s is found', (_, from, to, told) => {
  expect(composeFaults(planted(from, to), onDisk).join('\n')).toContain(told);
});

test.each([
  ['an old Node', 'FROM node:24-slim', 'FROM node:18-slim', 'node:22 or newer'],
  ['a folder that is not there', 'COPY schemas schemas', 'COPY schema schema', 'copies schema'],
])('%s in the Dockerfile is found', (_, from, to, told) => {
  const changed = onDisk.read(dockerfilePath)?.replace(from, to) ?? '';
  expect(changed).toContain(to);
  const files: Files = {
    ...onDisk,
    read: (path) => (path === dockerfilePath ? changed : onDisk.read(path)),
  };
  expect(composeFaults(composeFile, files).join('\n')).toContain(told);
});

test('an image that takes the whole folder in, keys and all, is found', () => {
  const files: Files = {
    ...onDisk,
    read: (path) => (path.endsWith('.dockerignore') ? 'node_modules\n' : onDisk.read(path)),
  };
  expect(composeFaults(composeFile, files).join('\n')).toContain('.dockerignore');
});
