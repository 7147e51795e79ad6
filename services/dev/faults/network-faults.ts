import { isKafkaProduce } from '../stack/tcp-proxy.ts';
import type { RequestKind, TcpProxy } from '../stack/tcp-proxy.ts';
import type { ClusterFault, StreetFault } from './fault.ts';
import { leaderOf } from './kafka-facts.ts';

// What happens on the way between the parts.

const burst = 25;
const answerWithinMs = 3_000;
const isScript: RequestKind = (bytes) =>
  /^\*\d+\r\n\$7\r\nevalsha/i.test(bytes.toString('latin1', 0, 24));

type NetworkFault = {
  readonly kind: string;
  readonly weight: number;
  readonly disturb: (proxy: TcpProxy) => void;
  readonly forMs: readonly [min: number, max: number];
};

const disturbances: readonly NetworkFault[] = [
  { kind: 'cut', weight: 4, disturb: (proxy) => proxy.cut(), forMs: [0, 50] },
  { kind: 'refused', weight: 4, disturb: (proxy) => proxy.refuse(), forMs: [300, 3_000] },
  { kind: 'half-open', weight: 3, disturb: (proxy) => proxy.halfOpen(), forMs: [500, 4_000] },
  { kind: 'partitioned', weight: 3, disturb: (proxy) => proxy.hold(), forMs: [500, 4_000] },
  { kind: 'slow', weight: 3, disturb: (proxy) => proxy.slow(20_000, 40), forMs: [1_000, 4_000] },
  {
    kind: 'one-way',
    weight: 2,
    disturb: (proxy) => proxy.set('answers', { flow: 'swallow' }),
    forMs: [500, 3_000],
  },
];

export const networkFaults: readonly StreetFault[] = [
  ...disturbances.map(({ kind, weight, disturb, forMs: [min, max] }): StreetFault => ({
    kind: `redis-network-${kind}`,
    weight,
    make: async (street, chance) => {
      await street.emitters.burst(burst);
      await chance.pause(0, 150);
      disturb(street.redis.proxy);
      await street.emitters.burst(5);
      await chance.pause(min, max);
      street.redis.proxy.heal();
    },
  })),
  {
    kind: 'redis-answer-lost',
    weight: 6,
    make: async (street, chance) => {
      const lost = street.redis.proxy.dropAnswer(isScript);
      await street.emitters.burst(burst);
      await Promise.race([lost, chance.pause(answerWithinMs, answerWithinMs)]);
      street.redis.proxy.heal();
    },
  },
];

export const kafkaNetworkFaults: readonly ClusterFault[] = [
  ...disturbances.map(({ kind, weight, disturb, forMs: [min, max] }): ClusterFault => ({
    kind: `kafka-network-${kind}`,
    weight,
    make: async (cluster, street, chance) => {
      const leader = await leaderOf(cluster, street.log.name);
      const node = chance.random() < 0.7 ? leader : chance.oneOf(cluster.nodes);
      const { proxy } = node;
      if (proxy === undefined) throw new Error('a campaign needs proxies before its nodes');
      await street.emitters.burst(burst);
      disturb(proxy);
      await street.emitters.burst(10);
      await chance.pause(min, max);
      proxy.heal();
    },
  })),
  {
    kind: 'kafka-answer-lost',
    weight: 12,
    make: async (cluster, street, chance) => {
      const { proxy } = await leaderOf(cluster, street.log.name);
      if (proxy === undefined) throw new Error('a campaign needs proxies before its nodes');
      const lost = proxy.dropAnswer(isKafkaProduce);
      await street.emitters.burst(burst);
      await Promise.race([lost, chance.pause(answerWithinMs, answerWithinMs)]);
      proxy.heal();
    },
  },
];
