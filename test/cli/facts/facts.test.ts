import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { by, trusts } from '../../support/given.ts';
import {
  changed,
  frozen,
  labelled,
  place as slotOf,
  planned as plannedBy,
  policySet,
  run as runId,
} from '../../support/markers.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

// What else can be said: verbs for traffic, phases, migrations, changes, incidents, labels and freezes.

const scratch = scratchFolder();
const desk = (...steps: readonly Step[]): Promise<Desk> =>
  openDesk({ folder: join(scratch, randomUUID()), steps });

const place = ['--component-name=checkout', '--environment-name=production'];

/** `stored flag-changed`; `4 deployment-unknown` where it is refused. */
const say = async ({ plimsoll }: Desk, ...args: readonly string[]): Promise<string> => {
  const said = await plimsoll(...args, '--json');
  if (said.exit !== 0) {
    const { code } = JSON.parse(said.err.at(-1) ?? '{}') as { readonly code: string };
    return `${said.exit} ${code}`;
  }
  const receipt = jsonOf(said);
  expect(faultsOf('receipt', receipt)).toEqual([]);
  const { delivery, kind, code } = receipt as { readonly [field: string]: string | null };
  return [delivery, kind, code].filter((word) => word !== null).join(' ');
};

const planned = async (): Promise<Desk> => {
  const shop = await desk();
  await say(shop, 'release', 'plan', ...place, '--target-version=2.0.0');
  await say(shop, 'release', 'update', '--status=RUNNING');
  return shop;
};

const attempt = async ({ plimsoll }: Desk): Promise<{ readonly [field: string]: unknown }> => {
  const view = jsonOf(await plimsoll('show', 'default', '--json')) as {
    readonly attempts: readonly { readonly [field: string]: unknown }[];
  };
  expect(faultsOf('show', view)).toEqual([]);
  return view.attempts[0] ?? {};
};

type Line = { readonly [field: string]: unknown };

const changes = async (
  { plimsoll }: Desk,
  ...args: readonly string[]
): Promise<readonly Line[]> => {
  const { out } = await plimsoll('changes', '--json', ...args);
  const lines = out.map((line) => JSON.parse(line) as Line);
  for (const line of lines) expect(faultsOf('change', line)).toEqual([]);
  return lines;
};

describe('of a deployment that runs', () => {
  test('traffic and phases are told by its name', async () => {
    const shop = await planned();
    expect([
      await say(shop, 'traffic', 'default', '--canary-share=25%'),
      await say(shop, 'traffic', 'default', '--colour=green'),
      await say(shop, 'phase', 'default', 'smoke-tests'),
    ]).toEqual(['stored traffic-shifted', 'stored traffic-shifted', 'stored phase-advanced']);
    expect(await attempt(shop)).toMatchObject({
      canaryShare: 0.25,
      colour: 'green',
      phase: 'smoke-tests',
    });
  });

  test('or by its id', async () => {
    const shop = await planned();
    const { deployment } = await attempt(shop);
    expect(await say(shop, 'phase', String(deployment), 'bake')).toBe('stored phase-advanced');
    expect(await attempt(shop)).toMatchObject({ phase: 'bake' });
  });

  test.each([
    ['of which nobody knows', ['phase', randomUUID(), 'bake'], '4 deployment-unknown'],
    ['of another name', ['phase', 'elsewhere', 'bake'], '4 deployment-unknown'],
    ['without a share or colour', ['traffic', 'default'], '2 option-missing'],
    ['with no share', ['traffic', 'default', '--canary-share=much'], '2 option-invalid'],
    ['with an empty phase', ['phase', 'default', ''], '2 field-invalid'],
  ])('%s is refused', async (_what, args, told) => {
    expect(await say(await planned(), ...args)).toBe(told);
  });

  test('that has ended, is refused', async () => {
    const shop = await planned();
    const { deployment } = await attempt(shop);
    await say(shop, 'release', 'update', '--status=SUCCESS');
    expect(await say(shop, 'phase', String(deployment), 'bake')).toBe('3 deployment-ended');
  });
});

