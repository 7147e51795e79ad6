import type { KafkaNode } from '../stack/native-kafka.ts';
import type { Chance, Cluster, ClusterFault } from './fault.ts';
import { coordinatorOf, leaderOf } from './kafka-facts.ts';
import type { Street } from './street.ts';
import { groupOf } from './group.ts';

// What happens to the nodes of Kafka.

const burst = 25;

type Pick = (cluster: Cluster, street: Street, chance: Chance) => Promise<KafkaNode>;

const leader: Pick = (cluster, street) => leaderOf(cluster, street.log.name);
const coordinator: Pick = (cluster, street) => coordinatorOf(cluster, groupOf(street));
const any: Pick = async (cluster, _street, chance) => chance.oneOf(cluster.nodes);

const node = (
  kind: string,
  weight: number,
  pick: Pick,
  disturb: (node: KafkaNode, chance: Chance) => Promise<void>,
): ClusterFault => ({
  kind,
  weight,
  make: async (cluster, street, chance) => {
    const picked = await pick(cluster, street, chance);
    await street.emitters.burst(burst);
    await disturb(picked, chance);
  },
});

const startTriesMax = 3;

/** A Java process starts in seconds, or in a minute where the machine has much else to do. */
const startPatiently = async (picked: KafkaNode): Promise<void> => {
  for (let tries = 1; ; tries += 1)
    try {
      await picked.start();
      return;
    } catch (error) {
      if (tries === startTriesMax)
        throw new Error(`node ${picked.nodeId} does not come back:\n${picked.lastOutput()}`, {
          cause: error,
        });
    }
};

const killAndStart = async (picked: KafkaNode, chance: Chance): Promise<void> => {
  await picked.kill();
  await chance.pause(0, 1_500);
  await startPatiently(picked);
};

export const kafkaFaults: readonly ClusterFault[] = [
  node('kafka-leader-killed', 3, leader, killAndStart),
  node('kafka-coordinator-killed', 2, coordinator, killAndStart),
  node('kafka-node-killed', 1, any, killAndStart),
  // Stopped in order, a leader hands over before it goes.
  node('kafka-leader-changed', 2, leader, async (picked) => {
    await picked.stop();
    await startPatiently(picked);
  }),
  node('kafka-node-paused', 4, leader, async (picked, chance) => {
    picked.pause();
    await chance.pause(1_000, 5_000);
    picked.resume();
  }),
];
