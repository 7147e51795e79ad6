import { describe, expect, test } from 'vitest';
import { judgeServer, placeOf, problemOf } from '../../../services/adapters/redis/connection.ts';

const info = (...lines: string[]): string => ['# Server', ...lines, ''].join('\r\n');

describe('which servers hold read models', () => {
  test.each([
    ['Redis 7.0.15', info('redis_version:7.0.15', 'maxmemory_policy:noeviction')],
    ['Redis 8.2.1', info('redis_version:8.2.1', 'maxmemory_policy:noeviction')],
    ['Valkey 7.2.4', info('redis_version:7.2.4', 'server_name:valkey', 'valkey_version:7.2.4')],
    ['Valkey 8.1.0', info('redis_version:7.2.4', 'server_name:valkey', 'valkey_version:8.1.0')],
    // Ours have no time to live, so the volatile policies leave them alone.
    ['Redis 7.4.0', info('redis_version:7.4.0', 'maxmemory_policy:volatile-lru')],
  ])('%s does', (name, text) => {
    expect(judgeServer(text, 'here:1')).toEqual({ ok: true, value: name });
  });

  test.each([
    ['Redis 6.2.14', info('redis_version:6.2.14', 'maxmemory_policy:noeviction')],
    ['Valkey 7.0.0', info('redis_version:7.2.4', 'valkey_version:7.0.0')],
  ])('%s is too old, and the message says what is needed', (name, text) => {
    expect(judgeServer(text, 'here:1')).toEqual({
      ok: false,
      problem: {
        code: 'refused',
        message: `${name} at here:1 is too old: Redis 7.0 or Valkey 7.2 is needed`,
      },
    });
  });

  test('one that may evict our keys is refused, and the message says what to set', () => {
    const judged = judgeServer(info('redis_version:7.0.15', 'maxmemory_policy:allkeys-lru'), 'h:1');
    expect(judged).toMatchObject({ ok: false, problem: { code: 'refused' } });
    expect(JSON.stringify(judged)).toContain('CONFIG SET maxmemory-policy noeviction');
  });
});

describe('what a failed call means', () => {
  const answer = (message: string): Error =>
    Object.assign(new Error(message), { name: 'ReplyError' });

  test.each([
    ['corrupt', 'wrong-type', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['refused', 'out-of-memory', "OOM command not allowed when used memory > 'maxmemory'."],
    ['refused', 'disk-failed', 'MISCONF Redis is configured to save RDB snapshots'],
    ['refused', 'not-allowed', 'WRONGPASS invalid username-password pair or user is disabled.'],
    ['refused', 'not-allowed', 'NOAUTH Authentication required.'],
    ['refused', 'not-allowed', "NOPERM User default has no permissions to run 'evalsha'"],
    ['refused', 'cluster', 'MOVED 1234 10.0.0.2:6379'],
    ['refused', 'cluster', "CROSSSLOT Keys in request don't hash to the same slot"],
    ['refused', undefined, 'ERR wrong number of arguments'],
    ['unreachable', 'loading', 'LOADING Redis is loading the dataset in memory'],
    ['unreachable', 'busy', 'BUSY Redis is busy running a script.'],
    ['unreachable', 'script-missing', 'NOSCRIPT No matching script. Please use EVAL.'],
    ['unreachable', 'read-only', "READONLY You can't write against a read only replica."],
    ['unreachable', undefined, 'SOMETHING that no Redis says today'],
  ])('%s, %s: %s', (code, reason, message) => {
    const problem = problemOf(answer(message), 'here:1');
    expect([problem.code, problem.reason]).toEqual([code, reason]);
  });

  test.each([
    new Error('Command timed out'),
    // Only an answer of the server is a clear no, whatever another error says.
    new Error('OOM in the network'),
  ])('%s: nobody knows', (error) => {
    expect(problemOf(error, 'here:1')).toMatchObject({ code: 'unreachable' });
    expect(problemOf(error, 'here:1').reason).toBeUndefined();
  });
});

test('the password in an address is never shown', () => {
  expect(placeOf('rediss://plimsoll:secret@redis.example:6380/2')).toBe('redis.example:6380');
});

test.each(['', 'redis://', 'localhost:6379', 'http://localhost:6379', '/run/redis.sock'])(
  '"%s" is no address of a Redis',
  (url) => {
    expect(placeOf(url)).toBeUndefined();
  },
);