describe('beside deployments', () => {
  test.each([
    ['change flag', ['change', 'flag', 'new-basket', '--to-version=7'], 'flag-changed'],
    ['change config', ['change', 'config', 'limits.yaml'], 'config-changed'],
    ['change secret', ['change', 'secret', 'db-password', '--to-version=4'], 'secret-changed'],
    ['migration start', ['migration', 'start', 'add-column'], 'migration-started'],
    ['incident open', ['incident', 'open', 'INC-7', '--reason=checkout'], 'incident-opened'],
  ])('%s is stored', async (_name, args, kind) => {
    expect(await say(await desk(), ...args, ...place)).toBe(`stored ${kind}`);
  });

  test('what goes on is opened once and ended by its name; what ends nothing is kept, and said', async () => {
    const shop = await desk();
    expect([
      await say(shop, 'incident', 'open', 'INC-7', ...place),
      await say(shop, 'incident', 'open', 'INC-7', ...place),
      await say(shop, 'incident', 'resolve', 'INC-7', ...place),
      await say(shop, 'incident', 'resolve', 'INC-7', ...place),
      await say(shop, 'migration', 'finish', 'add-column', '--failed', ...place),
    ]).toEqual([
      'stored incident-opened',
      'duplicate incident-opened repeat',
      'stored incident-resolved',
      'duplicate incident-resolved repeat',
      'stored migration-finished unmatched',
    ]);
  });

  test('show says of an incident whether it is over', async () => {
    const shop = await planned();
    await say(shop, 'incident', 'open', 'INC-7', '--deployment=default');
    const { deployment } = await attempt(shop);
    const shown = async (): Promise<string> =>
      (await shop.plimsoll('show', String(deployment))).out.join('\n');
    expect(await shown()).toMatch(/incident-opened INC-7 by \S+, not over/);
    await say(shop, 'incident', 'resolve', 'INC-7', ...place);
    expect(await shown()).toMatch(/incident-opened INC-7 by \S+, over since .* \(position 5\)/);
  });

  test('a deployment that is named gives its place', async () => {
    const shop = await planned();
    expect(await say(shop, 'incident', 'open', 'INC-7', '--deployment=default')).toBe(
      'stored incident-opened',
    );
    const { slot } = await attempt(shop);
    expect(slot).toBe('default/production/checkout/');
  });

  test('a secret in a name is refused', async () => {
    expect(await say(await desk(), 'change', 'secret', 'AKIAIOSFODNN7EXAMPLZ', ...place)).toBe(
      '2 secret-found',
    );
  });
});

describe('labels', () => {
  test('are for a deployment or for a place, and said again are already so', async () => {
    const shop = await planned();
    expect([
      await say(shop, 'label', 'default', 'team:payments', 'tier:1'),
      await say(shop, 'label', 'default', 'tier:1'),
      await say(shop, 'label', 'default', 'tier:2'),
      await say(shop, 'label', 'owner:mia', ...place),
    ]).toEqual(['stored label', 'duplicate label repeat', 'stored label', 'stored label']);
  });

  test.each([
    ['no label', ['default'], '2 word-invalid'],
    ['half a label', ['default', 'team:'], '2 word-invalid'],
    ['a deployment of which nobody knows', [randomUUID(), 'a:b', ...place], '4 deployment-unknown'],
  ])('%s is refused', async (_what, args, told) => {
    expect(await say(await planned(), 'label', ...args)).toBe(told);
  });
});

