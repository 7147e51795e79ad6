import type { ComposeFile, ComposeService } from './compose-file.ts';

type Fault = (where: string, what: string) => void;

type Listeners = { readonly [name: string]: { readonly host: string; readonly port: number } };

const nodesWanted = 3;
const inSyncWanted = 2;
/** 16 bytes in base64url, as `kafka-storage random-uuid` prints them. */
const clusterIdForm = /^[\w-]{22}$/;

/** Whether the Kafka nodes find each other, are found from both sides, and keep their copies. */
export const kafkaFaults = ({ services }: ComposeFile, fault: Fault): void => {
  const nodes = services.filter(({ image }) => image.startsWith('apache/kafka:'));
  if (nodes.length !== nodesWanted) fault('services', `must have ${nodesWanted} Kafka nodes`);
  const setting = (node: ComposeService, name: string): string => node.environment[name] ?? '';
  const same = (name: string): void => {
    if (new Set(nodes.map((node) => setting(node, name))).size > 1)
      fault(name, 'must be the same on each node');
  };
  for (const name of ['CLUSTER_ID', 'KAFKA_CONTROLLER_QUORUM_VOTERS', 'KAFKA_LISTENERS'])
    same(name);
  const voters = nodes.map((node) => {
    const { CONTROLLER } = listenersOf(setting(node, 'KAFKA_LISTENERS'));
    return `${setting(node, 'KAFKA_NODE_ID')}@${node.name}:${CONTROLLER?.port}`;
  });
  for (const node of nodes) {
    const where = `${node.name}.environment`;
    if (!clusterIdForm.test(setting(node, 'CLUSTER_ID'))) fault(where, 'CLUSTER_ID is no id');
    if (setting(node, 'KAFKA_CONTROLLER_QUORUM_VOTERS') !== voters.join(','))
      fault(where, `KAFKA_CONTROLLER_QUORUM_VOTERS must be ${voters.join(',')}`);
    if (setting(node, 'KAFKA_AUTO_CREATE_TOPICS_ENABLE') !== 'false')
      fault(where, 'a typing error must not make a topic');
    listenerFaults(node, fault);
    copyFaults(node, nodes.length, fault);
    const kept = setting(node, 'KAFKA_LOG_DIRS');
    if (!node.volumes.some(({ at }) => at === kept)) fault(node.name, `${kept} is in no volume`);
  }
  const kept = nodes.flatMap(({ volumes }) => volumes.map(({ volume }) => volume));
  if (new Set(kept).size < kept.length) fault('kafka', 'two nodes share a volume');
};

const listenerFaults = (node: ComposeService, fault: Fault): void => {
  const where = `${node.name}.environment`;
  const heard = listenersOf(node.environment['KAFKA_LISTENERS'] ?? '');
  const told = listenersOf(node.environment['KAFKA_ADVERTISED_LISTENERS'] ?? '');
  const { OUTSIDE: outside, INSIDE: inside } = told;
  if (inside?.host !== node.name || inside.port !== heard['INSIDE']?.port)
    fault(where, `INSIDE must be told as ${node.name}:${heard['INSIDE']?.port}`);
  const published = node.ports.find((port) => port.inside === heard['OUTSIDE']?.port);
  if (outside?.host !== '127.0.0.1' || outside.port !== published?.outside)
    fault(where, 'OUTSIDE must be told as the address that is published');
  const asked = /localhost:(\d+)/.exec(node.healthcheck?.join(' ') ?? '')?.[1];
  if (Number(asked) !== heard['INSIDE']?.port)
    fault(`${node.name}.healthcheck`, 'asks where nothing answers');
};

const copyFaults = (node: ComposeService, nodes: number, fault: Fault): void => {
  for (const [name, content] of Object.entries(node.environment)) {
    if (name.endsWith('REPLICATION_FACTOR') && Number(content) !== nodes)
      fault(`${node.name}.environment`, `${name} must be ${nodes}`);
    if (/MIN_(ISR|INSYNC_REPLICAS)$/.test(name) && Number(content) !== inSyncWanted)
      fault(`${node.name}.environment`, `${name} must be ${inSyncWanted}`);
  }
};

/** `NAME://host:port,…` */
const listenersOf = (text: string): Listeners =>
  Object.fromEntries(
    text.split(',').flatMap((listener) => {
      const [, name, host, port] = /^(\w+):\/\/([\w.-]+):(\d+)$/.exec(listener) ?? [];
      return name === undefined || host === undefined ? [] : [[name, { host, port: Number(port) }]];
    }),
  );
