import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Receipt } from '../../../services/core/markers/http-wire.ts';
import type { CliPorts } from '../../../services/cli/ports.ts';
import { fail, ok } from '../../../services/core/result.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, DeskOptions, Said } from '../../support/desk.ts';
import { jsonOf, openDesk, unreachable } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { by, keyOf, retires, trusts } from '../../support/given.ts';
import { logId, planned, policySet, run as runId } from '../../support/markers.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const newFolder = (): string => join(scratch, randomUUID());
const desk = (options: DeskOptions & { readonly steps?: readonly Step[] } = {}): Promise<Desk> =>
  openDesk({ folder: newFolder(), ...options });

const checkout = ['--component-name=checkout', '--environment-name=production'];
const plan = (version: string, ...more: readonly string[]): readonly string[] => [
  ...['release', 'plan', ...checkout, `--target-version=${version}`],
  ...more,
];
const update = (status: string, ...more: readonly string[]): readonly string[] => [
  ...['release', 'update', `--status=${status}`],
  ...more,
];
const log = (version: string, ...more: readonly string[]): readonly string[] => [
  ...['release', 'log', ...checkout, `--target-version=${version}`],
  ...more,
];

/** Calls each, all with --json; `stored 1 planned`, `refused - started deployment-ended`. */
const story = async (
  { plimsoll }: Desk,
  ...calls: readonly (readonly string[])[]
): Promise<readonly string[]> => {
  const told: string[] = [];
  for (const call of calls) {
    const said = await plimsoll(...call, '--json');
    const line = jsonOf(said);
    expect(faultsOf('receipt', line)).toEqual([]);
    const { delivery, attempt, kind, code } = line as {
      readonly [field: string]: string | number | null;
    };
    const words = [delivery, attempt ?? '-', kind, code].filter((word) => word !== null).join(' ');
    told.push(said.exit === 0 ? words : `${words} (exit ${said.exit})`);
  }
  return told;
};

const statuses = async ({ plimsoll }: Desk): Promise<readonly string[]> =>
  (await plimsoll('timeline', '--json')).out
    .map((line) => JSON.parse(line) as { readonly [field: string]: unknown })
    .map(
      ({ attempt, version, status }) => `${String(attempt)} ${String(version)} ${String(status)}`,
    );

const appended = async ({ house }: Desk): Promise<number> => (await house.records()).length;

/** Code, message, hint as --json says them on stderr. */
const problemOf = ({
  err,
}: Said): { readonly code: string; readonly message: string; readonly hint: string } => {
  const problem = JSON.parse(err.at(-1) ?? '') as { code: string; message: string; hint: string };
  expect(faultsOf('problem', problem)).toEqual([]);
  return problem;
};