describe('a freeze', () => {
  const freeze = ['freeze', '--environment-name=production', '--reason=the holidays'];

  test('is signed by the operator of the log, and by nobody else', async () => {
    const shop = await desk(trusts('ops', { roles: ['operator'] }));
    expect(await say(shop, 'release', 'log', ...place, '--target-version=1')).toBe('stored logged');
    expect(await say(shop, ...freeze, '--key=ops')).toBe('stored freeze');
    expect(await say(shop, ...freeze, '--key=local')).toBe('5 role-missing');
  });

  test.each([false, true])(
    'of a name that nobody has used stands, and is told with the nearest (gateway: %s)',
    async (isRemote) => {
      const shop = (await desk(trusts('ops', { roles: ['operator'] }))).elsewhere({ isRemote });
      expect(await say(shop, 'release', 'log', ...place, '--target-version=1')).toBe(
        'stored logged',
      );
      const frozenAt = async (...named: readonly string[]): Promise<string> => {
        const said = await shop.plimsoll('freeze', ...named, '--reason=x', '--key=ops.json');
        expect([said.exit, said.out.length]).toEqual([0, 1]);
        return said.err.join(' ');
      };
      expect(await frozenAt('--environment-name=prod', '--component-name=chekout')).toMatch(
        /environment "prod" is used for the first time; the nearest known name is "production".*component "chekout" is used for the first time; the nearest known name is "checkout"/,
      );
      expect(await frozenAt('--environment-name=elsewhere')).toContain(
        'environment "elsewhere" is used for the first time; plimsoll environments lists them',
      );
      // A pattern may come before what it covers, and what is known is no news.
      expect(await frozenAt('--environment-name=pr-*')).toBe('');
      expect(await frozenAt(...place)).toBe('');
    },
  );

  test('is told to who plans there, keeps no plan away, and is lifted by its position', async () => {
    const shop = await desk(trusts('ops', { roles: ['operator'] }));
    const plan = ['release', 'plan', ...place, '--target-version=2.0.0'];
    expect([
      await say(shop, ...freeze, '--key=ops'),
      await say(shop, ...plan),
      await say(shop, 'release', 'log', ...place, '--target-version=2.0.0', '--rollback'),
    ]).toEqual(['stored freeze', 'stored planned place-frozen', 'stored logged place-frozen']);
    const [open] = await changes(shop, '--open');
    const lift = ['freeze', 'lift', String(open?.['position']), '--reason=over', '--key=ops'];
    const lifted = await shop.plimsoll(...lift, '--json');
    expect([lifted.exit, faultsOf('guard-change', jsonOf(lifted))]).toEqual([0, []]);
    expect((await shop.plimsoll(...lift)).exit).toBe(3);
    expect(await changes(shop, '--open')).toEqual([]);
    expect(await say(shop, 'release', 'log', ...place, '--target-version=3.0.0')).toBe(
      'stored logged',
    );
  });

  test('is told by whom and why', async () => {
    const { plimsoll } = await desk(
      trusts('ops', { roles: ['operator'] }),
      by('ops', frozen({ slot: slotOf('production', '*') })),
    );
    const { err } = await plimsoll('release', 'plan', ...place, '--target-version=2.0.0');
    expect(err.join(' ')).toContain('is frozen since position 3 by ops: the holidays');
  });

  test.each([
    ['a plan is refused', [], '3 place-frozen'],
    ['a fix is only told', ['--intent=fix'], 'stored planned place-frozen'],
    ['a rollback is only told', ['--rollback'], 'stored planned place-frozen'],
  ])('where the policy refuses, %s', async (_what, more, told) => {
    const document =
      '{"policies":[{"component":"*","environment":"*","frozen":"refuse"}],"version":2}';
    const shop = await desk(
      trusts('ops', { roles: ['operator'] }),
      by('ops', policySet(document)),
      by('ops', frozen({ slot: slotOf('production', '*') })),
    );
    expect(await say(shop, 'release', 'plan', ...place, '--target-version=2.0.0', ...more)).toBe(
      told,
    );
    // What is done is done.
    expect(await say(shop, 'release', 'log', ...place, '--target-version=2.0.0')).toBe(
      'stored logged place-frozen',
    );
  });

  test.each([
    ['without a reason', ['freeze', '--environment-name=production'], '2 option-missing'],
    ['without an environment', ['freeze', '--reason=x'], '2 option-missing'],
    ['with a pattern that is none', [...freeze, '--component-name=a*b'], '2 field-invalid'],
  ])('%s is refused', async (_what, args, told) => {
    expect(await say(await desk(), ...args)).toBe(told);
  });
});

