import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRedisReadModelStore } from '../../services/adapters/redis/read-model-store.ts';
import { startNativeRedis } from '../../services/dev/stack/native-redis.ts';
import type { NativeRedis } from '../../services/dev/stack/native-redis.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { startAnswerCutter } from '../support/answer-cutter.ts';
import type { AnswerCutter } from '../support/answer-cutter.ts';
import {
  applyUntil,
  checkpointAt,
  dumpAt,
  openStore,
  problemOf,
  stepTo,
  writesOf,
} from '../support/redis-steps.ts';
import { eventually } from '../support/eventually.ts';
import { value as valueOf } from '../support/records.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const quiet = (): void => undefined;
const { redisUrl } = sharedStack();

/** A redis-server that these tests may kill, in a folder of its own. */
const withOwnRedis = async (
  use: (redis: NativeRedis, folder: string) => Promise<void>,
): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-redis-'));
  try {
    const redis = await startNativeRedis(folder, process.env, quiet);
    try {
      await use(redis, folder);
    } finally {
      await redis.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

describe('an answer or a request that is lost on the way', () => {
  let proxy: AnswerCutter;
  let near: ReadModelStore;
  let far: ReadModelStore;

  beforeEach(async () => {
    const { hostname, port } = new URL(redisUrl);
    proxy = await startAnswerCutter(hostname, Number(port));
    const audience = freshAudience();
    near = await openStore(redisUrl, audience);
    far = await openStore(`redis://127.0.0.1:${proxy.port}`, audience);
  });
  afterEach(async () => {
    await Promise.all([near.close(), far.close()]);
    await proxy.close();
  });

  test('lost after the write: the caller hears unreachable, the step is stored whole', async () => {
    valueOf(await far.commit('g1', stepTo(1, undefined, writesOf(1))));
    proxy.loseNextAnswer();
    const lost = await far.commit('g1', stepTo(2, 1, writesOf(2)));
    expect(problemOf(lost).code).toBe('unreachable');
    // The broken connection is what the caller hears of, not a time-out long after it.
    expect(problemOf(lost).message).not.toContain('timed out');
    expect(valueOf(await near.checkpoint('g1'))).toEqual(checkpointAt(2));
    expect(valueOf(await near.dump('g1'))).toEqual(dumpAt(2));
  });

  test('lost before the write, in the middle of the request: nothing is stored', async () => {
    valueOf(await far.commit('g1', stepTo(1, undefined, writesOf(1))));
    proxy.loseNextRequestAfter(200);
    const lost = await far.commit('g1', stepTo(2, 1, writesOf(2)));
    expect(problemOf(lost).code).toBe('unreachable');
    expect(valueOf(await near.checkpoint('g1'))).toEqual(checkpointAt(1));
    expect(valueOf(await near.dump('g1'))).toEqual(dumpAt(1));
  });

  test('a lost call is not sent again: what came in between stays', async () => {
    valueOf(await far.switchTo(undefined, 'g1'));
    proxy.loseNextAnswer();
    const lost = await far.switchTo('g1', 'g2');
    expect(problemOf(lost).code).toBe('unreachable');
    expect(valueOf(await near.switchTo('g2', 'g1'))).toBe(true);
    await eventually('it answers again', async () => (await far.current()).ok);
    expect(valueOf(await far.current())).toBe('g1');
  });

  test('after an answer is lost the connection heals and the next step goes on', async () => {
    proxy.loseNextAnswer();
    await applyUntil(far, 20, async (problem) => {
      expect(problem.code).toBe('unreachable');
      await sleep(20);
    });
    expect(valueOf(await near.dump('g1'))).toEqual(dumpAt(20));
  });
});

describe('a Redis that dies', () => {
  test('killed at random while steps are written, it comes back with whole steps only', async () => {
    await withOwnRedis(async (redis) => {
      const store = await openStore(redis.url, 'mill');
      const stepsMax = 400;
      let isDone = false;
      const applying = applyUntil(store, stepsMax, async (problem) => {
        expect(problem.code).toBe('unreachable');
        await sleep(10);
      }).finally(() => {
        isDone = true;
      });
      let kills = 0;
      while (!isDone && kills < 5) {
        await sleep(15 + 20 * Math.random());
        await redis.kill();
        kills += 1;
        await redis.start();
        await eventually('it answers again', async () => (await store.checkpoint('g1')).ok);
        const next = valueOf(await store.checkpoint('g1'))?.next ?? 0;
        expect(next).toBeLessThanOrEqual(stepsMax);
      }
      await applying;
      expect(kills).toBeGreaterThan(0);
      expect(valueOf(await store.dump('g1'))).toEqual(dumpAt(stepsMax));
      await store.close();
    });
  });

  test('an append-only file torn at any place is an earlier step, whole, and the fold goes on from there', async () => {
    const steps = 60;
    const tears = 36;
    await withOwnRedis(async (redis, folder) => {
      const store = await openStore(redis.url, 'torn');
      await applyUntil(store, steps, async (problem) => {
        throw new Error(problem.message);
      });
      await store.close();
      await redis.kill();

      const kept = join(folder, 'kept');
      const live = join(folder, 'appendonlydir');
      cpSync(live, kept, { recursive: true });
      const tail = readdirSync(kept).find((name) => name.endsWith('.incr.aof'));
      if (tail === undefined) throw new Error('no append-only file');
      const bytes = statSync(join(kept, tail)).size;
      const seen = new Set<number>();

      for (let tear = 0; tear < tears; tear += 1) {
        const at = Math.floor(bytes * Math.random());
        rmSync(live, { recursive: true });
        cpSync(kept, live, { recursive: true });
        truncateSync(join(live, tail), at);
        await redis.start();
        const torn = await openStore(redis.url, 'torn');
        const next = valueOf(await torn.checkpoint('g1'))?.next ?? 0;
        seen.add(next);
        expect(valueOf(await torn.dump('g1')), `cut at byte ${at} of ${bytes}`).toEqual(
          dumpAt(next),
        );
        const { rows } = valueOf(await torn.scan('g1', 'timeline', { rowsMax: steps }));
        expect(rows.map(({ key, value }) => `timeline\n${key}\n${value}`)).toEqual(
          dumpAt(next).filter((line) => line.startsWith('timeline\n')),
        );
        await applyUntil(torn, steps, async (problem) => {
          throw new Error(problem.message);
        });
        expect(valueOf(await torn.dump('g1'))).toEqual(dumpAt(steps));
        await torn.close();
        await redis.kill();
      }
      expect(seen.size).toBeGreaterThan(5);
    });
  });
});

describe('a Redis that must not be used, or not so', () => {
  const open = (url: string): ReturnType<typeof openRedisReadModelStore> =>
    openRedisReadModelStore({ url, audience: 'mill', orderedModels: ['timeline'] });

  test('one that nobody answers for is unreachable, and the password is not shown', async () => {
    const proxy = await startAnswerCutter('127.0.0.1', 1);
    await proxy.close();
    const problem = problemOf(await open(`redis://plimsoll:secret@127.0.0.1:${proxy.port}`));
    expect(problem.code).toBe('unreachable');
    expect(problem.message).toContain(`127.0.0.1:${proxy.port}`);
    expect(problem.message).not.toContain('secret');
  });

  test('one that may evict, wants a password or is full says so, and loses nothing by it', async () => {
    await withOwnRedis(async (redis) => {
      const raw = new Redis(redis.url);
      await raw.config('SET', 'maxmemory-policy', 'allkeys-lru');
      const evicting = problemOf(await open(redis.url));
      expect(evicting.code).toBe('refused');
      expect(evicting.message).toContain('maxmemory-policy to noeviction');
      await raw.config('SET', 'maxmemory-policy', 'noeviction');

      const store = await openStore(redis.url, 'mill');
      valueOf(await store.commit('g1', stepTo(1, undefined, writesOf(1))));
      await raw.config('SET', 'maxmemory', '1');
      const rows = [{ model: 'timeline', key: '000001', value: null }, ...writesOf(2)];
      expect(problemOf(await store.commit('g1', stepTo(2, 1, rows)))).toMatchObject({
        code: 'refused',
        message: expect.stringContaining('raise maxmemory'),
      });
      expect(valueOf(await store.checkpoint('g1'))).toEqual(checkpointAt(1));
      expect(valueOf(await store.dump('g1'))).toEqual(dumpAt(1));
      await raw.config('SET', 'maxmemory', '0');
      expect(valueOf(await store.commit('g1', stepTo(2, 1, writesOf(2))))).toBe('committed');
      await store.close();

      await raw.config('SET', 'requirepass', 'secret');
      expect(problemOf(await open(redis.url)).code).toBe('refused');
      const wrong = problemOf(await open(redis.url.replace('//', '//:guess@')));
      expect(wrong.code).toBe('refused');
      expect(wrong.message).not.toContain('guess');
      raw.disconnect();
    });
  });

  test('a user who may neither see nor set the server works all the same', async () => {
    await withOwnRedis(async (redis) => {
      const raw = new Redis(redis.url);
      const rules = ['on', '>secret', '~{plimsoll:mill}:*', '+@all', '-@admin', '-@dangerous'];
      await raw.call('ACL', 'SETUSER', 'plimsoll', ...rules);
      const store = valueOf(await open(redis.url.replace('//', '//plimsoll:secret@')));
      await applyUntil(store, 3, async (problem) => {
        throw new Error(problem.message);
      });
      valueOf(await store.switchTo(undefined, 'g1'));
      valueOf(await store.scan('g1', 'timeline', { rowsMax: 1 }));
      expect(valueOf(await store.dump('g1'))).toEqual(dumpAt(3));
      valueOf(await store.drop('g0'));
      await store.close();
      raw.disconnect();
    });
  });
});

describe('several writers and a shared server', () => {
  test('of two writers that race exactly one wins each step', async () => {
    const audience = freshAudience();
    const steps = 150;
    const writers = await Promise.all(['a', 'b'].map(() => openStore(redisUrl, audience)));
    const winners = new Map<number, string[]>();
    const refusals = new Set<string>();
    const race = async (name: string, store: ReadModelStore): Promise<void> => {
      for (;;) {
        const at = valueOf(await store.checkpoint('g1'))?.next ?? 0;
        if (at >= steps) return;
        const next = at + 1;
        const row = { model: 'timeline', key: String(next).padStart(6, '0'), value: name };
        const done = valueOf(
          await store.commit('g1', stepTo(next, at === 0 ? undefined : at, [row])),
        );
        if (done === 'committed') winners.set(next, [...(winners.get(next) ?? []), name]);
        else refusals.add(done.refused);
      }
    };
    await Promise.all(writers.map((store, index) => race(index === 0 ? 'a' : 'b', store)));

    const [store] = writers;
    if (store === undefined) throw new Error('no writer');
    const { rows } = valueOf(await store.scan('g1', 'timeline', { rowsMax: steps }));
    expect(rows.map(({ key, value }) => [Number(key), [value]])).toEqual(
      [...winners].toSorted(([a], [b]) => a - b),
    );
    expect(rows).toHaveLength(steps);
    expect(refusals).toEqual(new Set(['gap']));
    await Promise.all(writers.map((each) => each.close()));
  });

  test('scripts that the server has forgotten are brought again', async () => {
    const raw = new Redis(redisUrl);
    const store = await openStore(redisUrl, freshAudience());
    for (let next = 1; next <= 4; next += 1) {
      valueOf(
        await store.commit('g1', stepTo(next, next === 1 ? undefined : next - 1, writesOf(next))),
      );
      await raw.script('FLUSH');
      expect(valueOf(await store.rows('g1', [{ model: 'current', key: 'slot-1' }])).rows.size).toBe(
        1,
      );
    }
    expect(valueOf(await store.dump('g1'))).toEqual(dumpAt(4));
    await store.close();
    raw.disconnect();
  });

  test('rows and checkpoint that are read while another writes are of one step', async () => {
    const audience = freshAudience();
    const [writer, reader] = await Promise.all([
      openStore(redisUrl, audience),
      openStore(redisUrl, audience),
    ]);
    const places = ['timeline', 'current'].flatMap((model) =>
      ['a', 'b', 'c'].map((key) => ({ model, key })),
    );
    const write = (next: number): ReturnType<ReadModelStore['commit']> => {
      const rows = places.map((place) => ({ ...place, value: String(next) }));
      return writer.commit('g1', stepTo(next, next === 1 ? undefined : next - 1, rows));
    };
    valueOf(await write(1));
    let isDone = false;
    const writing = (async () => {
      for (let next = 2; next <= 300; next += 1) valueOf(await write(next));
      isDone = true;
    })();

    const dumpProblems = new Set<string>();
    while (!isDone) {
      const read = valueOf(await reader.rows('g1', places));
      expect(read.rows.size).toBe(places.length);
      expect(new Set(read.rows.values())).toEqual(new Set([String(read.checkpoint?.next)]));

      const scanned = valueOf(await reader.scan('g1', 'timeline', { rowsMax: 10 }));
      expect(scanned.rows.map(({ value }) => value)).toEqual(
        Array.from('abc', () => String(scanned.checkpoint?.next)),
      );

      const dumped = await reader.dump('g1');
      const lines = dumped.ok ? dumped.value : ['current\na\n0'];
      expect(new Set(lines.map((line) => line.split('\n')[2])).size).toBe(1);
      if (!dumped.ok) dumpProblems.add(dumped.problem.code);
    }
    await writing;
    expect([...dumpProblems].filter((code) => code !== 'refused')).toEqual([]);
    await Promise.all([writer.close(), reader.close()]);
  });

  test('two audiences on one Redis do not see each other, whatever their names', async () => {
    const base = freshAudience();
    const names = [base, `${base}:g1`, `${base}}`, `{${base}`, `${base}%3Ag1`];
    for (const name of names) {
      const store = await openStore(redisUrl, name);
      expect(valueOf(await store.generations())).toEqual([]);
      valueOf(
        await store.commit(
          'g1',
          stepTo(1, undefined, [{ model: 'current', key: 'k', value: name }]),
        ),
      );
      valueOf(await store.switchTo(undefined, 'g1'));
      await store.close();
    }
    for (const name of names) {
      const store = await openStore(redisUrl, name);
      expect(valueOf(await store.dump('g1'))).toEqual([`current\nk\n${name}`]);
      await store.close();
    }
  });
});
