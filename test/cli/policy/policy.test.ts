import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readYaml } from '../../../services/adapters/yaml/read-yaml.ts';
import { parsePolicyDocument } from '../../../services/core/canary/policy/parse-policy.ts';
import { documentFileBytesMax } from '../../../services/core/canary/policy/policy-text.ts';
import { packCounts } from '../../../services/core/samples/packed-counts.ts';
import { partitionOfKey, sampleKey } from '../../../services/core/samples/key.ts';
import type { Sample } from '../../../services/core/samples/sample.ts';
import { signSample } from '../../../services/core/samples/wire.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import { lineOf } from '../../support/canary/capture-lines.ts';
import { plainOf } from '../../support/canary/policies.ts';
import type { Desk, DeskOptions, Said } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { by, keyOf, tools, trusts } from '../../support/given.ts';
import { audience, logged, place, policySet } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

const good = `version: 2
policies:
  - component: "*"
    environment: production
    preset: strict
  - component: checkout
    environment: production
    deadline: 45m
    metrics:
      - name: errors
        tolerance: { times: 1.2 }
      - name: memory
        weight: 0
      - name: heap
        kind: level
        of: jvm.memory.used
`;
const kinds = `version: 2
policies:
  - component: "*"
    environment: production
    warm-up: 0
    cohorts: { attribute: canary.role, canary: canary, baseline: baseline, fresh-baseline: true }
    rollouts: { before-after: true }
`;
const bad = good.replace('strict', 'strickt').replace('weight: 0', 'wieght: 0');
const unwise = `${good}  - component: cart
    environment: "*"
    on-silence: roll-back
`;
const files = { 'kinds.yaml': kinds, 'good.yaml': good, 'bad.yaml': bad, 'unwise.yaml': unwise };

const operator = trusts('ops', { roles: ['operator'] });
const aDesk = (options: DeskOptions & { readonly steps?: readonly Step[] } = {}): Promise<Desk> =>
  openDesk({ folder: join(scratch, randomUUID()), files, steps: [operator], ...options });
const ops = '--key=ops.json';
const placeOf = (component: string, environment: string): readonly string[] => [
  `--component=${component}`,
  `--environment=${environment}`,
];
const checkoutInProduction = placeOf('checkout', 'production');

/** Lines as programs read them, each by its schema. */
const linesOf = (said: Said, schema: string): readonly { readonly [field: string]: unknown }[] => {
  const lines = said.out.map((line) => JSON.parse(line) as { readonly [field: string]: unknown });
  expect(lines.flatMap((line) => faultsOf(schema, line))).toEqual([]);
  return lines;
};

