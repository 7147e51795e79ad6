import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { kafkaJars } from './kafka-jars.ts';
import { kafkaNodeAnswers } from './kafka-node-answers.ts';
import { kafkaProperties } from './kafka-properties.ts';
import type { KafkaPorts } from './kafka-properties.ts';
import { runNative } from './native-server.ts';
import type { NativeServer } from './native-server.ts';
import { findProgram, needPrograms } from './prerequisites.ts';
import type { Environment } from './prerequisites.ts';
import { tellIfSlow } from './problem.ts';
import type { Say } from './problem.ts';
import { kafkaAnswers } from './readiness.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import type { TcpProxy } from './tcp-proxy.ts';

const run = promisify(execFile);
const heapAlone = '384m';
const heapAmongThree = '320m';

export type KafkaNode = NativeServer & {
  readonly nodeId: number;
  /** `host:port` that the node tells its clients: its proxy's, where it has one. */
  readonly address: string;
  /** Every client connection runs through it; what nodes say to each other does not. */
  readonly proxy?: TcpProxy;
};

export type KafkaCluster = {
  readonly nodes: readonly KafkaNode[];
  readonly brokers: readonly string[];
  readonly version: string;
  /** Ends all nodes and proxies for good. */
  readonly close: () => Promise<void>;
};

export type NativeKafka = NativeServer & {
  readonly brokers: readonly string[];
  readonly version: string;
};

export type KafkaOptions = {
  readonly nodes: 1 | 3;
  /** Each node gets a TCP proxy in front of it and advertises that. */
  readonly proxied: boolean;
};

/** One Apache Kafka broker (KRaft: its own controller) on free loopback ports, its data under `folder`. */
export async function startNativeKafka(
  folder: string,
  env: Environment,
  say: Say,
): Promise<NativeKafka> {
  const cluster = await startKafkaCluster(folder, env, say, { nodes: 1, proxied: false });
  const [node] = cluster.nodes;
  if (node === undefined) throw new TypeError('a cluster has a node');
  return { ...node, brokers: cluster.brokers, version: cluster.version };
}

/**
 * Apache Kafka, one node or three that are broker and controller each, on free loopback ports, the data under
 * `folder`. Resolves when a record went through all copies. A node that is started again resolves when the cluster
 * has taken it back; of three that were all killed, start two at once, since one alone has no quorum.
 */
export async function startKafkaCluster(
  folder: string,
  env: Environment,
  say: Say,
  { nodes: nodeCount, proxied }: KafkaOptions,
): Promise<KafkaCluster> {
  await needPrograms(['java'], env, say);
  const jars = await kafkaJars(env, say);
  const java = findProgram('java') ?? 'java';
  const classPath = join(jars.folder, '*');
  mkdirSync(folder, { recursive: true });
  const storageTool = async (...args: string[]): Promise<string> =>
    (
      await run(java, ['-cp', classPath, 'kafka.tools.StorageTool', ...args], { cwd: folder })
    ).stdout.trim();

  const ports: KafkaPorts[] = [];
  const proxies: TcpProxy[] = [];
  for (let nodeId = 1; nodeId <= nodeCount; nodeId += 1) {
    const client = await freePort();
    const inside = await freePort();
    const controller = await freePort();
    const proxy = proxied && (await startTcpProxy({ host: '127.0.0.1', port: client }));
    if (proxy) proxies.push(proxy);
    ports.push({ nodeId, client, inside, controller, advertised: proxy ? proxy.port : client });
  }
  const heap = nodeCount === 1 ? heapAlone : heapAmongThree;
  const brokers = ports.map(({ advertised }) => `127.0.0.1:${advertised}`);

  const startNode = async (own: KafkaPorts, clusterId: string): Promise<KafkaNode> => {
    const nodeFolder = nodeCount === 1 ? folder : join(folder, `node-${own.nodeId}`);
    mkdirSync(nodeFolder, { recursive: true });
    const properties = join(nodeFolder, 'server.properties');
    writeFileSync(properties, kafkaProperties(own, ports, join(nodeFolder, 'data')));
    const quorum = nodeCount === 1 ? ['--standalone'] : [];
    await storageTool('format', ...quorum, '-t', clusterId, '-c', properties);
    const args = [`-Xms${heap}`, `-Xmx${heap}`, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    const server = await runNative(
      `Kafka node ${own.nodeId}`,
      java,
      [...args, '-cp', classPath, 'kafka.Kafka', properties],
      nodeFolder,
      // One node alone is ready when it serves; of several, the others serve meanwhile.
      () => (nodeCount === 1 ? kafkaAnswers(brokers) : kafkaNodeAnswers(own.client, own.nodeId)),
    );
    const proxy = proxies[own.nodeId - 1];
    const address = `127.0.0.1:${own.advertised}`;
    return { ...server, nodeId: own.nodeId, address, ...(proxy && { proxy }) };
  };
  const starting = async (): Promise<KafkaCluster> => {
    const clusterId = await storageTool('random-uuid');
    const started = await Promise.allSettled(ports.map((own) => startNode(own, clusterId)));
    const nodes = started.flatMap((node) => (node.status === 'fulfilled' ? [node.value] : []));
    const close = async (): Promise<void> => {
      // Of several that stop in order, the last ones wait for a quorum that is gone.
      await Promise.all(nodes.map((node) => (nodeCount === 1 ? node.stop() : node.kill())));
      await Promise.all(proxies.map((proxy) => proxy.close()));
    };
    try {
      const failed = started.find((node) => node.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      if (nodeCount > 1) await kafkaAnswers(brokers, nodeCount);
    } catch (error) {
      await close();
      throw error;
    }
    return { nodes, brokers, version: jars.version, close };
  };
  const where = ports.map(({ advertised }) => advertised).join(', ');
  return tellIfSlow(say, `starting Kafka ${jars.version} on port ${where}`, starting());
}
