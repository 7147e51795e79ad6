import { describe, expect, test } from 'vitest';
import type { OperationRow } from '../../services/core/operations.ts';
import { positionKey } from '../../services/core/read-models.ts';
import type { RetentionRow, RetentionTier } from '../../services/core/retention.ts';
import { onBehalfSource } from '../../services/core/trust/on-behalf.ts';
import { tierOf, tiersMax, tiersOf, withTier } from '../../services/core/retention.ts';
import type { House, Step } from '../support/given.ts';
import { again, by, findsCompromised, given, trusts } from '../support/given.ts';
import {
  audience,
  decided,
  failed,
  id,
  logged,
  operated,
  place,
  planned,
  run,
  started,
  succeeded,
} from '../support/markers.ts';
import { pureFold } from '../support/pure-fold.ts';

const dayS = 86_400;
const year = 366 * dayS;
const operator = trusts('ops', { roles: ['operator'] });
const pr = { slot: place('pr-1') };

const forgets = (at: number, ...deployments: readonly string[]): Step =>
  by('ops', operated('deployments-forgotten', { deployments }), { at });
const sets = (environment: string, days: number, name = 'ops'): Step =>
  by(name, operated('retention-set', { environment, days }));

/** The last operation's effect in words: `2 done`, then codes. */
const effect = async (house: House): Promise<string> => {
  const at = house.outcomes.findLast(({ outcome }) => outcome === 'operation')?.position ?? 0;
  const row = await house.row<OperationRow>('operation', positionKey(at));
  return [
    `${row?.effect?.done} done`,
    ...(row?.effect?.refused ?? []).map(({ code, count }) => `${count} ${code}`),
  ].join(', ');
};

const isKnown = async ({ row }: House, deployment: string): Promise<boolean> =>
  (await row('deployment', deployment)) !== undefined;

describe('tiers', () => {
  const tier = (environment: string, days: number): RetentionTier => ({
    environment,
    days,
    set: { position: 1, at: 0, principal: 'ops', key: 'k', reason: 'why' },
  });
  const row = (...tiers: readonly RetentionTier[]): RetentionRow => ({ tiers });

  test.each<readonly [string | null, number]>([
    ['production', 365],
    ['pr-7', 14],
    ['preview-x', 14],
    ['review/branch', 14],
    ['prod', 365],
    [null, 365],
  ])('keep %s for %i days, built in', (environment, days) => {
    expect(tierOf(tiersOf(undefined), environment).days).toBe(days);
  });

  test.each<readonly [string | null, number]>([
    ['pr-7', 3],
    ['pr-77', 2],
    ['pr-*', 1],
    ['pr-8', 30],
    ['staging', 700],
    [null, 700],
  ])('the most exact wins: %s for %i days', (environment, days) => {
    const set = row(tier('*', 700), tier('pr-*', 30), tier('pr-7', 3), tier('pr-7*', 2));
    // An environment may be called by a pattern's own letters.
    const tiers = tiersOf(environment === 'pr-*' ? row(tier('pr-*', 1)) : set);
    expect(tierOf(tiers, environment).days).toBe(days);
  });

  test('a tier that is set again takes the place of the one before', () => {
    expect(withTier(row(tier('pr-*', 3)), tier('pr-*', 4))?.tiers).toMatchObject([{ days: 4 }]);
  });

  test('are so many at most', () => {
    const full = row(...Array.from({ length: tiersMax }, (_, index) => tier(`e${index}`, 1)));
    expect(withTier(full, tier('other', 1))).toBeUndefined();
    expect(withTier(full, tier('e7', 2))?.tiers).toHaveLength(tiersMax);
  });
});

