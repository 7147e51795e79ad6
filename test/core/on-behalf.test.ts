import { describe, expect, test } from 'vitest';
import type { SlotState } from '../../services/core/slot-state.ts';
import { slotAsSeen } from '../../services/core/slot-state.ts';
import type { NotedRow } from '../../services/core/circumstances.ts';
import { notedSlotKey } from '../../services/core/circumstances.ts';
import { labelsMax } from '../../services/core/markers/limits.ts';
import { slotKey } from '../../services/core/markers/slot.ts';
import { onBehalfSource, tokenOfSource } from '../../services/core/trust/on-behalf.ts';
import type { House, Step } from '../support/given.ts';
import { by, given, keyOf, trusts } from '../support/given.ts';
import type { Said } from '../support/markers.ts';
import {
  added,
  changed,
  decided,
  failed,
  labelled,
  logged,
  operated,
  place,
  planned,
  policySet,
  released,
  run,
  started,
  succeeded,
  supportEnded,
  undeployed,
} from '../support/markers.ts';

// What a gateway signs for callers who have a token and no key of their own.

const gateway = trusts('gateway', { roles: ['gateway'] });
const withToken = (says: Said, token = 'shop'): Step =>
  by('gateway', { ...says, source: onBehalfSource(token) });

/** What holds production to those who speak with keys, and to everybody. */
const holders = async (house: House): Promise<readonly (string | null | undefined)[]> => {
  const state = await house.row<SlotState>('slot', slotKey(place('production')));
  return [false, true].map(
    (takesTokens) => state && slotAsSeen(state, takesTokens).holders.at(-1)?.version,
  );
};

test('it is a deployment like any other, and every list names the token', async () => {
  const house = await given(
    gateway,
    withToken(planned()),
    withToken(started()),
    withToken(succeeded()),
  );
  expect(house.notes()).toEqual(['applied', 'applied', 'applied']);
  expect(await house.attempts()).toEqual(['1 2.0.0 succeeded']);
  const { timeline, current } = await house.lines();
  expect([...timeline, ...current]).toMatchObject([
    { signer: 'gateway', onBehalf: 'shop', status: 'succeeded' },
    { signer: 'gateway', onBehalf: 'shop', version: '2.0.0' },
  ]);
});

test('what a key has signed names no token', async () => {
  const { lines } = await given(by('ci', planned()));
  expect((await lines()).timeline).toMatchObject([{ signer: 'ci', onBehalf: null }]);
});

test.each([
  ['no token', '/pipelines/ci', 'token-unnamed'],
  ['an empty one', 'plimsoll/token/', 'token-unnamed'],
  ['one in another spelling', 'plimsoll/token/Shop', 'token-unnamed'],
  ['a token and more', 'plimsoll/token/shop/x', 'token-unnamed'],
  ['a token', 'plimsoll/token/shop', 'applied'],
])('a gateway whose source names %s', async (_what, source, note) => {
  const house = await given(gateway, by('gateway', { ...planned(), source }));
  expect(house.notes()).toEqual([note]);
});

test('a source that an emitter writes makes it nobody’s word but his own', async () => {
  const { lines } = await given(by('ci', { ...planned(), source: onBehalfSource('shop') }));
  expect((await lines()).timeline).toMatchObject([{ signer: 'ci', onBehalf: null }]);
});

test('a key that has both roles speaks for others all the same', async () => {
  const both = trusts('both', { roles: ['emitter', 'gateway'] });
  const house = await given(
    both,
    by('both', planned()),
    by('both', { ...planned(), source: onBehalfSource('shop') }),
  );
  expect(house.notes()).toEqual(['token-unnamed', 'applied']);
  expect((await house.lines()).timeline).toMatchObject([{ onBehalf: 'shop' }]);
});

test('what only analysers, operators and administrators say is not signed for anybody', async () => {
  const source = onBehalfSource('shop');
  const house = await given(
    gateway,
    by('ci', planned()),
    by('gateway', { ...decided('promote'), source }),
    by('gateway', { ...operated('decisions-stopped'), source }),
    by('gateway', { ...policySet(), source }),
    by('gateway', { ...added(keyOf('thief')), source }),
  );
  expect(house.notes()).toEqual(['applied', ...Array<string>(4).fill('role-missing')]);
});

test('outside of the scope of the gateway’s key nothing counts', async () => {
  const narrow = trusts('gateway', { roles: ['gateway'], environments: ['staging'] });
  const kinds = trusts('gateway', { roles: ['gateway'], kinds: ['logged'] });
  expect((await given(narrow, withToken(planned()))).notes()).toEqual(['out-of-scope']);
  expect((await given(kinds, withToken(planned()))).notes()).toEqual(['kind-not-allowed']);
});