describe('policy check', () => {
  test('tells every fault by file, line and column, and that it is bad input', async () => {
    const desk = await aDesk();
    const said = await desk.plimsoll('policy', 'check', 'bad.yaml');
    expect(said.out).toEqual([
      'bad.yaml:5:5 policies[0].preset must be standard, sensitive or strict, not "strickt" (did you mean strict?) [error]',
      expect.stringMatching(
        /^bad\.yaml:13:9 policies\[1\]\.metrics\[1\]\.wieght is no setting \(did you mean weight\?\)/,
      ),
    ]);
    expect(said.exit).toBe(2);
    expect(said.err[0]).toBe('plimsoll: bad.yaml has 2 faults [policy-invalid]');
  });

  test('tells them to programs', async () => {
    const desk = await aDesk();
    const said = await desk.plimsoll('policy', 'check', 'bad.yaml', '--json');
    expect(linesOf(said, 'policy-fault')).toMatchObject([
      { file: 'bad.yaml', line: 5, column: 5, severity: 'error', code: 'unknown-word' },
      { line: 13, column: 9, code: 'unknown-key' },
    ]);
    expect(said.exit).toBe(2);
  });

  test('of what is right says so, and warns of what is unwise', async () => {
    const desk = await aDesk();
    expect(await desk.plimsoll('policy', 'check', 'good.yaml')).toEqual({
      exit: 0,
      out: ['good.yaml: 2 policies, nothing wrong'],
      err: [],
    });
    const said = await desk.plimsoll('policy', 'check', 'unwise.yaml', '--json');
    expect(linesOf(said, 'policy-fault')).toMatchObject([
      { line: 19, column: 5, severity: 'warning', code: 'silence-rolls-back' },
    ]);
    expect(said.exit).toBe(0);
  });

  test('against a capture warns of metrics that nobody sends', async () => {
    const capture = join(scratch, `${randomUUID()}.jsonl`);
    const attributes = [
      { key: 'service.name', value: { stringValue: 'checkout' } },
      { key: 'deployment.environment.name', value: { stringValue: 'production' } },
    ];
    const dataPoints = [{ timeUnixNano: '1795255200000000000', asDouble: 0.4 }];
    const metrics = [{ name: 'process.cpu.utilization', unit: '1', gauge: { dataPoints } }];
    const resourceMetrics = [{ resource: { attributes }, scopeMetrics: [{ metrics }] }];
    writeFileSync(capture, `${JSON.stringify({ resourceMetrics })}\n`);
    const desk = await aDesk();
    const said = await desk.plimsoll(
      'policy',
      'check',
      'good.yaml',
      `--against=${capture}`,
      '--json',
    );
    expect(said.exit).toBe(0);
    expect(linesOf(said, 'policy-fault')).toMatchObject([
      { line: 3, code: 'metric-unsent', severity: 'warning' },
      { line: 10, code: 'metric-unsent' },
      {
        line: 14,
        message: expect.stringContaining('judges heap, and nobody sends jvm.memory.used') as string,
      },
    ]);
    const none = await desk.plimsoll(
      'policy',
      'check',
      'good.yaml',
      '--against=none.jsonl',
      '--json',
    );
    expect(JSON.parse(none.err.at(-1) ?? '')).toMatchObject({ code: 'file-invalid' });
  });

  test.each([
    [
      'far from the durations',
      [2.5, 5],
      [100, 0, 0],
      ['0.00 % (0/100) of requests took longer than 2.5 s'],
    ],
    ['about the durations', [0.05, 0.1], [30, 60, 10], []],
  ])('against a capture, given bounds %s', async (_where, explicitBounds, counts, warned) => {
    const capture = join(scratch, `${randomUUID()}.jsonl`);
    const line = lineOf({ version: '1.9.4', at: 10, requests: 100, errors: 0 });
    const buckets = JSON.stringify({ explicitBounds, bucketCounts: counts.map(String) });
    writeFileSync(capture, `${line.replace('"sum":10', `"sum":10,${buckets.slice(1, -1)}`)}\n`);
    const desk = await aDesk();
    const check = ['policy', 'check', 'good.yaml', `--against=${capture}`, '--json'];
    const told = linesOf(await desk.plimsoll(...check), 'policy-fault')
      .filter(({ code }) => code === 'no-bound')
      .map(({ message }) => message);
    expect(told).toEqual(
      warned.map(
        (shares) =>
          `policies[1]: latency of checkout in production: the bounds that both versions send are too far from its durations, or too far apart, to show a slower canary, so nothing is promoted: ${shares}, the nearest one; let both versions send bounds near their durations, each at most five times the one before, or exponential histograms; or say by fine-below of the metric in a policy which durations are fast enough (a bound that 19 of 20 are below, or more)`,
      ),
    );
  });

  test.each<readonly [string, object]>([
    ['no buckets', {}],
    ['one bucket and no bounds', { explicitBounds: [], bucketCounts: ['100'] }],
  ])('against a capture of histograms with %s', async (_what, buckets) => {
    const capture = join(scratch, `${randomUUID()}.jsonl`);
    const line = lineOf({ version: '1.9.4', at: 10, requests: 100, errors: 0 });
    const more = JSON.stringify({ sum: 10, ...buckets }).slice(1, -1);
    writeFileSync(capture, `${line.replace('"sum":10', more)}\n`);
    const desk = await aDesk();
    const check = ['policy', 'check', 'good.yaml', `--against=${capture}`, '--json'];
    const told = linesOf(await desk.plimsoll(...check), 'policy-fault');
    expect(told.filter(({ code }) => code === 'no-bound')).toMatchObject([
      {
        message: expect.stringContaining(
          'latency of checkout in production: the histograms that both versions send have no bounds, and so show no slower canary: nothing is promoted; let both versions send bounds',
        ) as string,
      },
    ]);
  });

  describe('against a capture in which points of /pay succeed and those of /cart fail', () => {
    const route = (path: string): string =>
      `{"key":"http.route","value":{"stringValue":"${path}"}},`;
    const status = '{"key":"http.response.status_code"';
    const line = lineOf({ version: '1.9.4', at: 10, requests: 100, errors: 10 });
    const [start = '', first = '', second = ''] = line.split(status);
    const routed = `${start}${route('/pay')}${status}${first}${route('/cart')}${status}${second}`;

    /** What is told of metrics that nobody sends, by a policy with this metric. */
    const toldOf = async (
      metric: string,
      component = 'checkout',
      sent = routed,
    ): Promise<readonly (readonly [unknown, unknown])[]> => {
      const capture = join(scratch, `${randomUUID()}.jsonl`);
      writeFileSync(capture, `${sent}\n`);
      const policy = `version: 2
policies:
  - component: ${component}
    environment: production
    metrics:
      - ${metric}
`;
      const desk = await aDesk({ files: { 'routes.yaml': policy } });
      const check = ['policy', 'check', 'routes.yaml', `--against=${capture}`, '--json'];
      return linesOf(await desk.plimsoll(...check), 'policy-fault')
        .filter(({ code }) => code === 'metric-unsent')
        .map(({ line: at, message }) => [at, message]);
    };
    const judged = 'policies[0].metrics[0] (component checkout in environment production) judges';

    test.each([
      ['http.rout: /pay', `nobody sends http.rout with NAMES (did you mean http.route?)`],
      ['http.route: /payy', `nobody sends /payy as http.route of NAMES (did you mean /pay?)`],
      ['http.route: [/a, /b]', `nobody sends /a or /b as http.route of NAMES`],
      [
        'http.route: { starts-with: /api }',
        'nobody sends what starts with /api as http.route of NAMES',
      ],
      ['tenant: { is: present }', 'nobody sends tenant with NAMES'],
      ['http.route: { is: absent }', 'every point of NAMES has http.route'],
      [
        'http.route: { not: [/cart, /pay] }',
        'every point of NAMES has /pay or /cart as http.route',
      ],
      [
        'http.route: /pay, http.response.status_code: 500',
        'no point of NAMES is all of its where at once',
      ],
      [
        'http.rout: /pay, http.response.status_code: 404',
        'nobody sends 404 as http.response.status_code of NAMES; nobody sends http.rout with NAMES (did you mean http.route?)',
      ],
    ])('nothing that is %s is told', async (where, told) => {
      const named = `{ name: errors, of: http.server.request.duration, where: { ${where} } }`;
      const [told1, ...others] = await toldOf(named);
      expect(told1).toEqual([
        6,
        `${judged} errors, and ${told.replaceAll('NAMES', 'http.server.request.duration')}`,
      ]);
      expect(others).toEqual([]);
    });

    test.each([
      'http.route: /pay',
      'http.route: [/nowhere, /cart]',
      'http.route: { starts-with: /c }',
      'http.route: { not: /pay }',
      'http.route: { is: present }, http.response.status_code: { not: 500 }',
      'tenant: { is: absent }',
    ])('what is %s is sent', async (where) => {
      expect(await toldOf(`{ name: errors, where: { ${where} } }`)).toEqual([]);
    });

    test('of a metric for each route the one is told that nobody sends', async () => {
      const per = 'per: { attribute: http.route, values: [/pay, /search] }';
      expect(await toldOf(`{ name: errors, of: http.server.request.duration, ${per} }`)).toEqual([
        [
          6,
          expect.stringMatching(
            /judges errors\{http\.route=.*\/search.*\}, and nobody sends \/search as http\.route of/,
          ),
        ],
      ]);
    });

    test('that all points are of probes is told, but where the metric asks for their routes', async () => {
      const probes = routed.replaceAll('"/pay"', '"/healthz"').replaceAll('"/cart"', '"/metrics"');
      const named = (where: string): string =>
        `{ name: errors, of: http.server.request.duration${where} }`;
      const told = `${judged} errors, and all points of http.server.request.duration are of probes and scrapes, which count only where its where names http.route, rpc.service or rpc.method`;
      expect((await toldOf(named(''), 'checkout', probes))[0]).toEqual([6, told]);
      const tenant = ', where: { tenant: { is: absent } }';
      expect((await toldOf(named(tenant), 'checkout', probes))[0]).toEqual([6, told]);
      const asked = await toldOf(named(', where: { http.route: /healthz }'), 'checkout', probes);
      expect(asked.map(([, message]) => message)).not.toContain(told);
      expect(await toldOf(named(''), 'checkout', probes.replace('"/metrics"', '"/cart"'))).toEqual(
        [],
      );
    });

    test('points of one service say nothing of the policy of another, and a name that nobody sends is told once', async () => {
      const where = 'where: { http.route: /search }';
      expect(await toldOf(`{ name: errors, ${where} }`, 'cart')).toEqual([]);
      const heap = `{ name: heap, kind: level, of: jvm.heap, ${where} }`;
      expect(await toldOf(heap)).toEqual([[6, `${judged} heap, and nobody sends jvm.heap`]]);
    });
  });

  test('needs a file that is there', async () => {
    const desk = await aDesk();
    const said = await desk.plimsoll('policy', 'check', 'none.yaml');
    expect([said.exit, said.err[0]]).toEqual([
      2,
      'plimsoll: none.yaml: no such file [file-invalid]',
    ]);
  });
});

