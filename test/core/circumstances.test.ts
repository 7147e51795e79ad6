import { describe, expect, test } from 'vitest';
import type { CircumstanceRow, NotedRow } from '../../services/core/circumstances.ts';
import { notedDeploymentKey, notedSlotKey } from '../../services/core/circumstances.ts';
import type { FreezesRow } from '../../services/core/guard.ts';
import { placeFreezeOf } from '../../services/core/guard.ts';
import { positionKey } from '../../services/core/read-models.ts';
import type { House, Step } from '../support/given.ts';
import { again, by, given, trusts } from '../support/given.ts';
import {
  canceled,
  changed,
  frozen,
  labelled,
  noDetails,
  operated,
  place,
  planned,
  run,
  started,
} from '../support/markers.ts';
import type { Said } from '../support/markers.ts';

// What is said of a place beside its deployments.

const ci = (...says: readonly Said[]): readonly Step[] => says.map((one) => by('ci', one));

const factAt = ({ row }: House, position: number): Promise<CircumstanceRow | undefined> =>
  row<CircumstanceRow>('circumstance', positionKey(position));
const notedIn = ({ row }: House, slot = place('production')): Promise<NotedRow | undefined> =>
  row<NotedRow>('noted', notedSlotKey(slot));
const notedOf = ({ row }: House, name = '7'): Promise<NotedRow | undefined> =>
  row<NotedRow>('noted', notedDeploymentKey(run(name)));
const labelsOf = (noted: NotedRow | undefined): readonly string[] =>
  (noted?.labels ?? []).map(({ name, value, position }) => `${name}:${value} at ${position}`);

describe('a change', () => {
  test('is a row that says what changed, where, when and by whom', async () => {
    const said = changed('flag-changed', 'new-basket', {
      fromVersion: '6',
      toVersion: '7',
      url: 'https://flags.example/new-basket',
      details: { ...noDetails, actor: 'mia', tickets: ['CHG-1'] },
    });
    const house = await given(by('ci', said, { waitedMs: 400 }));
    expect(house.notes()).toEqual(['circumstance']);
    expect(await factAt(house, 2)).toMatchObject({
      position: 2,
      kind: 'flag-changed',
      slot: place('production'),
      deployment: null,
      name: 'new-basket',
      fromVersion: '6',
      toVersion: '7',
      url: 'https://flags.example/new-basket',
      details: { actor: 'mia', tickets: ['CHG-1'] },
      at: 1_795_255_201_600,
      waitedMs: 400,
      principal: 'ci',
      note: 'applied',
      ended: null,
    });
  });

  test('moves no deployment, and opens none', async () => {
    const before = await given(...ci(planned(), started()));
    const after = await given(
      ...ci(planned(), started(), changed('config-changed', 'limits', { deployment: run('7') })),
    );
    expect(await after.timeline()).toEqual(await before.timeline());
    expect(await after.current()).toEqual(await before.current());
    expect(await after.deployment()).toEqual(await before.deployment());
  });

  test('of a deployment that is known is noted with it; of one that nobody knows it is kept all the same', async () => {
    const house = await given(
      ...ci(
        planned(),
        changed('incident-opened', 'INC-1', { deployment: run('7') }),
        changed('incident-opened', 'INC-2', { deployment: run('nobody') }),
      ),
    );
    expect(house.notes()).toEqual(['applied', 'circumstance', 'circumstance']);
    expect((await notedOf(house))?.recent).toEqual([3]);
    expect(await notedOf(house, 'nobody')).toBeUndefined();
    expect(await factAt(house, 4)).toMatchObject({ deployment: run('nobody') });
  });

  test.each([
    ['where the key may not act', { environments: ['staging'] }, { deployment: null }],
    [
      'of a deployment that was planned where the key may not act',
      { environments: ['staging'] },
      { deployment: run('7'), slot: place('staging') },
    ],
  ])('%s is not accepted', async (_sentence, scope, over) => {
    const house = await given(
      by('ci', planned()),
      trusts('stage', scope),
      by('stage', changed('flag-changed', 'new-basket', over)),
    );
    expect(house.notes()).toEqual(['applied', 'out-of-scope']);
  });

  test('that is sent again is one; with other content it is a conflict, and the first stays', async () => {
    const house = await given(
      by('ci', changed('flag-changed', 'new-basket', { toVersion: '7' }), { marker: 'one' }),
      again(2),
      by('ci', changed('flag-changed', 'new-basket', { toVersion: '8' }), { marker: 'one' }),
    );
    expect(house.notes()).toEqual(['circumstance', 'duplicate', 'conflict']);
    expect(await factAt(house, 2)).toMatchObject({ toVersion: '7' });
  });

  test('counts as one of the numbers of its producer', async () => {
    const house = await given(
      ...ci(
        planned('2.0.0', { producer: 'laptop', sequence: 1 }),
        changed('flag-changed', 'new-basket', { producer: 'laptop', sequence: 2 }),
        started({ producer: 'laptop', sequence: 3 }),
      ),
    );
    const rows = (await house.dump()).filter((line) => line.startsWith('producer\n'));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toContain('"highest":3');
    expect(rows[0]).not.toContain('"missing":[[');
  });
});