describe('a deployment outside CI', () => {
  test('is planned, updated and ended by its name alone, and said in sentences', async () => {
    const { plimsoll } = await desk();
    const said = [
      await plimsoll(...plan('2.0.0')),
      await plimsoll(...update('RUNNING')),
      await plimsoll(...update('FAILED', '--failure-reason=health check\nred')),
    ];
    const sentences = said.map(({ out }) =>
      out.join('\n').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'ID'),
    );
    expect(sentences).toEqual([
      'planned checkout 2.0.0 to production (deployment ID, attempt 1, position 2)',
      'running (deployment ID, attempt 1, position 3)',
      String.raw`failed: health check\nred (deployment ID, attempt 1, position 4)`,
    ]);
    expect(said.map(({ exit }) => exit)).toEqual([0, 0, 0]);
  });

  test('said again is a duplicate, and nothing is written', async () => {
    const shop = await desk();
    expect(
      await story(shop, plan('2.0.0'), plan('2.0.0'), update('RUNNING'), update('in_progress')),
    ).toEqual([
      'stored 1 planned',
      'duplicate 1 planned repeat',
      'stored 1 started',
      'duplicate 1 started repeat',
    ]);
    expect(await appended(shop)).toBe(4);
    const again = jsonOf(await shop.plimsoll(...update('RUNNING', '--json')));
    expect(again).toMatchObject({ delivery: 'duplicate', position: 3 });
  });

  test('after its end is planned anew as another deployment', async () => {
    const shop = await desk();
    await story(shop, plan('2.0.0'), update('SUCCESS'), plan('2.0.0'), update('SUCCEEDED'));
    expect(await statuses(shop)).toEqual(['1 2.0.0 succeeded', '1 2.0.0 succeeded']);
  });

  test('cannot be planned differently before its end, and is told how to go on', async () => {
    const shop = await desk();
    expect(await story(shop, plan('2.0.0'), plan('3.0.0'))).toEqual([
      'stored 1 planned',
      'refused - planned planned-differently (exit 3)',
    ]);
    expect((await shop.plimsoll(...plan('3.0.0'))).err.join(' ')).toContain(
      '(plimsoll release update --status=CANCELED)',
    );
    expect(await story(shop, plan('3.0.0', 'other'))).toEqual(['stored 1 planned']);
    expect((await shop.plimsoll(...plan('4.0.0', 'other'))).err.join(' ')).toContain(
      '(plimsoll release update other --status=CANCELED)',
    );
    expect(await story(shop, update('SUCCESS', 'other'))).toEqual(['stored 1 succeeded']);
  });

  test('that has ended is not updated to something else', async () => {
    const shop = await desk();
    expect(
      await story(shop, plan('2.0.0'), update('SUCCESS'), update('FAILED'), update('RUNNING')),
    ).toEqual([
      'stored 1 planned',
      'stored 1 succeeded',
      'refused - failed deployment-ended (exit 3)',
      'refused - started deployment-ended (exit 3)',
    ]);
    expect(await appended(shop)).toBe(4);
  });

  test('that nobody planned here is not found, unless it is named', async () => {
    const shop = await desk();
    const lost = await shop.plimsoll(...update('SUCCESS', '--json'));
    expect([lost.exit, problemOf(lost).code]).toEqual([4, 'deployment-unknown']);
    const { deployment } = jsonOf(await shop.plimsoll(...plan('2.0.0', '--json')));
    const other = shop.elsewhere({ folder: newFolder() });
    expect(await story(other, update('SUCCESS', `--deployment=${String(deployment)}`))).toEqual([
      'stored 1 succeeded',
    ]);
    const unknown = await other.plimsoll(...update('SUCCESS', `--deployment=${randomUUID()}`));
    expect(unknown.exit).toBe(4);
  });

  test('ended by another folder is planned anew here too', async () => {
    const shop = await desk();
    const { deployment } = jsonOf(await shop.plimsoll(...plan('2.0.0', '--json')));
    const other = shop.elsewhere({ folder: newFolder() });
    await other.plimsoll(...update('CANCELED', `--deployment=${String(deployment)}`));
    expect(await story(shop, plan('3.0.0'))).toEqual(['stored 1 planned']);
  });

  test('may be updated with its place, and with no other', async () => {
    const shop = await desk();
    expect(
      await story(
        shop,
        plan('2.0.0', '--target=eu'),
        update('RUNNING', '--environment-name=production'),
        update('SUCCESS', '--target=eu', '--component-name=checkout'),
      ),
    ).toEqual(['stored 1 planned', 'stored 1 started', 'stored 1 succeeded']);
    const wrong = await shop.plimsoll(...update('SUCCESS', '--environment-name=staging', '--json'));
    expect([wrong.exit, problemOf(wrong).code]).toEqual([3, 'slot-differs']);
    expect(faultsOf('receipt', jsonOf(wrong))).toEqual([]);
    expect(jsonOf(wrong)).toMatchObject({
      kind: 'succeeded',
      delivery: 'refused',
      code: 'slot-differs',
      position: null,
    });
  });

  test('whose plan was refused leaves nothing behind that could be in the way', async () => {
    for (const isRemote of [false, true]) {
      const shop = await desk({ isRemote, steps: [trusts('ci', { environments: ['staging'] })] });
      const key = '--key=ci.json';
      expect((await shop.plimsoll(...plan('1', key))).exit).toBe(5);
      const staging = ['--component-name=checkout', '--environment-name=staging', key];
      expect(
        await story(
          shop,
          ['release', 'plan', '--target-version=1', ...staging],
          update('SUCCESS', ...staging),
        ),
      ).toEqual(['stored 1 planned', 'stored 1 succeeded']);
    }
  });

  test.each([
    ['in per cent', '10%', 0.1],
    ['as somebody reckoned it', '0.10714285714285714', 3 / 28],
  ])('may tell its canary share %s', async (_how, share, canaryShare) => {
    const shop = await desk();
    const { deployment } = jsonOf(
      await shop.plimsoll(...plan('2.0.0', `--canary-share=${share}`), '--json'),
    );
    const shown = jsonOf(await shop.plimsoll('show', String(deployment), '--json'));
    expect(shown).toMatchObject({ attempts: [{ canaryShare }] });
  });

  test('has a reason with what went wrong; beside another status, or empty, it is left out', async () => {
    const shop = await desk();
    await story(shop, plan('1'), plan('2', 'eu'));
    const said = [
      await shop.plimsoll(...update('RUNNING', '--failure-reason=')),
      await shop.plimsoll(...update('SUCCESS', '--failure-reason=none')),
      await shop.plimsoll(...update('FAILED', 'eu', '--failure-reason', '')),
    ];
    expect(said.map(({ exit, err }) => [exit, ...err])).toEqual([
      [0],
      [0, 'plimsoll: the --failure-reason is left out: it goes with FAILED and CANCELED'],
      [0],
    ]);
    expect(await statuses(shop)).toEqual(['1 1 succeeded', '1 2 failed']);
    const shown = (await shop.plimsoll('timeline', '--json')).out.join(' ');
    expect(shown).not.toContain('none');
  });

  test('has its canary share told without a status', async () => {
    const shop = await desk();
    expect(
      await story(shop, plan('2.0.0', '--canary-share=0.1'), [
        ...['release', 'update', '--canary-share=0.5', '--colour=green'],
      ]),
    ).toEqual(['stored 1 planned', 'stored 1 traffic-shifted']);
    const both = await shop.plimsoll(...update('RUNNING', '--canary-share=0.5'));
    expect(both.exit).toBe(2);
  });
});