describe('policy explain', () => {
  test('tells which policy of a file it is and why, and what is otherwise than in the preset', async () => {
    const desk = await aDesk();
    const { out, exit } = await desk.plimsoll(
      'policy',
      'explain',
      'good.yaml',
      ...checkoutInProduction,
    );
    expect(exit).toBe(0);
    expect(out[0]).toBe(
      '# checkout in production: component checkout in environment production (good.yaml:6), over the preset standard',
    );
    expect(out).toContain('    deadline: 45m # set here; 30m in standard');
    expect(out).toContain('      # changed here: tolerance (plus:0.05%, times:1.1)');
    expect(out.join('\n')).toContain('# not judged here\n      - { name: memory, weight: 0 }');
    expect(out.join('\n')).toContain('# set here; not in standard\n      - { name: heap');
    expect(out.length).toBeLessThanOrEqual(45);
    expect(out.filter((line) => line.length > 100 && !line.startsWith('#'))).toEqual([]);
  });

  test('names the metrics that are without probes: those whose where names no route', async () => {
    const policy = `version: 2
policies:
  - component: "*"
    environment: "*"
    metrics:
      - { name: errors, where: { http.route: /healthz } }
      - { name: latency, where: { url.scheme: https } }
`;
    const desk = await aDesk({ files: { 'routes.yaml': policy } });
    const { out } = await desk.plimsoll(
      'policy',
      'explain',
      'routes.yaml',
      ...checkoutInProduction,
    );
    expect(out[2]).toBe(
      '# without requests of probes and scrapes (/healthz, /metrics): latency, traffic',
    );
  });

  test('of a setting with parts it names the part that is otherwise', async () => {
    const desk = await openDesk({
      folder: join(scratch, randomUUID()),
      files: {
        'own.yaml': `version: 2\npolicies:\n  - { component: '*', environment: '*', judging: { no-data: 20s } }\n`,
      },
    });
    const { out } = await desk.plimsoll('policy', 'explain', 'own.yaml', ...checkoutInProduction);
    expect(out.join('\n')).toContain('# set here; no-data: 2m in standard\n    judging: {');
  });

  test('says why a warm-up may be none, and which comparison is weaker', async () => {
    const desk = await aDesk();
    const checked = await desk.plimsoll('policy', 'check', 'kinds.yaml');
    // Whom nobody warns of a short warm-up has said that the baseline is cold, too.
    expect([...checked.out, ...checked.err].join('\n')).not.toContain('warm-up');
    const { out } = await desk.plimsoll('policy', 'explain', 'kinds.yaml', ...checkoutInProduction);
    const text = out.join('\n');
    expect(text).toContain(
      '    # the baseline is started anew beside the canary: both are cold alike, a warm-up of 0 is sound\n    cohorts: { attribute: canary.role,',
    );
    expect(text).toContain('    rollouts: { before-after: true, blue-green: false }\n');
    expect(text).toContain('# before and after, not side by side: weaker than a canary\n');
    const again = parsePolicyDocument(plainOf(text));
    const first = parsePolicyDocument(plainOf(kinds));
    expect(again.ok && again.value.policies[0]).toEqual(first.ok && first.value.policies[0]);
  });

  test('prints what can be read again as the very same policy', async () => {
    const desk = await aDesk();
    const { out } = await desk.plimsoll('policy', 'explain', 'good.yaml', ...checkoutInProduction);
    const again = parsePolicyDocument(plainOf(out.join('\n')));
    const first = parsePolicyDocument(plainOf(good));
    expect(again.ok && again.value.policies[0]).toEqual(first.ok && first.value.policies[1]);
  });

  test.each([
    ['a place of its own', 'checkout', 'production', 'file', 6],
    ['any component of the environment', 'cart', 'production', 'file', 3],
    ['no policy', 'cart', 'staging', 'preset', null],
  ])('for %s names the source', async (_what, component, environment, source, line) => {
    const desk = await aDesk();
    const said = await desk.plimsoll(
      ...['policy', 'explain', 'good.yaml', `--component=${component}`],
      ...[`--environment=${environment}`, '--json'],
    );
    expect(linesOf(said, 'policy-effective')).toMatchObject([
      { component, environment, source, line },
    ]);
  });

  test('without a file is of what was set; then of the file that PLIMSOLL_POLICY names, which it says', async () => {
    const desk = await aDesk();
    const explained = [
      'policy',
      'explain',
      '--component=cart',
      '--environment=production',
    ] as const;
    const none = await desk.plimsoll(...explained);
    expect(none.out[0]).toBe('# cart in production: the preset standard, as no policy is for it');
    await desk.plimsoll('policy', 'set', 'good.yaml', '--reason=x', ops);
    const set = jsonOf(await desk.plimsoll(...explained, '--json'));
    expect(set).toMatchObject({ source: 'log', position: 3, preset: 'strict' });
    const overridden = await desk
      .elsewhere({ env: { PLIMSOLL_POLICY: 'unwise.yaml' } })
      .plimsoll(...explained);
    expect(overridden.out[0]).toContain('(unwise.yaml:17)');
    expect(overridden.err[0]).toBe(
      'plimsoll: PLIMSOLL_POLICY names unwise.yaml, which counts here in place of what was set',
    );
  });

  test('through a gateway is the same', async () => {
    const explained = ['policy', 'explain', ...placeOf('cart', 'production'), '--json'];
    const document = JSON.stringify(plainOf(good));
    const [near, far] = await Promise.all(
      [false, true].map(async (isRemote) => {
        const desk = await aDesk({ isRemote, steps: [operator, by('ops', policySet(document))] });
        return desk.plimsoll(...explained);
      }),
    );
    expect(near && linesOf(near, 'policy-effective')).toMatchObject([
      { source: 'log', position: 3 },
    ]);
    expect(far).toEqual(near);
  });

  test('does not guess at what a newer release set', async () => {
    const desk = await aDesk({
      steps: [operator, by('ops', policySet('{"policies":[],"version":3}'))],
    });
    const said = await desk.plimsoll('policy', 'explain', ...checkoutInProduction);
    expect([said.exit, said.err[0]]).toEqual([
      3,
      'plimsoll: this release does not read the policies set at position 3: version must be 2, not 3 [policy-unread]',
    ]);
  });
});

