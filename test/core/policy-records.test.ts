import { describe, expect, test } from 'vitest';
import type { Body } from '../../services/core/markers/upcast.ts';
import { policyDocumentBytesMax } from '../../services/core/markers/limits.ts';
import { parseMarker } from '../../services/core/markers/parse-marker.ts';
import type { OperationRow } from '../../services/core/operations.ts';
import type { PolicyRow } from '../../services/core/policy-records.ts';
import { positionKey } from '../../services/core/read-models.ts';
import { again, by, given, keyOf, openedAtMs, trusts } from '../support/given.ts';
import { id, planned, policySet } from '../support/markers.ts';

const operator = trusts('ops', { roles: ['operator'] });
const strict = '{"policies":[{"component":"*","environment":"*","preset":"strict"}],"version":2}';

describe('a document of policies on the log', () => {
  test('becomes a row that holds it and says who set it, why and when', async () => {
    const house = await given(operator, by('ops', policySet(strict), { marker: 'set' }));
    expect(house.notes()).toEqual(['operation']);
    expect(await house.row<PolicyRow>('policy', positionKey(2))).toEqual({
      position: 2,
      marker: id('set'),
      at: 1_795_255_202_000,
      occurredAt: 1_795_255_202_000,
      principal: 'ops',
      key: keyOf('ops').keyId,
      source: '/pipelines/ops',
      reason: 'the test asks for it',
      digest: policySet(strict)['digest'],
      document: strict,
    });
  });

  test('counts from when the log has it, however long it is said to have waited', async () => {
    const waited = { at: 120, waitedMs: 110_000 };
    const house = await given(operator, by('ops', policySet(strict), waited));
    expect(house.notes()).toEqual(['operation']);
    expect(await house.row<PolicyRow>('policy', positionKey(2))).toMatchObject({
      at: openedAtMs + 120_000,
      occurredAt: openedAtMs + 10_000,
    });
    expect(await house.row<OperationRow>('operation', positionKey(2))).toMatchObject({
      at: openedAtMs + 120_000,
    });
  });

  test('stands among what operators did, without its text', async () => {
    const house = await given(operator, by('ops', policySet(strict)));
    const row = await house.row<OperationRow>('operation', positionKey(2));
    expect(row).toMatchObject({
      kind: 'policy-set',
      digest: policySet(strict)['digest'],
      effect: null,
    });
    expect(row).not.toHaveProperty('document');
  });

  test('leaves those before it where they are', async () => {
    const house = await given(operator, by('ops', policySet()), by('ops', policySet(strict)));
    expect(await house.row<PolicyRow>('policy', positionKey(2))).toMatchObject({
      document: policySet()['document'],
    });
    expect(await house.row<PolicyRow>('policy', positionKey(3))).toMatchObject({
      document: strict,
    });
  });

  test('that is sent again is one', async () => {
    const house = await given(operator, by('ops', policySet()), again(2));
    expect(house.notes()).toEqual(['operation', 'duplicate']);
    expect(await house.row('policy', positionKey(3))).toBeUndefined();
  });

  test('is not accepted of a pipeline, of an operator of some places, or with another digest', async () => {
    const house = await given(
      trusts('ci'),
      trusts('some', { roles: ['operator'], environments: ['staging'] }),
      operator,
      by('ci', policySet()),
      by('some', policySet()),
      by('ops', policySet(strict, { digest: 'a'.repeat(64) })),
    );
    expect(house.notes()).toEqual(['role-missing', 'out-of-scope', 'field-invalid']);
    expect(await house.row('policy', positionKey(6))).toBeUndefined();
  });

  test('that this release cannot read is kept: a newer one may', async () => {
    const newer = '{"policies":[],"version":3}';
    const house = await given(operator, by('ops', policySet(newer)));
    expect(await house.row<PolicyRow>('policy', positionKey(2))).toMatchObject({ document: newer });
  });

  test('moves no deployment, and its id is its own', async () => {
    const house = await given(
      trusts('ops', { roles: ['operator', 'emitter'] }),
      by('ops', planned(), { marker: 'one id' }),
      by('ops', policySet(), { marker: 'one id' }),
    );
    expect(house.notes()).toEqual(['applied', 'conflict']);
    expect((await house.deployment()).conflicts).toHaveLength(1);
  });
});

describe('the door', () => {
  const faultOf = (over: Body): string | undefined => {
    const envelope = { marker: id('set'), audience: 'local', source: '/ops', occurredAt: 1 };
    const parsed = parseMarker('policy', { ...policySet(), ...envelope, ...over });
    return parsed.ok ? undefined : parsed.problem.path;
  };

  test('takes a document, a reason and a digest', () => {
    expect(faultOf({})).toBeUndefined();
    expect(faultOf({ document: 'x'.repeat(policyDocumentBytesMax) })).toBeUndefined();
  });

  test.each([
    ['reason', ' '],
    ['document', ''],
    ['document', 'x'.repeat(policyDocumentBytesMax + 1)],
    ['digest', 'A'.repeat(64)],
    ['digest', ''],
    ['deployment', id('7', 8)],
  ])('refuses the %s %j', (path, value) => {
    expect(faultOf({ [path]: value })).toBe(path);
  });
});
