import { describe, expect, test } from 'vitest';
import { openGatewayHouse } from '../support/gateway.ts';
import { signed, trusts } from '../support/given.ts';
import { planned } from '../support/markers.ts';
import { drawn } from '../support/secrets/drawn.ts';

const token = `ghp_${drawn(6).text(36)}`;

describe('a signed marker that holds a secret', () => {
  test('is refused with its field and kind, and what was refused is nowhere repeated', async () => {
    const house = await openGatewayHouse([trusts('ci')]);
    const before = (await house.records()).length;
    const record = await signed('ci', planned('2.0.0', { name: `deploy ${token}` }), 'plan');
    const answer = await house.post(record);
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({
      code: 'secret-found',
      detail: 'name holds what looks like a secret (github-token)',
    });
    expect(JSON.stringify(answer)).not.toContain(token);
    expect((await house.records()).length).toBe(before);
  });

  test('with digests, commits and UUIDs alone it is taken', async () => {
    const house = await openGatewayHouse([trusts('ci')]);
    const answer = await house.post(await signed('ci', planned(), 'plan'));
    expect(answer.status).toBe(201);
  });
});