describe('policy plan', () => {
  const planned = [
    'policy',
    'plan',
    'good.yaml',
    '--component=search',
    '--environment=staging',
  ] as const;

  test('says what a canary can show at this traffic, when it is promoted, and what would help', async () => {
    const desk = await aDesk();
    const { out } = await desk.plimsoll(...planned, '--canary-rps=5', '--baseline-rps=45');
    expect(out).toEqual([
      'search in staging: the preset standard, as no policy is for it',
      "5 requests a second to the canary, 45 to the baseline; 0.5 % of the baseline's requests fail",
      '',
      'METRIC   TOLERATED UP TO  FOUND IN 9 OF 10 BY 30m',
      'errors   0.6 %            1.4 %',
      'latency  4.4 % slower     12 % slower',
      '',
      'Promotion: not by the deadline (30m), as latency needs longer: a good canary would end inconclusive',
      'Counts are taken to scatter twice as much as chance, as long as there is no history.',
      'Judged too, where sent; what they show hangs on how they vary: cpu, memory, traffic',
      '',
      'WHAT WOULD HELP                      errors  latency       PROMOTION',
      'history of both versions alike       1.1 %   9.8 % slower  17m',
      'twice the traffic to the canary      1.2 %   10 % slower   19m',
      '1.1 times the traffic                1.3 %   12 % slower   30m',
      'deadline: 1h                         1.1 %   9.7 % slower  33m',
      'the tolerances of preset: sensitive  1.2 %   7.3 % slower  not by the deadline',
    ]);
  });

  test('takes a share of the traffic that rises, and tells programs everything', async () => {
    const desk = await aDesk();
    const said = await desk.plimsoll(
      ...planned,
      ...[
        '--rps=100',
        '--share=0s=1%,450s=0.05,900s=25%',
        '--base-error-rate=1%',
        '--dispersion=1',
      ],
      '--json',
    );
    const [plan] = linesOf(said, 'policy-plan');
    expect(plan).toMatchObject({
      traffic: [
        { fromSeconds: 0, canaryRps: 1, baselineRps: 99 },
        { fromSeconds: 450, canaryRps: 5, baselineRps: 95 },
        { fromSeconds: 900, canaryRps: 25, baselineRps: 75 },
      ],
      baselineErrorRate: 0.01,
      dispersion: 1,
      deadlineMs: 1_800_000,
      promotionWaitsFor: 'latency',
      metrics: [
        {
          metric: 'errors',
          kind: 'errors',
          weight: 0.5,
          tolerated: expect.closeTo(0.0115, 9) as number,
        },
        { metric: 'latency' },
        { metric: 'cpu', found: null },
        { metric: 'memory' },
        { metric: 'traffic' },
      ],
    });
  });

  describe('without rates', () => {
    /** A server that says every ten seconds what it did in them. */
    const serving = async (
      desk: Desk,
      minutes: number,
      targets: readonly (string | null)[] = [null],
      seconds: readonly number[] | null = null,
      /** Of another version that is beside it, of as many requests. */
      errorsBeside: number | null = null,
    ): Promise<void> => {
      const slot = { environment: 'staging', component: 'search' };
      const { log, samples } = desk.house;
      const nowMs = value(await log.read(0, 0, 1_000)).at(-1)?.appendedAtMs ?? 0;
      const partition = partitionOfKey(sampleKey(slot), samples.partitions);
      // All of them below the lowest bound.
      const { first: offset, bytes: counts } = packCounts([500, 0, 0]);
      const durations =
        seconds === null ? null : { bounds: 0, scale: 0, zeroCount: 0, offset, counts };
      for (let agoMs = minutes * 60_000; agoMs > 0; agoMs -= 10_000) {
        const time = nowMs - agoMs + 10_000;
        const sample: Sample = {
          ...{ kind: 'points', audience, ...slot },
          origins: [...targets, ...(errorsBeside === null ? [] : [null])].map((target, index) => ({
            ...{ namespace: 'default', version: index < targets.length ? '1.9.4' : '2.0.0' },
            ...{ deployment: null, instance: 'pod' },
            ...{ metric: 'http.server.request.duration', temporality: 'delta', unit: 's' },
            ...{ target, attributes: [] },
          })),
          points: [10, ...(errorsBeside === null ? [] : [errorsBeside])].map((errors, index) => ({
            ...{ origin: index === 0 ? 0 : targets.length, series: 'ab'.charAt(index).repeat(64) },
            ...{ receivedAt: time, start: time - 10_000, time },
            ...{ count: 500, errors, level: null, durations, refused: null },
          })),
          bounds: seconds === null ? [] : [{ seconds }],
        };
        const signed = await signSample(tools.codec, tools.text, sample, keyOf('analyser'));
        value(await samples.append(partition, [signed]));
      }
    };
    const steps = [operator, trusts('analyser', { roles: ['analyser'] })];

    test('plans by what the samples of the last hour say, and says so', async () => {
      const desk = await aDesk({ steps });
      await serving(desk, 20);
      const { out } = await desk.plimsoll(...planned, '--share=20%');
      expect(out.slice(1, 3)).toEqual([
        expect.stringMatching(
          /^traffic, errors: from the samples of the last hour \(1[89] minutes with requests, 50 a second\); scatter: nothing was learned yet; options say otherwise$/,
        ),
        "10 requests a second to the canary, 40 to the baseline; 2 % of the baseline's requests fail",
      ]);
      const [plan] = linesOf(
        await desk.plimsoll(...planned, '--base-error-rate=1%', '--json'),
        'policy-plan',
      );
      expect(plan).toMatchObject({
        traffic: [{ fromSeconds: 0, canaryRps: 5, baselineRps: 45 }],
        baselineErrorRate: 0.01,
        seen: { requestsPerSecond: 50, errorRate: 0.02, noiseAgeMs: null },
      });
    });

    test.each<readonly [why: string, holds: string | null, errorRate: number]>([
      ['the version that holds the slot', '1.9.4', 0.02],
      ['all, where nobody says what holds it', null, 0.51],
      ['all, where telemetry names the holder otherwise', 'v1.9.4', 0.51],
    ])('counts the errors of %s', async (_why, holds, errorRate) => {
      const slot = place('staging', 'search');
      const held = holds === null ? [] : [by('ci', logged(holds, { slot }))];
      const desk = await aDesk({ steps: [...steps, trusts('ci'), ...held] });
      await serving(desk, 20, [null], null, 500);
      const [plan] = linesOf(await desk.plimsoll(...planned, '--json'), 'policy-plan');
      expect(plan).toMatchObject({
        baselineErrorRate: Math.min(0.5, errorRate),
        seen: { requestsPerSecond: 100, errorRate },
      });
    });

    test('warns of regions that would be judged as one, where something is deployed to one', async () => {
      const warned = async (
        more: readonly Step[],
        file: string,
        ...args: readonly string[]
      ): Promise<string> => {
        const desk = await aDesk({
          steps: [...steps, ...more],
          files: {
            ...files,
            'regional.yaml': `version: 2\npolicies:\n  - { component: "*", environment: "*", target: cloud.region }\n`,
          },
        });
        await serving(desk, 20, ['eu', 'us']);
        const where = placeOf('search', 'staging');
        return (await desk.plimsoll('policy', 'plan', file, ...where, ...args)).err.join();
      };
      const slot = place('staging', 'search', 'eu');
      const held = [trusts('ci'), by('ci', logged('1.9.4', { slot }))];
      const said =
        /a rollout to eu alone would be judged by those of eu, us as one.*target: cloud\.region/;
      expect(await warned(held, 'good.yaml')).toMatch(said);
      expect(await warned(held, 'good.yaml', '--json')).toMatch(said);
      expect(await warned(held, 'regional.yaml')).not.toContain('as one');
      expect(await warned([], 'good.yaml')).not.toContain('as one');
    });

    test('says where no bound is near the durations that were seen, so that nothing is promoted', async () => {
      const desk = await aDesk({ steps });
      await serving(desk, 20, [null], [2.5, 5]);
      const { out } = await desk.plimsoll(...planned);
      expect(out).toContain(
        'Promotion: none, as no bound lies near the durations of latency: a good canary would end inconclusive',
      );
      expect(out.join('\n')).toMatch(
        /^latency: the bounds that both versions send .* took longer than 2\.5 s, the nearest one; let both/m,
      );
      const [plan] = linesOf(await desk.plimsoll(...planned, '--json'), 'policy-plan');
      expect(plan).toMatchObject({
        seen: { noBound: [{ metric: 'latency', boundMs: 2_500, longer: 0 }] },
        promotionMs: null,
        promotionWaitsFor: 'latency',
      });
    });

    test('says it of histograms without bounds, too', async () => {
      const desk = await aDesk({ steps });
      await serving(desk, 20);
      const { out } = await desk.plimsoll(...planned);
      expect(out).toContain(
        'Promotion: none, as no bound lies near the durations of latency: a good canary would end inconclusive',
      );
      expect(out.join('\n')).toContain(
        'latency: the histograms that both versions send have no bounds, and so show no slower canary: nothing is promoted',
      );
      const [plan] = linesOf(await desk.plimsoll(...planned, '--json'), 'policy-plan');
      expect(plan).toMatchObject({
        seen: { noBound: [{ metric: 'latency', boundMs: null, longer: 0 }] },
      });
    });

    test('of a place that is spelt otherwise says which one is perhaps meant', async () => {
      const slot = place('staging', 'search');
      const desk = await aDesk({
        steps: [...steps, trusts('ci'), by('ci', logged('1', { slot }))],
      });
      const where = placeOf('serach', 'staging');
      const said = await desk.plimsoll('policy', 'plan', 'good.yaml', ...where);
      expect([said.exit, said.err.join()]).toEqual([
        2,
        expect.stringContaining('is it perhaps staging/search?'),
      ]);
    });

    test('says what to give where too little was seen, or a gateway is between', async () => {
      const desk = await aDesk({ steps });
      await serving(desk, 2);
      const said = await desk.plimsoll(...planned);
      expect(said.exit).toBe(2);
      expect(said.err.join()).toMatch(
        /have (no whole minute|1 whole minutes) with requests of search in staging, and 5 are enough/,
      );
      expect(said.err.join()).toContain('--canary-rps');
    });
  });

  test('plans what is compared with what ran before, where the policy has that judged', async () => {
    const whole =
      'version: 2\npolicies:\n  - { component: "*", environment: "*", rollouts: { before-after: true, blue-green: true } }\n';
    const desk = await aDesk({ files: { ...files, 'whole.yaml': whole } });
    const asked = ['policy', 'plan', 'whole.yaml', ...placeOf('search', 'staging'), '--rps=100'];
    const { out } = await desk.plimsoll(...asked, '--share=10%');
    const at = out.findIndex((line) => line.startsWith('before and after'));
    expect(out.slice(at)).toEqual([
      'before and after, and blue/green with a full switch: 30m each side, 100 requests a second. Weaker than a canary:',
      'METRIC   TOLERATED UP TO  FOUND IN 9 OF 10 BY 30m',
      'errors   1.2 %            1.6 %',
      'latency  36 % slower      39 % slower',
      'Promotion: about 15m after the start, where the version is as good (the soak is 15m)',
      'It shows less where the half-hour before or the time of day scatters; until the day before is known nobody may act on it.',
    ]);
    const [line] = linesOf(await desk.plimsoll(...asked, '--share=10%', '--json'), 'policy-plan');
    expect(line).toMatchObject({
      before: { requestsPerSecond: 100, dispersion: 2.5, deadlineMs: 1_800_000 },
    });
  });

  test('takes a tenth of what is said for both, unless a share is said too', async () => {
    const desk = await aDesk();
    const { exit, out } = await desk.plimsoll(...planned, '--rps=50');
    expect([exit, out[1]]).toEqual([
      0,
      "5 requests a second to the canary, 45 to the baseline; 0.5 % of the baseline's requests fail",
    ]);
  });

  test.each([
    [['--canary-rps=5'], 'option-missing'],
    [['--canary-rps=5', '--baseline-rps=45', '--rps=50'], 'option-missing'],
    [['--canary-rps=0', '--baseline-rps=45'], 'option-invalid'],
    [['--canary-rps=5', '--baseline-rps=1e3'], 'option-invalid'],
    [['--rps=50', '--share=150%'], 'option-invalid'],
    [['--rps=50', '--share=0s=1%,0s=5%'], 'option-invalid'],
    [['--rps=50', '--share=60s=5%'], 'option-invalid'],
    [['--rps=50', '--share=10%', '--base-error-rate=0'], 'option-invalid'],
    [['--rps=50', '--share=10%', '--dispersion=0.5'], 'option-invalid'],
  ])('of %j says what it needs', async (options, code) => {
    const desk = await aDesk();
    const said = await desk.plimsoll(...planned, ...options, '--json');
    expect([said.exit, JSON.parse(said.err.at(-1) ?? '')]).toMatchObject([2, { code }]);
  });
});