describe('in CI', () => {
  const circleci = (job: string, workflow = 'w-1'): DeskOptions['env'] & object => ({
    CIRCLECI: 'true',
    CIRCLE_WORKFLOW_ID: workflow,
    CIRCLE_WORKFLOW_WORKSPACE_ID: 'w-1',
    CIRCLE_BUILD_URL: `https://circleci.com/gh/shop/checkout/${job}`,
    CIRCLE_BUILD_NUM: job,
    CIRCLE_PROJECT_REPONAME: 'checkout',
    CIRCLE_PROJECT_USERNAME: 'shop',
  });
  const github = (attempt: string): DeskOptions['env'] & object => ({
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'shop/checkout',
    GITHUB_RUN_ID: '4711',
    GITHUB_RUN_ATTEMPT: attempt,
  });

  test('another job of the workflow, on another machine, cancels what was planned', async () => {
    const deploys = await desk({ env: circleci('71') });
    const cancels = deploys.elsewhere({ env: circleci('72'), folder: newFolder() });
    expect(await story(deploys, plan('2.0.0', 'eu'), update('RUNNING', 'eu'))).toEqual([
      'stored 1 planned',
      'stored 1 started',
    ]);
    expect(await story(cancels, update('CANCELED', 'eu'), update('CANCELLED', 'eu'))).toEqual([
      'stored 1 canceled',
      'duplicate 1 canceled repeat',
    ]);
    expect(await statuses(deploys)).toEqual(['1 2.0.0 canceled']);
  });

  test('two jobs of a workflow that plan the same are no disagreement', async () => {
    const first = await desk({ env: circleci('71') });
    const second = first.elsewhere({ env: circleci('72'), folder: newFolder() });
    expect(await story(first, plan('2.0.0'))).toEqual(['stored 1 planned']);
    expect(await story(second, plan('2.0.0'))).toEqual(['duplicate 1 planned repeat']);
  });

  test.each([
    ['CircleCI', circleci('71'), circleci('80', 'w-2')],
    ['GitHub Actions', github('1'), github('2')],
  ])('a rerun on %s is the next attempt of the same deployment', async (_name, first, second) => {
    const run = await desk({ env: first });
    const rerun = run.elsewhere({ env: second, folder: newFolder() });
    expect(await story(run, plan('2.0.0'), update('FAILED'))).toEqual([
      'stored 1 planned',
      'stored 1 failed',
    ]);
    expect(await story(rerun, plan('2.0.0'), update('SUCCESS'))).toEqual([
      'stored 2 planned',
      'stored 2 succeeded',
    ]);
    expect(await statuses(run)).toEqual(['1 2.0.0 failed', '2 2.0.0 succeeded']);
  });

  test.each([
    [
      'options',
      {},
      ['--run-id=17', '--run-attempt=first'],
      {},
      ['--run-id=17', '--run-attempt=second'],
    ],
    [
      'settings',
      { PLIMSOLL_RUN_ID: '17', PLIMSOLL_RUN_ATTEMPT: 'first' },
      [],
      { PLIMSOLL_RUN_ID: '17', PLIMSOLL_RUN_ATTEMPT: 'second' },
      [],
    ],
    [
      'options over what the CI says',
      github('1'),
      ['--run-id=17', '--run-attempt=first'],
      github('1'),
      ['--run-id=17', '--run-attempt=second'],
    ],
  ] as const)(
    'a pipeline of any CI names its run by %s: other jobs end it, and a rerun is the next attempt',
    async (_how, first, named, second, again) => {
      const run = await desk({ env: first });
      const other = run.elsewhere({ env: first, folder: newFolder() });
      const rerun = run.elsewhere({ env: second, folder: newFolder() });
      expect(await story(run, plan('2.0.0', ...named))).toEqual(['stored 1 planned']);
      expect(await story(other, update('FAILED', ...named))).toEqual(['stored 1 failed']);
      expect(await story(rerun, plan('2.0.0', ...again), update('SUCCESS', ...again))).toEqual([
        'stored 2 planned',
        'stored 2 succeeded',
      ]);
      expect(await statuses(run)).toEqual(['1 2.0.0 failed', '2 2.0.0 succeeded']);
    },
  );

  test.each([
    '--run-id=',
    '--run-attempt=2',
    '--run-id=a:b@c',
    '--run-id=a\nb',
    `--run-attempt=${'x'.repeat(300)}`,
  ])('what is no name of a run is refused: %j', async (option) => {
    const { plimsoll } = await desk();
    expect(await plimsoll(...plan('2.0.0', option))).toMatchObject({ exit: 2 });
  });

  test('a setting that is no name of a run is said, and stops nobody', async () => {
    const { plimsoll } = await desk({ env: { PLIMSOLL_RUN_ID: 'x'.repeat(3000) } });
    const said = await plimsoll(...plan('2.0.0'));
    expect(said.exit).toBe(0);
    expect(said.err.join('\n')).toContain('PLIMSOLL_RUN_ID is no name');
  });

  test('a plan that was refused does not change what is known of the one that stands', async () => {
    for (const isRemote of [false, true]) {
      const run = await desk({ isRemote, env: github('1') });
      const elsewhere = ['release', 'plan', '--target-version=1', '--component-name=payments'];
      expect(
        await story(
          run,
          plan('1'),
          elsewhere,
          update('RUNNING', ...checkout),
          update('SUCCESS', '--component-name=checkout'),
        ),
      ).toEqual([
        'stored 1 planned',
        'refused - planned planned-differently (exit 3)',
        'stored 1 started',
        'stored 1 succeeded',
      ]);
    }
  });

  test('the component is the repository, and the job is named as the source', async () => {
    const run = await desk({ env: circleci('71') });
    const { deployment } = jsonOf(
      await run.plimsoll('release', 'plan', '--target-version=2.0.0', '--json'),
    );
    const shown = jsonOf(await run.plimsoll('show', String(deployment), '--json'));
    expect(shown['attempts']).toMatchObject([
      {
        component: 'checkout',
        environment: 'default',
        namespace: 'default',
        links: [{ name: 'run', url: 'https://app.circleci.com/pipelines/workflows/w-1' }],
        history: [{ source: 'https://circleci.com/gh/shop/checkout/71' }],
      },
    ]);
  });

  test('outside it the component is that of the git remote, or must be named', async () => {
    const inRepository = await desk({ repository: 'git@github.com:shop/checkout.git' });
    const stored = await inRepository.plimsoll('release', 'log', '--target-version=1');
    expect(stored.out[0]).toMatch(/^logged checkout 1 to default /);
    const nowhere = await desk();
    const refused = await nowhere.plimsoll('release', 'log', '--target-version=1', '--json');
    expect([refused.exit, problemOf(refused).code]).toEqual([2, 'component-unknown']);
  });
});

