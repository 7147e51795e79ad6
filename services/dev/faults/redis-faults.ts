import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { StreetFault } from './fault.ts';
import { openForeignRedis } from './foreign-redis.ts';
import type { Street } from './street.ts';

// What happens to the store of the read models.

const burst = 25;

/** Down in the middle of work; something is done to its files; up again. */
const downAndUp = (
  kind: string,
  weight: number,
  spoil: (street: Street, random: () => number) => void,
  how: 'kill' | 'stop' = 'kill',
  isPossible: (street: Street) => boolean = () => true,
): StreetFault => ({
  kind,
  weight,
  isPossible,
  make: async (street, chance) => {
    await street.emitters.burst(burst);
    await chance.pause(0, 300);
    await street.redis.server[how]();
    spoil(street, chance.random);
    await chance.pause(0, 700);
    await street.redis.server.start();
  },
});

/** A setting for a while, straight at the server. */
const during = (
  kind: string,
  weight: number,
  begin: (street: Street) => Promise<unknown>,
  end: (street: Street) => Promise<unknown>,
): StreetFault => ({
  kind,
  weight,
  make: async (street, chance) => {
    await street.emitters.burst(burst);
    await begin(street);
    await street.emitters.burst(5);
    await chance.pause(300, 2_000);
    await end(street);
  },
});

const nobodyPort = '1';
const slowLoadMicroseconds = '2000';
/** Spins until it is killed; whoever else asks is answered BUSY. */
const endless = 'while true do end';
const projectorsEndWithinMs = 60_000;

export const redisFaults: readonly StreetFault[] = [
  downAndUp('redis-killed', 7, () => undefined),
  downAndUp('redis-restarted', 3, () => undefined, 'stop'),
  downAndUp('redis-torn', 7, ({ redis, events }, random) => {
    const share = random() < 0.6 ? random() * 0.02 : random() * 0.5;
    events.add('redis', `${redis.tear(share)} bytes cut off`);
  }),
  downAndUp('redis-lost', 2, ({ redis }) => redis.empty()),
  downAndUp(
    'redis-stale-replica',
    5,
    ({ redis }) => redis.restoreCopy(),
    'kill',
    ({ redis }) => redis.hasCopy(),
  ),
  {
    kind: 'redis-flushed',
    weight: 2,
    make: async (street, chance) => {
      await street.emitters.burst(burst);
      await chance.pause(0, 200);
      await street.redis.ask('FLUSHALL');
    },
  },
  {
    kind: 'redis-loading',
    weight: 2,
    make: async (street, chance) => {
      const { redis } = street;
      await street.emitters.burst(burst);
      await redis.server.kill();
      redis.settings({ 'key-load-delay': slowLoadMicroseconds });
      await chance.pause(0, 200);
      await redis.server.start();
      redis.settings({});
    },
  },
  during(
    'redis-scripts-flushed',
    3,
    ({ redis }) => redis.ask('SCRIPT', 'FLUSH'),
    async () => undefined,
  ),
  during(
    'redis-read-only',
    4,
    ({ redis }) => redis.ask('REPLICAOF', '127.0.0.1', nobodyPort),
    ({ redis }) => redis.ask('REPLICAOF', 'NO', 'ONE'),
  ),
  during(
    'redis-out-of-memory',
    4,
    ({ redis }) => redis.ask('CONFIG', 'SET', 'maxmemory', '1'),
    ({ redis }) => redis.ask('CONFIG', 'SET', 'maxmemory', '0'),
  ),
  {
    kind: 'redis-busy',
    weight: 4,
    make: async (street, chance) => {
      const client = new Redis(street.redis.directUrl, { retryStrategy: () => null });
      client.on('error', () => undefined);
      const spinning = client.eval(endless, 0).catch(() => undefined);
      await street.emitters.burst(burst);
      await chance.pause(600, 2_000);
      await street.redis.ask('SCRIPT', 'KILL');
      await spinning;
      client.disconnect();
    },
  },
  {
    kind: 'redis-paused',
    weight: 4,
    make: async (street, chance) => {
      await street.emitters.burst(burst);
      street.redis.server.pause();
      await chance.pause(500, 4_000);
      street.redis.server.resume();
    },
  },
  {
    kind: 'redis-disk-full',
    weight: 3,
    isPossible: ({ disk }) => disk !== undefined,
    make: async (street, chance) => {
      street.disk?.fill();
      await street.emitters.burst(burst * 2);
      await chance.pause(1_000, 3_000);
      street.disk?.free();
    },
  },
  {
    kind: 'redis-of-another-log',
    weight: 1.5,
    make: async (street, chance) => {
      const { redis, projectors, events } = street;
      const foreign = await openForeignRedis(street);
      street.ends.areExpected = true;
      try {
        redis.proxy.aim({ host: '127.0.0.1', port: foreign.port });
        redis.proxy.cut();
        await street.emitters.burst(burst);
        // One after the other becomes active, sees it, says so and ends.
        const ended = Promise.all(projectors.map((projector) => projector.over()));
        const timer = new AbortController();
        const late = sleep(projectorsEndWithinMs, 'late', { signal: timer.signal }).catch(
          () => 'in time',
        );
        const how = await Promise.race([ended, late]);
        timer.abort();
        if (how === 'late') throw new Error('projectors stay on the Redis of another log');
        for (const projector of projectors) {
          const told = projector.told();
          if (!told.includes('foreign-log') && !told.includes('log-shortened'))
            throw new Error(`${projector.name} did not refuse by name: ${told.join(', ')}`);
        }
        const written = await foreign.changed();
        if (written !== null) throw new Error(`the Redis of another log was written: ${written}`);
        events.add('redis', 'the other log was refused by name and left as it was');
        await chance.pause(0, 200);
      } finally {
        redis.proxy.aim({ host: '127.0.0.1', port: redis.port });
        redis.proxy.cut();
        await foreign.close();
      }
      for (const projector of projectors) projector.start();
      street.ends.areExpected = false;
    },
  },
];
