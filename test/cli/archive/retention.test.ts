import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, Said } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { by, trusts } from '../../support/given.ts';
import { failed, id, logged, place, planned, run, started } from '../../support/markers.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const dayMs = 86_400_000;

/** Two previews and a production deployment that ended, one that goes on, and what runs. */
const steps: readonly Step[] = [
  trusts('ops', { roles: ['operator'] }),
  ...['1', '2'].flatMap((number) => [
    by(
      'ci',
      planned(`0.${number}`, { deployment: run(`pr ${number}`), slot: place(`pr-${number}`) }),
    ),
    by('ci', failed({ deployment: run(`pr ${number}`) })),
  ]),
  by('ci', planned('1.0.0', { deployment: run('old') })),
  by('ci', failed({ deployment: run('old') })),
  by('ci', logged('2.0.0'), { marker: 'runs' }),
  by('ci', planned('3.0.0', { deployment: run('on'), slot: place('pr-3') })),
  by('ci', started({ deployment: run('on') })),
];

const aDesk = async (days: number): Promise<Desk> => {
  const desk = await openDesk({ folder: join(scratch, randomUUID()), steps });
  await desk.house.ports.clock.sleep(days * dayMs);
  return desk;
};

type Lines = readonly { readonly [field: string]: unknown }[];
const linesOf = (said: Said, schema: string): Lines => {
  const lines = said.out.map((line) => JSON.parse(line) as { readonly [field: string]: unknown });
  expect(lines.flatMap((line) => faultsOf(schema, line))).toEqual([]);
  return lines;
};
const codeIn = ({ err }: Said): unknown =>
  (JSON.parse(err.at(-1) ?? 'null') as { code: string }).code;
const ops = '--key=ops.json';

const plan = async (desk: Desk, ...args: readonly string[]): Promise<readonly string[]> =>
  linesOf(await desk.plimsoll('retention', 'plan', ops, ...args, '--json'), 'retention-plan').map(
    ({ environment, deployments, kept }) =>
      [environment, deployments, ...(kept as { code: string }[]).map(({ code }) => code)].join(' '),
  );

describe('retention plan', () => {
  test('says what would go, by environment, and changes nothing', async () => {
    const desk = await aDesk(20);
    const size = (await desk.house.records()).length;
    const [first, ...others] = linesOf(
      await desk.plimsoll('retention', 'plan', ops, '--json'),
      'retention-plan',
    );
    expect(first).toMatchObject({
      environment: 'pr-1',
      tier: 'pr-*',
      days: 14,
      deployments: 1,
      rows: 2,
      kept: [],
      examples: [{ deployment: run('pr 1'), component: 'checkout', version: '0.1' }],
    });
    expect(first?.['bytes']).toBeGreaterThan(200);
    expect(others).toMatchObject([
      { environment: 'pr-2', deployments: 1 },
      { environment: 'pr-3', deployments: 0, kept: [{ code: 'not-ended', count: 1 }] },
    ]);
    expect(await desk.house.records()).toHaveLength(size);
  });

  test('follows the tiers, and never counts what runs', async () => {
    expect(await plan(await aDesk(10))).toEqual([]);
    expect(await plan(await aDesk(400))).toEqual([
      'pr-1 1',
      'pr-2 1',
      'pr-3 0 not-ended',
      'production 1 holds-slot',
    ]);
    expect(await plan(await aDesk(400), '--environment=pr-1')).toEqual(['pr-1 1']);
    expect(await plan(await aDesk(400), '--environment=pro*')).toEqual(['production 1 holds-slot']);
  });

  test('is told to people as a table with examples', async () => {
    const { out } = await (await aDesk(20)).plimsoll('retention', 'plan', ops);
    expect(out.map((line) => line.trimEnd().replace(/\d+\.\d KB|\d+ B/, 'SIZE'))).toEqual([
      expect.stringMatching(/^ENVIRONMENT +KEPT FOR +WOULD GO +BYTES +STAY ALL THE SAME$/),
      expect.stringMatching(/^pr-1 +14 days \(pr-\*\) +1 +SIZE$/),
      expect.stringMatching(/^pr-2 +14 days \(pr-\*\) +1 +SIZE$/),
      expect.stringMatching(/^pr-3 +14 days \(pr-\*\) +0 +SIZE +1 not-ended$/),
      'For example:',
      `  ${run('pr 1')}  checkout 0.1, last heard of 2026-11-21 10:00:00Z`,
      `  ${run('pr 2')}  checkout 0.2, last heard of 2026-11-21 10:00:00Z`,
    ]);
  });
});

