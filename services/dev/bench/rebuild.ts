import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFoundation } from '../../adapters/foundation/foundation.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { openSqliteFile } from '../../adapters/sqlite/file.ts';
import type { SqliteFile } from '../../adapters/sqlite/file.ts';
import { openSqliteReadModelStore } from '../../adapters/sqlite/read-model-store.ts';
import { orderedModels } from '../../core/read-models.ts';
import type { FoldOptions, ProjectionPorts } from '../../ports/projecting.ts';
import type { ReadModelStore } from '../../ports/read-model-store.ts';
import { checkedAgainShare, foldToEnd, rebuildRecordsMax } from '../../projector/catch-up.ts';
import { startBenchRedis } from './bench-redis.ts';
import type { BenchRedis } from './bench-redis.ts';
import { openRedisReadModelStore } from '../../adapters/redis/read-model-store.ts';
import type { Bench } from './bench.ts';
import { benchCorpus, valueOf } from './corpus.ts';
import { processMemoryPeakMb } from './process-usage.ts';

const audience = 'bench';
/** Live is slow beside a rebuild: a part of the log tells its rate. */
const liveShare = 0.1;

const targets = ['SQLite', 'Redis'] as const;
type Target = (typeof targets)[number];

type Running = {
  readonly folder: string;
  readonly foundation: Foundation;
  readonly file: SqliteFile;
  readonly redis: BenchRedis;
  readonly ports: { readonly [Name in Target]: ProjectionPorts };
  readonly records: number;
};

/**
 * The same log folded as a projector does it live (each signature checked, 300 records a commit) and as a rebuild
 * does it (what is remembered of the checks is believed but for a sample, larger commits), into SQLite and into
 * Redis. The log is the embedded one. CPU is client and server together.
 */
export const rebuild = (markers: number): Bench => {
  let open: Running | undefined;
  let folds = 0;
  const running = (): Running => {
    if (open === undefined) throw new TypeError('the bench is not open');
    return open;
  };
  const fold = async (target: Target, isRebuild: boolean): Promise<number> => {
    const { ports, records } = running();
    const into = ports[target];
    folds += 1;
    const to = isRebuild ? records : Math.ceil(records * liveShare);
    valueOf(await foldToEnd(into, `g${folds}`, { to, ...(isRebuild && believing(into, folds)) }));
    return to;
  };
  const tidy = async (): Promise<void> => {
    for (const { store } of Object.values(running().ports))
      for (const name of valueOf(await store.generations())) valueOf(await store.drop(name));
  };
  const nameOf = (target: Target, isRebuild: boolean): string =>
    isRebuild ? `rebuild into ${target}, checks remembered` : `live into ${target}`;
  return {
    name: 'rebuild',
    unit: 'record',
    alternatives: targets.flatMap((target) =>
      [false, true].map((isRebuild) => ({
        name: nameOf(target, isRebuild),
        run: () => fold(target, isRebuild),
        tidy,
      })),
    ),
    ratios: targets.map((target) => ({
      name: `rebuild: rate into ${target} / live rate`,
      of: nameOf(target, false),
      over: nameOf(target, true),
    })),
    extraCpuMicros: () => running().redis.cpuMicros(),
    notes: () => [
      `${running().records} records; most memory resident: ${processMemoryPeakMb(process.pid)} MB here, ${running().redis.memoryPeakMb()} MB in Redis`,
    ],
    open: async () => {
      const { settings } = await benchCorpus(markers);
      const foundation = openFoundation(settings);
      const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
      const redis = await startBenchRedis();
      const log = valueOf(await foundation.stream('log'));
      const file = valueOf(
        await openSqliteFile(join(folder, 'models.db'), {
          create: true,
          sleep: foundation.clock.sleep,
        }),
      );
      const over = (store: ReadModelStore): ProjectionPorts => ({
        ...{ log, store, audience, pinnedLogId: null },
        tools: foundation.tools,
      });
      const ports = {
        SQLite: over(openSqliteReadModelStore(file, { audience, orderedModels })),
        Redis: over(
          valueOf(await openRedisReadModelStore({ url: redis.url, audience, orderedModels })),
        ),
      };
      // Once, so that the checks are remembered in both.
      for (const target of targets) valueOf(await foldToEnd(ports[target], 'g1'));
      open = {
        ...{ folder, foundation, file, redis, ports },
        records: valueOf(await log.range(0)).end,
      };
      await tidy();
    },
    close: async () => {
      if (open === undefined) return;
      const { folder, foundation, file, redis, ports } = open;
      open = undefined;
      for (const { store } of Object.values(ports)) await store.close();
      file.close();
      await redis.stop();
      await foundation.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const believing = ({ store }: ProjectionPorts, seed: number): FoldOptions => ({
  recordsMax: rebuildRecordsMax,
  checks: { aside: store.aside, sampleShare: checkedAgainShare, seed },
});