test('the trace that a command is part of goes with its record; what is no trace does not', async () => {
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const traces: unknown[] = [];
  for (const TRACEPARENT of [trace, 'nonsense', `${trace}\n`]) {
    const shop = await desk({ env: { TRACEPARENT } });
    await shop.plimsoll(...log('1'));
    const { headers } = (await shop.house.records()).at(-1) ?? { headers: [] };
    const header = headers.find(({ name }) => name === 'traceparent');
    traces.push(header === undefined ? null : Buffer.from(header.value).toString('utf8'));
  }
  expect(traces).toEqual([trace, null, null]);
});

describe('release log', () => {
  test('is a deployment of its own; the same version again is kept as a repeat, without a new row', async () => {
    const shop = await desk();
    expect(await story(shop, log('2.0.0'), log('2.0.0'), log('2.1.0'))).toEqual([
      'stored 1 logged',
      'stored 1 logged repeat',
      'stored 1 logged',
    ]);
    expect(await statuses(shop)).toEqual(['1 2.0.0 logged', '1 2.1.0 logged']);
    const again = jsonOf(await shop.plimsoll(...log('2.1.0', '--json')));
    const rows = (await shop.plimsoll('timeline', '--json')).out.map(
      (line) => (JSON.parse(line) as { deployment: string }).deployment,
    );
    expect(again['deployment']).toBe(rows.at(-1));
  });

  test('keeps all that is said about the change', async () => {
    const shop = await desk();
    const { deployment } = jsonOf(
      await shop.plimsoll(
        ...log('2.0.0', '--json', '--owner=payments', '--ticket=CHG-1', '--ticket=CHG-2'),
        ...['--commit=c0ffee', '--repository=https://u:p@host/shop/checkout.git', '--build=9'],
        ...['--trigger=manual', '--actor=ann', '--intent=fix', '--risk=schema-migration'],
        ...['--cluster=c', '--zone=z', '--function-version=3', '--function-alias=live'],
        ...[
          '--runbook=https://wiki/x',
          '--resource=cpu=500m',
          '--label=tier:1',
          '--link=pr=https://x/1',
        ],
        ...['--change=commit:abc:fix: all of it', '--change=pull-request:12'],
      ),
    );
    const shown = jsonOf(await shop.plimsoll('show', String(deployment), '--json'));
    expect(faultsOf('show', shown)).toEqual([]);
    expect((shown['attempts'] as readonly { details: unknown }[])[0]?.details).toEqual({
      owner: 'payments',
      tickets: ['CHG-1', 'CHG-2'],
      commit: 'c0ffee',
      repository: 'https://host/shop/checkout.git',
      build: '9',
      trigger: 'manual',
      actor: 'ann',
      intent: 'fix',
      riskFlags: ['schema-migration'],
      cluster: 'c',
      zone: 'z',
      functionVersion: '3',
      functionAlias: 'live',
      runbook: 'https://wiki/x',
      resources: [{ name: 'cpu', value: '500m' }],
      labels: [{ name: 'tier', value: '1' }],
      links: [{ name: 'pr', value: 'https://x/1' }],
      changes: [
        { type: 'commit', id: 'abc', title: 'fix: all of it', url: null },
        { type: 'pull-request', id: '12', title: null, url: null },
      ],
    });
  });

  test('says which names are used for the first time, with the nearest that was there', async () => {
    const shop = await desk();
    expect((await shop.plimsoll(...log('1'))).err).toEqual([]);
    const slip = await shop.plimsoll(
      ...[
        'release',
        'log',
        '--component-name=checkout',
        '--environment-name=prodution',
        '--target-version=1',
      ],
    );
    expect(slip.err).toEqual([
      'plimsoll: environment "prodution" is used for the first time; the nearest known name is "production"',
    ]);
  });
});