describe('retention apply', () => {
  test('lets go what the plan says, and leaves who did it and why', async () => {
    const desk = await aDesk(400);
    const applied = await desk.plimsoll('retention', 'apply', ops, '--reason=monthly', '--json');
    const [line] = linesOf(applied, 'retention-applied');
    expect(line).toMatchObject({ deployments: 3, forgotten: 3, kept: [] });
    expect(await plan(desk)).toEqual(['pr-3 0 not-ended', 'production 0 holds-slot']);
    const operation = jsonOf(await desk.plimsoll('operations', '--json'));
    expect(operation).toMatchObject({
      kind: 'deployments-forgotten',
      reason: 'monthly',
      signer: 'ops',
      effect: { done: 3, refused: [] },
    });
    const left = await desk.plimsoll('timeline', '--json');
    expect(linesOf(left, 'timeline').map(({ version }) => version)).toEqual(['2.0.0', '3.0.0']);
    expect(jsonOf(await desk.plimsoll('current', '--json'))).toMatchObject({ version: '2.0.0' });
    const gone = await desk.plimsoll('show', run('old'), '--json');
    expect(gone.exit).toBe(4);
    expect(gone.err.join('')).toContain('was forgotten');
    const shown = await desk.plimsoll('show', id('runs'), '--json');
    expect(shown.exit).toBe(0);
  });

  test('again is nothing new', async () => {
    const desk = await aDesk(400);
    await desk.plimsoll('retention', 'apply', ops, '--reason=monthly');
    const size = (await desk.house.records()).length;
    const again = await desk.plimsoll('retention', 'apply', ops, '--reason=monthly');
    expect([again.exit, again.err]).toEqual([0, ['plimsoll: nothing is older than it is kept']]);
    expect(await desk.house.records()).toHaveLength(size);
  });

  test('rebuilt, the read models are the same', async () => {
    const desk = await aDesk(400);
    await desk.plimsoll('retention', 'apply', ops, '--reason=monthly');
    const before = await desk.plimsoll('timeline', '--json');
    expect((await desk.plimsoll('rebuild', ops, '--reason=why')).exit).toBe(0);
    expect((await desk.plimsoll('timeline', '--json')).out).toEqual(before.out);
  });
});

describe('retention set', () => {
  const set = (desk: Desk, environment: string, days: string, key = ops): Promise<Said> =>
    desk.plimsoll(
      ...[
        'retention',
        'set',
        `--environment=${environment}`,
        `--days=${days}`,
        '--reason=why',
        key,
      ],
      '--json',
    );

  test('counts at once, is listed, and the most exact wins', async () => {
    const desk = await aDesk(5);
    const said = await set(desk, 'pr-*', '3');
    expect(linesOf(said, 'retention-change')).toMatchObject([{ environment: 'pr-*', days: 3 }]);
    await set(desk, 'pr-2', '30');
    expect(await plan(desk)).toEqual(['pr-1 1', 'pr-3 0 not-ended']);
    const listed = linesOf(await desk.plimsoll('retention', 'list', '--json'), 'retention');
    expect(
      listed.map(({ environment, days, signer }) =>
        [environment, days, signer].map(String).join(' '),
      ),
    ).toEqual([
      '* 365 null',
      'ephemeral-* 14 null',
      'pr-* 3 ops',
      'pr-2 30 ops',
      'preview-* 14 null',
      'review-* 14 null',
      'review/* 14 null',
    ]);
  });

  test('is listed through a gateway as at hand', async () => {
    const desk = await aDesk(5);
    const through = await desk
      .elsewhere({ isRemote: true })
      .plimsoll('retention', 'list', '--json');
    const atHand = await desk.plimsoll('retention', 'list', '--json');
    expect(through.out).toEqual(atHand.out);
  });

  test.each([
    ['pr-*', '0', 2, 'option-invalid'],
    ['pr-*', '40000', 2, 'option-invalid'],
    ['p*r', '3', 2, 'field-invalid'],
  ])('%s for %s days ends with %i: %s', async (environment, days, exit, code) => {
    const desk = await aDesk(5);
    const size = (await desk.house.records()).length;
    const refused = await set(desk, environment, days);
    expect([refused.exit, codeIn(refused)]).toEqual([exit, code]);
    expect(await desk.house.records()).toHaveLength(size);
  });

  test('is for keys of all that environment, and others leave no record', async () => {
    const desk = await openDesk({
      folder: join(scratch, randomUUID()),
      steps: [trusts('narrow', { roles: ['operator'], environments: ['pr-1'] })],
    });
    const size = (await desk.house.records()).length;
    const refused = await set(desk, 'pr-*', '3', '--key=narrow.json');
    expect([refused.exit, codeIn(refused)]).toEqual([5, 'out-of-scope']);
    expect(await desk.house.records()).toHaveLength(size);
    expect((await set(desk, 'pr-1', '3', '--key=narrow.json')).exit).toBe(0);
  });
});
