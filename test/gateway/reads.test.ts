import { beforeAll, describe, expect, test } from 'vitest';
import type { NewRecord } from '../../services/core/log/record.ts';
import { atLeastWithinMs } from '../../services/gateway/reads.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { Answered, GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { by, findsCompromised, keyOf, raw, signed, trusts } from '../support/given.ts';
import { decided, failed, id, logged, place, planned, run, started } from '../support/markers.ts';
import { value } from '../support/records.ts';

const inPlace = (environment: string, component: string, version: string): ReturnType<typeof by> =>
  by('ci', logged(version, { slot: place(environment, component) }));

const history = async (): Promise<GatewayHouse> =>
  openGatewayHouse([
    trusts('ci'),
    trusts('judge', { roles: ['analyser'] }),
    inPlace('production', 'checkout', '1.0.0'),
    inPlace('production', 'cart', '5.0.0'),
    inPlace('staging', 'checkout', '2.0.0'),
    by('ci', planned('2.0.0', { canaryShare: 0.1 }), { marker: 'the plan' }),
    by('ci', started()),
    by('judge', decided('roll-back')),
    by('ci', failed({ reason: 'errors' })),
    raw(await signed('stranger', planned(), 'of a stranger')),
  ]);
// Positions: 0 opening, 1 and 2 keys, 3 to 5 logged, 6 plan, 7 started, 8 roll-back, 9 failed, 10 a stranger's.

const versions = ({ json }: Answered): readonly string[] =>
  json.items.map(
    ({ environment, component, version }: { [name: string]: string }) =>
      `${environment}/${component} ${version}`,
  );