describe('bad input is told with its place, and nothing is written:', () => {
  const labels = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `--label=a${index}:b`);

  test.each<[string, readonly string[], string]>([
    ['a version that is too long', log('x'.repeat(129)), 'field-invalid: --target-version '],
    [
      'a control character',
      log('1\u0007'),
      'field-invalid: --target-version holds a control character',
    ],
    ['a line end in a name', log('1\n2'), 'field-invalid: --target-version must be one line'],
    ['half a surrogate pair', log('1\ud800'), 'field-invalid: --target-version is not well-formed'],
    [
      'a digest that is a tag',
      log('1', '--digest=latest'),
      'field-invalid: --digest must be sha256:',
    ],
    [
      'a digest in capitals',
      log('1', `--digest=sha256:${'A'.repeat(64)}`),
      'field-invalid: --digest',
    ],
    [
      'a canary share of nothing',
      plan('1', '--canary-share=0'),
      'field-invalid: --canary-share must be above 0',
    ],
    ['a canary share above all', plan('1', '--canary-share=1.5'), 'field-invalid: --canary-share'],
    [
      'a canary share that is no number',
      plan('1', '--canary-share=NaN'),
      'option-invalid: --canary-share',
    ],
    ['a negative canary share', plan('1', '--canary-share=-0.1'), 'option-invalid: --canary-share'],
    [
      'a canary share beyond a hundred per cent',
      plan('1', '--canary-share=110%'),
      'field-invalid: --canary-share',
    ],
    ['21 labels', log('1', ...labels(21)), 'field-invalid: --label holds at most 20'],
    ['a label without a value', log('1', '--label=tier'), 'option-invalid: --label="tier"'],
    [
      'a label too long',
      log('1', `--label=a:${'x'.repeat(3000)}`),
      'field-invalid: --label (number 1) ',
    ],
    [
      '201 tickets',
      log('1', ...Array.from({ length: 201 }, (_, i) => `--ticket=T${i}`)),
      'field-invalid: --ticket',
    ],
    [
      'a link that runs a script',
      log('1', '--link=x=javascript:alert(1)'),
      'option-invalid: --link',
    ],
    ['a change of no known type', log('1', '--change=tree:abc'), 'option-invalid: --change'],
    [
      'a trigger that nobody knows',
      log('1', '--trigger=pushed'),
      'option-invalid: --trigger="pushed"',
    ],
    [
      'a reason that is too long',
      update('FAILED', `--failure-reason=${'x'.repeat(2001)}`),
      'field-invalid: --failure-reason ',
    ],
    [
      'a deployment that is no UUID',
      update('FAILED', '--deployment=7'),
      'field-invalid: --deployment must be a UUID',
    ],
    ['a status that is none', update('OK?'), 'status-unknown: --status="OK?"'],
    ['no status', ['release', 'update'], 'option-missing: plimsoll release update needs --status'],
    ['a time that is none', log('1', '--timeout=soon'), 'option-invalid: --timeout="soon"'],
    [
      'a time without a unit',
      log('1', '--timeout=10'),
      'option-invalid: --timeout="10" is no time',
    ],
    ['a component named after a prototype', [...log('1'), '--__proto__=x'], 'option-unknown: '],
  ])('%s', async (_name, call, expected) => {
    const shop = await desk();
    const before = await appended(shop);
    const said = await shop.plimsoll(...call, '--json');
    const { code, message } = problemOf(said);
    expect(`${code}: ${message}`).toContain(expected);
    expect(said).toMatchObject({ exit: 2, out: [] });
    expect(await appended(shop)).toBe(before);
  });

  test('everything at its limit is taken', async () => {
    const shop = await desk();
    const most = log('x'.repeat(128), ...labels(20), '--ticket=T');
    expect(await story(shop, most)).toEqual(['stored 1 logged']);
  });

  test('more than one record can hold', async () => {
    const shop = await desk();
    const much = Array.from(
      { length: 200 },
      (_, index) => `--link=n${index}=https://x/${'y'.repeat(1500)}`,
    );
    const said = await shop.plimsoll(...log('1', ...much, '--json'));
    expect([said.exit, problemOf(said).code]).toEqual([2, 'value-too-large']);
  });
});

describe('a key', () => {
  const steps = [
    trusts('ci', { environments: ['staging'] }),
    trusts('judge', { roles: ['analyser'] }),
    trusts('shy', { kinds: ['logged'] }),
  ];

  test.each<[string, string, string]>([
    ['for staging alone', 'ci', 'out-of-scope'],
    ['of another role', 'judge', 'role-missing'],
    ['for other kinds', 'shy', 'kind-not-allowed'],
    ['that nobody trusts', 'stranger', 'key-unknown'],
    ['whose file is not there', 'missing', 'key-file-missing'],
  ])('%s plans nothing in production', async (_name, key, code) => {
    const shop = await desk({ steps });
    const said = await shop.plimsoll(...plan('1', `--key=${key}.json`, '--json'));
    expect([said.exit, problemOf(said).code]).toEqual([5, code]);
    expect(await statuses(shop)).toEqual([]);
  });

  test('for staging alone ends no production deployment, with or without naming its place', async () => {
    const shop = await desk({ steps });
    const { deployment } = jsonOf(await shop.plimsoll(...plan('1', '--json')));
    const named = `--deployment=${String(deployment)}`;
    for (const place of [[], ['--environment-name=production'], ['--environment-name=staging']]) {
      const said = await shop.plimsoll(...update('FAILED', named, '--key=ci.json', ...place));
      expect([3, 5]).toContain(said.exit);
    }
    expect(await statuses(shop)).toEqual(['1 1 planned']);
  });

  test('may be named by PLIMSOLL_KEY, and --key goes before it', async () => {
    const shop = await desk({ steps, env: { PLIMSOLL_KEY: 'keys/ci.json' } });
    expect((await shop.plimsoll(...log('1'))).exit).toBe(5);
    expect((await shop.plimsoll(...log('1', '--key=local.json'))).exit).toBe(0);
  });
});

