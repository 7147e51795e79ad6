import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { kcat } from '../support/kcat.ts';
import { plimsoll, startPlimsoll } from '../support/plimsoll.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

// Callers with a token against two gateways of one log, on real Kafka and Redis.

const { kafkaBrokers, redisUrl } = sharedStack();
const folder = scratchFolder();
const audience = freshAudience();
const env = {
  PLIMSOLL_LOG: `kafka://${kafkaBrokers.join(',')}`,
  PLIMSOLL_STORE: redisUrl,
  PLIMSOLL_AUDIENCE: audience,
  PLIMSOLL_TOKENS: join(folder, 'tokens.txt'),
  PLIMSOLL_PORT: '0',
  PLIMSOLL_OTLP_PORT: '0',
};
const setupMs = 120_000;

type Process = ReturnType<typeof startPlimsoll>;
let processes: readonly Process[] = [];
let urls: readonly string[];
let token: string;

beforeAll(async () => {
  const up = startPlimsoll(folder, ['up'], env);
  processes = [up];
  await eventually('all services are ready', () => up.out().includes('ready'), setupMs);
  const second = startPlimsoll(folder, ['gateway'], env);
  processes = [up, second];
  await eventually('the second gateway is ready', () => second.out().includes('ready'), setupMs);
  urls = processes.map((one) => /gateway: (http:\S+)\n/.exec(one.out())?.[1] ?? '');
  const args = ['tokens', 'new', '--name=shop', '--environment=staging', '--json'];
  const made = await plimsoll(folder, args, env);
  ({ token } = JSON.parse(made.out) as { readonly token: string });
}, setupMs);
afterAll(async () => {
  for (const one of processes) one.signal('SIGTERM');
  await Promise.all(processes.map(({ ended }) => ended));
});

type Answer = { readonly status: number; readonly json: { readonly [name: string]: unknown } };

const tell = async (url: string, key: string, body: object): Promise<Answer> => {
  const answer = await fetch(`${url}/v1/markers`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body: JSON.stringify(body),
  });
  return { status: answer.status, json: (await answer.json()) as Answer['json'] };
};

const occurredAt = new Date().toISOString();
const release = (component: number): object => ({
  ...{ kind: 'logged', environment: 'staging', component: `shop-${component}`, version: '1.0.0' },
  occurredAt,
});

test('what both gateways are told at once under one key is one marker, and happens once', async () => {
  const told = Array.from({ length: 20 }, (_, at) => at).flatMap((at) =>
    urls.map((url) => tell(url, `key ${at}`.replace(' ', '-'), release(at))),
  );
  const answers = await Promise.all(told);
  expect(answers.filter(({ status }) => status !== 201 && status !== 200)).toEqual([]);
  expect(new Set(answers.map(({ json }) => json['marker'])).size).toBe(20);

  const list = async (...args: readonly string[]): Promise<readonly Answer['json'][]> => {
    const { out } = await plimsoll(folder, [...args, '--json'], env);
    return out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Answer['json']);
  };
  const timeline = await list('timeline');
  expect(timeline).toHaveLength(20);
  expect(new Set(timeline.map(({ onBehalf, signer }) => [onBehalf, signer].join(' by ')))).toEqual(
    new Set(['shop by gateway']),
  );
  expect(timeline.filter(({ conflict }) => conflict === true)).toEqual([]);
  expect(await list('dead-letters', 'list')).toEqual([]);
});

test('any reader of the topic sees who spoke: the source names the token', async () => {
  const records = await kcat(kafkaBrokers, `plimsoll.${audience}.log`);
  const sources = records.flatMap(({ headers }) =>
    headers.filter(([name]) => name === 'ce_source').map(([, source]) => source),
  );
  expect(
    sources.filter((source) => source === 'plimsoll/token/shop').length,
  ).toBeGreaterThanOrEqual(20);
});

test('another body under a known key is refused by either gateway, and so is another place', async () => {
  for (const url of urls) {
    const other = await tell(url, 'key-1', { ...release(1), version: '6.6.6' });
    expect([other.status, other.json['code']]).toEqual([409, 'conflict']);
    const elsewhere = await tell(url, 'key-x', { ...release(1), environment: 'production' });
    expect([elsewhere.status, elsewhere.json['code']]).toEqual([403, 'out-of-scope']);
  }
});