describe('what is asked', () => {
  let house: GatewayHouse;
  beforeAll(async () => {
    house = await history();
  });

  test('current: one line a held version, with what is uncertain', async () => {
    const answer = await house.get('/v1/current');
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ position: 10, next: null });
    expect(answer.headers['plimsoll-position']).toBe('10');
    expect(versions(answer)).toEqual([
      'production/cart 5.0.0',
      'production/checkout 1.0.0',
      'staging/checkout 2.0.0',
    ]);
    expect(answer.json.items[1].uncertain).toMatchObject({ version: '2.0.0', status: 'failed' });
  });

  test.each([
    ['environment=production', ['production/cart 5.0.0', 'production/checkout 1.0.0']],
    ['component=checkout', ['production/checkout 1.0.0', 'staging/checkout 2.0.0']],
    ['environment=staging&component=checkout', ['staging/checkout 2.0.0']],
    ['namespace=default&environment=staging', ['staging/checkout 2.0.0']],
    [
      'namespace=default&environment=staging&component=checkout&target=',
      ['staging/checkout 2.0.0'],
    ],
    ['namespace=default&environment=stag', []],
    ['namespace=default&environment=staging&component=check', []],
    ['namespace=def', []],
    ['target=', ['production/cart 5.0.0', 'production/checkout 1.0.0', 'staging/checkout 2.0.0']],
    ['target=eu', []],
    ['environment=', []],
  ])('current?%s', async (query, expected) => {
    expect(versions(await house.get(`/v1/current?${query}`))).toEqual(expected);
  });

  test('timeline: one line an attempt, oldest first, or newest', async () => {
    const oldest = await house.get('/v1/timeline');
    expect(oldest.json.items.map(({ position }: { position: number }) => position)).toEqual([
      3, 4, 5, 6,
    ]);
    const newest = await house.get('/v1/timeline?order=newest&limit=1');
    expect(newest.json.items).toMatchObject([{ version: '2.0.0', status: 'failed' }]);
    expect(newest.json.next).toBe('6');
    const one = await house.get(`/v1/timeline?deployment=${run('7')}`);
    expect(one.json.items).toHaveLength(1);
  });

  test('decisions, with the evidence', async () => {
    const answer = await house.get('/v1/decisions?environment=production');
    expect(answer.json.items).toMatchObject([
      {
        decision: 'roll-back',
        verdict: 'fail',
        deployment: run('7'),
        position: 8,
        signer: 'judge',
      },
    ]);
    expect((await house.get('/v1/decisions?after=8')).json.items).toEqual([]);
    expect((await house.get('/v1/decisions?environment=staging')).json.items).toEqual([]);
  });

  test('a deployment, by its id or by that of a marker', async () => {
    const own = await house.get(`/v1/deployments/${run('7')}`);
    expect(own.json.item.attempts[0]).toMatchObject({ version: '2.0.0', status: 'failed' });
    expect(own.json.item.attempts[0].history).toHaveLength(4);
    const byMarker = await house.get(`/v1/deployments/${id('the plan')}`);
    expect(byMarker.json).toEqual(own.json);
    const nobody = await house.get(`/v1/deployments/${run('8')}`);
    expect([nobody.status, nobody.json.code, nobody.json.position]).toEqual([404, 'not-found', 10]);
  });

  test('dead letters, and one of them', async () => {
    const letters = await house.get('/v1/dead-letters');
    expect(letters.json.items).toMatchObject([{ position: 10, code: 'key-unknown' }]);
    expect((await house.get('/v1/dead-letters?code=conflict')).json.items).toEqual([]);
    expect((await house.get('/v1/dead-letters?state=open')).json).toEqual(letters.json);
    expect((await house.get('/v1/dead-letters?state=redriven')).json.items).toEqual([]);
    expect((await house.get('/v1/dead-letters/10')).json.item).toEqual(letters.json.items[0]);
    expect((await house.get('/v1/dead-letters/9')).status).toBe(404);
  });

  test('environments and components, each with what was seen there', async () => {
    const environments = await house.get('/v1/environments');
    expect(environments.json.items).toMatchObject([
      { name: 'production', components: ['cart', 'checkout'], attempts: 3, firstPosition: 3 },
      { name: 'staging', components: ['checkout'], attempts: 1 },
    ]);
    const components = await house.get('/v1/components?after=cart');
    expect(components.json.items).toMatchObject([
      { name: 'checkout', environments: ['production', 'staging'] },
    ]);
  });

  test('keys, without their secret halves', async () => {
    const answer = await house.get('/v1/keys');
    expect(answer.json.items).toMatchObject([
      { principal: 'admin', roles: ['trust-admin'], addedAt: 0 },
      { principal: 'ci', key: keyOf('ci').keyId, addedAt: 1 },
      { principal: 'judge', roles: ['analyser'], addedAt: 2 },
    ]);
  });

  test('page after page brings every line once', async () => {
    const seen: string[] = [];
    let after = '';
    for (let pages = 0; pages < 10; pages++) {
      const page = await house.get(`/v1/current?limit=1${after}`);
      expect(page.json.items.length).toBeLessThanOrEqual(1);
      seen.push(...versions(page));
      if (page.json.next === null) break;
      after = `&after=${encodeURIComponent(page.json.next)}`;
    }
    expect(seen).toEqual(versions(await house.get('/v1/current')));
  });

  test('as lines of JSON, for those who ask so', async () => {
    const answer = await house.get('/v1/timeline?limit=2', {
      headers: { accept: 'application/x-ndjson, application/json;q=0.5' },
    });
    expect(answer.headers['content-type']).toBe('application/x-ndjson');
    expect(answer.headers['plimsoll-position']).toBe('10');
    expect(answer.headers['plimsoll-next']).toBe('4');
    const lines = answer.text.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { position: number }).position)).toEqual([
      3, 4,
    ]);
  });

  test('schemas, as they were published', async () => {
    const list = await house.get('/v1/schemas');
    expect(list.json.items.length).toBeGreaterThan(5);
    for (const { url, digest } of list.json.items) {
      const answer = await house.get(url);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json',
        'cache-control': 'public, max-age=31536000, immutable',
      });
      const file = house.ports.schemas.find((schema) => schema.digest === digest);
      expect(answer.text).toBe(file?.text);
    }
    expect((await house.get(`/v1/schemas/${'0'.repeat(64)}`)).status).toBe(404);
  });
});

describe('a question that makes no sense', () => {
  let house: GatewayHouse;
  beforeAll(async () => {
    house = await history();
  });

  test.each([
    ['/v1/current?env=production', 'query-unknown'],
    ['/v1/current?__proto__=1', 'query-unknown'],
    ['/v1/current?constructor=1', 'query-unknown'],
    ['/v1/current?order=newest', 'query-unknown'],
    ['/v1/keys?limit=1', 'query-unknown'],
    ['/healthz?x=1', 'query-unknown'],
    ['/v1/timeline?limit=0', 'query-invalid'],
    ['/v1/timeline?limit=1001', 'query-invalid'],
    ['/v1/timeline?limit=ten', 'query-invalid'],
    ['/v1/timeline?limit=', 'query-invalid'],
    ['/v1/timeline?after=-1', 'query-invalid'],
    ['/v1/timeline?after=1e3', 'query-invalid'],
    ['/v1/timeline?after=9999999999999', 'query-invalid'],
    [`/v1/current?after=${'k'.repeat(5000)}`, 'query-invalid'],
    ['/v1/timeline?order=random', 'query-invalid'],
    ['/v1/current?at-least=now', 'query-invalid'],
    ['/v1/current?at-least=-1', 'query-invalid'],
  ])('%s: 400 %s', async (target, code) => {
    const answer = await house.get(target);
    expect([answer.status, answer.json.code]).toEqual([400, code]);
  });
});