describe('when something cannot be reached', () => {
  const down = (over: Parameters<NonNullable<DeskOptions['change']>>[0]): typeof over => ({
    ...over,
    log: async () => unreachable('no log'),
    atHand: async () => unreachable('no log'),
  });

  test('it is kept, with exit code 0 and one line; with --strict 6; --no-fail makes that 0', async () => {
    const shop = await desk({ change: down });
    const soft = await shop.plimsoll(...log('1', '--json'));
    expect(jsonOf(soft)).toMatchObject({
      delivery: 'spooled',
      code: 'unreachable',
      position: null,
    });
    expect(faultsOf('receipt', jsonOf(soft))).toEqual([]);
    expect([soft.exit, soft.err.length, problemOf(soft).code]).toEqual([0, 1, 'spooled']);
    for (const [words, exit] of [
      [['--strict'], 6],
      [['--strict', '--no-fail'], 0],
    ] as const) {
      const strict = await shop.plimsoll(...log('1', '--json', ...words));
      expect([strict.exit, strict.err.length]).toEqual([exit, 1]);
      expect(jsonOf(strict)).toMatchObject({ delivery: 'spooled' });
      expect(problemOf(strict)).toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('it is kept, and sent by the next command'),
      });
    }
    expect((await shop.plimsoll('current')).exit).toBe(6);
  });

  test('--no-fail makes bad input and refusals 0 too', async () => {
    const shop = await desk();
    expect((await shop.plimsoll(...update('SUCCESS', '--no-fail'))).exit).toBe(0);
    expect((await shop.plimsoll(...log('\u0007', '--no-fail'))).exit).toBe(0);
  });

  test('an outage of the read models alone keeps no marker back', async () => {
    const shop = await desk({
      change: (ports) => ({ ...ports, atHand: async () => unreachable('no store') }),
    });
    expect(await story(shop, plan('1'), update('SUCCESS'))).toEqual([
      'stored - planned not-checked',
      'stored - succeeded not-checked',
    ]);
    const elsewhere = await shop.plimsoll(...plan('2', 'eu'));
    expect(elsewhere.exit).toBe(0);
    const misplaced = await shop.plimsoll(
      ...['release', 'update', 'eu', '--status=SUCCESS', '--environment-name=staging', '--json'],
    );
    expect([misplaced.exit, problemOf(misplaced).code]).toEqual([3, 'slot-differs']);
    expect(jsonOf(misplaced)).toMatchObject({ delivery: 'refused', code: 'slot-differs' });
    expect(await statuses(shop.elsewhere({ change: (ports) => ports }))).toEqual([
      '1 1 succeeded',
      '1 2 planned',
    ]);
  });

  test('the log that is pinned is made sure of even where the read models are away', async () => {
    const shop = await desk({
      change: (ports) => ({ ...ports, atHand: async () => unreachable('no store') }),
    });
    const records = await shop.house.records();
    const other = shop.elsewhere({ env: { PLIMSOLL_LOG_ID: randomUUID() } });
    const said = await other.plimsoll(...log('1', '--json'));
    expect([said.exit, problemOf(said).code]).toEqual([3, 'foreign-log']);
    expect(jsonOf(said)).toMatchObject({ delivery: 'refused', position: null });
    expect(await shop.house.records()).toEqual(records);
    const same = shop.elsewhere({ env: { PLIMSOLL_LOG_ID: logId } });
    expect(await story(same, log('1'))).toEqual(['stored - logged not-checked']);
  });

  test('an answer that was lost is asked for again with the same bytes', async () => {
    let lost = 0;
    const shop = await desk({
      change: (ports) => ({
        ...ports,
        atHand: async (onProgress) => {
          const atHand = await ports.atHand(onProgress);
          if (!atHand.ok) return atHand;
          const { log: real } = atHand.value;
          const losing: typeof real = {
            ...real,
            append: async (partition, records) => {
              const answer = await real.append(partition, records);
              return lost++ < 2 ? fail({ code: 'unknown', message: 'lost' }) : answer;
            },
          };
          return ok({ ...atHand.value, log: losing });
        },
      }),
    });
    expect(await story(shop, log('1'))).toEqual(['stored 1 logged']);
    expect(await appended(shop)).toBe(5);
    expect(await statuses(shop)).toEqual(['1 1 logged']);
    expect((await shop.plimsoll('dead-letters', 'list')).out).toEqual([]);
  });

  test('an outage after an answer that was lost does not say that nothing was stored', async () => {
    let tries = 0;
    const shop = await desk({
      change: (ports) => ({
        ...ports,
        atHand: async (onProgress) => {
          const atHand = await ports.atHand(onProgress);
          if (!atHand.ok) return atHand;
          const append = async (): ReturnType<typeof atHand.value.log.append> =>
            fail({ code: tries++ === 0 ? 'unknown' : 'unreachable', message: 'gone' });
          return ok({ ...atHand.value, log: { ...atHand.value.log, append } });
        },
      }),
    });
    const lost = problemOf(await shop.plimsoll(...log('1', '--strict', '--json')));
    expect(lost).toMatchObject({
      message: expect.stringMatching(/^gone; it is kept/),
      hint: expect.stringContaining('may have been'),
    });
    const other = [
      '--environment-name=staging',
      ...log('1').filter((word) => !word.includes('env')),
    ];
    const [first = '', ...rest] = other;
    const away = await shop.plimsoll(...rest, first, '--strict', '--json');
    expect(problemOf(away).message).toMatch(/^gone; nothing was stored; it is kept/);
  });

  test('what takes too long is kept; with --strict the exit code is 8', async () => {
    const shop = await desk({
      change: (ports) => ({
        ...ports,
        ...outOfTime(ports),
        log: () => new Promise(() => undefined),
      }),
    });
    const late = await shop.plimsoll(...log('1', '--timeout=2s', '--json'));
    expect([late.exit, jsonOf(late)]).toMatchObject([0, { delivery: 'spooled', code: 'timeout' }]);
    const strict = await shop.plimsoll(...log('1', '--timeout=2s', '--strict', '--json'));
    expect([strict.exit, problemOf(strict).code]).toEqual([8, 'timeout']);
  });

  test('read models that are not folded in time keep no marker back', async () => {
    const shop = await desk({
      change: (ports) => ({
        ...ports,
        ...outOfTime(ports),
        atHand: () => new Promise(() => undefined),
      }),
    });
    expect(await story(shop, log('1'))).toEqual(['stored - logged not-checked']);
  });

  test('where there is no key yet and no log that makes one, it is said, and fails with --strict alone', async () => {
    const shop = await desk({
      change: (ports) => ({
        ...down(ports),
        keys: { ...ports.keys, read: () => ports.keys.read('missing.json') },
      }),
    });
    for (const [words, exit] of [
      [[], 0],
      [['--strict'], 6],
    ] as const) {
      const said = await shop.plimsoll(...log('1', '--json', ...words));
      expect([said.exit, said.out, problemOf(said)]).toMatchObject([
        exit,
        [],
        { code: 'unreachable', message: expect.stringContaining('there is no key yet') },
      ]);
    }
  });

  const never = (): Promise<never> => new Promise(() => undefined);
  test.each<[what: string, message: string, read: CliPorts['keys']['read']]>([
    ['its key is on a disk that hangs', 'the disk does not answer that the key lies on', never],
    [
      'nobody signs it',
      'not done after 2000 ms; it may be',
      async () => ok({ ...keyOf('local'), sign: never }),
    ],
  ])(
    'where no marker can be made in time, for %s, it is said, and a failure with --strict alone',
    async (_what, message, read) => {
      const shop = await desk({
        isRemote: true,
        change: (ports) => ({
          ...ports,
          // Only a sleep that is over at once lasts less than what the desk does.
          clock: {
            ...ports.clock,
            sleep: (ms) => new Promise((late) => void setTimeout(late, ms / hurry)),
          },
          keys: { ...ports.keys, read },
        }),
      });
      for (const [words, exit] of [
        [[], 0],
        [['--strict'], 8],
      ] as const) {
        const late = await shop.plimsoll(...log('1', '--timeout=2s', '--json', ...words));
        expect([late.exit, late.out, problemOf(late)]).toMatchObject([
          exit,
          [],
          { code: 'timeout', message: expect.stringContaining(message) },
        ]);
      }
    },
  );
});

