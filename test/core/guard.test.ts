import { describe, expect, test } from 'vitest';
import type { ApprovalRow, RecentRow, SlotGuardRow, StopsRow } from '../../services/core/guard.ts';
import {
  approvalKey,
  freezeOf,
  recentBefore,
  recentKey,
  slotGuardKey,
  slotRollBacksMax,
  stopOf,
  stopsKey,
  stopsMax,
  withRecent,
  withRollBack,
  withStop,
  withoutStop,
} from '../../services/core/guard.ts';
import type { OperationRow } from '../../services/core/operations.ts';
import { positionKey } from '../../services/core/read-models.ts';
import { by, given, openedAtMs, trusts } from '../support/given.ts';
import type { House } from '../support/given.ts';
import {
  decided as decidedAbout,
  operated,
  place,
  planned,
  run,
  started,
} from '../support/markers.ts';

const said = { position: 1, at: 0, principal: 'ops', key: 'k', reason: 'why' };

const fromDigest = `sha256:${'b'.repeat(64)}`;
const canary = [
  trusts('ops', { roles: ['operator'] }),
  trusts('analyser', { roles: ['analyser'] }),
  by('ci', planned('2.0.0', { digest: fromDigest })),
  by('ci', started()),
] as const;

const decided: typeof decidedAbout = (kind, over) => decidedAbout(kind, { fromDigest, ...over });

const effectAt = async (house: House, position: number): Promise<string> => {
  const row = await house.row<OperationRow>('operation', positionKey(position));
  return row?.effect?.refused[0]?.code ?? `done ${row?.effect?.done}`;
};
const slotRow = (house: House): Promise<SlotGuardRow | undefined> =>
  house.row<SlotGuardRow>('guard', slotGuardKey(place('production')));

describe('decisions are stopped', () => {
  test('everywhere or in some environments, until they are resumed by the same name', async () => {
    const house = await given(
      ...canary,
      by('ops', operated('decisions-stopped')),
      by('ops', operated('decisions-stopped', { environment: 'prod*' })),
      by('ops', operated('decisions-resumed')),
      by('ops', operated('decisions-resumed', { environment: 'production' })),
    );
    const row = await house.row<StopsRow>('guard', stopsKey);
    expect(row?.stops.map(({ environment }) => environment)).toEqual(['prod*']);
    expect(stopOf(row, place('production'))).toMatchObject({ position: 7, principal: 'ops' });
    expect(stopOf(row, place('staging'))).toBeUndefined();
    expect(await effectAt(house, 9)).toBe('not-stopped');
  });

  test('by nobody whose key is not for all of that', async () => {
    const house = await given(
      trusts('stage', { roles: ['operator'], environments: ['staging'] }),
      by('stage', operated('decisions-stopped')),
      by('stage', operated('decisions-stopped', { environment: 'production' })),
      by('stage', operated('decisions-stopped', { environment: 'staging' })),
    );
    expect(house.notes()).toEqual(['out-of-scope', 'out-of-scope', 'operation']);
  });

  test('and the stop of everything always finds room', () => {
    const full: StopsRow = {
      stops: Array.from({ length: stopsMax }, (_, index) => ({ environment: `${index}`, ...said })),
    };
    expect(withStop(full, { environment: 'one more', ...said })).toBeUndefined();
    expect(withStop(full, { environment: '7', ...said })?.stops).toHaveLength(stopsMax);
    expect(withStop(full, { environment: null, ...said })?.stops).toHaveLength(stopsMax + 1);
    expect(withoutStop(full, 'nobody')).toBeUndefined();
  });
});

