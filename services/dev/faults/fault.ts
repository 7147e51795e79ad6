import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../canary-climates/random.ts';
import type { KafkaNode } from '../stack/native-kafka.ts';
import type { Street } from './street.ts';

/** What a fault may draw upon so that the same seed makes the same faults, as far as real parts let it. */
export type Chance = {
  readonly random: Random;
  readonly oneOf: <Item>(items: readonly Item[]) => Item;
  /** Waits between these, in milliseconds. */
  readonly pause: (minMs: number, maxMs: number) => Promise<void>;
};

export type StreetFault = {
  readonly kind: string;
  /** How often, beside the others. */
  readonly weight: number;
  readonly isPossible?: (street: Street) => boolean;
  /** Makes the fault and heals it. What comes after is recovery, and is timed. */
  readonly make: (street: Street, chance: Chance, leaseMs: number) => Promise<void>;
};

export type Cluster = { readonly nodes: readonly KafkaNode[]; readonly brokers: readonly string[] };

export type ClusterFault = {
  readonly kind: string;
  readonly weight: number;
  /** `street` is one of those that work on the cluster: whose leader or coordinator it is about. */
  readonly make: (cluster: Cluster, street: Street, chance: Chance) => Promise<void>;
};

export const openChance = (random: Random): Chance => ({
  random,
  oneOf: (items) => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new RangeError('nothing to choose from');
    return item;
  },
  pause: async (minMs, maxMs) => {
    await sleep(minMs + random() * (maxMs - minMs));
  },
});

/** One of them, by weight. */
export const pickFault = <Fault extends { readonly weight: number }>(
  faults: readonly Fault[],
  random: Random,
): Fault => {
  let left = random() * faults.reduce((sum, { weight }) => sum + weight, 0);
  for (const fault of faults) {
    left -= fault.weight;
    if (left < 0) return fault;
  }
  throw new RangeError('no fault to choose from');
};
