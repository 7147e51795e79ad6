import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { openRedisReadModelStore } from '../../services/adapters/redis/read-model-store.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { orderedModels } from '../../services/core/read-models.ts';
import { startNativeRedis } from '../../services/dev/stack/native-redis.ts';
import type { NativeRedis } from '../../services/dev/stack/native-redis.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { Projector } from '../../services/projector/start.ts';
import { startProjector } from '../../services/projector/start.ts';
import { eventually } from '../support/eventually.ts';
import { openedAtMs, tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

const withinMs = 30_000;
const testMs = 90_000;

let folder: string;
let redis: NativeRedis;
let raw: Redis;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-refusals-'));
  redis = await startNativeRedis(folder, process.env, () => undefined, {
    settings: { 'enable-protected-configs': 'yes' },
  });
  raw = new Redis(redis.url);
}, testMs);

afterAll(async () => {
  raw.disconnect();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

type House = {
  readonly audience: string;
  readonly projector: Projector;
  readonly store: ReadModelStore;
  readonly append: (from: number, to: number) => Promise<void>;
  /** The projector's count under that name has begun. */
  readonly counts: (name: string) => Promise<void>;
  /** The rows are the pure fold of all records. */
  readonly isFolded: () => Promise<void>;
  readonly close: () => Promise<void>;
};

const openHouse = async (audience: string): Promise<House> => {
  const records = await hostileLog({ seed: 11, audience, records: 200 });
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => openedAtMs });
  const store = value(await openRedisReadModelStore({ url: redis.url, audience, orderedModels }));
  const projector = startProjector({
    ...{ log, store, tools, audience, pinnedLogId: null },
    clock: createSystemClock(),
    tell: () => undefined,
  });
  const isFolded = async (): Promise<void> => {
    await eventually(
      'everything is folded',
      async () => {
        const { end } = value(await log.range(0));
        const checkpoint = await store.checkpoint('g1');
        return checkpoint.ok && checkpoint.value?.next === end;
      },
      withinMs,
    );
    const stored = value(await log.read(0, 0, 10_000));
    expect(value(await store.dump('g1'))).toEqual(pureFold(stored, audience).dumpAt(stored.length));
  };
  return {
    audience,
    projector,
    store,
    append: async (from, to) => void value(await log.append(0, records.slice(from, to))),
    counts: (name) =>
      eventually(`it counts ${name}`, () => (projector.status().counts[name] ?? 0) > 0, withinMs),
    isFolded,
    close: async () => {
      await projector.stop();
      await store.close();
    },
  };
};

test.each([
  {
    name: 'read-only',
    what: 'became a replica',
    begin: async () => void (await raw.replicaof('127.0.0.1', 1)),
    end: async () => void (await raw.replicaof('NO', 'ONE')),
  },
  {
    name: 'out-of-memory',
    what: 'is full',
    begin: async () => void (await raw.config('SET', 'maxmemory', '1')),
    end: async () => void (await raw.config('SET', 'maxmemory', '0')),
  },
  {
    name: 'not-allowed',
    what: 'took the right to write from us',
    begin: async () => void (await raw.call('ACL', 'SETUSER', 'default', '-evalsha', '-eval')),
    end: async () => void (await raw.call('ACL', 'SETUSER', 'default', '+@all')),
  },
  {
    name: 'disk-failed',
    what: 'cannot save to its disk',
    begin: async () => {
      await raw.config('SET', 'save', '3600 1');
      await raw.config('SET', 'dir', '/proc');
      await raw.bgsave();
      const hasFailed = async (): Promise<boolean> =>
        (await raw.info('persistence')).includes('rdb_last_bgsave_status:err');
      await eventually('it could not save', hasFailed, withinMs);
    },
    end: async () => {
      await raw.config('SET', 'dir', folder);
      await raw.config('SET', 'save', '');
    },
  },
])(
  'a Redis that $what is named and counted, and the projector goes on when it is over',
  async ({ name, begin, end }) => {
    const house = await openHouse(name);
    await house.append(0, 100);
    await house.isFolded();
    await begin();
    await house.append(100, 150);
    await house.counts(`refused:${name}`);
    expect(house.projector.status().problem).toMatchObject({ code: 'unreachable', reason: name });
    await end();
    await house.append(150, 200);
    await house.isFolded();
    await house.close();
  },
  testMs,
);

test(
  'a Redis that a script keeps busy is named and counted, and the projector goes on when it is over',
  async () => {
    const house = await openHouse('busy');
    await house.append(0, 100);
    await house.isFolded();
    await raw.config('SET', 'busy-reply-threshold', '50');
    const other = new Redis(redis.url);
    const running = other.eval('while true do end', 0).catch(() => 'killed');
    const isBusy = async (): Promise<boolean> =>
      raw.ping().then(
        () => false,
        (error: unknown) => String(error).includes('BUSY'),
      );
    await eventually('it is busy', isBusy, withinMs);
    await house.append(100, 150);
    await house.counts('refused:busy');
    await raw.call('SCRIPT', 'KILL');
    expect(await running).toBe('killed');
    other.disconnect();
    await house.append(150, 200);
    await house.isFolded();
    await house.close();
  },
  testMs,
);

test(
  'a Redis that forgot the scripts is no reason to stop',
  async () => {
    const house = await openHouse('forgetful');
    await house.append(0, 100);
    await house.isFolded();
    await raw.script('FLUSH');
    await house.append(100, 200);
    await house.isFolded();
    expect(Object.keys(house.projector.status().counts)).not.toContain('refused:script-missing');
    await house.close();
  },
  testMs,
);

test(
  'a key that holds something else ends the projector for good, and is named and counted',
  async () => {
    const house = await openHouse('wrong-type');
    await house.append(0, 100);
    await house.isFolded();
    const [checkpoint = ''] = await raw.keys('*wrong-type}:g1:checkpoint');
    await raw.set(checkpoint, 'something else');
    await house.append(100, 200);
    expect(await house.projector.ended).toMatchObject({ code: 'corrupt' });
    expect(Object.keys(house.projector.status().counts)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^refused:(wrong-type|corrupt)$/)]),
    );
    await house.close();
  },
  testMs,
);

test(
  'somebody who is ahead is counted, and the projector goes on from there',
  async () => {
    const house = await openHouse('ahead');
    await house.append(0, 100);
    await house.isFolded();
    const before = value(await house.store.checkpoint('g1'));
    await raw.del(...(await raw.keys('*ahead}:*')));
    await house.append(100, 200);
    await house.counts('overtaken');
    await house.isFolded();
    expect(before?.next).toBe(100);
    await house.close();
  },
  testMs,
);