describe('retention that is set', () => {
  test('counts from its position on, and says who set it', async () => {
    const house = await given(operator, sets('pr-*', 3));
    const [first] = tiersOf(await house.row<RetentionRow>('retention', 'tiers')).filter(
      ({ environment }) => environment === 'pr-*',
    );
    expect(first).toMatchObject({ days: 3, set: { position: 2, principal: 'ops' } });
  });

  test.each([
    [{ environments: ['pr-*'] }, 'pr-*', 'operation'],
    [{ environments: ['pr-*'] }, 'pr-1*', 'operation'],
    [{ environments: ['pr-*'] }, 'pr-1', 'operation'],
    [{ environments: ['pr-*'] }, 'pr*', 'out-of-scope'],
    [{ environments: ['pr-*'] }, '*', 'out-of-scope'],
    [{ environments: ['pr-1'] }, 'pr-*', 'out-of-scope'],
    [{ components: ['checkout'] }, 'pr-*', 'out-of-scope'],
  ])('by a key for %j, for %s: %s', async (scope, environment, note) => {
    const house = await given(
      trusts('ops', { roles: ['operator'], ...scope }),
      sets(environment, 3),
    );
    expect(house.notes()).toEqual([note]);
  });
});

describe('a deployment that is forgotten', () => {
  const old = (...steps: readonly Step[]): Promise<House> =>
    given(
      operator,
      trusts('judge', { roles: ['analyser'] }),
      by('ci', planned('2.0.0', { ...pr, canaryShare: 0.1 }), { marker: 'plan' }),
      by('ci', started({ deployment: run('7') }), { waitedMs: 500 }),
      by('judge', decided('hold', pr)),
      by('ci', failed()),
      ...steps,
    );

  test('is gone with its lines, decisions and remarks; its markers stay known', async () => {
    const before = await old();
    const house = await old(forgets(year, run('7')), again(4));
    expect(await effect(house)).toBe('1 done');
    const models = (dump: readonly string[]): readonly string[] => [
      ...new Set(dump.map((line) => line.split('\n')[0] ?? '')),
    ];
    expect(models(await before.dump())).toEqual(
      expect.arrayContaining(['deployment', 'timeline', 'decision', 'remark']),
    );
    const left = models(await house.dump());
    for (const model of ['deployment', 'timeline', 'decision', 'remark'])
      expect(left).not.toContain(model);
    expect(house.notes().at(-1)).toBe('duplicate');
    expect(await house.row('forgotten', run('7'))).toEqual({ operation: 8, attempts: 1 });
  });

  test.each<readonly [string, readonly Step[], string]>([
    ['goes on', [by('ci', planned('1.0.0', { deployment: run('8') }))], 'not-ended'],
    ['runs in its slot', [by('ci', logged('1.0.0'), { marker: 'x' })], 'holds-slot'],
  ])('is not one that %s', async (_why, steps, code) => {
    const deployment = code === 'holds-slot' ? id('x') : run('8');
    const house = await given(operator, ...steps, forgets(3 * year, deployment));
    expect(await effect(house)).toBe(`0 done, 1 ${code}`);
    expect(await isKnown(house, deployment)).toBe(true);
  });

  test('is not one that makes uncertain what runs', async () => {
    const house = await given(
      operator,
      by('ci', logged('1.0.0')),
      by('ci', planned()),
      by('ci', failed()),
      forgets(year, run('7')),
    );
    expect(await effect(house)).toBe('0 done, 1 holds-slot');
  });

  test('is not what holds the slot by the word of keys, whatever tokens have said since', async () => {
    const source = onBehalfSource('shop');
    const house = await given(
      ...[operator, trusts('gateway', { roles: ['gateway'] })],
      by('ci', logged('1'), { marker: 'x' }),
      ...['2', '3', '4', '5', '6', '7', '8'].map((version) =>
        by('gateway', { ...logged(version), source }),
      ),
      forgets(year, id('x')),
    );
    expect(await effect(house)).toBe('0 done, 1 holds-slot');
  });

  test('is none of the last five that ran there before', async () => {
    const versions = ['1', '2', '3', '4', '5', '6', '7'];
    const house = await given(
      operator,
      ...versions.map((version) => by('ci', logged(version), { marker: `v${version}` })),
      forgets(year, ...versions.map((version) => id(`v${version}`))),
    );
    expect(await effect(house)).toBe('1 done, 1 holds-slot, 5 recent-past');
    expect(await isKnown(house, id('v1'))).toBe(false);
    expect(await house.current()).toEqual(['7']);
  });

  test('is old enough for its tier: by the time of the log, and to the millisecond', async () => {
    const days14 = 14 * dayS;
    // Its last marker was taken in second 4.
    const steps = [by('ci', planned('2.0.0', pr)), by('ci', failed())];
    const young = await given(operator, ...steps, forgets(4 + days14, run('7')));
    expect(await effect(young)).toBe('0 done, 1 too-young');
    const ripe = await given(operator, ...steps, forgets(4.001 + days14, run('7')));
    expect(await effect(ripe)).toBe('1 done');
    const longer = await given(operator, ...steps, sets('pr-1', 15), forgets(days14 + 9, run('7')));
    expect(await effect(longer)).toBe('0 done, 1 too-young');
  });

  test('is in the scope of who says so', async () => {
    const scope = { roles: ['operator'] as const, environments: ['pr-*'] };
    const steps = [
      by('ci', planned('2.0.0', pr)),
      by('ci', failed()),
      by('ci', planned('2.0.0', { deployment: run('8') })),
      by('ci', failed({ deployment: run('8') })),
      by('ci', failed({ deployment: run('unplanned') })),
    ];
    const all = [run('7'), run('8'), run('unplanned')];
    const narrow = await given(trusts('ops', scope), ...steps, forgets(2 * year, ...all));
    expect(await effect(narrow)).toBe('1 done, 2 out-of-scope');
    const wide = await given(operator, ...steps, forgets(2 * year, ...all));
    expect(await effect(wide)).toBe('3 done');
  });

  test('is no evidence: neither of a conflict nor of a key that was found compromised', async () => {
    const house = await given(
      operator,
      by('ci', planned('2.0.0', pr), { marker: 'same' }),
      by('ci', planned('2.0.1', pr), { marker: 'same' }),
      by('ci', failed()),
      by('thief', planned('6.6.6', { ...pr, deployment: run('8') })),
      by('thief', failed({ deployment: run('8') })),
      findsCompromised('thief', 6),
      forgets(year, run('7'), run('8')),
    );
    expect(await effect(house)).toBe('0 done, 1 conflict, 1 suspect');
  });

  test('is known, and goes once', async () => {
    const house = await old(forgets(year, run('9'), run('7')), forgets(year + 1, run('7')));
    expect(await effect(house)).toBe('0 done, 1 unknown');
    const first = await house.row<OperationRow>('operation', positionKey(8));
    expect(first?.effect).toEqual({ done: 1, refused: [{ code: 'unknown', count: 1 }] });
  });

  test.each<readonly [string, Step, string, readonly string[]]>([
    ['a plan opens it anew', by('ci', planned('3.0.0', pr)), 'applied', ['1 3.0.0 planned']],
    ['an update waits for a plan', by('ci', succeeded()), 'applied', ['1 unplanned succeeded']],
  ])('and is spoken of again: %s', async (_what, step, note, attempts) => {
    const house = await old(forgets(year, run('7')), step);
    expect(house.notes().at(-1)).toBe(note);
    expect(await house.attempts()).toEqual(attempts);
  });

  test('and is decided about later: nobody knows it', async () => {
    const house = await old(forgets(year, run('7')), by('judge', decided('promote', pr)));
    expect(house.notes().at(-1)).toBe('deployment-unknown');
  });

  test('whose marker comes again with other content is a conflict that holds nobody', async () => {
    const house = await old(
      forgets(year, run('7')),
      by('ci', planned('2.0.9', pr), { marker: 'plan' }),
    );
    expect(house.outcomes.at(-1)).toEqual({
      position: 9,
      outcome: 'dead-letter',
      code: 'conflict',
    });
    expect(await isKnown(house, run('7'))).toBe(false);
  });

  test('leaves rows that are the same bytes however the records are cut', async () => {
    const house = await old(
      forgets(year, run('7')),
      by('ci', planned('3.0.0', pr)),
      by('ci', failed()),
      sets('pr-1', 1),
      forgets(3 * year, run('7')),
    );
    expect(pureFold(house.records, audience).dumpAt(house.records.length)).toEqual(
      await house.dump(),
    );
  });
});
