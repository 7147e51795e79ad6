import { expect, test } from 'vitest';
import { openGatewayHouse } from '../support/gateway.ts';
import { by, signed, trusts } from '../support/given.ts';
import { id, operated } from '../support/markers.ts';

const operator = trusts('ops', { roles: ['operator'] });
const retention = operated('retention-set', { environment: 'pr-*', days: 3 });

test('an operation is taken as it was signed, and is about no deployment', async () => {
  const house = await openGatewayHouse([operator]);
  const record = await signed('ops', retention, 'set');
  const answer = await house.post(record);
  expect(answer.status).toBe(201);
  expect(answer.json).toEqual({
    deployment: null,
    attempt: null,
    marker: id('set'),
    kind: 'retention-set',
    delivery: 'stored',
    code: null,
    position: 2,
    warning: null,
  });
  await house.project();
  expect((await house.post(record)).json).toMatchObject({ delivery: 'duplicate', position: 2 });
  const listed = await house.get('/v1/operations?kind=retention-set');
  expect(listed.json.items).toMatchObject([{ position: 2, signer: 'ops', days: 3 }]);
  const others = await house.get('/v1/operations?kind=log-archived');
  expect(others.json.items).toEqual([]);
  const tiers = await house.get('/v1/retention');
  expect(tiers.json.items).toContainEqual(
    expect.objectContaining({ environment: 'pr-*', days: 3, signer: 'ops' }),
  );
});

test('whose signer may act in some places only is refused at the door', async () => {
  const house = await openGatewayHouse([
    trusts('ops', { roles: ['operator'], environments: ['staging'] }),
    trusts('ci'),
  ]);
  const answer = await house.post(await signed('ops', retention, 'set'));
  expect([answer.status, answer.json.code]).toEqual([403, 'out-of-scope']);
  const emitter = await house.post(await signed('ci', retention, 'set'));
  expect([emitter.status, emitter.json.code]).toEqual([403, 'role-missing']);
  expect(await house.records()).toHaveLength(3);
});

test('its marker id is no deployment: asked for it, the gateway says so', async () => {
  const house = await openGatewayHouse([operator, by('ops', retention, { marker: 'set' })]);
  await house.project();
  const answer = await house.get(`/v1/deployments/${id('set')}`);
  expect([answer.status, answer.json.detail]).toEqual([
    404,
    expect.stringContaining('no deployment'),
  ]);
});
