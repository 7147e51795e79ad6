import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { kafkaJars } from './kafka-jars.ts';
import { runNative } from './native-server.ts';
import type { NativeServer } from './native-server.ts';
import { findProgram, needPrograms } from './prerequisites.ts';
import type { Environment } from './prerequisites.ts';
import { tellIfSlow } from './problem.ts';
import type { Say } from './problem.ts';
import { kafkaAnswers } from './readiness.ts';

const run = promisify(execFile);
const heap = '384m';

export type NativeKafka = NativeServer & {
  readonly brokers: readonly string[];
  readonly version: string;
};

/** One Apache Kafka broker (KRaft: its own controller) on free loopback ports, its data under `folder`. */
export async function startNativeKafka(
  folder: string,
  env: Environment,
  say: Say,
): Promise<NativeKafka> {
  await needPrograms(['java'], env, say);
  const jars = await kafkaJars(env, say);
  const java = findProgram('java') ?? 'java';
  const [port, controllerPort] = [await freePort(), await freePort()];
  mkdirSync(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  writeFileSync(properties, serverProperties(port, controllerPort, join(folder, 'data')));

  const classPath = join(jars.folder, '*');
  const storageTool = async (...args: string[]): Promise<string> =>
    (
      await run(java, ['-cp', classPath, 'kafka.tools.StorageTool', ...args], { cwd: folder })
    ).stdout.trim();
  const brokers = [`127.0.0.1:${port}`];
  const starting = async (): Promise<NativeServer> => {
    const clusterId = await storageTool('random-uuid');
    await storageTool('format', '--standalone', '-t', clusterId, '-c', properties);
    const args = [`-Xms${heap}`, `-Xmx${heap}`, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    return runNative(
      'Kafka',
      java,
      [...args, '-cp', classPath, 'kafka.Kafka', properties],
      folder,
      () => kafkaAnswers(brokers),
    );
  };
  const server = await tellIfSlow(
    say,
    `starting Kafka ${jars.version} on port ${port}`,
    starting(),
  );
  return { ...server, brokers, version: jars.version };
}

function serverProperties(port: number, controllerPort: number, dataFolder: string): string {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'inter.broker.listener.name=PLAINTEXT',
    `log.dirs=${dataFolder}`,
    // There is one broker: with the default of three copies the coordinators would never come up.
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'offsets.topic.num.partitions=4',
    'group.initial.rebalance.delay.ms=0',
    // Tests of faults need not wait for the 6 s that Kafka asks of a group's members at least.
    'group.min.session.timeout.ms=500',
    // After kill -9 the controller takes the broker back only when its last session is over; the default is 9 s.
    'broker.session.timeout.ms=3000',
    'broker.heartbeat.interval.ms=500',
    // We create our topics with settings that matter; a typing error must not make another.
    'auto.create.topics.enable=false',
    '',
  ].join('\n');
}
