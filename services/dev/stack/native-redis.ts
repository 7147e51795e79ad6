import { mkdirSync } from 'node:fs';
import { freePort } from './free-port.ts';
import { runNative } from './native-server.ts';
import type { NativeServer } from './native-server.ts';
import { findProgram, needPrograms } from './prerequisites.ts';
import type { Environment } from './prerequisites.ts';
import { tellIfSlow } from './problem.ts';
import type { Say } from './problem.ts';
import { redisAnswers } from './readiness.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import type { TcpProxy } from './tcp-proxy.ts';

export type NativeRedis = NativeServer & {
  /** Where clients go: the proxy, where there is one. */
  readonly url: string;
  /** The server's own port, whatever stands in front of it. */
  readonly port: number;
  readonly version: string;
  readonly proxy?: TcpProxy;
  /** Ends it and its proxy for good. */
  readonly close: () => Promise<void>;
};

export type RedisOptions = {
  readonly proxied?: boolean;
  /** Further settings by their names in redis.conf, for instance `replicaof`. */
  readonly settings?: Readonly<Record<string, string>>;
};

/** One redis-server on a free loopback port, its append-only file under `folder`. Never the one on 6379. */
export async function startNativeRedis(
  folder: string,
  env: Environment,
  say: Say,
  options: RedisOptions = {},
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
    ...options.settings,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  let version = 'unknown';
  const answers = async (): Promise<void> => {
    version = await redisAnswers(`redis://127.0.0.1:${port}`);
  };
  const server = await tellIfSlow(
    say,
    `starting Redis on port ${port}`,
    runNative('Redis', program, args, folder, answers),
  );
  const proxy = options.proxied && (await startTcpProxy({ host: '127.0.0.1', port }));
  const close = async (): Promise<void> => {
    await server.stop();
    if (proxy) await proxy.close();
  };
  const url = `redis://127.0.0.1:${proxy ? proxy.port : port}`;
  return { ...server, close, url, port, version, ...(proxy && { proxy }) };
}
