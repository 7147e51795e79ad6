import { describe, expect, test } from 'vitest';
import { gateBytesMax } from '../../services/gateway/gate.ts';
import { faultsOf } from '../support/cli-schemas.ts';
import { canary, decides, decision } from '../support/decisions.ts';
import type { Answered, GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import type { Step } from '../support/given.ts';
import { fail } from '../../services/core/result.ts';
import { by, recordsOf, trusts } from '../support/given.ts';
import { failed, logged, operated, place, planned, run } from '../support/markers.ts';
import { value } from '../support/records.ts';

const after = async (...steps: readonly Step[]): Promise<GatewayHouse> =>
  openGatewayHouse([...canary, ...steps]);

const post = (house: GatewayHouse, body: unknown): Promise<Answered> =>
  house.send('POST', '/v1/gate', {
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const raise = (): never => {
  throw new Error('no record');
};

const byPlace = { environment: 'production', component: 'checkout' };

describe('the web provider of an AnalysisTemplate reads', () => {
  // A measurement takes one field of the answer by its jsonPath, and conditions are asked about it.
  const measured = async (house: GatewayHouse): Promise<unknown> =>
    (await post(house, { ...byPlace, version: '2.0.0' })).json.outcome;

  test.each([
    ['waiting', []],
    ['promote', [decides(decision('promote'))]],
    ['roll-back', [decides(decision('roll-back'))]],
    ['hold', [decides(decision('hold'))]],
    ['inconclusive', [decides(decision('hold', { stage: 'inconclusive', reason: 'deadline' }))]],
    ['waiting', [decides(decision('advance'))]],
    ['waiting', [decides(decision('promote', { mode: 'dry-run' }))]],
    ['ended', [decides(decision('promote')), by('ci', failed())]],
  ] as const)('%s', async (outcome, steps) => {
    expect(await measured(await after(...(await Promise.all([...steps]))))).toBe(outcome);
  });

  test('the whole answer, in the form of its schema', async () => {
    const house = await after(await decides(decision('roll-back')));
    const answer = await post(house, { deployment: run('7') });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
    expect(faultsOf('gate', answer.json)).toEqual([]);
    expect(answer.json).toMatchObject({
      outcome: 'roll-back',
      act: { act: 'roll-back', toVersion: '1.9.4' },
      decision: { position: 7 },
      refused: null,
    });
  });

  test('why the newest decision is not obeyed', async () => {
    const house = await after(
      await decides(decision('promote')),
      by('ops', operated('decisions-stopped', { reason: 'we look at it' })),
    );
    const { json } = await post(house, { deployment: run('7') });
    expect(faultsOf('gate', json)).toEqual([]);
    expect(json).toMatchObject({ outcome: 'waiting', refused: { code: 'stopped', position: 7 } });
  });

  test('nothing that was stopped since, though no projector has read so', async () => {
    const house = await after(await decides(decision('promote')));
    const { log, project } = house;
    const stop = operated('decisions-stopped', { reason: 'we look at it' });
    const records = await recordsOf(...canary, await decides(decision('promote')), by('ops', stop));
    value(await log.append(0, [records.at(-1) ?? raise()]));
    const behind = await post(house, { deployment: run('7') });
    expect([behind.status, behind.json.code]).toEqual([504, 'not-yet']);
    const one = await house.get('/v1/decisions/7');
    expect([one.status, one.json.code]).toEqual([504, 'not-yet']);
    await project();
    const { json } = await post(house, { deployment: run('7') });
    expect(json).toMatchObject({ outcome: 'waiting', refused: { code: 'stopped' } });
  });

  test('an error where the log cannot be asked whether anything was said since', async () => {
    const house = await openGatewayHouse(
      [...canary, await decides(decision('promote'))],
      (whole) => ({
        log: { ...whole.log, range: async () => fail({ code: 'unreachable', message: 'away' }) },
      }),
    );
    const answer = await post(house, { deployment: run('7') });
    expect([answer.status, answer.json.code]).toEqual([503, 'log-unreachable']);
  });

  test('of the place that is named, where a key for staging has planned the same id there', async () => {
    const house = await after(
      trusts('intern', { environments: ['staging'] }),
      by('intern', planned('2.0.0', { slot: place('staging'), attempt: 'intern' })),
      by('intern', failed({ attempt: 'intern' })),
      await decides(decision('promote')),
    );
    expect((await post(house, byPlace)).json).toMatchObject({ outcome: 'promote', attempt: 1 });
    const bare = await post(house, { deployment: run('7') });
    expect([bare.status, bare.json.code]).toEqual([409, 'deployment-ambiguous']);
    const asked = { deployment: run('7'), environment: 'production' };
    expect((await post(house, asked)).json.outcome).toBe('promote');
    const elsewhere = { deployment: run('7'), environment: 'staging' };
    expect((await post(house, elsewhere)).json.outcome).toBe('ended');
  });

  test('an error where nobody has planned such a deployment', async () => {
    const house = await after();
    for (const asked of [{ deployment: run('9') }, { ...byPlace, version: '3.0.0' }]) {
      const answer = await post(house, asked);
      expect([answer.status, answer.json.code]).toEqual([404, 'deployment-unknown']);
      expect(answer.json.hint).toContain('planned or running are checkout 2.0.0 in production;');
    }
    const elsewhere = await post(house, { deployment: run('7'), environment: 'test' });
    expect([elsewhere.status, elsewhere.json.detail]).toEqual([
      404,
      `${run('7')} was planned for default/production/checkout/, and not there`,
    ]);
  });
});

describe('a webhook of Flagger', () => {
  // The payload as its documentation gives it; what hook it is, its metadata must say.
  const hook = async (
    type: string,
    steps: readonly (Step | Promise<Step>)[],
    metadata: object = {},
  ): Promise<Answered> =>
    post(await after(...(await Promise.all(steps.map(async (step) => step)))), {
      name: 'checkout',
      namespace: 'test',
      phase: 'Progressing',
      metadata: {
        hook: type,
        environment: 'production',
        token: '16688eb5e9f289f1991c',
        ...metadata,
      },
    });

  const nothing: readonly Step[] = [];
  const promoted = [decides(decision('promote'))];
  const advanced = [decides(decision('advance'))];
  const rolledBack = [decides(decision('roll-back'))];
  const held = [decides(decision('hold'))];

  test.each([
    ['confirm-rollout', [200, 200, 200, 409, 200]],
    ['pre-rollout', [200, 200, 200, 409, 200]],
    ['rollout', [200, 200, 200, 409, 409]],
    ['confirm-traffic-increase', [409, 200, 200, 409, 409]],
    ['confirm-promotion', [409, 200, 409, 409, 409]],
    ['rollback', [409, 409, 409, 200, 409]],
    ['post-rollout', [200, 200, 200, 200, 200]],
    ['event', [200, 200, 200, 200, 200]],
  ])('%s: nothing, promote, advance, roll-back, hold', async (type, statuses) => {
    const answers = await Promise.all(
      [nothing, promoted, advanced, rolledBack, held].map((steps) => hook(type, steps)),
    );
    expect(answers.map(({ status }) => status)).toEqual(statuses);
  });

  test('gives no more traffic to a canary whose roll-back waits for people', async () => {
    const stopped = [
      ...rolledBack,
      by('ops', operated('decisions-stopped', { reason: 'we look' })),
    ];
    const answer = await hook('rollout', stopped);
    expect([answer.status, answer.json]).toMatchObject([409, { outcome: 'waiting' }]);
    const stoppedBefore = [
      ...promoted,
      by('ops', operated('decisions-stopped', { reason: 'look' })),
    ];
    expect((await hook('rollout', stoppedBefore)).status).toBe(200);
  });

  test('that is halted says why, for the events of the cluster', async () => {
    const answer = await hook('rollout', rolledBack);
    expect(answer.json).toMatchObject({
      code: 'gate-closed',
      outcome: 'roll-back',
      detail: 'the gate says roll-back: the canary fails more often than allowed',
    });
  });

  test('about a deployment that nobody has planned may begin, and not be promoted', async () => {
    const unknown = { component: 'cart' };
    expect((await hook('confirm-rollout', nothing, unknown)).status).toBe(200);
    expect((await hook('confirm-promotion', promoted, unknown)).status).toBe(409);
    const elsewhere = { deployment: run('7'), environment: 'test' };
    expect((await hook('confirm-rollout', nothing, elsewhere)).status).toBe(200);
    expect((await hook('confirm-promotion', promoted, elsewhere)).status).toBe(409);
    expect((await hook('rollback', rolledBack, unknown)).status).toBe(409);
  });

  test.each([
    ['event', 200],
    ['post-rollout', 200],
    ['confirm-promotion', 409],
    ['pre-rollout', 409],
  ])('%s about an id that is planned for two places', async (type, status) => {
    const house = await after(
      trusts('intern', { environments: ['staging'] }),
      by('intern', planned('2.0.0', { slot: place('staging'), attempt: 'intern' })),
    );
    const metadata = { hook: type, deployment: run('7') };
    const answer = await post(house, { name: 'checkout', phase: 'Progressing', metadata });
    expect(answer.status).toBe(status);
  });

  test('that does not say what it is is refused', async () => {
    const house = await after();
    const answer = await post(house, { name: 'checkout', namespace: 'test', phase: 'Progressing' });
    expect([answer.status, answer.json.code]).toEqual([422, 'field-invalid']);
    expect(answer.json.detail).toContain('metadata.hook');
  });
});

describe('what is asked badly is refused', () => {
  test.each([
    ['no JSON', 'outcome?', 400, 'body-malformed'],
    ['a list', '[]', 400, 'body-malformed'],
    ['nothing', '{}', 422, 'field-invalid'],
    ['an unknown field', { ...byPlace, enviroment: 'production' }, 422, 'field-invalid'],
    ['an id that is none', { deployment: '../7' }, 422, 'field-invalid'],
    ['a name of 129 characters', { component: 'x'.repeat(129) }, 422, 'field-invalid'],
    ['a name that is a number', { component: 7 }, 422, 'field-invalid'],
    ['a large body', `{"component":"${'x'.repeat(gateBytesMax)}"}`, 413, 'body-too-large'],
  ])('%s', async (_name, body, status, code) => {
    const answer = await post(await after(), body);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });

  test('by GET', async () => {
    expect((await (await after()).get('/v1/gate')).status).toBe(405);
  });
});

describe('GET /v1/decisions/{position}', () => {
  test('says whether it may be obeyed, and why not', async () => {
    const house = await after(await decides(decision('roll-back')));
    const { json } = await house.get('/v1/decisions/7');
    expect(json.item).toMatchObject({ act: { act: 'roll-back' }, refused: null });
    expect(faultsOf('decision', json.item.decision)).toEqual([]);
    const none = await house.get('/v1/decisions/3');
    expect(none.json.item).toMatchObject({
      decision: null,
      act: null,
      refused: { code: 'decision-unknown' },
    });
  });
});

describe('GET /v1/last-good', () => {
  test('names what succeeded before the present version', async () => {
    const house = await after(by('ci', logged('2.0.1')));
    const path = '/v1/last-good?environment=production&component=checkout';
    const { json } = await house.get(path);
    expect(faultsOf('last-good', json.item)).toEqual([]);
    expect(json.item).toMatchObject({ version: '1.9.4', present: { version: '2.0.1' } });
    expect((await house.get('/v1/last-good?component=cart')).status).toBe(404);
    expect((await house.get('/v1/last-good')).json.code).toBe('query-invalid');
  });
});