describe('what was said', () => {
  test('is listed with who, where and when, and with what goes on', async () => {
    const shop = await planned();
    await say(shop, 'change', 'flag', 'new-basket', '--from-version=6', '--to-version=7', ...place);
    await say(shop, 'incident', 'open', 'INC-7', '--deployment=default', '--reason=checkout');
    await say(shop, 'migration', 'start', 'add-column', ...place);
    await say(shop, 'migration', 'finish', 'add-column', '--failed', ...place);
    await say(shop, 'label', 'default', 'team:payments');
    const told = (await changes(shop)).map(({ kind, name, note, ended, outcome }) =>
      [kind, name, note, ended, outcome]
        .filter((part) => part !== null)
        .map(String)
        .join(' '),
    );
    expect(told).toEqual([
      'flag-changed new-basket applied',
      'incident-opened INC-7 applied',
      'migration-started add-column applied 7',
      'migration-finished add-column applied failed',
      'label applied',
    ]);
    expect((await changes(shop, '--open')).map(({ name }) => name)).toEqual(['INC-7']);
    expect(await changes(shop, '--environment-name=staging')).toEqual([]);
    const { out } = await shop.plimsoll('changes');
    expect(out.join('\n')).toMatch(
      /new-basket 6 -> 7[\s\S]*open[\s\S]*checkout[\s\S]*add-column failed/,
    );
    expect(out.join('\n')).toContain('team:payments');
  });

  test('of a deployment is shown with it, at hand and through a gateway', async () => {
    const about = { deployment: runId('7') };
    const shop = await desk(
      by('ci', plannedBy()),
      by('ci', changed('incident-opened', 'INC-7', { ...about, reason: 'checkout' })),
      by('ci', labelled({ team: 'payments' }, about)),
      by('ci', changed('flag-changed', 'new-basket')),
    );
    for (const asked of [shop, shop.elsewhere({ isRemote: true })]) {
      const { plimsoll } = asked;
      const view = jsonOf(await plimsoll('show', runId('7'), '--json'));
      expect(faultsOf('show', view)).toEqual([]);
      expect(view).toMatchObject({
        labels: [{ name: 'team', value: 'payments', position: 5 }],
        changes: [
          { kind: 'incident-opened', name: 'INC-7', reason: 'checkout' },
          { kind: 'label' },
        ],
      });
      const text = (await plimsoll('show', runId('7'))).out.join('\n');
      expect(text).toContain('labels team:payments');
      expect(text).toContain('incident-opened INC-7 by ci, not over: checkout');
      expect((await changes(asked)).map(({ kind }) => kind)).toEqual([
        'incident-opened',
        'label',
        'flag-changed',
      ]);
    }
  });

  test('releases that are still supported are a list of their own', async () => {
    const shop = await desk();
    const app = ['--pacticipant=app', '--environment=production'];
    await say(shop, 'record-release', '--version=1', ...app);
    await say(shop, 'record-release', '--version=2', ...app);
    await say(shop, 'record-deployment', '--version=3', ...app);
    await say(shop, 'record-support-ended', '--version=1', ...app);
    const { out } = await shop.plimsoll('releases', '--json');
    const lines = out.map((line) => JSON.parse(line) as Line);
    for (const line of lines) expect(faultsOf('current', line)).toEqual([]);
    expect(lines.map(({ version }) => version)).toEqual(['2']);
  });
});