const hurry = 10;
/** Waiting for an answer is over sooner; all else has the time that it takes. */
const outOfTime = (ports: CliPorts): Pick<CliPorts, 'clock'> => ({
  clock: {
    ...ports.clock,
    sleep: (ms, signal) =>
      ms > 1500
        ? ports.clock.sleep(ms, signal)
        : new Promise((late) => void setTimeout(late, ms / hurry)),
  },
});

const receiptOfAnother = JSON.stringify({
  deployment: logId,
  attempt: 1,
  marker: logId,
  kind: 'logged',
  delivery: 'stored',
  code: null,
  position: 7,
} satisfies Receipt);

const requiring =
  '{"policies":[{"component":"*","environment":"guarded","require":["owner"]}],"version":2}';

/** Every way in which an emitting command ends, with what is told: exit, delivery, attempt, kind, code. */
const allWays: readonly (readonly [readonly string[], string])[] = [
  [plan('1'), '0 stored 1 planned -'],
  [plan('1'), '0 duplicate 1 planned repeat'],
  [plan('1', '--owner=ann'), '0 stored 1 planned -'],
  [plan('2'), '3 refused - planned planned-differently'],
  [update('RUNNING'), '0 stored 1 started -'],
  [update('RUNNING'), '0 duplicate 1 started repeat'],
  [update('RUNNING', '--environment-name=staging'), '3 refused - started slot-differs'],
  [['release', 'update', '--canary-share=0.5'], '0 stored 1 traffic-shifted -'],
  [update('SUCCESS'), '0 stored 1 succeeded -'],
  [update('SUCCESS'), '0 duplicate 1 succeeded repeat'],
  [update('FAILED'), '3 refused - failed deployment-ended'],
  [update('RUNNING'), '3 refused - started deployment-ended'],
  [log('1'), '0 stored 1 logged repeat'],
  [log('2'), '0 stored 1 logged -'],
  [log('2'), '0 stored 1 logged repeat'],
  [log('2', '--target=eu'), '0 stored 1 logged -'],
  [plan('3', 'eu', '--target=eu'), '0 stored 1 planned -'],
  [update('CANCELED', 'eu'), '0 stored 1 canceled -'],
  [
    ['release', 'plan', '--environment-name=guarded', '--component-name=x', '--target-version=1'],
    '3 refused - planned fields-required',
  ],
  [
    ['release', 'log', '--environment-name=guarded', '--component-name=x', '--target-version=1'],
    '3 refused - logged fields-required',
  ],
  [plan('4', 'by-key', '--key=staging.json'), '5 refused - planned out-of-scope'],
  [log('4', '--key=staging.json'), '5 refused - logged out-of-scope'],
  [plan('4', 'by-key', '--key=judge.json'), '5 refused - planned role-missing'],
  [plan('4', 'by-key', '--key=shy.json'), '5 refused - planned kind-not-allowed'],
  [plan('4', 'by-key', '--key=stranger.json'), '5 refused - planned key-unknown'],
  [plan('4', 'by-key', '--key=gone.json'), '5 refused - planned key-retired'],
  [
    update('SUCCESS', `--deployment=${runId('foreign')}`, '--key=staging.json'),
    '5 refused - succeeded out-of-scope',
  ],
  [
    update('SUCCESS', `--deployment=${runId('nobody')}`, ...checkout, '--key=staging.json'),
    '5 refused - succeeded out-of-scope',
  ],
];

/** What each of them says on stdout, and what on stderr of a refusal. */
const toldInFull = async (isRemote: boolean): Promise<readonly Said[]> => {
  const shop = await desk({
    isRemote,
    steps: [
      trusts('ops', { roles: ['operator'] }),
      trusts('staging', { environments: ['staging'] }),
      trusts('judge', { roles: ['analyser'] }),
      trusts('shy', { kinds: ['logged'] }),
      trusts('gone'),
      retires('gone'),
      by('ops', policySet(requiring)),
      by('local', planned('1', { deployment: runId('foreign') })),
    ],
  });
  const said: Said[] = [];
  for (const [call] of allWays) {
    const { exit, out, err } = await shop.plimsoll(...call, '--json');
    for (const line of out) expect(faultsOf('receipt', JSON.parse(line))).toEqual([]);
    // Who stands beside the log is told by a note for each new name, the other by one warning.
    said.push({ exit, out, err: err.filter((line) => !line.includes('for the first time')) });
  }
  return said;
};

