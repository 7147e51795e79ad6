import kafkajs from 'kafkajs';
import type { KafkaNode } from '../stack/native-kafka.ts';
import type { Cluster } from './fault.ts';

const offsetsTopic = '__consumer_offsets';

/** The node that leads the one partition of a topic; any node where nobody leads it at this moment. */
export const leaderOf = (cluster: Cluster, topic: string, partition = 0): Promise<KafkaNode> =>
  asking(cluster, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
    return nodeOf(cluster, found?.leader);
  });

/** The node that coordinates a group: the leader of the group's partition of the offsets topic. */
export const coordinatorOf = (cluster: Cluster, group: string): Promise<KafkaNode> =>
  asking(cluster, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [offsetsTopic] });
    const partitions = topics[0]?.partitions ?? [];
    const own = Math.abs(javaHash(group)) % Math.max(1, partitions.length);
    return nodeOf(cluster, partitions.find(({ partitionId }) => partitionId === own)?.leader);
  });

const nodeOf = (cluster: Cluster, nodeId: number | undefined): KafkaNode => {
  const node = cluster.nodes.find((each) => each.nodeId === nodeId) ?? cluster.nodes[0];
  if (node === undefined) throw new RangeError('a cluster has nodes');
  return node;
};

/** String.hashCode of Java, by which Kafka picks a group's partition. */
const javaHash = (text: string): number => {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1)
    hash = (Math.imul(31, hash) + text.charCodeAt(at)) | 0;
  return hash;
};

const asking = async (
  { brokers }: Cluster,
  ask: (admin: kafkajs.Admin) => Promise<KafkaNode>,
): Promise<KafkaNode> => {
  const kafka = new kafkajs.Kafka({
    clientId: 'faults',
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await ask(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
};
