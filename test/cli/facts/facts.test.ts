import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { trusts } from '../../support/given.ts';
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
      'stored incident-resolved unmatched',
      'stored migration-finished unmatched',
    ]);
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

  test.each([
    ['without a reason', ['freeze', '--environment-name=production'], '2 option-missing'],
    ['without an environment', ['freeze', '--reason=x'], '2 option-missing'],
    ['with a pattern that is none', [...freeze, '--component-name=a*b'], '2 field-invalid'],
  ])('%s is refused', async (_what, args, told) => {
    expect(await say(await desk(), ...args)).toBe(told);
  });
});