describe('reading what one wrote', () => {
  test('waits until the read models hold the position', async () => {
    const house = await history();
    value(await house.log.append(0, [await signed('ci', logged('9.0.0'), 'newest')]));
    house.projectorRuns(true);
    const answer = await house.get('/v1/timeline?order=newest&limit=1', {
      headers: { 'plimsoll-at-least': '11' },
    });
    expect(answer.json).toMatchObject({ position: 11, items: [{ version: '9.0.0' }] });
  });

  test.each(['/v1/current', '/v1/keys', `/v1/deployments/${run('7')}`, '/v1/dead-letters/10'])(
    '%s waits only so long, and says how far it is',
    async (path) => {
      const house = await history();
      const answer = await house.get(`${path}?at-least=11`);
      expect([answer.status, answer.json.code, answer.json.position]).toEqual([504, 'not-yet', 10]);
      expect(house.sleptMs()).toBeGreaterThanOrEqual(atLeastWithinMs);
      expect(house.sleptMs()).toBeLessThan(2 * atLeastWithinMs);
    },
  );

  test('does not wait for what is there', async () => {
    const house = await history();
    expect((await house.get('/v1/current?at-least=10')).status).toBe(200);
    expect(house.sleptMs()).toBe(0);
  });

  test('of very many who wait the last are sent away', async () => {
    const house = await history();
    const answers = await Promise.all(
      Array.from({ length: 250 }, () => house.get('/v1/current?at-least=11')),
    );
    const codes = answers.map(({ json }) => json.code as string);
    expect(codes.filter((code) => code === 'not-yet')).toHaveLength(200);
    expect(codes.filter((code) => code === 'busy')).toHaveLength(50);
    expect((await house.get('/v1/current?at-least=10')).status).toBe(200);
  });
});

describe('an answer is of one state', () => {
  /** A store in which the projector works between two looks at it. */
  const restless = (store: ReadModelStore, between: () => Promise<void>): ReadModelStore => ({
    ...store,
    scan: async (...args) => {
      const answer = await store.scan(...args);
      if (args[1] === 'timeline') await between();
      return answer;
    },
  });

  test('however much is folded while it is put together', async () => {
    const steps = Array.from({ length: 60 }, (_, index) =>
      by('ci', logged(`1.0.${index}`, { slot: place(index < 55 ? 'staging' : 'production') })),
    );
    let grow = async (_record: NewRecord): Promise<void> => undefined;
    const later = await Promise.all(
      [1, 2, 3].map((number) => signed('ci', logged(`2.0.${number}`), `late ${number}`)),
    );
    const opened = await openGatewayHouse(steps, ({ store }) => ({
      store: restless(store, async () => {
        const record = later.shift();
        if (record !== undefined) await grow(record);
      }),
    }));
    grow = async (record) => {
      value(await opened.log.append(0, [record]));
      await opened.project();
    };
    // The first page holds 50 attempts of staging; then the log grows.
    const first = await opened.get('/v1/timeline?environment=production&limit=10');
    expect(first.json).toMatchObject({ position: 61, items: [] });
    const second = await opened.get(
      `/v1/timeline?environment=production&limit=10&after=${first.json.next}`,
    );
    expect(second.json.position).toBe(63);
    const found = second.json.items.map(({ version }: { version: string }) => version);
    expect(found).toEqual([...[55, 56, 57, 58, 59].map((n) => `1.0.${n}`), '2.0.1', '2.0.2']);
  });

  test('and what a stolen key signed is marked wherever it is shown', async () => {
    const house = await openGatewayHouse([
      trusts('ci'),
      by('ci', logged('1.0.0')),
      by('ci', logged('2.0.0')),
      findsCompromised('ci', 3),
    ]);
    const timeline = await house.get('/v1/timeline');
    expect(timeline.json.items.map(({ suspect }: { suspect: boolean }) => suspect)).toEqual([
      false,
      true,
    ]);
    const shown = await house.get(`/v1/deployments/${timeline.json.items[1].deployment}`);
    expect(shown.json.item.attempts[0].suspect).toBe(true);
  });
});

test('before there are read models, readers are told so', async () => {
  const house = await openGatewayHouse([], ({ store }) => ({
    store: { ...store, current: async () => ({ ok: true, value: undefined }) },
  }));
  for (const path of ['/v1/current', '/v1/keys', `/v1/deployments/${run('7')}`]) {
    const answer = await house.get(path);
    expect([answer.status, answer.json.code]).toEqual([503, 'not-ready']);
  }
});
