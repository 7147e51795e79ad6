import { mkdirSync } from 'node:fs';
import { freePort } from './free-port.ts';
import { runNative } from './native-server.ts';
import type { NativeServer } from './native-server.ts';
import { findProgram, needPrograms } from './prerequisites.ts';
import type { Environment } from './prerequisites.ts';
import { tellIfSlow } from './problem.ts';
import type { Say } from './problem.ts';
import { redisAnswers } from './readiness.ts';

export type NativeRedis = NativeServer & { readonly url: string; readonly version: string };

/** One redis-server on a free loopback port, its append-only file under `folder`. Never the one on 6379. */
export async function startNativeRedis(
  folder: string,
  env: Environment,
  say: Say,
): Promise<NativeRedis> {
  await needPrograms(['redis-server'], env, say);
  const program = findProgram('redis-server') ?? 'redis-server';
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    daemonize: 'no',
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const url = `redis://127.0.0.1:${port}`;
  let version = 'unknown';
  const answers = async (): Promise<void> => {
    version = await redisAnswers(url);
  };
  const server = await tellIfSlow(
    say,
    `starting Redis on port ${port}`,
    runNative('Redis', program, args, folder, answers),
  );
  return { ...server, url, version };
}
