import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { openRedisReadModelStore } from '../../adapters/redis/read-model-store.ts';
import { orderedModels } from '../../core/read-models.ts';
import { openGeneration } from '../../projector/catch-up.ts';
import { seededRandom } from '../canary-climates/random.ts';
import { openGrowingLog } from './aof-log.ts';
import { difference } from './pure-fold.ts';
import { must } from './street.ts';
import type { Street } from './street.ts';
import { startStreetRedis } from './street-redis.ts';

/** A Redis with the read models of another log of an audience of the same name. */
export type ForeignRedis = {
  readonly port: number;
  /** What was written to it since it was made, or null. */
  readonly changed: () => Promise<string | null>;
  readonly close: () => Promise<void>;
};

const recordsOfIt = 40;

export const openForeignRedis = async (street: Street): Promise<ForeignRedis> => {
  const { audience, foundation } = street;
  const { tools } = foundation;
  const redis = await startStreetRedis(mkdtempSync(join(street.folder, 'foreign-')));
  const growing = await openGrowingLog(audience, tools, seededRandom(recordsOfIt, 0));
  await growing.grow(recordsOfIt);
  const store = must(
    await openRedisReadModelStore({ url: redis.directUrl, audience, orderedModels }),
  );
  const opened = must(
    await openGeneration({ log: growing.log, store, tools, audience, pinnedLogId: null }),
  );
  const before = must(await store.dump(opened.generation));
  return {
    port: redis.port,
    changed: async () => {
      const generations = must(await store.generations());
      if (generations.length !== 1) return `generations ${generations.join(', ')}`;
      const current = must(await store.current());
      if (current !== opened.generation) return `readers are pointed to ${current}`;
      const differs = difference(must(await store.dump(opened.generation)), before);
      return differs.length === 0 ? null : differs.join('\n');
    },
    close: async () => {
      await store.close();
      await redis.close();
    },
  };
};
