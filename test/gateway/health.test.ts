import { describe, expect, test } from 'vitest';
import { fail, ok } from '../../services/core/result.ts';
import { lagRecordsMax } from '../../services/gateway/health.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { by, signed, trusts } from '../support/given.ts';
import { logged, logId, operated, planned } from '../support/markers.ts';
import { value } from '../support/records.ts';

test('alive is who answers', async () => {
  const house = await openGatewayHouse();
  await house.store.close();
  await house.log.close();
  expect((await house.get('/healthz')).json).toEqual({ status: 'alive' });
});

describe('ready', () => {
  test('is who reaches log and read models, and says how far they are apart', async () => {
    const house = await openGatewayHouse([trusts('ci'), by('ci', planned())]);
    value(await house.log.append(0, [await signed('ci', logged(), 'newest')]));
    const answer = await house.get('/readyz');
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      status: 'ready',
      log: { name: 'log', end: 4 },
      checkpoint: { logId, next: 3 },
      lagRecords: 1,
      queued: 0,
      gateway: { answers: {} },
    });
  });

  test('is who reads a sealed log, too; appends are told where it went on', async () => {
    const note = 'kafka://elsewhere:9092';
    const seal = operated('log-sealed', { to: 2, digest: 'a'.repeat(64), note });
    const house = await openGatewayHouse([trusts('ops', { roles: ['operator'] }), by('ops', seal)]);
    const answer = await house.get('/readyz');
    expect([answer.status, answer.json.status]).toEqual([200, 'ready']);
    expect(answer.json.appends).toEqual({ code: 'log-sealed', at: 2, note });
    const refused = await house.post(await signed('ops', logged(), 'too late'));
    expect([refused.status, refused.json]).toMatchObject([
      409,
      { code: 'log-sealed', hint: expect.stringContaining(`set PLIMSOLL_LOG=${note}`) },
    ]);
  });

  test('is not who cannot reach the log', async () => {
    const house = await openGatewayHouse();
    await house.log.close();
    const answer = await house.get('/readyz');
    expect([answer.status, answer.json.code]).toEqual([503, 'not-ready']);
    expect(answer.json.reasons).toMatchObject([{ code: 'log-unreachable' }]);
    expect(answer.json.checkpoint.next).toBe(1);
  });

  test('is not who cannot reach the read models, or finds none', async () => {
    const house = await openGatewayHouse();
    await house.store.close();
    expect((await house.get('/readyz')).json.reasons).toMatchObject([
      { code: 'store-unreachable' },
    ]);
    const empty = await openGatewayHouse([], ({ store }) => ({
      store: { ...store, current: async () => ok(undefined) },
    }));
    expect((await empty.get('/readyz')).json.reasons).toMatchObject([{ code: 'not-ready' }]);
  });

  test('is not who gets no answer in time', async () => {
    const house = await openGatewayHouse([], ({ log, store }) => ({
      log: { ...log, range: () => new Promise(() => undefined) },
      store: { ...store, current: () => new Promise(() => undefined) },
    }));
    expect((await house.get('/readyz')).json.reasons).toMatchObject([
      { code: 'log-unreachable' },
      { code: 'store-unreachable' },
    ]);
  });

  test.each([
    [lagRecordsMax, 200],
    [lagRecordsMax + 1, 503],
  ])('with %i records of lag is %i', async (lag, status) => {
    const house = await openGatewayHouse([], ({ log }) => ({
      log: { ...log, range: async () => ok({ start: 0, end: 1 + lag }) },
    }));
    expect((await house.get('/readyz')).status).toBe(status);
  });

  test('is not who holds more than its log', async () => {
    const house = await openGatewayHouse([trusts('ci')], ({ log }) => ({
      log: { ...log, range: async () => ok({ start: 0, end: 1 }) },
    }));
    expect((await house.get('/readyz')).json.reasons).toMatchObject([{ code: 'log-shortened' }]);
  });

  test('is who is ready also while others append and project', async () => {
    const house = await openGatewayHouse([trusts('ci')], ({ store }) => ({
      store: {
        ...store,
        checkpoint: async (generation) => {
          value(await house.log.append(0, [await signed('ci', planned(), 'meanwhile')]));
          await house.project();
          return store.checkpoint(generation);
        },
      },
    }));
    expect((await house.get('/readyz')).json).toMatchObject({ status: 'ready', lagRecords: 0 });
  });

  test('is not who has the read models of another log', async () => {
    const other = await openGatewayHouse([trusts('ci'), trusts('deploy')]);
    const house = await openGatewayHouse([trusts('ci'), trusts('someone else')], () => ({
      store: other.store,
    }));
    expect((await house.get('/readyz')).json.reasons).toMatchObject([{ code: 'foreign-log' }]);
  });

  test('tells what was answered, and how the services beside it stand', async () => {
    const house = await openGatewayHouse([], () => ({
      alongside: () => ({ projector: { counts: { applied: 7 } } }),
    }));
    await house.get('/nowhere');
    const { gateway, projector } = (await house.get('/readyz')).json;
    expect(gateway.answers).toEqual({ 'not-found': 1 });
    expect(projector).toEqual({ counts: { applied: 7 } });
  });

  test('tells of no other service where it runs alone', async () => {
    const house = await openGatewayHouse();
    expect(Object.keys((await house.get('/readyz')).json)).not.toContain('projector');
  });

  test('says corrupt where the store says so', async () => {
    const house = await openGatewayHouse([], ({ store }) => ({
      store: { ...store, checkpoint: async () => fail({ code: 'corrupt', message: 'page 7' }) },
    }));
    expect((await house.get('/readyz')).json.reasons).toMatchObject([
      { code: 'store-corrupt', message: 'page 7' },
    ]);
  });
});
