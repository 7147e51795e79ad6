import { describe, expect, test } from 'vitest';
import { keyIdOf } from '../../services/core/trust/key-id.ts';
import type { Signer } from '../../services/ports/signer.ts';
import {
  again,
  by,
  findsCompromised,
  given,
  keyOf,
  retires,
  tools,
  trusts,
} from '../support/given.ts';
import { onBehalfSource } from '../../services/core/trust/on-behalf.ts';
import type { Step } from '../support/given.ts';
import {
  added,
  compromised,
  decided,
  failed,
  logged,
  opened,
  place,
  planned,
  retired,
  shifted,
  started,
  succeeded,
} from '../support/markers.ts';

const staging = { slot: place('staging') };
const production = { slot: place('production') };
const of = (attempt: string) => ({ attempt });

/** The same key pair under another name. */
const renamed = (name: string, principal: string): Signer => ({
  ...keyOf(name),
  principal,
  keyId: keyIdOf(tools.crypto, tools.text, principal, keyOf(name).publicKey),
});

const stage = trusts('stage', { environments: ['staging'] });
const prod = trusts('prod', { environments: ['production'] });

describe('a key for staging alone', () => {
  const running = [stage, by('prod', planned('2.0.0', of('1'))), by('prod', started(of('1')))];

  test.each<readonly [what: string, step: Step, code: string]>([
    ['end a production deployment', by('stage', succeeded()), 'out-of-scope'],
    ['end it by its token', by('stage', failed(of('1'))), 'out-of-scope'],
    ['end it by naming production', by('stage', succeeded(production)), 'out-of-scope'],
    ['end it by naming staging', by('stage', succeeded(staging)), 'out-of-scope'],
    ['join it as a rerun', by('stage', started(of('2'))), 'out-of-scope'],
    ['shift its traffic', by('stage', shifted({ canaryShare: 1 })), 'out-of-scope'],
    ['plan it', by('stage', planned('6.6.6', of('2'))), 'out-of-scope'],
    ['log production', by('stage', logged('6.6.6')), 'out-of-scope'],
  ])('does not %s', async (_what, step, code) => {
    const before = await given(...running);
    const house = await given(...running, step);
    expect(house.notes().at(-1)).toBe(code);
    expect(await house.deployment()).toEqual(await before.deployment());
    expect(await house.current()).toEqual(['beside 2.0.0 running']);
  });

  test('does not join an ended production deployment as a rerun', async () => {
    const house = await given(
      ...running,
      by('prod', failed(of('1'))),
      by('stage', started(of('2'))),
    );
    expect(house.notes().at(-1)).toBe('out-of-scope');
    expect(await house.attempts()).toEqual(['1 2.0.0 failed']);
  });

  test('does not end one by an update that the plan completes later', async () => {
    const house = await given(
      stage,
      by('stage', succeeded(of('1'))),
      by('prod', planned('2.0.0', of('1'))),
    );
    expect(await house.attempts()).toEqual(['1 unplanned succeeded', '2 2.0.0 planned']);
    expect(await house.current()).toEqual(['beside 2.0.0 planned']);
  });

  test('may do all of that in staging', async () => {
    const house = await given(
      stage,
      by('stage', planned('2.0.0', staging)),
      by('stage', started(staging)),
      by('stage', succeeded()),
      by('stage', logged('2.0.1', staging)),
    );
    expect(house.notes()).toEqual(['applied', 'applied', 'applied', 'applied']);
    expect(await house.current('staging')).toEqual(['2.0.1']);
  });
});