describe('incidents and migrations', () => {
  test('go on until they are ended by their name', async () => {
    const opened = ci(
      changed('incident-opened', 'INC-1'),
      changed('incident-opened', 'INC-2'),
      changed('migration-started', 'add-column'),
    );
    const open = await notedIn(await given(...opened));
    expect(open?.open.map(({ what, name }) => `${what} ${name}`)).toEqual([
      'incident INC-1',
      'incident INC-2',
      'migration add-column',
    ]);
    const house = await given(
      ...opened,
      ...ci(changed('incident-resolved', 'INC-1'), changed('migration-finished', 'add-column')),
    );
    expect((await notedIn(house))?.open.map(({ name }) => name)).toEqual(['INC-2']);
    expect((await factAt(house, 2))?.ended).toMatchObject({ position: 5 });
    expect((await factAt(house, 3))?.ended).toBeNull();
  });

  test.each([
    ['opened twice is open once', ['incident-opened', 'incident-opened'], ['applied', 'repeat'], 1],
    ['of which nobody knew ends nothing', ['incident-resolved'], ['unmatched'], 0],
    [
      'resolved twice is resolved once',
      ['incident-opened', 'incident-resolved', 'incident-resolved'],
      ['applied', 'applied', 'unmatched'],
      0,
    ],
    [
      'opened again after its end goes on again',
      ['incident-opened', 'incident-resolved', 'incident-opened'],
      ['applied', 'applied', 'applied'],
      1,
    ],
    [
      'of one kind are not ended by the other',
      ['incident-opened', 'migration-finished'],
      ['applied', 'unmatched'],
      1,
    ],
  ] as const)('%s', async (_sentence, kinds, notes, open) => {
    const house = await given(...ci(...kinds.map((kind) => changed(kind, 'one'))));
    const facts = await Promise.all(kinds.map((_, index) => factAt(house, index + 2)));
    expect(facts.map((fact) => fact?.note)).toEqual(notes);
    expect((await notedIn(house))?.open).toHaveLength(open);
  });

  test('in another place end nothing here', async () => {
    const house = await given(
      ...ci(
        changed('incident-opened', 'INC-1'),
        changed('incident-resolved', 'INC-1', { slot: place('staging') }),
      ),
    );
    expect((await notedIn(house))?.open).toHaveLength(1);
  });
});

