import { Redis } from 'ioredis';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { StoreProblem } from '../../ports/read-model-store.ts';

const commandTimeoutMs = 5_000;
const connectTimeoutMs = 5_000;
const reconnectDelayMsMax = 1_000;

/** The oldest servers this adapter runs on: major, minor. */
const redisMin = [7, 0] as const;
const valkeyMin = [7, 2] as const;

/**
 * Connects once and looks at the server; afterwards lost connections are restored in the background.
 * A call while there is no connection fails at once, and one whose answer is lost is never sent again: its
 * outcome is unknown, and only the caller, who reads the checkpoint, can tell.
 */
export async function connect(
  url: string,
  onLog: (line: string) => void,
): Promise<Result<Redis, StoreProblem>> {
  const where = placeOf(url);
  if (where === undefined) {
    return fail({ code: 'refused', message: 'the address is not of the form redis://host:port' });
  }
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // 0, not 1: with 1, calls whose connection broke are told so only when a second attempt fails as well.
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    enableAutoPipelining: false,
    retryStrategy: (times) => Math.min(50 * times, reconnectDelayMsMax),
    // After a failover the old server may live on as a replica: connect anew, to find the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  // Why the connection broke; the calls themselves are only told that it did.
  let cause: Error | undefined;
  client.on('error', (error: Error) => {
    cause = error;
  });
  client.on('ready', () => {
    cause = undefined;
  });
  try {
    await client.connect();
    const info = await Promise.all([aboutServer(client, 'server'), aboutServer(client, 'memory')]);
    const server = judgeServer(info.join('\n'), where);
    if (!server.ok) {
      client.disconnect();
      return server;
    }
    onLog(`read models in ${server.value} at ${where}`);
    sayLossesOnce(client, where, onLog, () => cause);
    return ok(client);
  } catch (error) {
    client.disconnect();
    return fail(problemOf(cause ?? error, where));
  }
}

/** A connection that stays away is tried again and again, but spoken of once. */
function sayLossesOnce(
  client: Redis,
  where: string,
  onLog: (line: string) => void,
  causeOf: () => Error | undefined,
): void {
  let isLost = false;
  client.on('close', () => {
    if (isLost) return;
    isLost = true;
    const cause = causeOf();
    onLog(`lost the connection to Redis at ${where}${cause ? `: ${textOf(cause)}` : ''}`);
  });
  client.on('ready', () => {
    isLost = false;
    onLog(`connected to Redis at ${where} again`);
  });
}

/** A section of INFO; empty where the access list forbids it, which is no reason not to run. */
async function aboutServer(client: Redis, section: string): Promise<string> {
  try {
    return await client.info(section);
  } catch (error) {
    if (textOf(error).startsWith('NOPERM')) return '';
    throw error;
  }
}

/** host:port and no more, because the address may hold a password. */
export function placeOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host } = new URL(url);
  return (protocol === 'redis:' || protocol === 'rediss:') && host !== '' ? host : undefined;
}

/** Which store it is: server, number of the database and audience, and no password. */
export function redisStoreName(url: string, audience: string, prefix = 'plimsoll'): string {
  const database = /^\/(\d+)$/.exec(new URL(url).pathname)?.[1] ?? '0';
  return `redis ${placeOf(url)}/${database} ${prefix} ${audience}`;
}

/** Whether read models are safe in this server, by what INFO says of it; answers its name and version. */
export function judgeServer(info: string, where: string): Result<string, StoreProblem> {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
  const refused = (message: string): Result<string, StoreProblem> =>
    fail({ code: 'refused', message });

  const valkey = field('valkey_version');
  const redis = field('redis_version');
  const server =
    valkey !== undefined ? `Valkey ${valkey}` : `Redis ${redis ?? 'of an unknown version'}`;
  const version = valkey ?? redis;
  if (version !== undefined && !isAtLeast(version, valkey === undefined ? redisMin : valkeyMin)) {
    return refused(
      `${server} at ${where} is too old: Redis ${redisMin.join('.')} or Valkey ${valkeyMin.join('.')} is needed`,
    );
  }
  const policy = field('maxmemory_policy');
  // The volatile policies evict only keys with a time to live, and ours have none.
  if (policy?.startsWith('allkeys-') === true) {
    return refused(
      `${server} at ${where} may evict read models (maxmemory-policy ${policy}): ` +
        'set maxmemory-policy to noeviction, for instance by CONFIG SET maxmemory-policy noeviction',
    );
  }
  return ok(server);
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** What a failed call means. Anything but a clear answer of the server leaves the outcome unknown. */
export function problemOf(error: unknown, where: string): StoreProblem {
  const message = textOf(error);
  const [word = ''] = message.split(' ', 1);
  const isAnswer = error instanceof Error && error.name === 'ReplyError';
  const known = isAnswer && Object.hasOwn(answers, word) ? answers[word] : undefined;
  if (known === undefined) return { code: 'unreachable', message: `Redis at ${where}: ${message}` };
  const { code, reason, says } = known;
  const told =
    code === 'corrupt'
      ? `a key of ours in Redis at ${where} ${says}: ${message}`
      : `Redis at ${where} ${code === 'refused' ? 'refused: ' : ''}${says} (${message})`;
  return reason === undefined ? { code, message: told } : { code, message: told, reason };
}

type Known = Pick<StoreProblem, 'code' | 'reason'> & { readonly says: string };

/** Answers by their first word: what no retry will change, with what to do about it, and what passes. */
const answers: { readonly [word: string]: Known } = {
  WRONGTYPE: { code: 'corrupt', reason: 'wrong-type', says: 'holds something else' },
  OOM: {
    code: 'refused',
    reason: 'out-of-memory',
    says: 'its memory is full; raise maxmemory',
  },
  MISCONF: { code: 'refused', reason: 'disk-failed', says: 'it cannot save to its disk' },
  NOAUTH: {
    code: 'refused',
    reason: 'not-allowed',
    says: 'it wants a password; put it into the address',
  },
  WRONGPASS: {
    code: 'refused',
    reason: 'not-allowed',
    says: 'the password in the address is wrong',
  },
  NOPERM: {
    code: 'refused',
    reason: 'not-allowed',
    says: 'its access list does not allow this user what Plimsoll needs',
  },
  MOVED: {
    code: 'refused',
    reason: 'cluster',
    says: 'it is a part of a cluster that does not hold this audience; name the part that does',
  },
  CROSSSLOT: {
    code: 'refused',
    reason: 'cluster',
    says: 'keys of one audience do not share a slot',
  },
  ERR: { code: 'refused', says: 'it did not understand the call' },
  READONLY: { code: 'unreachable', reason: 'read-only', says: 'is a replica and takes no writes' },
  LOADING: { code: 'unreachable', reason: 'loading', says: 'still reads its data' },
  BUSY: {
    code: 'unreachable',
    reason: 'busy',
    says: 'is kept busy by a script; SCRIPT KILL ends one that has not written',
  },
  NOSCRIPT: {
    code: 'unreachable',
    reason: 'script-missing',
    says: 'has forgotten a script; it is brought again with the next call',
  },
};

function textOf(error: unknown): string {
  // ioredis's words for a call made while there is no connection; they speak of one of its settings.
  if (error instanceof Error && error.message.startsWith("Stream isn't writeable")) {
    return 'there is no connection';
  }
  // A name with several addresses fails with an error without a message.
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(textOf).join(', ');
  }
  return error instanceof Error ? error.message : String(error);
}