describe('a roll-back that was decided', () => {
  test('is kept by its slot, and among those of the last hour', async () => {
    const house = await given(...canary, by('analyser', decided('roll-back')));
    expect(await slotRow(house)).toEqual({
      rollBacks: [
        { position: 6, at: openedAtMs + 6000, deployment: run('7'), attempt: 1, fromDigest },
      ],
      lifted: null,
    });
    expect(await house.row<RecentRow>('guard', recentKey)).toEqual({
      rollBacks: [{ position: 6, at: openedAtMs + 6000, component: 'checkout' }],
    });
  });

  test.each([
    ['a dry run', decided('roll-back', { mode: 'dry-run' })],
    ['one that asks and has no answer', decided('roll-back', { mode: 'ask' })],
    ['a hold', decided('hold')],
  ])('%s is none', async (_name, says) => {
    const house = await given(...canary, by('analyser', says));
    expect(await slotRow(house)).toBeUndefined();
  });

  test('said again counts once', async () => {
    const again = decided('roll-back', { windowIndex: 50 });
    const house = await given(
      ...canary,
      by('analyser', decided('roll-back')),
      by('analyser', again),
    );
    expect((await slotRow(house))?.rollBacks).toHaveLength(1);
  });

  test('freezes until it is lifted by its position', async () => {
    const house = await given(
      ...canary,
      by('analyser', decided('roll-back')),
      by('ops', operated('freeze-lifted', { positions: [5] })),
      by('ops', operated('freeze-lifted', { positions: [6] })),
      by('ops', operated('freeze-lifted', { positions: [6] })),
    );
    expect([await effectAt(house, 7), await effectAt(house, 8), await effectAt(house, 9)]).toEqual([
      'unknown',
      'done 1',
      'not-frozen',
    ]);
    const row = await slotRow(house);
    expect(row?.lifted).toMatchObject({ rollBack: 6, position: 8, principal: 'ops' });
    expect(freezeOf(row, null)).toBeUndefined();
    const later = withRollBack(row, {
      position: 10,
      at: 0,
      deployment: run('8'),
      attempt: 1,
      fromDigest: null,
    });
    expect(freezeOf(later, null)).toMatchObject({ position: 10 });
    expect(freezeOf(later, { deployment: run('8'), attempt: 2 })).toMatchObject({ position: 10 });
    expect(freezeOf(later, { deployment: run('8'), attempt: 1 })).toBeUndefined();
  });

  test('is lifted by nobody who may not act there', async () => {
    const house = await given(
      ...canary,
      trusts('stage', { roles: ['operator'], environments: ['staging'] }),
      by('analyser', decided('roll-back')),
      by('stage', operated('freeze-lifted', { positions: [7] })),
    );
    expect(await effectAt(house, 8)).toBe('out-of-scope');
    expect((await slotRow(house))?.lifted).toBeNull();
  });

  test('only so many are kept of a slot, and an hour of all', () => {
    let slot: SlotGuardRow | undefined;
    let recent: RecentRow | undefined;
    for (let position = 0; position < slotRollBacksMax + 5; position++) {
      const at = position * 600_000;
      slot = withRollBack(slot, {
        position,
        at,
        deployment: run('7'),
        attempt: 1,
        fromDigest: null,
      });
      recent = withRecent(recent, { position, at }, place('production'));
    }
    expect(slot?.rollBacks).toHaveLength(slotRollBacksMax);
    expect(recent?.rollBacks.map(({ position }) => position)).toEqual([19, 20, 21, 22, 23, 24]);
    expect(recentBefore(recent, { position: 24, at: 24 * 600_000 })).toHaveLength(5);
  });
});

describe('a decision that asks', () => {
  const asks = decided('roll-back', { mode: 'ask' });

  test('is approved or declined; the last word counts, and an approved roll-back counts from then', async () => {
    const house = await given(
      ...canary,
      by('analyser', asks),
      by('ops', operated('decision-declined', { positions: [6], reason: 'not now' })),
      by('ops', operated('decision-approved', { positions: [6] })),
      by('ops', operated('decision-approved', { positions: [6] })),
    );
    expect(await house.row<ApprovalRow>('guard', approvalKey(6))).toMatchObject({
      decision: 6,
      answer: 'approved',
      position: 9,
      principal: 'ops',
    });
    expect((await slotRow(house))?.rollBacks).toEqual([
      { position: 6, at: openedAtMs + 8000, deployment: run('7'), attempt: 1, fromDigest },
    ]);
  });

  test.each([
    ['one that does not ask', decided('roll-back'), 'not-asked'],
    ['a renewal', decided('roll-back', { mode: 'ask', windowIndex: 50 }), 'decision-not-standing'],
  ])('%s is not answered', async (_name, says, code) => {
    const house = await given(
      ...canary,
      ...(code === 'not-asked' ? [] : [by('analyser', asks)]),
      by('analyser', says),
      by('ops', operated('decision-approved', { positions: [code === 'not-asked' ? 6 : 7] })),
    );
    expect(await effectAt(house, code === 'not-asked' ? 7 : 8)).toBe(code);
    expect(await house.row('guard', approvalKey(6))).toBeUndefined();
  });

  test('is answered by nobody who may not act there', async () => {
    const house = await given(
      ...canary,
      trusts('stage', { roles: ['operator'], environments: ['staging'] }),
      by('analyser', asks),
      by('stage', operated('decision-approved', { positions: [7] })),
      by('ops', operated('decision-approved', { positions: [99] })),
    );
    expect([await effectAt(house, 8), await effectAt(house, 9)]).toEqual([
      'out-of-scope',
      'unknown',
    ]);
    expect(await house.row('guard', approvalKey(7))).toBeUndefined();
  });
});