describe('policy set', () => {
  test('signs the document and appends it; it counts from then on', async () => {
    const desk = await aDesk();
    const said = await desk.plimsoll(
      'policy',
      'set',
      'good.yaml',
      '--reason=less is tolerated',
      ops,
      '--json',
    );
    expect(linesOf(said, 'policy-set')).toMatchObject([{ position: 3, policies: 2, isNew: true }]);
    const list = linesOf(await desk.plimsoll('policy', 'list', '--json'), 'policy');
    expect(list).toMatchObject([
      { position: 3, signer: 'ops', reason: 'less is tolerated', suspect: false },
    ]);
    const operations = linesOf(await desk.plimsoll('operations', '--json'), 'operation');
    expect(operations).toMatchObject([{ kind: 'policy-set', digest: list[0]?.['digest'] }]);
  });

  test('of what counts already appends nothing, also where only comments differ', async () => {
    const desk = await aDesk({ files: { ...files, 'again.yaml': `# hello\n${good}` } });
    await desk.plimsoll('policy', 'set', 'good.yaml', '--reason=x', ops);
    const size = (await desk.house.records()).length;
    const said = await desk.plimsoll('policy', 'set', 'again.yaml', '--reason=y', ops, '--json');
    expect(jsonOf(said)).toMatchObject({ position: 3, isNew: false });
    expect(await desk.house.records()).toHaveLength(size);
  });

  test('of a file with a fault appends nothing', async () => {
    const desk = await aDesk();
    const size = (await desk.house.records()).length;
    const said = await desk.plimsoll('policy', 'set', 'bad.yaml', '--reason=x', ops);
    expect(said.exit).toBe(2);
    expect(said.err[0]).toMatch(/^plimsoll: bad\.yaml:5:5 .* \(and 1 more\) \[policy-invalid\]$/);
    expect(await desk.house.records()).toHaveLength(size);
  });

  test.each([
    ['local', 'role-missing'],
    ['some', 'out-of-scope'],
  ])('needs an operator of everything, which %s is not', async (name, code) => {
    const desk = await aDesk({
      steps: [trusts('some', { roles: ['operator'], components: ['checkout'] })],
    });
    const said = await desk.plimsoll(
      'policy',
      'set',
      'good.yaml',
      '--reason=x',
      `--key=${name}.json`,
      '--json',
    );
    expect([said.exit, JSON.parse(said.err.at(-1) ?? '')]).toMatchObject([5, { code }]);
  });

  test('needs a reason, and the log at hand', async () => {
    const desk = await aDesk();
    const silent = await desk.plimsoll('policy', 'set', 'good.yaml', ops, '--json');
    expect(JSON.parse(silent.err.at(-1) ?? '')).toMatchObject({ code: 'option-missing' });
    const remote = await desk
      .elsewhere({ isRemote: true })
      .plimsoll('policy', 'set', 'good.yaml', '--reason=x', '--json');
    expect(JSON.parse(remote.err.at(-1) ?? '')).toMatchObject({ code: 'not-through-gateway' });
  });

  test('tells what is unwise, and does it', async () => {
    const desk = await aDesk();
    const said = await desk.plimsoll('policy', 'set', 'unwise.yaml', '--reason=x', ops);
    expect(said.err[0]).toMatch(/^plimsoll: unwise\.yaml:19:5 .* rolls back when telemetry stops/);
    expect(said.exit).toBe(0);
  });
});