test('an end that waited ends nothing that began after it', async () => {
  const house = await given(
    by('ci', changed('incident-opened', 'INC-1'), { at: 20 }),
    by('ci', changed('incident-resolved', 'INC-1'), { at: 60, waitedMs: 50_000 }),
    by('ci', changed('incident-resolved', 'INC-1'), { at: 70, waitedMs: 45_000 }),
  );
  expect((await factAt(house, 3))?.note).toBe('unmatched');
  expect((await factAt(house, 4))?.note).toBe('applied');
  expect((await factAt(house, 2))?.ended?.position).toBe(4);
  expect((await notedIn(house))?.open).toEqual([]);
});

describe('an opening that comes after its end', () => {
  test.each([
    ['incident', 'incident-opened', 'incident-resolved'],
    ['migration', 'migration-started', 'migration-finished'],
  ] as const)('%s: is over when it comes', async (_what, begin, end) => {
    const house = await given(
      by('ci', changed(end, 'one'), { at: 30 }),
      by('ci', changed(begin, 'one'), { at: 60, waitedMs: 50_000 }),
    );
    expect((await factAt(house, 3))?.ended).toMatchObject({ position: 2 });
    expect((await factAt(house, 2))?.note).toBe('applied');
    expect((await notedIn(house))?.open).toEqual([]);
  });

  test('goes on where it was opened after that end', async () => {
    const house = await given(
      by('ci', changed('incident-resolved', 'INC-1'), { at: 30 }),
      by('ci', changed('incident-opened', 'INC-1'), { at: 60, waitedMs: 20_000 }),
    );
    expect((await factAt(house, 2))?.note).toBe('unmatched');
    expect((await notedIn(house))?.open.map(({ name }) => name)).toEqual(['INC-1']);
  });

  test('moves the end of what was opened before to what ended it first', async () => {
    const house = await given(
      by('ci', changed('incident-opened', 'INC-1'), { at: 10 }),
      by('ci', changed('incident-resolved', 'INC-1'), { at: 40 }),
      by('ci', changed('incident-resolved', 'INC-1'), { at: 60, waitedMs: 40_000 }),
    );
    expect((await factAt(house, 2))?.ended).toMatchObject({ position: 4 });
    expect((await factAt(house, 3))?.note).toBe('unmatched');
  });
});

describe('a label', () => {
  test('is on the deployment that it names, and the last word on a name counts', async () => {
    const about = { deployment: run('7') };
    const house = await given(
      ...ci(
        planned(),
        labelled({ team: 'red', tier: '1' }, about),
        labelled({ team: 'blue' }, about),
      ),
    );
    expect(labelsOf(await notedOf(house))).toEqual(['tier:1 at 3', 'team:blue at 4']);
    expect(labelsOf(await notedIn(house))).toEqual([]);
  });

  test('that waited does not replace a later word on its name', async () => {
    const house = await given(
      by('ci', labelled({ tier: 'new' }), { at: 30 }),
      by('ci', labelled({ tier: 'old', team: 'red' }), { at: 60, waitedMs: 40_000 }),
    );
    expect(labelsOf(await notedIn(house))).toEqual(['tier:new at 2', 'team:red at 3']);
  });

  test('without a deployment is on what stands in the slot', async () => {
    const house = await given(...ci(labelled({ team: 'red' })));
    expect(labelsOf(await notedIn(house))).toEqual(['team:red at 2']);
  });

  test('of a deployment that nobody knows is not accepted', async () => {
    const house = await given(...ci(labelled({ team: 'red' }, { deployment: run('nobody') })));
    expect(house.notes()).toEqual(['deployment-unknown']);
  });

  test('stands beside nineteen others, and no more', async () => {
    const many = (from: number, to: number): { readonly [name: string]: string } =>
      Object.fromEntries(
        Array.from({ length: to - from }, (_, index) => [`label-${from + index}`, 'x']),
      );
    const house = await given(
      ...ci(labelled(many(0, 15)), labelled(many(10, 20)), labelled({ more: 'x' })),
    );
    expect(house.notes()).toEqual(['circumstance', 'circumstance', 'labels-full']);
    expect((await notedIn(house))?.labels).toHaveLength(20);
  });

  test('goes with the deployment when that is forgotten', async () => {
    const house = await given(
      trusts('ops', { roles: ['operator'] }),
      ...ci(planned(), labelled({ team: 'red' }, { deployment: run('7') })),
      by('ci', canceled()),
      by('ops', operated('retention-set', { environment: '*', days: 1 })),
      by('ops', operated('deployments-forgotten', { deployments: [run('7')] }), { at: 900_000 }),
    );
    expect(await house.row('deployment', run('7'))).toBeUndefined();
    expect(await notedOf(house)).toBeUndefined();
  });
});

