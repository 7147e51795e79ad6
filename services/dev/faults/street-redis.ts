import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../stack/free-port.ts';
import { runNative } from '../stack/native-server.ts';
import type { NativeServer } from '../stack/native-server.ts';
import { findProgram } from '../stack/prerequisites.ts';
import { redisAnswers } from '../stack/readiness.ts';
import { startTcpProxy } from '../stack/tcp-proxy.ts';
import type { TcpProxy } from '../stack/tcp-proxy.ts';

/** A Redis whose files can be spoilt while it is down, behind a proxy that clients go to. */
export type StreetRedis = {
  readonly server: NativeServer;
  readonly proxy: TcpProxy;
  /** Where the services go: through the proxy. */
  readonly url: string;
  /** Where the checker goes, whatever is done to the proxy. */
  readonly directUrl: string;
  readonly port: number;
  readonly folder: string;
  /** One command on a connection of its own, straight to the server. */
  readonly ask: (...words: readonly [string, ...string[]]) => Promise<unknown>;
  /** The next starts use these settings beside the usual ones. */
  readonly settings: (settings: Readonly<Record<string, string>>) => void;
  /** Keeps a copy of the files as they are now: what a replica that lags has. */
  readonly keepCopy: () => void;
  readonly hasCopy: () => boolean;
  /** While it is down: the kept copy takes the place of the files. */
  readonly restoreCopy: () => void;
  /** While it is down: cuts up to that share off the end of the newest append-only file; answers how many bytes. */
  readonly tear: (share: number) => number;
  /** While it is down: nothing is left. */
  readonly empty: () => void;
  readonly close: () => Promise<void>;
};

const usual = {
  bind: '127.0.0.1',
  daemonize: 'no',
  save: '',
  appendonly: 'yes',
  appendfsync: 'everysec',
  'aof-load-truncated': 'yes',
  // A campaign commits much: the file is rewritten on the way, as in a long life.
  'auto-aof-rewrite-min-size': '8mb',
  'maxmemory-policy': 'noeviction',
  'busy-reply-threshold': '300',
};

export const startStreetRedis = async (folder: string): Promise<StreetRedis> => {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const files = join(folder, 'appendonlydir');
  // Beside the folder, which may be a small disk of its own.
  const copy = `${folder}-copy`;
  const directUrl = `redis://127.0.0.1:${port}`;
  // The server reads it anew at each start.
  const args: string[] = [];
  const settings = (more: Readonly<Record<string, string>>): void => {
    const all = { ...usual, port: String(port), dir: folder, ...more };
    args.splice(0, args.length, ...Object.entries(all).flatMap(([at, is]) => [`--${at}`, is]));
  };
  settings({});
  const program = findProgram('redis-server') ?? 'redis-server';
  const server = await runNative('Redis', program, args, folder, () => redisAnswers(directUrl));
  const proxy = await startTcpProxy({ host: '127.0.0.1', port });

  const tail = (): string | undefined => {
    const numberOf = (name: string): number => Number(/\.(\d+)\.incr\.aof$/.exec(name)?.[1] ?? -1);
    const names = existsSync(files) ? readdirSync(files) : [];
    return names
      .filter((name) => numberOf(name) >= 0)
      .toSorted((a, b) => numberOf(b) - numberOf(a))[0];
  };

  return {
    server,
    proxy,
    url: `redis://127.0.0.1:${proxy.port}`,
    directUrl,
    port,
    folder,
    ask: async (...[command, ...words]) => {
      const client = new Redis(directUrl, {
        lazyConnect: true,
        retryStrategy: () => null,
        // A server that is busy with a script would not pass it, and that is when we must reach it.
        enableReadyCheck: false,
      });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return await client.call(command, ...words);
      } finally {
        client.disconnect();
      }
    },
    settings,
    keepCopy: () => {
      if (!existsSync(files)) return;
      rmSync(copy, { recursive: true, force: true });
      cpSync(files, copy, { recursive: true });
    },
    hasCopy: () => existsSync(copy),
    restoreCopy: () => {
      rmSync(files, { recursive: true, force: true });
      cpSync(copy, files, { recursive: true });
    },
    tear: (share) => {
      const name = tail();
      if (name === undefined) return 0;
      const { size } = statSync(join(files, name));
      const bytes = Math.floor(size * share);
      truncateSync(join(files, name), size - bytes);
      return bytes;
    },
    empty: () => {
      rmSync(files, { recursive: true, force: true });
    },
    close: async () => {
      server.resume();
      await server.kill();
      await proxy.close();
    },
  };
};