describe('through a gateway', () => {
  test('the same commands do the same', async () => {
    const shop = await desk({ isRemote: true });
    expect(
      await story(
        shop,
        plan('2.0.0'),
        plan('2.0.0'),
        update('RUNNING'),
        update('SUCCESS'),
        update('SUCCESS'),
        update('FAILED'),
        plan('3.0.0'),
        plan('4.0.0'),
      ),
    ).toEqual([
      'stored 1 planned',
      'duplicate 1 planned repeat',
      'stored 1 started',
      'stored 1 succeeded',
      'duplicate 1 succeeded repeat',
      'refused - failed deployment-ended (exit 3)',
      'stored 1 planned',
      'refused - planned planned-differently (exit 3)',
    ]);
    expect(await statuses(shop)).toEqual(['1 2.0.0 succeeded', '1 3.0.0 planned']);
  });

  test('each receipt and each refusal is the one that stands beside the log', async () => {
    const ends = await Promise.all([false, true].map((isRemote) => toldInFull(isRemote)));
    expect(ends[1]).toEqual(ends[0]);
    const words = ends[0]?.map(({ exit, out }) => {
      const { delivery, attempt, kind, code } = JSON.parse(out[0] ?? '{}') as Receipt;
      return [exit, delivery, attempt ?? '-', kind, code ?? '-'].join(' ');
    });
    expect(words).toEqual(allWays.map(([, expected]) => expected));
  });

  test('an unknown deployment is stored as unplanned, with a warning', async () => {
    const shop = await desk({ isRemote: true });
    const said = await shop.plimsoll(...update('SUCCESS', `--deployment=${randomUUID()}`));
    expect(said.exit).toBe(0);
    expect(said.out[0]).toMatch(/^stored \(unplanned\): succeeded /);
    expect(said.err).toHaveLength(1);
  });

  test('a key out of scope is told as such', async () => {
    const shop = await desk({
      isRemote: true,
      steps: [trusts('ci', { environments: ['staging'] })],
    });
    const said = await shop.plimsoll(...log('1', '--key=ci.json', '--json'));
    expect([said.exit, problemOf(said).code]).toEqual([5, 'out-of-scope']);
    expect(jsonOf(said)).toMatchObject({
      delivery: 'refused',
      code: 'out-of-scope',
      position: null,
    });
  });

  test.each<[string, number, string, number, string, string?]>([
    ['a proxy in between', 502, '<html>', 6, 'http-502'],
    [
      'a code of a newer gateway',
      409,
      '{"code":"brand-new","detail":"no"}',
      3,
      'brand-new',
      'brand-new',
    ],
    ['a code of another program', 404, '{"code":"rest_no_route"}', 6, 'http-404'],
    [
      'a gateway that does not go by this name',
      421,
      '{"code":"host-unknown"}',
      6,
      'host-unknown',
      'host-unknown',
    ],
    ['a damaged log behind it', 503, '{"code":"log-corrupt"}', 1, 'log-corrupt', 'log-corrupt'],
    ['an answer that is no receipt', 200, '{}', 6, 'unreachable'],
    ['an answer that is no JSON', 200, 'hello', 6, 'unreachable'],
    ['a proxy that lets nobody through', 403, '{}', 6, 'http-403'],
    ['a receipt of another marker', 201, receiptOfAnother, 6, 'unreachable'],
  ])('%s is understood', async (_name, status, text, exit, code, header) => {
    const shop = await desk({
      change: (ports) => ({
        ...ports,
        gateway: async () =>
          ok({
            status,
            header: (name) => (name === 'plimsoll-code' ? header : undefined),
            body: Buffer.from(text, 'utf8'),
          }),
      }),
    });
    const said = await shop.plimsoll(...log('1', '--json', '--strict'));
    expect([said.exit, problemOf(said).code]).toEqual([exit, code]);
    const isRefused = exit === 3;
    expect(jsonOf(said)).toMatchObject({ delivery: isRefused ? 'refused' : 'spooled' });
  });

  test.each([
    ['no-connection', 'gone; it is kept', 'is the gateway up?'],
    ['unreachable', 'gone; it is kept', 'it may have been stored'],
  ] as const)('an outage says what it knows of the marker: %s', async (code, message, hint) => {
    const shop = await desk({
      change: (ports) => ({ ...ports, gateway: async () => fail({ code, message: 'gone' }) }),
    });
    const said = await shop.plimsoll(...log('1', '--json', '--strict'));
    expect([said.exit, problemOf(said).code]).toEqual([6, 'unreachable']);
    expect(problemOf(said).message).toContain(message);
    expect(problemOf(said).hint).toContain(hint);
  });

  test('who has no key is told where one comes from', async () => {
    const shop = await desk({
      isRemote: true,
      change: (ports) => ({
        ...ports,
        keys: { ...ports.keys, read: () => ports.keys.read('missing.json') },
      }),
    });
    const unnamed = problemOf(await shop.plimsoll(...log('1', '--json')));
    expect(unnamed.hint).toContain('PLIMSOLL_KEY or --key=FILE; plimsoll keys new');
    const named = problemOf(await shop.plimsoll(...log('1', '--json', '--key=x.json')));
    expect(named).toMatchObject({ code: 'key-file-missing', hint: 'make one' });
  });
});

test('a strategy is any word; one that is nearly a known word is stored with a note', async () => {
  const shop = await desk();
  const notes = async (name: string, ...more: readonly string[]): Promise<readonly string[]> => {
    const said = await shop.plimsoll(...plan('1', name, ...more));
    expect(said.exit).toBe(0);
    return said.err;
  };
  expect(await notes('a', '--strategy=cannary')).toEqual([
    'plimsoll: --strategy=cannary: did you mean canary? Only canary is compared',
  ]);
  expect(await notes('b', '--strategy=cannary', '--canary-share=0.1')).toEqual([
    'plimsoll: --strategy=cannary: did you mean canary?',
  ]);
  expect(await notes('c', '--strategy=canary')).toEqual([]);
  expect(await notes('d', '--strategy=shadow')).toEqual([]);
});