describe('a freeze', () => {
  const ops = trusts('ops', { roles: ['operator'] });
  const freezesIn = ({ row }: House): Promise<FreezesRow | undefined> =>
    row<FreezesRow>('guard', 'freezes');

  test('is said by operators alone', async () => {
    const house = await given(ops, by('ci', frozen()), by('ops', frozen()));
    expect(house.notes()).toEqual(['role-missing', 'circumstance']);
  });

  test.each([
    ['its place', place('production'), place('production'), true],
    ['every target of its place', place('production'), place('production', 'checkout', 'eu'), true],
    [
      'the one target that it names',
      place('production', 'checkout', 'eu'),
      place('production', 'checkout', 'us'),
      false,
    ],
    [
      'where there is no target, none that it names',
      place('production', 'checkout', 'eu'),
      place('production'),
      false,
    ],
    ['every component', place('production', '*'), place('production', 'basket'), true],
    ['environments by their beginning', place('prod*', '*'), place('production'), true],
    ['no other environment', place('production', '*'), place('staging'), false],
  ])('covers %s', async (_what, slot, asked, covers) => {
    const house = await given(ops, by('ops', frozen({ slot })));
    expect(placeFreezeOf(await freezesIn(house), asked) !== undefined).toBe(covers);
  });

  test('is lifted by its position, and its row says so', async () => {
    const house = await given(
      ops,
      by('ops', frozen()),
      by('ops', operated('freeze-lifted', { positions: [2] })),
    );
    expect(house.notes()).toEqual(['circumstance', 'operation']);
    expect(await freezesIn(house)).toEqual({ freezes: [] });
    expect((await factAt(house, 2))?.ended).toMatchObject({ position: 3 });
  });

  test('of another person stands on', async () => {
    const house = await given(
      ops,
      trusts('boss', { roles: ['operator'] }),
      by('ops', frozen()),
      by('boss', frozen({ reason: 'an audit' })),
      by('ops', operated('freeze-lifted', { positions: [3] })),
    );
    expect((await freezesIn(house))?.freezes.map(({ reason }) => reason)).toEqual(['an audit']);
  });

  test('of the same person and place is said once, with the newest reason', async () => {
    const house = await given(
      ops,
      by('ops', frozen()),
      by('ops', frozen({ reason: 'still' })),
      by('ops', operated('freeze-lifted', { positions: [2] })),
    );
    expect((await freezesIn(house))?.freezes.map(({ reason }) => reason)).toEqual(['still']);
    const effect = await house.row<{ effect: unknown }>('operation', positionKey(4));
    expect(effect?.effect).toEqual({ done: 0, refused: [{ code: 'not-frozen', count: 1 }] });
  });

  test.each([
    ['said', 'out-of-scope', [by('narrow', frozen({ slot: place('prod*') }))]],
    [
      'lifted',
      'operation',
      [
        by('ops', frozen({ slot: place('prod*') })),
        by('narrow', operated('freeze-lifted', { positions: [3] })),
      ],
    ],
  ] as const)('of more places than the key is for is not %s by it', async (_what, note, steps) => {
    const house = await given(
      ops,
      trusts('narrow', { roles: ['operator'], environments: ['production'] }),
      ...steps,
    );
    expect(house.notes().at(-1)).toBe(note);
    expect((await freezesIn(house))?.freezes ?? []).toHaveLength(note === 'operation' ? 1 : 0);
  });
});
