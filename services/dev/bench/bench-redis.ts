import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startNativeRedis } from '../stack/native-redis.ts';
import { processMemoryPeakMb } from './process-usage.ts';

/** A Redis of one bench, in a folder of its own, with the append-only file on. */
export type BenchRedis = {
  readonly url: string;
  /** The folder, for what else the bench keeps on disk. */
  readonly folder: string;
  readonly client: Redis;
  /** CPU that the server has used so far, microseconds. */
  readonly cpuMicros: () => Promise<number>;
  /** The most memory that the server has had resident. */
  readonly memoryPeakMb: () => number;
  readonly stop: () => Promise<void>;
};

export const startBenchRedis = async (): Promise<BenchRedis> => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
  const redis = await startNativeRedis(folder, process.env, (line) => console.error(line));
  const client = new Redis(redis.url);
  // A rewrite of the file would fall into one run and not into another.
  await client.config('SET', 'auto-aof-rewrite-percentage', '0');
  return {
    url: redis.url,
    folder,
    client,
    cpuMicros: async () => {
      const info = await client.info('cpu');
      const seconds = (name: string): number =>
        Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]);
      return Math.round((seconds('used_cpu_sys') + seconds('used_cpu_user')) * 1e6);
    },
    memoryPeakMb: () => processMemoryPeakMb(redis.pid()),
    stop: async () => {
      client.disconnect();
      await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
