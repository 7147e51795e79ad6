import { describe, expect, test } from 'vitest';
import type { OperationKind } from '../../services/core/markers/marker.ts';
import { parseMarker } from '../../services/core/markers/parse-marker.ts';
import type { Body } from '../../services/core/markers/upcast.ts';
import type { OperationRow } from '../../services/core/operations.ts';
import { positionKey } from '../../services/core/read-models.ts';
import { again, by, given, keyOf, trusts } from '../support/given.ts';
import type { House } from '../support/given.ts';
import { id, operated, planned, run } from '../support/markers.ts';

const operator = trusts('ops', { roles: ['operator'] });
const retention = (days: number): ReturnType<typeof operated> =>
  operated('retention-set', { environment: 'pr-*', days });

const operationAt = ({ row }: House, position: number): Promise<OperationRow | undefined> =>
  row<OperationRow>('operation', positionKey(position));

describe('an operation', () => {
  test('becomes a row that says who did what, and why', async () => {
    const house = await given(operator, by('ops', retention(14), { marker: 'keep' }));
    expect(house.notes()).toEqual(['operation']);
    expect(await operationAt(house, 2)).toEqual({
      position: 2,
      marker: id('keep'),
      kind: 'retention-set',
      at: 1_795_255_202_000,
      occurredAt: 1_795_255_202_000,
      principal: 'ops',
      key: keyOf('ops').keyId,
      source: '/pipelines/ops',
      reason: 'the test asks for it',
      generation: null,
      from: null,
      to: null,
      positions: [],
      deployments: [],
      environment: 'pr-*',
      days: 14,
      digest: null,
      counts: [],
      note: null,
      effect: { done: 1, refused: [] },
    });
  });

  test('that is sent again is one operation', async () => {
    const house = await given(operator, by('ops', retention(14)), again(2));
    expect(house.notes()).toEqual(['operation', 'duplicate']);
    expect(await operationAt(house, 3)).toBeUndefined();
  });

  test('whose marker id comes again with other content is a conflict, and the first stays', async () => {
    const house = await given(
      operator,
      by('ops', retention(14), { marker: 'keep' }),
      by('ops', retention(1), { marker: 'keep' }),
    );
    expect(house.notes()).toEqual(['operation', 'conflict']);
    expect(await operationAt(house, 2)).toMatchObject({ days: 14 });
    expect(await operationAt(house, 3)).toBeUndefined();
  });

  test('needs the role operator, and its kind in the key', async () => {
    const house = await given(
      trusts('ci'),
      trusts('archivist', { roles: ['operator'], kinds: ['log-*'] }),
      by('ci', retention(14)),
      by('archivist', retention(14)),
      by('archivist', operated('log-archived', { from: 0, to: 3, digest: 'a'.repeat(64) })),
    );
    expect(house.notes()).toEqual(['role-missing', 'kind-not-allowed', 'operation']);
  });

  test('of the same id as a deployment marker of the same key holds that deployment', async () => {
    const house = await given(
      trusts('ops', { roles: ['operator', 'emitter'] }),
      by('ops', planned(), { marker: 'one id' }),
      by('ops', retention(14), { marker: 'one id' }),
    );
    expect(house.notes()).toEqual(['applied', 'conflict']);
    expect((await house.deployment()).conflicts).toHaveLength(1);
  });
});

const said: { readonly [Kind in OperationKind]: Body } = {
  'generation-begun': { generation: 'g2', from: 0 },
  'generation-paused': { generation: 'g2', from: 0, to: 5 },
  'generation-built': { generation: 'g2', from: 0, to: 9, digest: 'a'.repeat(64) },
  'generation-switched': { generation: 'g2' },
  'generation-dropped': { generation: 'g1' },
  'letters-redriven': { positions: [3, 7] },
  'letters-discarded': { positions: [3] },
  'retention-set': { environment: 'pr-*', days: 14 },
  'deployments-forgotten': { deployments: [run('7')] },
  'log-archived': { from: 0, to: 9, digest: 'a'.repeat(64) },
  'log-sealed': { to: 9, digest: 'a'.repeat(64) },
  'log-continued': { to: 9, digest: 'a'.repeat(64) },
  'decisions-stopped': { environment: 'prod*' },
  'decisions-resumed': {},
  'freeze-lifted': { positions: [7] },
  'decision-approved': { positions: [7] },
  'decision-declined': { positions: [7] },
};
const kindsOfOperation = Object.keys(said) as readonly OperationKind[];

