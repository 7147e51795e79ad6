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
    ['corrupt', answer('WRONGTYPE Operation against a key holding the wrong kind of value')],
    ['refused', answer("OOM command not allowed when used memory > 'maxmemory'.")],
    ['refused', answer('WRONGPASS invalid username-password pair or user is disabled.')],
    ['refused', answer('MOVED 1234 10.0.0.2:6379')],
    ['unreachable', answer('LOADING Redis is loading the dataset in memory')],
    ['unreachable', answer('BUSY Redis is busy running a script.')],
    ['unreachable', answer('NOSCRIPT No matching script. Please use EVAL.')],
    ['unreachable', answer("READONLY You can't write against a read only replica.")],
    ['unreachable', new Error('Command timed out')],
    // Only an answer of the server is a clear no, whatever another error says.
    ['unreachable', new Error('OOM in the network')],
  ])('%s: %s', (code, error) => {
    expect(problemOf(error, 'here:1').code).toBe(code);
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
