import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRedisReadModelStore } from '../../services/adapters/redis/read-model-store.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { checkpointAt, openStore, problemOf, stepTo, writesOf } from '../support/redis-steps.ts';
import { readModelStoreContract } from './read-model-store.contract.ts';
import { value as valueOf } from '../support/records.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const { redisUrl } = sharedStack();

readModelStoreContract('Redis', async () => {
  const audience = freshAudience();
  const store = await openStore(redisUrl, audience);
  return { store, reopen: () => openStore(redisUrl, audience), close: store.close };
});

describe('a Redis that holds something else under our keys', () => {
  const raw = new Redis(redisUrl);
  let audience: string;
  let store: ReadModelStore;

  const key = (name: string): string => `{plimsoll:${audience}}:${name}`;
  const commitFirst = async (): Promise<void> => {
    valueOf(await store.commit('g1', stepTo(1, undefined, writesOf(1))));
  };
  const ownKeys = async (): Promise<string[]> => {
    const names = await raw.keys(`{plimsoll:${audience}}:*`);
    return names.toSorted();
  };

  beforeEach(async () => {
    audience = freshAudience();
    store = await openStore(redisUrl, audience);
  });
  afterEach(async () => {
    await store.close();
  });
  afterAll(() => {
    raw.disconnect();
  });

  test("another log's data is refused by name, and untouched", async () => {
    await commitFirst();
    const before = await store.dump('g1');
    const refused = await store.commit('g1', {
      from: checkpointAt(1, 'log-2'),
      to: checkpointAt(2, 'log-2'),
      writes: writesOf(2),
    });
    expect(valueOf(refused)).toEqual({ refused: 'foreign-log', stored: checkpointAt(1, 'log-1') });
    expect(await store.dump('g1')).toEqual(before);
  });

  test.each([
    'generations',
    'g1:checkpoint',
    'g1:models',
    'g1:rows:current',
    'g1:rows:timeline',
    'g1:order:timeline',
  ])('a string where %s belongs: corrupt, named, and nothing is written', async (name) => {
    await raw.set(key(name), 'not ours');
    const problem = problemOf(await store.commit('g1', stepTo(1, undefined, writesOf(1))));
    expect(problem.code).toBe('corrupt');
    expect(problem.message).toContain(key(name));
    expect(await ownKeys()).toEqual([key(name)]);
    expect(await raw.get(key(name))).toBe('not ours');
  });

  test('a wrong type met by a reader is corrupt too', async () => {
    await raw.rpush(key('g1:checkpoint'), 'not ours');
    await raw.rpush(key('current'), 'not ours');
    await raw.set(key('generations'), 'not ours');
    const answers = await Promise.all([
      store.current(),
      store.generations(),
      store.checkpoint('g1'),
      store.rows('g1', []),
      store.scan('g1', 'timeline', { rowsMax: 1 }),
      store.dump('g1'),
      store.drop('g1'),
      store.switchTo(undefined, 'g1'),
    ]);
    expect(answers.map((answer) => problemOf<{ code: string }>(answer).code)).toEqual(
      answers.map(() => 'corrupt'),
    );
  });

  test.each([
    ['half a checkpoint', () => raw.hdel(key('g1:checkpoint'), 'lastDigest')],
    ['no checkpoint', () => raw.del(key('g1:checkpoint'))],
    ['rows that the order does not know', () => raw.zrem(key('g1:order:timeline'), '000001')],
    ['an order of rows that are gone', () => raw.hdel(key('g1:rows:timeline'), '000001')],
  ])('%s: the next commit says corrupt, and drop clears it away', async (_, damage) => {
    await commitFirst();
    await damage();
    const from = (await raw.exists(key('g1:checkpoint'))) === 1 ? 1 : undefined;
    const problem = problemOf(await store.commit('g1', stepTo(2, from, writesOf(2))));
    expect(problem.code).toBe('corrupt');
    valueOf(await store.drop('g1'));
    expect(await ownKeys()).toEqual([]);
    await commitFirst();
  });

  test('a step without rows does not hide that the checkpoint is gone', async () => {
    await commitFirst();
    await raw.del(key('g1:checkpoint'));
    const problem = problemOf(await store.commit('g1', stepTo(1, undefined, [])));
    expect(problem.code).toBe('corrupt');
    expect(await raw.exists(key('g1:checkpoint'))).toBe(0);
  });

  test('rows that nothing lists are not mixed with new ones', async () => {
    await raw.hset(key('g1:rows:current'), 'slot-9', 'left over');
    const problem = problemOf(await store.commit('g1', stepTo(1, undefined, writesOf(1))));
    expect(problem).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(key('g1:rows:current')),
    });
    expect(await ownKeys()).toEqual([key('g1:rows:current')]);
  });

  test('a read model that was not kept in order cannot be scanned by accident', async () => {
    const opened = await openRedisReadModelStore({ url: redisUrl, audience, orderedModels: [] });
    const unordered = valueOf(opened);
    valueOf(await unordered.commit('g1', stepTo(1, undefined, writesOf(1))));
    expect(problemOf(await unordered.scan('g1', 'timeline', { rowsMax: 9 })).code).toBe('refused');
    expect(problemOf(await store.scan('g1', 'timeline', { rowsMax: 9 })).code).toBe('corrupt');
    await unordered.close();
  });

  test('one step may have more rows than a script can unpack', async () => {
    for (const count of [2_000, 9_001]) {
      const name = `g${count}`;
      const rows = Array.from({ length: count }, (_, index) => ({
        model: 'timeline',
        key: String(index).padStart(6, '0'),
        value: `row ${index}`,
      }));
      const gone = rows.map((row) => ({ ...row, value: null }));
      valueOf(await store.commit(name, stepTo(1, undefined, rows)));
      expect(valueOf(await store.dump(name))).toHaveLength(count);
      expect(valueOf(await store.rows(name, rows)).rows.size).toBe(count);
      const { rows: scanned } = valueOf(await store.scan(name, 'timeline', { rowsMax: 10_000 }));
      expect(scanned).toEqual(rows.map(({ key: rowKey, value }) => ({ key: rowKey, value })));
      valueOf(await store.commit(name, stepTo(2, 1, gone)));
      expect(valueOf(await store.dump(name))).toEqual([]);
      expect(valueOf(await store.checkpoint(name))).toEqual(checkpointAt(2));
    }
  });

  test('all keys of an audience lie in one slot of a cluster', async () => {
    await commitFirst();
    valueOf(await store.switchTo(undefined, 'g1'));
    const slots = await Promise.all(
      (await ownKeys()).map((name) => raw.call('CLUSTER', 'KEYSLOT', name).catch(() => 0)),
    );
    expect(new Set(slots).size).toBe(1);
    expect((await ownKeys()).every((name) => name.startsWith(`{plimsoll:${audience}}:`))).toBe(
      true,
    );
  });
});
