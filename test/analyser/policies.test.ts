import { describe, expect, test } from 'vitest';
import { openPolicies } from '../../services/analyser/policies.ts';
import { fail } from '../../services/core/result.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import type { GatewayHouse } from '../support/gateway.ts';
import type { Step } from '../support/given.ts';
import { by, recordsOf, trusts } from '../support/given.ts';
import { policySet } from '../support/markers.ts';
import { value } from '../support/records.ts';

const trusted: readonly Step[] = [trusts('ops', { roles: ['operator'] })];
const set = by('ops', policySet());

/** The log goes on as these steps have it, and the projector follows it at once. */
const goOn = async (house: GatewayHouse, steps: readonly Step[]): Promise<void> => {
  const all = await recordsOf(...steps);
  const known = (await house.records()).length;
  value(await house.log.append(0, all.slice(known)));
  await house.project();
};

describe('the policies in force', () => {
  test('are those that were set a moment before a canary begins', async () => {
    const house = await openGatewayHouse(trusted);
    const policies = openPolicies({ ...house.ports, policyFile: null });
    expect(await policies.inForce()).toBe(null);
    await goOn(house, [...trusted, set]);
    expect(await policies.inForce()).toMatchObject({ policies: [{ component: '*' }] });
  });

  test('are asked for again where the read models do not answer, not taken from before', async () => {
    const house = await openGatewayHouse([...trusted, set]);
    let isAway = false;
    const store: typeof house.store = {
      ...house.store,
      scan: async (...asked) =>
        isAway ? fail({ code: 'unreachable', message: 'away' }) : house.store.scan(...asked),
    };
    const policies = openPolicies({ ...house.ports, store, policyFile: null });
    const before = await policies.selection();
    isAway = true;
    await expect(policies.inForce()).rejects.toThrow('cannot be read: away');
    // What is copied is what was judged before: nothing of it is lost meanwhile.
    expect(await policies.selection()).toBe(before);
  });
});