describe('policy show', () => {
  const later = good.replace('45m', '50m');
  const withTwo = async (): Promise<Desk> => {
    const desk = await aDesk({ files: { ...files, 'later.yaml': later } });
    await desk.plimsoll('policy', 'set', 'good.yaml', '--reason=first', ops);
    await desk.plimsoll('policy', 'set', 'later.yaml', '--reason=second', ops);
    return desk;
  };

  test('gives the document that counts as a file, and an earlier one by its position', async () => {
    const desk = await withTwo();
    const shown = await desk.plimsoll('policy', 'show');
    expect(shown.out[0]).toMatch(/^# document [0-9a-f]{12}, set at position 4, .* by ops: second$/);
    expect(plainOf(shown.out.join('\n'))).toEqual(plainOf(later));
    const first = await desk.plimsoll('policy', 'show', '3');
    expect(plainOf(first.out.join('\n'))).toEqual(plainOf(good));
    const [line] = linesOf(await desk.plimsoll('policy', 'show', '--json'), 'policy-shown');
    expect(line?.['document']).toEqual(plainOf(later));
  });

  test('through a gateway says the same', async () => {
    const documents = [good, later].map((text) => policySet(JSON.stringify(plainOf(text))));
    const steps = [operator, ...documents.map((document) => by('ops', document))];
    const [near, far] = await Promise.all(
      [false, true].map((isRemote) => aDesk({ isRemote, steps })),
    );
    for (const words of [
      ['policy', 'show'],
      ['policy', 'show', '3'],
      ['policy', 'list', '--json'],
    ])
      expect(await far?.plimsoll(...words)).toEqual(await near?.plimsoll(...words));
    expect((await near?.plimsoll('policy', 'show', '3'))?.exit).toBe(0);
  });

  test.each([false, true])('says where there is none (through a gateway: %s)', async (isRemote) => {
    const desk = await aDesk({ isRemote });
    expect(await desk.plimsoll('policy', 'show')).toMatchObject({
      exit: 0,
      out: [],
      err: [
        'plimsoll: no policy was set: the preset standard counts; plimsoll policy explain shows it',
      ],
    });
    expect((await desk.plimsoll('policy', 'show', '2')).exit).toBe(4);
    expect((await desk.plimsoll('policy', 'show', 'x')).exit).toBe(2);
  });

  test('hides no control character of a log from a terminal', async () => {
    const document = String.raw`{"policies":[{"component":"a\u202eb","environment":"*"}],"version":2}`;
    const desk = await aDesk({ steps: [operator, by('ops', policySet(document))] });
    const { out } = await desk.plimsoll('policy', 'show');
    expect(out.join('\n')).not.toMatch(/\u202e/);
    expect(readYaml(out.join('\n'), documentFileBytesMax).ok).toBe(true);
  });
});