describe('a key for staging that takes the deployment id first, or beside', () => {
  const takes: readonly (readonly [how: string, steps: readonly Step[]])[] = [
    ['plans it with the same token', [by('stage', planned('6.6.6', { ...staging, ...of('1') }))]],
    ['plans it without a token', [by('stage', planned('6.6.6', staging))]],
    [
      'plans and ends it',
      [by('stage', planned('6.6.6', { ...staging, ...of('1') })), by('stage', failed(of('1')))],
    ],
    ['updates it without a plan', [by('stage', started(of('1')))]],
    ['ends it without a plan', [by('stage', failed(of('1')))]],
    [
      'ends every token that it can guess',
      [by('stage', failed(of('1'))), by('stage', failed(of('2'))), by('stage', failed(of('3')))],
    ],
    [
      'joins later tokens to the first',
      [by('stage', started(of('1'))), by('stage', started(of('2')))],
    ],
    [
      'opens as many attempts as it may',
      Array.from({ length: 120 }, (_, index) =>
        by('stage', planned('6.6.6', { ...staging, ...of(`x${index}`) })),
      ),
    ],
    [
      'opens unplanned attempts',
      Array.from({ length: 30 }, (_, index) => by('stage', failed(of(`x${index}`)))),
    ],
    [
      'fills the history',
      [by('stage', started()), ...Array.from({ length: 600 }, () => by('stage', started()))],
    ],
  ];
  /** With a token and without; by a key for production, and by one for everything. */
  const pipeline = (who: string, token: string | null): readonly Step[] => [
    by(who, planned('2.0.0', { attempt: token })),
    by(who, started({ attempt: token })),
    by(who, failed({ attempt: token })),
    by(who, planned('2.0.0', { attempt: token === null ? null : '2' })),
    by(who, succeeded({ attempt: token === null ? null : '2' })),
  ];
  const story = async (who: string, before: readonly Step[], token: string | null) => {
    const house = await given(stage, prod, ...before, ...pipeline(who, token));
    const { attempts } = await house.deployment();
    const planner = keyOf(who).keyId;
    return {
      notes: house.notes().slice(-5),
      attempts: attempts
        .filter(({ plan }) => plan?.key === planner)
        .map(({ plan, status, principal, rollback }) => [
          plan?.version,
          status,
          principal,
          rollback,
        ]),
      current: await house.current(),
    };
  };

  describe.each(['prod', 'ci'])('for %s', (who) => {
    test.each(takes)('changes nothing when it %s', async (_how, before) => {
      for (const token of ['1', null])
        expect(await story(who, before, token)).toEqual(await story(who, [], token));
    });
  });

  test.each([of('1'), of('3'), of('x'), {}])(
    'changes nothing when it plans beside, for whoever updates %j without naming a place',
    async (attempt) => {
      const house = await given(
        stage,
        by('stage', planned('6.6.6', { ...staging, ...of('1') })),
        by('ci', planned('2.0.0', of('1'))),
        by('stage', planned('6.6.6', { ...staging, ...of('3') })),
        by('agent', succeeded(attempt)),
      );
      expect(await house.current()).toEqual(['2.0.0']);
      expect(await house.current('staging')).toEqual([
        'beside 6.6.6 planned',
        'beside 6.6.6 planned',
      ]);
    },
  );

  test('keeps no decision from its attempt', async () => {
    const house = await given(
      stage,
      trusts('analyser', { roles: ['analyser'] }),
      by('prod', planned('2.0.0', of('1'))),
      by('stage', planned('6.6.6', { ...staging, ...of('1') })),
      by('analyser', decided('roll-back')),
      by('analyser', decided('hold', of('1'))),
    );
    expect(house.notes().slice(-2)).toEqual(['applied', 'contradiction']);
    const { attempts } = await house.deployment();
    expect(attempts.map(({ decisions }) => decisions.length)).toEqual([2, 0]);
  });

  test('takes no id of a marker that somebody else makes', async () => {
    const house = await given(
      stage,
      by('stage', planned('6.6.6', staging), { marker: 'one' }),
      by('prod', planned('2.0.0'), { marker: 'one' }),
    );
    expect(house.notes()).toEqual(['applied', 'applied']);
  });
});

describe('scopes', () => {
  const codes = async (...steps: readonly Step[]) => (await given(...steps)).notes();

  test('an empty list covers nothing', async () => {
    for (const scope of [{ environments: [] }, { components: [] }])
      expect(await codes(trusts('ci', scope), by('ci', planned()))).toEqual(['out-of-scope']);
    expect(await codes(trusts('ci', { kinds: [] }), by('ci', planned()))).toEqual([
      'kind-not-allowed',
    ]);
    expect(await codes(trusts('ci', { roles: [] }), by('ci', planned()))).toEqual(['role-missing']);
  });

  test('an exact name is that name, a star at the end is every longer one', async () => {
    const environments = ['pre', 'team-*'];
    const deploy = (environment: string) => by('ci', logged('1.0.0', { slot: place(environment) }));
    expect(
      await codes(
        trusts('ci', { environments }),
        ...['pre', 'preview', 'team-a', 'team-', 'team', 'Pre', 'pre '].map(deploy),
      ),
    ).toEqual([
      'applied',
      'out-of-scope',
      'applied',
      'applied',
      'out-of-scope',
      'out-of-scope',
      'out-of-scope',
    ]);
  });

  test('environment and component must both be covered', async () => {
    const scope = { environments: ['production'], components: ['basket'] };
    expect(await codes(trusts('ci', scope), by('ci', planned()))).toEqual(['out-of-scope']);
  });

  test('kinds are named one by one', async () => {
    const steps = [trusts('ci', { kinds: ['planned', 'start*'] })];
    expect(
      await codes(...steps, by('ci', planned()), by('ci', started()), by('ci', succeeded())),
    ).toEqual(['applied', 'applied', 'kind-not-allowed']);
  });
});

