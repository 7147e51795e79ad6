import { expect, test } from 'vitest';
import { openGatewayHouse } from '../support/gateway.ts';
import { by, signed, trusts } from '../support/given.ts';
import { id, policySet } from '../support/markers.ts';

const operator = trusts('ops', { roles: ['operator'] });

test('a signed document of policies is taken, listed, and given out', async () => {
  const house = await openGatewayHouse([operator]);
  const record = await signed('ops', policySet(), 'set');
  const answer = await house.post(record);
  expect([answer.status, answer.json]).toMatchObject([
    201,
    { deployment: null, marker: id('set'), kind: 'policy-set', delivery: 'stored', position: 2 },
  ]);
  await house.project();
  expect((await house.post(record)).json).toMatchObject({ delivery: 'duplicate', position: 2 });
  const listed = await house.get('/v1/policies');
  expect(listed.json.items).toMatchObject([
    { position: 2, signer: 'ops', digest: policySet()['digest'] },
  ]);
  expect(listed.json.items).not.toMatchObject([{ document: expect.anything() as unknown }]);
  const shown = await house.get('/v1/policies/2');
  expect(shown.json['item']).toMatchObject({
    position: 2,
    document: { version: 2, policies: [{ component: '*', environment: '*' }] },
  });
  expect((await house.get('/v1/policies/1')).status).toBe(404);
});

test('one of an operator of some places, of a pipeline, or with another digest is refused at the door', async () => {
  const house = await openGatewayHouse([
    operator,
    trusts('some', { roles: ['operator'], environments: ['staging'] }),
    trusts('ci'),
    by('ops', policySet()),
  ]);
  const codes = await Promise.all(
    [
      await signed('some', policySet(), 'a'),
      await signed('ci', policySet(), 'b'),
      await signed('ops', policySet(undefined, { digest: 'a'.repeat(64) }), 'c'),
    ].map(async (record) => {
      const { status, json } = await house.post(record);
      return [status, json.code];
    }),
  );
  expect(codes).toEqual([
    [403, 'out-of-scope'],
    [403, 'role-missing'],
    [422, 'field-invalid'],
  ]);
});
