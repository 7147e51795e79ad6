import { describe, expect, test } from 'vitest';
import type { NewRecord } from '../../services/core/log/record.ts';
import { catchUpWithinMs } from '../../services/gateway/markers.ts';
import { fail } from '../../services/core/result.ts';
import type { AppendProblem } from '../../services/ports/record-log.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { by, delivered, keyOf, retires, signed, trusts } from '../support/given.ts';
import {
  added,
  compromised,
  decided,
  failed,
  id,
  logged,
  logId,
  place,
  planned,
  retired,
  run,
  started,
  succeeded,
} from '../support/markers.ts';
import { text, value } from '../support/records.ts';

const ci = trusts('ci');

describe('a marker that is proven', () => {
  test('lies on the log as it was signed, and the answer says where', async () => {
    const house = await openGatewayHouse([ci]);
    const record = await signed('ci', planned(), 'plan');
    const answer = await house.post(record);
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      deployment: run('7'),
      attempt: 1,
      marker: id('plan'),
      kind: 'planned',
      delivery: 'stored',
      code: null,
      position: 2,
      warning: null,
    });
    expect(answer.headers['location']).toBe(`/v1/deployments/${run('7')}`);
    const [stored] = (await house.records()).slice(2);
    expect(text(stored as NewRecord)).toBe(text(record));
  });

  test('keeps its trace context and its waiting time', async () => {
    const house = await openGatewayHouse([ci]);
    const plan = await signed('ci', planned(), 'plan');
    const record = await delivered(
      {
        ...plan,
        headers: [
          ...plan.headers,
          { name: 'traceparent', value: Buffer.from(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`) },
        ],
      },
      60_000,
      'ci',
    );
    expect((await house.post(record)).status).toBe(201);
    const stored = (await house.records())[2];
    const names = stored?.headers.map(({ name }) => name);
    expect(names).toContain('traceparent');
    expect(names).toContain('plimsoll-waited');
    await house.project();
    const shown = await house.get(`/v1/deployments/${run('7')}`);
    expect(shown.json.item.attempts[0].history[0].waitedMs).toBe(60_000);
  });

  test('can be read back by whoever knows its position', async () => {
    const house = await openGatewayHouse([ci]);
    house.projectorRuns(true);
    const { position } = (await house.post(await signed('ci', logged('3.0.0'), 'log'))).json;
    const read = await house.get(`/v1/current?at-least=${position}`);
    expect(read.json.position).toBe(position);
    expect(read.json.items).toMatchObject([{ version: '3.0.0', status: 'logged', signer: 'ci' }]);
  });

  test('of a key that was added a moment ago waits for the projector', async () => {
    const house = await openGatewayHouse();
    value(await house.log.append(0, [await signed('admin', added(keyOf('ci')), 'trusts ci')]));
    house.projectorRuns(true);
    expect((await house.post(await signed('ci', planned(), 'plan'))).status).toBe(201);
  });

  test('of a deployment planned a moment ago joins its plan', async () => {
    const house = await openGatewayHouse([ci]);
    house.projectorRuns(true);
    await house.post(await signed('ci', planned(), 'plan'));
    const answer = await house.post(await signed('ci', started(), 'start'));
    expect(answer.json).toMatchObject({
      delivery: 'stored',
      attempt: 1,
      code: null,
      warning: null,
    });
  });

  test('of a deployment that nobody planned is stored as unplanned, with a warning', async () => {
    const house = await openGatewayHouse([ci]);
    const answer = await house.post(await signed('ci', succeeded(), 'end'));
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ delivery: 'stored', code: 'unplanned', position: 2 });
    expect(answer.json.warning).toContain(run('7'));
    expect(house.sleptMs()).toBe(0);
  });

  test('may be a decision of the analyser', async () => {
    const house = await openGatewayHouse([
      trusts('judge', { roles: ['analyser'] }),
      by('ci', planned()),
    ]);
    const answer = await house.post(await signed('judge', decided('roll-back'), 'verdict'));
    expect(answer.json).toMatchObject({ kind: 'roll-back', delivery: 'stored', attempt: 1 });
  });

  test('may change trust, and counts from then on', async () => {
    const house = await openGatewayHouse();
    house.projectorRuns(true);
    const answer = await house.post(await signed('admin', added(keyOf('ci')), 'trusts ci'));
    expect(answer.json).toMatchObject({
      deployment: null,
      attempt: null,
      kind: 'key-added',
      delivery: 'stored',
      position: 1,
    });
    expect(answer.headers['location']).toBeUndefined();
    expect((await house.post(await signed('ci', planned(), 'plan'))).status).toBe(201);
    const end = await house.post(await signed('admin', retired(keyOf('ci')), 'retires ci'));
    expect(end.status).toBe(201);
    await house.project();
    const late = await house.post(await signed('ci', started(), 'start'));
    expect([late.status, late.json.code]).toEqual([403, 'key-retired']);
  });
});

describe('the same again', () => {
  test('is a duplicate, and its position that of the first', async () => {
    const house = await openGatewayHouse([ci, by('ci', planned(), { marker: 'plan' })]);
    const answer = await house.post(await signed('ci', planned(), 'plan', 1_795_255_202_000));
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ delivery: 'duplicate', position: 2, attempt: 1 });
    expect(await house.records()).toHaveLength(3);
  });

  test('is one before the projector has seen the first', async () => {
    const house = await openGatewayHouse([ci]);
    const record = await signed('ci', logged(), 'log');
    await house.post(record);
    expect((await house.post(record)).json).toMatchObject({ delivery: 'duplicate', position: 2 });
    expect(await house.records()).toHaveLength(3);
  });

  test('ten times at once is stored once', async () => {
    const house = await openGatewayHouse([ci]);
    const record = await signed('ci', logged(), 'log');
    const answers = await Promise.all(Array.from({ length: 10 }, () => house.post(record)));
    const deliveries = answers.map(({ json }) => json.delivery as string).toSorted();
    expect(deliveries).toEqual([...Array<string>(9).fill('duplicate'), 'stored']);
    expect(new Set(answers.map(({ json }) => json.position as number))).toEqual(new Set([2]));
    expect(await house.records()).toHaveLength(3);
  });

  test('of a change of trust is a duplicate', async () => {
    const house = await openGatewayHouse();
    const record = await signed('admin', added(keyOf('ci')), 'trusts ci');
    await house.post(record);
    await house.project();
    expect((await house.post(record)).json).toMatchObject({ delivery: 'duplicate', position: 1 });
  });

  test('in other words is a repeat, and the log does not grow', async () => {
    const first = by('ci', started(), { marker: 'start' });
    const house = await openGatewayHouse([ci, by('ci', planned()), first]);
    const answer = await house.post(await signed('ci', started(), 'started again'));
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      marker: id('start'),
      delivery: 'duplicate',
      code: 'repeat',
      position: 3,
    });
    expect(await house.records()).toHaveLength(4);
  });

  test('of what runs is kept as a repeat, and the answer leads to the deployment that stands', async () => {
    const house = await openGatewayHouse([ci, by('ci', logged(), { marker: 'first' })]);
    const record = await signed('ci', logged(), 'again');
    const repeat = { deployment: id('first'), attempt: 1, marker: id('again'), position: 3 };
    const answer = await house.post(record);
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ ...repeat, delivery: 'stored', code: 'repeat' });
    expect(answer.headers['location']).toBe(`/v1/deployments/${id('first')}`);
    await house.project();
    expect((await house.post(record)).json).toMatchObject({ ...repeat, delivery: 'duplicate' });
  });

  test('under another content is a conflict, folded or not', async () => {
    const house = await openGatewayHouse([ci, by('ci', logged('1.0.0'), { marker: 'one' })]);
    const folded = await house.post(await signed('ci', logged('2.0.0'), 'one'));
    expect([folded.status, folded.json.code]).toEqual([409, 'conflict']);
    await house.post(await signed('ci', logged('1.0.0'), 'two'));
    const fresh = await house.post(await signed('ci', logged('2.0.0'), 'two'));
    expect([fresh.status, fresh.json.code]).toEqual([409, 'conflict']);
    expect(await house.records()).toHaveLength(4);
  });

  test('by another principal conflicts with nobody', async () => {
    const house = await openGatewayHouse([
      ci,
      trusts('other'),
      by('ci', planned(), { marker: 'plan' }),
    ]);
    const answer = await house.post(
      await signed('other', planned('9.0.0', { deployment: run('8') }), 'plan'),
    );
    expect(answer.json).toMatchObject({ delivery: 'stored' });
  });
});

describe('by rule', () => {
  test('a key for staging ends no deployment of production, with or without naming a place', async () => {
    const house = await openGatewayHouse([
      trusts('staging', { environments: ['staging'] }),
      by('ci', planned()),
    ]);
    for (const says of [
      succeeded(),
      succeeded({ slot: place('production') }),
      planned('3.0.0', { deployment: run('8') }),
      logged('3.0.0'),
    ]) {
      const answer = await house.post(await signed('staging', says, `staging ${says.kind}`));
      expect([answer.status, answer.json.code]).toEqual([403, 'out-of-scope']);
    }
    const unknown = succeeded({ deployment: run('9'), slot: place('production') });
    const answer = await house.post(await signed('staging', unknown, 'elsewhere'));
    expect([answer.status, answer.json.code]).toEqual([403, 'out-of-scope']);
    expect(await house.records()).toHaveLength(4);
  });

  test('what contradicts is refused, and the log does not grow', async () => {
    const house = await openGatewayHouse([ci, by('ci', planned()), by('ci', succeeded())]);
    const answer = await house.post(await signed('ci', failed(), 'failed'));
    expect([answer.status, answer.json.code]).toEqual([409, 'deployment-ended']);
    expect(answer.json.hint).not.toBe('');
    expect(await house.records()).toHaveLength(4);
  });

  test('what waited on a spool is kept all the same: whoever said it is gone', async () => {
    const house = await openGatewayHouse([ci, by('ci', planned()), by('ci', succeeded())]);
    const record = await delivered(await signed('ci', failed(), 'failed'), 5000, 'ci');
    const answer = await house.post(record);
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ delivery: 'stored', code: 'deployment-ended' });
    await house.project();
    const shown = await house.get(`/v1/deployments/${run('7')}`);
    expect(shown.json.item.attempts[0]).toMatchObject({ status: 'succeeded' });
    expect(shown.json.item.attempts[0].contradictions).toHaveLength(1);
  });

  test('a key is added once, and only an administrator adds', async () => {
    const house = await openGatewayHouse([ci]);
    const twice = await house.post(await signed('admin', added(keyOf('ci')), 'again'));
    expect([twice.status, twice.json.code]).toEqual([409, 'key-exists']);
    const own = await house.post(await signed('ci', added(keyOf('friend')), 'friend'));
    expect([own.status, own.json.code]).toEqual([403, 'role-missing']);
  });

  test('a key that was found compromised signs nothing more', async () => {
    const house = await openGatewayHouse([ci]);
    house.projectorRuns(true);
    await house.post(await signed('admin', compromised(keyOf('ci'), 1), 'stolen'));
    await house.project();
    const answer = await house.post(await signed('ci', planned(), 'plan'));
    expect([answer.status, answer.json.code]).toEqual([403, 'key-compromised']);
  });

  test('a decision for a deployment that nobody planned goes nowhere', async () => {
    const house = await openGatewayHouse([trusts('judge', { roles: ['analyser'] })]);
    const answer = await house.post(await signed('judge', decided('promote'), 'verdict'));
    expect([answer.status, answer.json.code]).toEqual([404, 'deployment-unknown']);
  });
});

describe('while something is down', () => {
  test('a key that may be newer than the read models is not called unknown', async () => {
    const house = await openGatewayHouse();
    value(await house.log.append(0, [await signed('admin', added(keyOf('ci')), 'trusts ci')]));
    const answer = await house.post(await signed('ci', planned(), 'plan'));
    expect([answer.status, answer.json.code]).toEqual([503, 'behind']);
    expect(answer.headers['retry-after']).toBe('1');
    expect(house.sleptMs()).toBeGreaterThanOrEqual(catchUpWithinMs);
  });

  test('meant for another log it does not reach this one; meant for this one it does', async () => {
    const house = await openGatewayHouse([ci]);
    const record = await signed('ci', planned(), 'plan');
    const before = (await house.records()).length;
    const other = { 'plimsoll-log': '0190a000-0000-7000-8000-000000000001' };
    const refused = await house.post(record, { headers: other });
    expect([refused.status, refused.json.code]).toEqual([409, 'foreign-log']);
    expect((await house.records()).length).toBe(before);
    const stored = await house.post(record, { headers: { 'plimsoll-log': logId } });
    expect(stored.status).toBe(201);
  });

  test('who waits for a second is answered before it is over', async () => {
    const house = await openGatewayHouse();
    value(await house.log.append(0, [await signed('admin', added(keyOf('ci')), 'trusts ci')]));
    const headers = { 'plimsoll-within': '1000' };
    const answer = await house.post(await signed('ci', planned(), 'plan'), { headers });
    expect(answer.status).toBe(503);
    expect(house.sleptMs()).toBeLessThan(1000);
  });

  test('a retired key is refused without waiting', async () => {
    const house = await openGatewayHouse([ci, retires('ci')]);
    await house.post(await signed('ci', planned(), 'plan'));
    expect(house.sleptMs()).toBe(0);
  });

  const troubles: readonly (readonly [AppendProblem['code'], number, string])[] = [
    ['unreachable', 503, 'log-unreachable'],
    ['unknown', 504, 'append-unknown'],
    ['refused', 507, 'log-refused'],
    ['corrupt', 503, 'log-corrupt'],
  ];
  test.each(troubles)('a log that says %s is %i %s', async (code, status, said) => {
    let isDown = true;
    const house = await openGatewayHouse([ci], ({ log }) => ({
      log: {
        ...log,
        append: async (partition, records) =>
          isDown ? fail({ code, message: 'down' }) : log.append(partition, records),
      },
    }));
    const record = await signed('ci', planned(), 'plan');
    const answer = await house.post(record);
    expect([answer.status, answer.json.code]).toEqual([status, said]);
    isDown = false;
    expect((await house.post(record)).json).toMatchObject({ delivery: 'stored', position: 2 });
  });

  test('without read models nothing is believed', async () => {
    const house = await openGatewayHouse([ci]);
    await house.store.close();
    const answer = await house.post(await signed('ci', planned(), 'plan'));
    expect([answer.status, answer.json.code]).toEqual([503, 'store-unreachable']);
    expect(await house.records()).toHaveLength(2);
  });
});