const refused = (kind: OperationKind, over: Body): string | undefined => {
  const envelope = { marker: id('op'), audience: 'local', source: '/ops', occurredAt: 1 };
  const parsed = parseMarker('operation', {
    ...operated(kind, said[kind]),
    ...envelope,
    ...over,
  });
  return parsed.ok ? undefined : parsed.problem.path;
};

describe('the door', () => {
  test.each(kindsOfOperation)('takes a %s with the fields of its kind', (kind) => {
    expect(refused(kind, {})).toBeUndefined();
    expect(
      refused(kind, { note: 'why not', counts: [{ name: 'rows', value: 3 }] }),
    ).toBeUndefined();
  });

  test.each(kindsOfOperation)('asks a %s for its reason', (kind) => {
    expect(refused(kind, { reason: ' ' })).toBe('reason');
  });

  const strange: Body = {
    generation: 'g2',
    from: 0,
    to: 9,
    positions: [1],
    deployments: [run('7')],
    environment: 'production',
    days: 3,
    digest: 'b'.repeat(64),
  };
  const mayHave: { readonly [Kind in OperationKind]: readonly string[] } = {
    'generation-begun': ['generation', 'from', 'to', 'digest'],
    'generation-paused': ['generation', 'from', 'to', 'digest'],
    'generation-built': ['generation', 'from', 'to', 'digest'],
    'generation-switched': ['generation', 'from', 'to', 'digest'],
    'generation-dropped': ['generation', 'from', 'to', 'digest'],
    'letters-redriven': ['positions'],
    'letters-discarded': ['positions'],
    'retention-set': ['environment', 'days'],
    'deployments-forgotten': ['deployments', 'environment', 'to'],
    'log-archived': ['from', 'to', 'digest'],
    'log-sealed': ['to', 'digest'],
    'log-continued': ['to', 'digest'],
    'decisions-stopped': ['environment'],
    'decisions-resumed': ['environment'],
    'freeze-lifted': ['positions'],
    'decision-approved': ['positions'],
    'decision-declined': ['positions'],
  };
  test.each(
    kindsOfOperation.flatMap((kind) =>
      Object.keys(strange)
        .filter((field) => !mayHave[kind].includes(field))
        .map((field) => [kind, field] as const),
    ),
  )('lets no %s say %s', (kind, field) => {
    expect(refused(kind, { [field]: strange[field] })).toBe(field);
  });

  test.each<readonly [OperationKind, string, unknown]>([
    ['generation-begun', 'generation', null],
    ['generation-built', 'generation', null],
    ['generation-built', 'generation', '../g2'],
    ['generation-built', 'digest', 'a'],
    ['letters-redriven', 'positions', []],
    ['letters-redriven', 'positions', [7, 3]],
    ['letters-redriven', 'positions', [3, 3]],
    ['letters-redriven', 'positions', [-1]],
    ['letters-redriven', 'positions', Array.from({ length: 101 }, (_, index) => index)],
    ['letters-discarded', 'positions', []],
    ['retention-set', 'environment', null],
    ['retention-set', 'environment', 'pr-*-x'],
    ['retention-set', 'environment', ''],
    ['retention-set', 'days', null],
    ['retention-set', 'days', 0],
    ['retention-set', 'days', 36_501],
    ['deployments-forgotten', 'deployments', []],
    ['deployments-forgotten', 'deployments', [run('7'), run('7')]],
    ['deployments-forgotten', 'deployments', ['run-7']],
    [
      'deployments-forgotten',
      'deployments',
      Array.from({ length: 201 }, (_, index) => run(`${index}`)),
    ],
    ['decisions-stopped', 'environment', 'a*b'],
    ['decision-approved', 'positions', [3, 4]],
    ['decision-approved', 'positions', []],
    ['log-archived', 'from', null],
    ['log-archived', 'to', null],
    ['log-archived', 'digest', null],
    ['log-archived', 'counts', [{ name: '', value: 1 }]],
    ['log-archived', 'counts', [{ name: 'rows', value: -1 }]],
    ['log-archived', 'deployment', run('7')],
    ['log-archived', 'note', 'x'.repeat(2001)],
  ])('refuses a %s whose %s is %j', (kind, field, value) => {
    expect(refused(kind, { [field]: value })).toBe(field);
  });

  test('refuses a range that ends before it begins', () => {
    expect(refused('log-archived', { from: 10, to: 9 })).toBe('to');
    expect(refused('log-archived', { from: 9, to: 9 })).toBeUndefined();
  });
});
