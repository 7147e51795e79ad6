import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryReadModelStore } from '../../services/adapters/memory/read-model-store.ts';
import { openRedisReadModelStore } from '../../services/adapters/redis/read-model-store.ts';
import type { ReadModelStore, RowWrite } from '../../services/ports/read-model-store.ts';
import { value } from '../support/records.ts';
import { checkpointAt } from '../support/redis-steps.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const { redisUrl } = sharedStack();
const orderedModels = ['timeline'];
const testMs = 120_000;

const hexOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The same number is the same id. */
const uuidOf = (number: number): string => {
  const hex = hexOf(`id ${number}`);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

const owners = ['ci', 'another signer', 'é:\u{1F600}', ''] as const;
const key = fc.oneof(
  {
    weight: 30,
    arbitrary: fc
      .tuple(fc.nat({ max: 1_500 }), fc.constantFrom(...owners))
      .map(([number, owner]) => `${uuidOf(number)}:${owner}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('no id', uuidOf(1), `${uuidOf(2).toUpperCase()}:ci`),
  },
);
const content = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.nat({ max: 99 }).map((number) => `"${hexOf(String(number)).slice(0, 38)}"`),
  },
  { weight: 1, arbitrary: fc.constantFrom('', '""', '"abc"', '"AB"', 'é', 'x'.repeat(100)) },
  { weight: 2, arbitrary: fc.constant(null) },
);
const step = fc
  .uniqueArray(fc.tuple(key, content), { selector: ([name]) => name, maxLength: 300, size: 'max' })
  .map((rows) =>
    rows.map(([name, text]): RowWrite => ({ model: 'marker', key: name, value: text })),
  );

const walked = async (store: ReadModelStore, rowsMax: number): Promise<readonly string[]> => {
  const found = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = value(await store.walk('g', cursor, rowsMax));
    for (const row of page.rows) found.add(`${row.model}\n${row.key}\n${row.value}`);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return [...found].toSorted();
};

test(
  'ids in their thousands are read, walked, counted and dropped as in any other store',
  async () => {
    const raw = new Redis(redisUrl);
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 12, size: 'max' }),
        async (steps) => {
          const audience = freshAudience();
          const redis = value(
            await openRedisReadModelStore({ url: redisUrl, audience, orderedModels }),
          );
          const plain = createMemoryReadModelStore({ orderedModels });
          for (const [at, writes] of steps.entries())
            for (const store of [redis, plain]) {
              const from = at === 0 ? undefined : checkpointAt(at);
              const to = checkpointAt(at + 1);
              expect(value(await store.commit('g', { from, to, writes }))).toBe('committed');
            }
          const dump = value(await plain.dump('g'));
          expect(value(await redis.dump('g'))).toEqual(dump);
          expect(await walked(redis, 70)).toEqual(dump.toSorted());
          expect(value(await redis.counts('g'))).toEqual(value(await plain.counts('g')));
          const asked = [...steps.flat(), { model: 'marker', key: `${uuidOf(9_999)}:nobody` }];
          expect(value(await redis.rows('g', asked)).rows).toEqual(
            value(await plain.rows('g', asked)).rows,
          );
          value(await redis.drop('g'));
          expect(await raw.keys(`*${audience}*`)).toEqual([]);
          await redis.close();
        },
      ),
      { numRuns: 12 },
    );
    raw.disconnect();
  },
  testMs,
);

test('a bucket that something else has taken is found before anything is written', async () => {
  const audience = freshAudience();
  const raw = new Redis(redisUrl);
  const store = value(await openRedisReadModelStore({ url: redisUrl, audience, orderedModels }));
  const write = (number: number): RowWrite => ({
    model: 'marker',
    key: `${uuidOf(number)}:ci`,
    value: '"00"',
  });
  const first = { from: undefined, to: checkpointAt(1), writes: [write(1)] };
  expect(value(await store.commit('g', first))).toBe('committed');
  const [bucket = ''] = await raw.keys(`*${audience}*:small:marker:0:0`);
  await raw.set(bucket, 'something else');
  const second = { from: checkpointAt(1), to: checkpointAt(2), writes: [write(2)] };
  expect(await store.commit('g', second)).toMatchObject({ problem: { code: 'corrupt' } });
  expect(value(await store.checkpoint('g'))?.next).toBe(1);
  await store.close();
  raw.disconnect();
});