describe('roles', () => {
  test('an analyser decides and emits nothing, an emitter decides nothing', async () => {
    const house = await given(
      trusts('analyser', { roles: ['analyser'] }),
      by('ci', planned()),
      by('analyser', started()),
      by('analyser', planned('3.0.0')),
      by('analyser', logged()),
      by('ci', decided('roll-back')),
      by('ci', decided('promote')),
    );
    expect(house.notes()).toEqual(['applied', ...Array.from({ length: 5 }, () => 'role-missing')]);
  });

  test('a decision needs a scope too', async () => {
    const house = await given(
      trusts('analyser', { roles: ['analyser'], environments: ['staging'] }),
      by('ci', planned()),
      by('analyser', decided('roll-back')),
    );
    expect(house.notes()).toEqual(['applied', 'out-of-scope']);
  });

  test('nobody but an administrator changes trust', async () => {
    const thief = keyOf('thief');
    const roles = ['emitter', 'analyser', 'operator', 'gateway'] as const;
    const house = await given(
      trusts('ci', { roles }),
      by('ci', added(thief, { roles: ['trust-admin'] })),
      by('ci', retired(keyOf('admin'))),
      by('ci', compromised(keyOf('admin'), 0)),
      by('ci', opened(keyOf('ci'))),
      by('ci', { ...planned(), source: onBehalfSource('shop') }),
    );
    expect(house.notes()).toEqual([...Array.from({ length: 4 }, () => 'role-missing'), 'applied']);
    expect(await house.row('trust', `key/${thief.keyId}`)).toBeUndefined();
  });
});

describe('keys over time', () => {
  test('a key counts from the record after the one that adds it', async () => {
    const house = await given(trusts('ci'), by('ci', planned()));
    expect(house.notes()).toEqual(['applied']);
    expect(await house.row('trust', `key/${keyOf('ci').keyId}`)).toMatchObject({ addedAt: 1 });
  });

  test('a retired key signs nothing more; what it signed stays', async () => {
    const house = await given(by('ci', planned()), retires('ci'), by('ci', started()));
    expect(house.notes()).toEqual(['applied', 'key-retired']);
    expect(await house.attempts()).toEqual(['1 2.0.0 planned']);
  });

  test('nor do its own bytes count when they come again', async () => {
    const house = await given(by('ci', planned()), retires('ci'), again(2));
    expect(house.notes()).toEqual(['applied', 'key-retired']);
    expect(await house.attempts()).toEqual(['1 2.0.0 planned']);
  });

  test('so with a key that was found compromised', async () => {
    const house = await given(by('ci', planned()), findsCompromised('ci', 2), by('ci', started()));
    expect(house.notes()).toEqual(['applied', 'key-compromised']);
    expect(await house.attempts()).toEqual(['1 2.0.0 planned']);
  });

  test('a key is compromised since the earliest position, and found so once', async () => {
    const house = await given(
      trusts('ci'),
      findsCompromised('ci', 9),
      findsCompromised('ci', 4),
      findsCompromised('ci', 7),
    );
    expect(await house.row('trust', `key/${keyOf('ci').keyId}`)).toMatchObject({
      compromised: { at: 2, since: 4 },
    });
  });

  test.each<readonly [what: string, steps: readonly Step[], code: string]>([
    ['a key is added twice', [by('admin', added(keyOf('ci')))], 'key-exists'],
    [
      'a retired key is added again',
      [retires('ci'), by('admin', added(keyOf('ci')))],
      'key-exists',
    ],
    [
      'a compromised key is added under another name',
      [findsCompromised('ci', 0), by('admin', added(renamed('ci', 'somebody')))],
      'key-exists',
    ],
    ['a key is retired twice', [retires('ci'), by('admin', retired(keyOf('ci')))], 'key-ended'],
    ['an unknown key is retired', [by('admin', retired(keyOf('nobody')))], 'key-unknown'],
    [
      'an unknown key is found compromised',
      [by('admin', compromised(keyOf('nobody'), 0))],
      'key-unknown',
    ],
    ['the log is opened again', [by('admin', opened(keyOf('admin')))], 'log-already-open'],
    [
      'another log is meant',
      [by('admin', retired(keyOf('ci'), { log: '0190a000-0000-7000-8000-00000000000f' }))],
      'wrong-log',
    ],
  ])('a trust record is refused when %s', async (_what, steps, code) => {
    const house = await given(trusts('ci'), ...steps);
    expect(house.notes().at(-1)).toBe(code);
  });
});