describe('what a key has planned', () => {
  test.each([
    ['updated', started()],
    ['ended', succeeded({ slot: place('production') })],
    ['planned', planned('6.6.6', { attempt: '2' })],
  ])('is not %s with a token', async (_what, says) => {
    const house = await given(gateway, by('ci', planned()), withToken(says));
    expect(house.notes()).toEqual(['applied', 'planned-by-key']);
    expect(await house.attempts()).toEqual(['1 2.0.0 planned']);
  });

  test('takes in nothing that was said with a token before, though the id is the same', async () => {
    const house = await given(
      gateway,
      withToken(planned('6.6.6')),
      withToken(succeeded()),
      by('ci', started()),
      by('ci', planned('2.0.0')),
    );
    expect(house.notes()).toEqual(['applied', 'applied', 'applied', 'applied']);
    expect(await house.attempts()).toEqual(['1 6.6.6 succeeded', '2 2.0.0 running']);
  });

  test('is what a decision is about, where both have the same token of CI', async () => {
    const house = await given(
      gateway,
      trusts('judge', { roles: ['analyser'] }),
      withToken(planned('2.0.0', { attempt: 'run' })),
      by('ci', planned('2.0.0', { attempt: 'run' })),
      withToken(started({ attempt: 'run' })),
      by('ci', started({ attempt: 'run' })),
      by('judge', decided('roll-back', { attempt: 'run' })),
    );
    const { attempts } = await house.deployment();
    expect(attempts.map(({ decisions }) => decisions.length)).toEqual([0, 1]);
  });
});

describe('one token and another', () => {
  const staging = { slot: place('staging') };

  test('never meet in one deployment, whatever id they name', async () => {
    const house = await given(
      gateway,
      withToken(planned('6.6.6', staging), 'till'),
      withToken(planned('2.0.0')),
      withToken(started()),
      withToken(planned('6.6.7', { ...staging, attempt: 'zz' }), 'till'),
      withToken(succeeded()),
    );
    expect(house.notes()).toEqual(Array<string>(5).fill('applied'));
    expect(await house.attempts()).toEqual([
      '1 6.6.6 planned',
      '2 2.0.0 succeeded',
      '3 6.6.7 planned',
    ]);
    expect(await house.current('staging')).toEqual([
      'beside 6.6.6 planned',
      'beside 6.6.7 planned',
    ]);
  });

  test('end nothing of each other', async () => {
    const house = await given(gateway, withToken(planned()), withToken(failed(), 'till'));
    expect(await house.attempts()).toEqual(['1 2.0.0 planned', '2 unplanned failed']);
  });

  test('label no deployment of each other, nor one of a key', async () => {
    const withLabel = labelled({ team: 'x' }, { deployment: run('7') });
    const ofToken = await given(gateway, withToken(planned()), withToken(withLabel, 'till'));
    const ofKey = await given(gateway, by('ci', planned()), withToken(withLabel));
    expect([ofToken, ofKey].map((house) => house.notes())).toEqual([
      ['applied', 'out-of-scope'],
      ['applied', 'out-of-scope'],
    ]);
  });
});

describe('beside deployments', () => {
  const noted = async (house: House): Promise<NotedRow | undefined> =>
    house.row<NotedRow>('noted', notedSlotKey(place('production')));
  const open = async (house: House): Promise<readonly string[]> =>
    ((await noted(house))?.open ?? []).map(({ name, onBehalf }) => `${name} ${onBehalf ?? 'key'}`);
  const incident = (kind: 'incident-opened' | 'incident-resolved') => changed(kind, 'db');

  test('a token ends nothing that a key has begun, and begins its own', async () => {
    const begun = [gateway, by('ci', incident('incident-opened'))];
    expect(await open(await given(...begun, withToken(incident('incident-resolved'))))).toEqual([
      'db key',
    ]);
    const both = [...begun, withToken(incident('incident-opened'))];
    expect(await open(await given(...both))).toEqual(['db key', 'db shop']);
    expect(await open(await given(...both, withToken(incident('incident-resolved'))))).toEqual([
      'db key',
    ]);
  });

  test('a key says what a token has said before as its own, and ends it, too', async () => {
    const begun = [gateway, withToken(incident('incident-opened'))];
    expect(await open(await given(...begun, by('ci', incident('incident-opened'))))).toEqual([
      'db shop',
      'db key',
    ]);
    expect(await open(await given(...begun, by('ci', incident('incident-resolved'))))).toEqual([]);
  });

  test('a key’s label stays as it was, and takes the place of a token’s', async () => {
    const tier = (value: string): Said => labelled({ tier: value });
    const house = await given(
      gateway,
      withToken(tier('a')),
      by('ci', tier('gold')),
      withToken(tier('junk')),
    );
    expect((await noted(house))?.labels).toMatchObject([{ value: 'gold', onBehalf: null }]);
  });

  test('the labels of one token are not those of another', async () => {
    const house = await given(
      gateway,
      withToken(labelled({ tier: 'gold' })),
      withToken(labelled({ tier: 'junk' }), 'till'),
      withToken(labelled({ tier: 'silver' })),
    );
    expect((await noted(house))?.labels).toMatchObject([
      { value: 'junk', onBehalf: 'till' },
      { value: 'silver', onBehalf: 'shop' },
    ]);
  });

  test('tokens leave room for the labels of keys', async () => {
    const many = Object.fromEntries(Array.from({ length: labelsMax }, (_, at) => [`l${at}`, 'x']));
    const house = await given(
      gateway,
      withToken(labelled(many)),
      withToken(labelled({ more: 'x' })),
      by('ci', labelled({ tier: 'gold' })),
    );
    expect(house.notes().slice(1)).toEqual(['labels-full', 'circumstance']);
  });
});

describe('what is taken away', () => {
  test('by a key, late, is what was there then, though a token has spoken since', async () => {
    const house = await given(
      gateway,
      by('ci', logged('1.0.0'), { at: 2 }),
      by('gateway', { ...logged('1.0.0'), source: onBehalfSource('shop') }, { at: 40 }),
      by('ci', undeployed({ version: '1.0.0' }), { at: 60, waitedMs: 30_000 }),
    );
    expect(house.notes()).toEqual(['applied', 'applied', 'applied']);
    expect(await holders(house)).toEqual([undefined, '1.0.0']);
  });

  test('is not what came after it', async () => {
    const house = await given(
      gateway,
      by('gateway', { ...released('1.0.0'), source: onBehalfSource('shop') }, { at: 2 }),
      by('ci', released('1.0.0'), { at: 40 }),
      by('ci', supportEnded('1.0.0'), { at: 60, waitedMs: 30_000 }),
    );
    expect(await holders(house)).toEqual(['1.0.0', '1.0.0']);
  });
});

describe('the slot', () => {
  test('is what everybody says, and beside it what keys alone say', async () => {
    const house = await given(gateway, by('ci', logged('1.0.0')), withToken(logged('6.6.6')));
    expect(await house.current()).toEqual(['6.6.6']);
    expect(await holders(house)).toEqual(['1.0.0', '6.6.6']);
  });

  test('is held by what a key says last, to both', async () => {
    const house = await given(
      gateway,
      withToken(logged('6.6.6')),
      by('ci', logged('1.0.0')),
      withToken(logged('6.6.7')),
      by('ci', logged('2.0.0')),
    );
    expect(await holders(house)).toEqual(['2.0.0', '2.0.0']);
  });

  test('is held again by what a key says again, after a token has said otherwise', async () => {
    const house = await given(
      gateway,
      by('ci', logged('1.0.0')),
      withToken(logged('6.6.6')),
      by('ci', logged('1.0.0')),
    );
    expect(house.notes()).toEqual(['applied', 'applied', 'repeat']);
    expect(await holders(house)).toEqual(['1.0.0', '1.0.0']);
  });

  test('is held with a token by what a token says, also where a key has said the same', async () => {
    const house = await given(gateway, by('ci', logged('1.0.0')), withToken(logged('1.0.0')));
    expect(house.notes()).toEqual(['applied', 'applied']);
    expect((await house.lines()).current).toMatchObject([{ version: '1.0.0', onBehalf: 'shop' }]);
  });

  test('takes what a token says again for a repeat', async () => {
    const house = await given(gateway, withToken(logged('1.0.0')), withToken(logged('1.0.0')));
    expect(house.notes()).toEqual(['applied', 'repeat']);
  });
});

test.each([
  ['plimsoll/token/shop', 'shop'],
  ['plimsoll/token/a.b-c_1', 'a.b-c_1'],
  ['plimsoll/token/-a', undefined],
  ['plimsoll/token/a b', undefined],
  ['plimsoll/tokens/a', undefined],
  [`plimsoll/token/${'a'.repeat(64)}`, undefined],
])('the source %s names the token %s', (source, token) => {
  expect(tokenOfSource(source)).toBe(token);
});
