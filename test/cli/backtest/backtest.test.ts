import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lineOf, twoServers } from '../../support/canary/capture-lines.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, Said } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';

let folder: string;
let desk: Desk;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-backtest-'));
  desk = await openDesk({
    folder,
    files: {
      'quick.yaml': quick,
      'own-errors.yaml': `${quick}      - { name: errors, errors: { http.response.status_code: { starts-with: '5' } } }\n`,
      'silence.yaml': silence,
      'bad.yaml': 'version: 2\npolicies: 7\n',
    },
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Everything as in the standard preset, but sooner, and errors alone. */
const quick = `version: 2
policies:
  - component: '*'
    environment: '*'
    preset: standard
    warm-up: 10s
    soak: 40s
    deadline: 5m
    metrics:
      - { name: latency, weight: 0 }
      - { name: cpu, weight: 0 }
      - { name: memory, weight: 0 }
      - { name: traffic, weight: 0 }
`;
const silence = `version: 2
policies:
  - { component: '*', environment: '*', preset: standard, on-silence: roll-back }
`;
const anywhere = { component: '*', environment: '*' };
const place = ['--service=checkout', '--environment=production'];
const versions = ['--canary=2.0.0', '--baseline=1.9.4', '--since=2026-11-20T10:00:00Z'];
const how = ['--policy=quick.yaml'];

const capture = (name: string, lines: readonly string[]): string => {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
};
/** A file of its own each time: a test that ran out of time may still be writing. */
let written = 0;
const backtest = (lines: readonly string[], ...more: readonly string[]): Promise<Said> => {
  written += 1;
  const path = capture(`c${written}.jsonl`, lines);
  return desk.plimsoll('backtest', `--metrics=${path}`, ...place, ...versions, ...how, ...more);
};

type Export = {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly { readonly histogram: { readonly dataPoints: unknown[] } }[];
    }[];
  }[];
};

const bad = { canary: 20, baseline: 1 };
const good = { canary: 1, baseline: 1 };

describe('plimsoll backtest', () => {
  test('tells people each change of the verdict with its time, and what it came to', async () => {
    const { exit, out } = await backtest(twoServers(200, bad));
    expect(exit).toBe(0);
    const text = out.join('\n');
    expect(text).toMatch(/^checkout in production: canary 2\.0\.0 against 1\.9\.4/);
    for (const stage of ['warming', 'armed', 'rolled-back'])
      expect(text).toMatch(new RegExp(`2026-11-20 10:0\\d:\\d\\dZ +\\d+ s  ${stage} `));
    expect(text).toMatch(/roll-back after \d+ s\n  worse than tolerated in errors/);
  });

  test('ends with one line of JSON, after a line for each change', async () => {
    const { exit, out } = await backtest(twoServers(200, bad), '--json');
    const lines = out.map((line) => JSON.parse(line) as { readonly [field: string]: unknown });
    const last = lines.pop();
    expect(exit).toBe(0);
    expect(faultsOf('backtest', last)).toEqual([]);
    expect(Object.keys(last ?? {})).toEqual([
      ...['outcome', 'decidedAt', 'secondsAfterStart', 'metric', 'counts', 'ratio', 'interval'],
      ...['evidence', 'windows', 'excluded'],
    ]);
    expect(last).toMatchObject({ outcome: 'roll-back', metric: 'errors' });
    for (const line of lines) expect(faultsOf('backtest-change', line)).toEqual([]);
    expect(lines.map(({ stage }) => stage)).toEqual(['warming', 'armed', 'rolled-back']);
  });

  test('takes a share that stays as one number, a fraction or a percentage', async () => {
    const path = capture('shared.jsonl', twoServers(290, bad));
    const [stepped, fraction, percentage] = await Promise.all(
      ['0s=0.5', '0.5', '50%'].map((share) =>
        desk.plimsoll('backtest', `--metrics=${path}`, ...place, ...versions, `--weight=${share}`),
      ),
    );
    expect(stepped?.exit).toBe(0);
    expect(stepped?.out.join()).toContain('traffic is not blamed: canary');
    expect([fraction?.out, percentage?.out]).toEqual([stepped?.out, stepped?.out]);
  });

  test.each(['0.10714285714285714', '10.714285714285714%', '0s=0.10714285714285714'])(
    'takes a share that somebody reckoned: %s',
    async (share) => {
      expect((await backtest(twoServers(60, good), `--weight=${share}`)).exit).toBe(0);
    },
  );

  test('ends with 0 whatever the outcome is', async () => {
    const inconclusive = await backtest(twoServers(60, good), '--json');
    expect(inconclusive.exit).toBe(0);
    expect(JSON.parse(inconclusive.out.at(-1) ?? '')).toMatchObject({
      outcome: 'inconclusive',
      decidedAt: null,
      metric: null,
    });
    const promoted = await backtest(twoServers(290, good, 400), '--json');
    expect(JSON.parse(promoted.out.at(-1) ?? '')).toMatchObject({ outcome: 'promote' });
    const kept = await backtest(twoServers(290, good, 400), '--json', '--no-promote');
    expect(JSON.parse(kept.out.at(-1) ?? '')).toMatchObject({ outcome: 'inconclusive' });
  });

  test('takes what ran where from markers', async () => {
    const slot = { environment: 'production', component: 'checkout' };
    const deployment = '6f1c1a52-0000-8000-8000-000000000001';
    const markers = [
      { kind: 'logged', slot, version: '1.9.4', occurredAt: '2026-11-19T10:00:00Z' },
      {
        kind: 'planned',
        deployment,
        slot,
        version: '2.0.0',
        strategy: 'canary',
        occurredAt: '2026-11-20T09:59:00Z',
      },
      { kind: 'started', deployment, occurredAt: '2026-11-20T10:00:00Z' },
    ].map((marker) => JSON.stringify(marker));
    const inFolder = await openDesk({
      folder,
      files: {
        'quick.yaml': quick,
        'm.jsonl': markers.join('\n'),
        'two.jsonl': [
          ...markers,
          ...markers.slice(1).map((line) => line.replaceAll('0001"', '0003"')),
        ].join('\n'),
        'broken.jsonl': `${markers[0]}\n{"kind":"planed"}`,
        'none.jsonl': markers[0] ?? '',
        'days.jsonl': [
          ...markers,
          ...markers
            .slice(1)
            .map((line) => line.replaceAll('0001"', '0003"').replaceAll('11-20', '11-21')),
        ].join('\n'),
      },
    });
    const path = capture('m-c.jsonl', twoServers(200, bad));
    const judged = (name: string, ...more: readonly string[]): Promise<Said> =>
      inFolder.plimsoll(
        'backtest',
        `--metrics=${path}`,
        `--markers=${name}`,
        ...how,
        '--json',
        ...more,
      );
    expect(JSON.parse((await judged('m.jsonl')).out.at(-1) ?? '')).toMatchObject({
      outcome: 'roll-back',
    });
    expect((await judged('two.jsonl')).err.join()).toContain('tells of 2 canaries');
    const chosen = await judged('two.jsonl', `--deployment=${deployment}`);
    expect(JSON.parse(chosen.out.at(-1) ?? '')).toMatchObject({ outcome: 'roll-back' });
    expect(await judged('broken.jsonl')).toMatchObject({
      exit: 2,
      err: [expect.stringContaining('broken.jsonl, line 2: its kind is not in the register')],
    });
    expect(await judged('none.jsonl')).toMatchObject({ exit: 2 });
    // Of two canaries the one that began while this was recorded.
    expect(JSON.parse((await judged('days.jsonl')).out.at(-1) ?? '')).toMatchObject({
      outcome: 'roll-back',
      decidedAt: expect.stringMatching(/^2026-11-20/),
    });
  });

  describe('of a whole rollout', () => {
    const minute = 60;
    /** The old version for so many minutes before the start, the new one for half an hour after it. */
    const before = (from: number, to: number, errors: number): readonly string[] =>
      Array.from({ length: to - from }, (_, index) => (from + index + 1) * minute).map((at) =>
        lineOf({ version: '1.9.4', at: at - 1, from: at - minute - 1, requests: 6_000, errors }),
      );
    const after = before(0, 33, 180).map((line) => line.replaceAll('"1.9.4"', '"2.0.0"'));
    const dayMinutes = 24 * minute;
    const yesterday = before(-36 - dayMinutes, 31 - dayMinutes, 30);
    const asking = `${quick}    rollouts: { before-after: true, blue-green: true }\n`;
    const slot = { environment: 'production', component: 'checkout' };
    const deployment = '6f1c1a52-0000-8000-8000-000000000001';
    const begun = '2026-11-20T10:00:00Z';
    const markersOf = (strategy: string, ...more: readonly object[]): string =>
      [
        { kind: 'logged', slot, version: '1.9.4', occurredAt: '2026-11-19T08:00:00Z' },
        ...more,
        ...[{ kind: 'planned', slot, version: '2.0.0', strategy }, { kind: 'started' }].map(
          (marker) => ({ ...marker, deployment, occurredAt: begun }),
        ),
      ]
        .map((marker) => JSON.stringify(marker))
        .join('\n');
    const setBefore = (document: object): object => {
      const text = JSON.stringify(document);
      const body = { kind: 'policy-set', deployment: null, reason: 'r', document: text };
      const digest = createHash('sha256').update(text).digest('hex');
      const marker = '6f1c1a52-0000-8000-8000-0000000000aa';
      const occurredAt = Date.parse('2026-11-19T09:00:00Z');
      return {
        ...{ position: 7, appendedAt: '2026-11-19T09:00:00.000Z', check: 'accepted', waitedMs: 0 },
        body: { ...body, digest, marker, occurredAt },
      };
    };
    const home = mkdtempSync(join(tmpdir(), 'plimsoll-backtest-'));
    afterAll(() => rmSync(home, { recursive: true }));
    const desks = openDesk({
      folder: home,
      files: {
        'asks.yaml': asking,
        'quick.yaml': quick,
        'rolling.jsonl': markersOf('rolling'),
        'set.jsonl': markersOf(
          'rolling',
          setBefore({
            version: 2,
            policies: [{ ...anywhere, preset: 'standard', rollouts: { 'before-after': true } }],
          }),
        ),
        'elsewhere.jsonl': markersOf(
          'rolling',
          setBefore({ version: 2, policies: [{ ...anywhere, component: 'basket' }] }),
        ),
        'newer.jsonl': markersOf('rolling', setBefore({ version: 9 })),
      },
    });
    const judged = async (...args: readonly string[]): Promise<Said> => {
      const path = capture('whole-c.jsonl', [...before(-36, 0, 30), ...after]);
      return (await desks).plimsoll('backtest', `--metrics=${path}`, ...args);
    };
    const history = (): string => `--history=${capture('yesterday.jsonl', yesterday)}`;
    const byOptions = [...place, ...versions];

    test('named by options: --rollout=full, with the day before from the history', async () => {
      const { exit, out, err } = await judged(
        ...[...byOptions, '--rollout=full', '--policy=asks.yaml', history()],
      );
      expect(exit).toBe(0);
      expect(out[0]).toContain('2.0.0 against the half-hour of 1.9.4 before it');
      expect(out.join('\n')).toMatch(/\nroll-back after \d+ s\n/);
      expect(err).toEqual(['plimsoll: before and after, not side by side: weaker than a canary.']);
    });

    test('without it nobody would act on it, and it says so', async () => {
      const { out, err } = await judged(
        ...[...byOptions, '--rollout=blue-green', '--policy=asks.yaml', '--json'],
      );
      expect(JSON.parse(out.at(-1) ?? '')).toMatchObject({ outcome: 'roll-back' });
      expect(err.join()).toContain('the same time of the day before is not known');
    });

    test.each([
      ['full', 'the policy does not ask for before/after', 'before-after'],
      ['blue-green', 'the policy does not ask for blue/green', 'blue-green'],
    ])('named by --rollout=%s, under a policy that does not ask for it', async (kind, why, set) => {
      const { err } = await judged(...byOptions, `--rollout=${kind}`, '--policy=quick.yaml');
      expect(err.join()).toContain(`${why}: an analyser would not have judged this rollout`);
      expect(err.join()).toContain(`rollouts: { ${set}: true } in the policy asks for it`);
      // Of several captures and policies it is told once for each policy.
      const other = `--metrics=${capture('whole-d.jsonl', [...before(-36, 0, 30), ...after])}`;
      const compared = await judged(
        ...[...byOptions, other, `--rollout=${kind}`],
        '--compare=quick.yaml,standard,asks.yaml',
      );
      expect(compared.err.filter((line) => line.includes(why))).toHaveLength(2);
    });

    test('named by markers, and under a policy that does not ask for it', async () => {
      const asked = await judged('--markers=rolling.jsonl', '--policy=asks.yaml', '--json');
      expect(JSON.parse(asked.out.at(-1) ?? '')).toMatchObject({ outcome: 'roll-back' });
      expect(asked.err.join()).not.toContain('rollout-not-asked');
      const other = await judged('--markers=rolling.jsonl', '--policy=quick.yaml', '--json');
      expect(other.err.join()).toContain('rollout-not-asked');
      expect(other.out).toEqual(asked.out);
    });

    test('by the policy that the markers tell of, unless another is named', async () => {
      const told = await judged('--markers=set.jsonl');
      expect(told.out[0]).toContain('policy of the markers, set at 2026-11-19 09:00:00Z');
      expect(told.err.join()).not.toContain('does not ask');
      const named = await judged('--markers=set.jsonl', '--policy=standard');
      expect(named.out[0]).toMatch(/policy standard$/);
      expect(named.err.join()).toContain('does not ask');
      const elsewhere = await judged('--markers=elsewhere.jsonl', '--json');
      expect(elsewhere.err.join()).toContain('has none for this place');
      const newer = await judged('--markers=newer.jsonl', '--json');
      expect([newer.exit, newer.err.join()]).toEqual([
        2,
        expect.stringContaining('policy-invalid'),
      ]);
    });

    test('needs the half-hour before in the capture', async () => {
      const path = capture('late-c.jsonl', after);
      const { err } = await (
        await desks
      ).plimsoll(
        ...['backtest', `--metrics=${path}`, ...byOptions, '--rollout=full', '--policy=asks.yaml'],
      );
      expect(err.join()).toContain('is held against the half-hour before');
    });
  });

  test('says how many windows of a rollout that ended early were judged, and why no more', async () => {
    const slot = { environment: 'production', component: 'checkout' };
    const deployment = '6f1c1a52-0000-8000-8000-000000000001';
    const markers = [
      { kind: 'logged', slot, version: '1.9.4', occurredAt: '2026-11-19T10:00:00Z' },
      { kind: 'planned', slot, deployment, version: '2.0.0', strategy: 'canary' },
      { kind: 'started', deployment },
      { kind: 'succeeded', deployment, occurredAt: '2026-11-20T10:00:40Z' },
    ].map((marker) => JSON.stringify({ occurredAt: '2026-11-20T10:00:00Z', ...marker }));
    const files = { 'ended.jsonl': markers.join('\n'), 'quick.yaml': quick };
    const there = await openDesk({ folder: mkdtempSync(join(folder, 'ended-')), files });
    const path = capture('ended-c.jsonl', twoServers(200, bad));
    const said = await there.plimsoll(
      ...['backtest', `--metrics=${path}`, '--markers=ended.jsonl', ...how, '--json'],
    );
    expect(JSON.parse(said.out.at(-1) ?? '')).toMatchObject({ outcome: 'inconclusive' });
    expect(JSON.parse(said.err.at(-1) ?? '')).toMatchObject({
      code: 'ended-undecided',
      message: expect.stringContaining('ended as succeeded 40 s after its start'),
    });
  });

  test.each([
    ['2.5', 'no-bound'],
    ['0.1', null],
  ])('says where no bound is near the durations: the lowest is %s s', async (lowest, code) => {
    // Between 0.05 and 0.2 s, a tenth of them above 0.1 s.
    const buckets = lowest === '0.1' ? '"10","80","10","0"' : '"0","100","0","0"';
    const bounds = lowest === '0.1' ? '[0.05,0.1,0.25]' : '[0,2.5,5]';
    const lines = Array.from({ length: 170 }, (_, index) => (index + 1) * 5).flatMap((at) =>
      ['2.0.0', '1.9.4'].map((version) =>
        lineOf({ version, at, requests: 100, errors: 0 }).replace(
          '"sum":10',
          `"sum":10,"explicitBounds":${bounds},"bucketCounts":[${buckets}]`,
        ),
      ),
    );
    const path = capture(`bounds-${lowest}.jsonl`, lines);
    const said = await desk.plimsoll(
      ...['backtest', `--metrics=${path}`, ...place, ...versions, '--json'],
    );
    const told = said.err.map((line) => JSON.parse(line) as { readonly code: string });
    expect(told.map((one) => one.code)).toEqual(code === null ? [] : [code]);
    expect(JSON.parse(said.out.at(-1) ?? '')).toMatchObject({
      outcome: code === null ? 'promote' : 'inconclusive',
    });
  });

  test('says why durations could not be compared, for programs too', async () => {
    const histogram = (at: number, version: string): string =>
      lineOf({ version, at, requests: 100, errors: 0 });
    const explicit = (line: string): string =>
      line.replace('"sum":10', '"sum":10,"explicitBounds":[0.1,1],"bucketCounts":["50","40","10"]');
    const exponential = (line: string): string =>
      line
        .replace('"histogram"', '"exponentialHistogram"')
        .replace('"sum":10', '"sum":10,"scale":3,"positive":{"offset":-20,"bucketCounts":["100"]}');
    const lines = Array.from({ length: 50 }, (_, index) => (index + 1) * 5).flatMap((at) => [
      explicit(histogram(at, '2.0.0')),
      exponential(histogram(at, '1.9.4')),
    ]);
    const path = capture('shapes-c.jsonl', lines);
    const said = await desk.plimsoll(
      ...['backtest', `--metrics=${path}`, ...place, ...versions, '--json'],
    );
    const codes = said.err.map((line) => (JSON.parse(line) as { readonly code: string }).code);
    expect(codes).toEqual(['shapes-differ']);
    expect(said.err[0]).toContain('different kinds of buckets (explicit, exponential)');
  });

  describe('of one region among several', () => {
    const inRegion = (region: string, lines: readonly string[]): readonly string[] =>
      lines.map((line) =>
        line.replace(
          '"attributes":[',
          `"attributes":[{"key":"cloud.region","value":{"stringValue":"${region}"}},`,
        ),
      );
    const [worse, healthy] = [
      inRegion('eu', twoServers(290, bad, 400)),
      inRegion('us', twoServers(290, good, 400)),
    ];
    const both = worse.flatMap((line, index) => [line, healthy[index] ?? '']);
    const regional = `${quick}    target: cloud.region\n`;
    const markersOf = (target: string, id: string): readonly string[] => {
      const slot = { environment: 'production', component: 'checkout', target };
      const deployment = `6f1c1a52-0000-8000-8000-00000000000${id}`;
      const occurredAt = '2026-11-20T10:00:00Z';
      return [
        { kind: 'logged', slot, version: '1.9.4', occurredAt: '2026-11-19T10:00:00Z' },
        { kind: 'planned', slot, version: '2.0.0', strategy: 'canary', deployment, occurredAt },
        { kind: 'started', deployment, occurredAt },
      ].map((marker) => JSON.stringify(marker));
    };

    test.each([
      ['eu', 'roll-back'],
      ['us', 'promote'],
    ])('the senders of the others are no evidence: %s is %s', async (target, outcome) => {
      const home = mkdtempSync(join(folder, 'regions-'));
      const markers = [...markersOf('eu', '1'), ...markersOf('us', '2')].join('\n');
      const files = { 'regional.yaml': regional, 'm.jsonl': markers };
      const there = await openDesk({ folder: home, files });
      const path = capture(`regions-${target}.jsonl`, both);
      for (const named of [[...place, ...versions], ['--markers=m.jsonl']]) {
        const asked = [`--target=${target}`, '--policy=regional.yaml', '--json', ...named];
        const { out } = await there.plimsoll('backtest', `--metrics=${path}`, ...asked);
        expect(JSON.parse(out.at(-1) ?? '')).toMatchObject({
          outcome,
          excluded: { 'other-target': expect.any(Number) },
        });
      }
    });

    test('without the word in the policy all are judged as one, and it says so', async () => {
      const path = capture('regions-as-one.jsonl', both);
      const asked = [...place, ...versions];
      const judged = async (...more: readonly string[]): Promise<string> => {
        const { err } = await desk.plimsoll('backtest', `--metrics=${path}`, ...asked, ...more);
        return err.join('\n');
      };
      for (const more of [[...how], [...how, '--json'], ['--compare=quick.yaml']])
        expect(await judged('--target=eu', ...more)).toMatch(
          /it goes to the target eu, and the policy does not say how senders name theirs: those of eu, us are judged as one.*target: cloud\.region in the policy/s,
        );
      expect(await judged(...how)).not.toContain('as one');
      const inOne = `--metrics=${capture('regions-one.jsonl', worse)}`;
      const single = await desk.plimsoll('backtest', inOne, ...asked, ...how, '--target=eu');
      expect(single.err.join()).not.toContain('as one');
    });
  });

  test('learns from a history of the same cohorts how much they differ by themselves', async () => {
    const history = capture(
      'history.jsonl',
      // One pod that has a bad quarter of an hour now and then: more than chance.
      twoServers(7_200, good).map((line, index) =>
        index % 240 < 60 && line.includes('"2.0.0"')
          ? line.replace('"count":"1"', '"count":"9"').replace('"count":"99"', '"count":"91"')
          : line,
      ),
    );
    const plain = await backtest(twoServers(290, { canary: 8, baseline: 1 }), '--json');
    const wary = await backtest(
      twoServers(290, { canary: 8, baseline: 1 }),
      '--json',
      `--history=${history}`,
    );
    const [soon, later] = [plain, wary].map(
      ({ out }) =>
        (JSON.parse(out.at(-1) ?? '') as { secondsAfterStart: number | null }).secondsAfterStart,
    );
    expect(soon).toBeLessThan(later ?? Infinity);
    const told = await backtest(twoServers(290, good), `--history=${history}`);
    expect(told.out.join('\n')).toMatch(/scatter, from history: errors [\d.]+ times chance/);
    expect([plain, wary].flatMap(({ err }) => err).join()).not.toContain('history-lacks');
  });

  test('says what is taken for the scatter where no history tells it', async () => {
    const windows = twoServers(100, good);
    const { out } = await backtest(windows);
    expect(out[1]).toBe('scatter: taken for 2 times chance, for no --history says');
    const short = `--history=${capture('short.jsonl', twoServers(120, good))}`;
    for (const more of [[], ['--json']]) {
      const { err } = await backtest(windows, short, ...more);
      expect(err.join('\n')).toMatch(
        /does not say how much errors scatter \(it has \d of 6 batches of five minutes\)/,
      );
    }
  });

  test.each([
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), 'packed by gzip'],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), 'packed by zstd'],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), 'UTF-16, not UTF-8'],
    ['another shape', Buffer.from('{"resourceMetrics":{}}'), 'resourceMetrics is not a list'],
  ])('a capture in %s is refused by that name', async (name, bytes, said) => {
    const path = join(folder, `${name}.bin`);
    writeFileSync(path, bytes);
    const { exit, err } = await desk.plimsoll(
      'backtest',
      `--metrics=${path}`,
      ...place,
      ...versions,
    );
    expect([exit, err[0]]).toEqual([2, expect.stringContaining(`line 1: `)]);
    expect(err[0]).toContain(said);
  });

  test.each([
    ['--since=2026-11-20T10:00:00+01:00', 'write it such as 2026-11-20T09:00:00.000Z'],
    ['--weight=50', '--weight="50" is no share of 0 to 1'],
    ['--policy=standart', 'did you mean standard?'],
  ])('%s is refused with what is perhaps meant', async (option, said) => {
    const usual = option.startsWith('--since') ? versions.slice(0, 2) : versions;
    const asked = [...place, ...usual, option];
    const { exit, err } = await desk.plimsoll('backtest', `--metrics=${folder}/none`, ...asked);
    expect([exit, err.join()]).toEqual([2, expect.stringContaining(said)]);
  });

  test('a rollout that markers do not tell of is refused with those that they tell of', async () => {
    const slot = { environment: 'production', component: 'checkout' };
    const deployment = '6f1c1a52-0000-8000-8000-000000000001';
    const occurredAt = '2026-11-20T10:00:00Z';
    const markers = [
      { kind: 'logged', slot, version: '1.9.4' },
      { kind: 'planned', slot, deployment, version: '2.0.0', strategy: 'canary' },
      { kind: 'started', deployment },
    ].map((marker) => JSON.stringify({ occurredAt, ...marker }));
    const home = mkdtempSync(join(folder, 'asked-'));
    const there = await openDesk({ folder: home, files: { 'm.jsonl': markers.join('\n') } });
    const asked = ['--markers=m.jsonl', '--canary=2.0.5'];
    const said = await there.plimsoll('backtest', `--metrics=${join(home, 'c')}`, ...asked);
    expect([said.exit, said.err[1]]).toEqual([
      2,
      expect.stringContaining(`it tells of ${deployment} (checkout 2.0.0 in production)`),
    ]);
  });

  test('tells what was found also where its plot cannot be written', async () => {
    const said = await backtest(twoServers(200, bad), '--json', `--svg=${folder}`);
    expect(JSON.parse(said.out.at(-1) ?? '')).toMatchObject({ outcome: 'roll-back' });
    expect([said.exit, said.err.join()]).toEqual([2, expect.stringContaining('is a folder')]);
  });

  test('says that the canary does not say any more what became of its requests', async () => {
    const lines = twoServers(200, good).map((line) =>
      line.includes('2.0.0') ? line.replaceAll('http.response.status_code', 'status') : line,
    );
    const { out, err } = await backtest(lines, '--json');
    expect(JSON.parse(out.at(-1) ?? '')).toMatchObject({ outcome: 'inconclusive' });
    expect(err.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({
        code: 'status-unsaid',
        message: expect.stringMatching(
          /^errors: the baseline says http\.response\.status_code for 100\.00 % of its requests, the canary for 0\.00 %/,
        ),
        hint: expect.stringMatching(/^let both versions send http\.response\.status_code/),
      }),
    ]);
  });

  describe('of a canary that refuses three requests in ten, where the baseline refuses hardly any,', () => {
    const refusing = twoServers(290, { canary: 120, baseline: 1 }, 400).map((line) =>
      line.includes('2.0.0') ? line.replace('"intValue":"500"', '"intValue":"401"') : line,
    );

    test('says why it is not promoted', async () => {
      const { out, err } = await backtest(refusing, '--json');
      expect(JSON.parse(out.at(-1) ?? '')).toMatchObject({ outcome: 'inconclusive' });
      expect(err.map((line) => JSON.parse(line) as object)).toEqual([
        expect.objectContaining({
          code: 'client-errors',
          message: expect.stringMatching(
            /^errors: it refuses more requests as the client's fault .*: since window \d+ \(10:00:\d\d UTC\) 30\.00 % \([\d,]+\/[\d,]+\) of canary requests, 0\.00 % /,
          ),
          hint: expect.stringMatching(/^look which status it is/),
        }),
      ]);
    });

    test('promotes it where its policy says what an error is', async () => {
      const path = capture('refusing.jsonl', refusing);
      const asked = [...place, ...versions, '--policy=own-errors.yaml', '--json'];
      const { out } = await desk.plimsoll('backtest', `--metrics=${path}`, ...asked);
      expect(JSON.parse(out.at(-1) ?? '')).toMatchObject({ outcome: 'promote' });
    });
  });

  test('says which unit is missing where no point has one', async () => {
    const lines = twoServers(60, good).map((line) => line.replaceAll('"unit":"s",', ''));
    const { err } = await backtest(lines);
    expect(err).toEqual([
      expect.stringMatching(
        /no point that is judged: [0-9,]+ points were refused: unit-unknown.*unit s or ms/,
      ),
    ]);
  });

  describe('of a metric that is refused as a whole,', () => {
    /** Two pods of each version; of 100 requests of the last pod of the canary these fail. */
    const fourPods = (
      failing: number,
      spoil: (line: string) => string,
      isSpoilt: (version: string, pod: number) => boolean,
    ): readonly string[] =>
      Array.from({ length: 180 }, (_, index) =>
        ['2.0.0', '1.9.4'].flatMap((version, cohort) =>
          [1, 2].map((pod) => {
            const at = (index + 1) * 5 - 1 - cohort;
            const errors = version === '2.0.0' && pod === 2 ? failing : 1;
            const sent = { version, instance: `${version}-${pod}`, at, requests: 100, errors };
            const line = lineOf({ ...sent, from: Math.max(0, at - 5) });
            return isSpoilt(version, pod) ? spoil(line) : line;
          }),
        ),
      ).flat();
    const judged = async (
      lines: readonly string[],
      ...more: readonly string[]
    ): Promise<{ last: Ended; told: string }> => {
      written += 1;
      const path = capture(`c${written}.jsonl`, lines);
      const options = [`--metrics=${path}`, ...place, ...versions, '--weight=0.5', ...more];
      const [{ out }, { out: text, err }] = await Promise.all([
        desk.plimsoll('backtest', ...options, '--json'),
        desk.plimsoll('backtest', ...options),
      ]);
      return { last: JSON.parse(out.at(-1) ?? '') as Ended, told: [...text, ...err].join('\n') };
    };
    type Ended = { readonly outcome: string; readonly excluded: Readonly<Record<string, number>> };
    const spoiled: readonly [string, (line: string) => string][] = [
      ['unit-unknown', (line) => line.replaceAll('"unit":"s",', '')],
      ['temporality-unspecified', (line) => line.replaceAll(',"aggregationTemporality":1', '')],
      ['metric-type-unsupported', (line) => line.replaceAll('"histogram"', '"summary"')],
    ];

    test.each(spoiled)('one pod hides nobody and silences nobody: %s', async (reason, spoil) => {
      for (const spoilt of ['2.0.0', '1.9.4']) {
        const alike = fourPods(1, spoil, (version, pod) => version === spoilt && pod === 2);
        const { last } = await judged(alike);
        expect(last.outcome).toBe('inconclusive');
        expect(last.excluded[reason]).toBeGreaterThan(0);
      }
      const worse = fourPods(50, spoil, (version, pod) => version === '2.0.0' && pod === 2);
      expect((await judged(worse)).last.outcome).toBe('inconclusive');
    });

    test('all pods of a canary are no silence: a hold says why', async () => {
      const [[, unitless] = ['', String]] = spoiled;
      const strictly = '--policy=silence.yaml';
      const isOfCanary = (version: string): boolean => version === '2.0.0';
      const { last, told } = await judged(fourPods(1, unitless, isOfCanary), strictly);
      expect(last.outcome).toBe('inconclusive');
      expect(told).toContain('points whose numbers could not be taken');
      expect(told).toContain('points that are no evidence: unit-unknown 720');
      expect(told).toContain("durations need the unit s or ms: set the histogram's unit");
      const gone = fourPods(1, (line) => line.replace('"checkout"', '"cart"'), isOfCanary);
      expect((await judged(gone, strictly)).last.outcome).toBe('roll-back');
    });
  });

  test('says what the canary sends where nothing of it is judged', async () => {
    const renamed = (name: string) => (line: string) =>
      line.includes('2.0.0') ? line.replaceAll('http.server.request.duration', name) : line;
    const { err } = await backtest(twoServers(60, good).map(renamed('my.duration')));
    expect(err).toEqual([
      expect.stringContaining('no point of checkout 2.0.0 that is judged; it has 1.9.4'),
      expect.stringContaining('checkout 2.0.0 sends my.duration, of which nothing is judged'),
    ]);
    const many = twoServers(60, good).map((line, index) => renamed(`my.${index % 14}`)(line));
    expect((await backtest(many)).err.at(-1)).toMatch(
      /sends (my\.\d+, ){4}my\.\d+ and more, of which/,
    );
  });

  test('says that a version tells of probes alone', async () => {
    const status = '{"key":"http.response.status_code"';
    const route = '{"key":"http.route","value":{"stringValue":"/healthz"}},';
    const { err } = await backtest(
      twoServers(60, good).map((line) =>
        line.includes('2.0.0') ? line.replaceAll(status, `${route}${status}`) : line,
      ),
    );
    expect(err).toEqual([
      expect.stringContaining('checkout 2.0.0 tells of requests of probes and scrapes alone'),
    ]);
  });

  test('says what the capture has where nothing of it is asked for', async () => {
    const { exit, err } = await backtest(
      twoServers(60, good).map((line) => line.replaceAll('checkout', 'basket')),
    );
    expect(exit).toBe(0);
    expect(err.join()).toContain('no point of production/checkout; it has production/basket');
    const other = await backtest(
      twoServers(60, good).map((line) => line.replaceAll('2.0.0', '2.1.0')),
    );
    expect(other.err.join()).toContain(
      'no point of checkout 2.0.0 that is judged; it has 2.1.0, 1.9.4',
    );
    expect(other.err.join()).toContain('service.version is perhaps 2.1.0');
    const without = (name: string) => (line: string) =>
      line.replaceAll(`{"key":"${name}"`, '{"key":"another.attribute"');
    const nameless = await backtest(twoServers(60, good).map(without('service.version')));
    expect(nameless.err).toEqual([
      expect.stringContaining('no point of checkout names a version; every sender says'),
    ]);
    const nowhere = await backtest(
      twoServers(60, good).map(without('deployment.environment.name')),
    );
    expect(nowhere.err.join()).toContain(
      'senders without deployment.environment.name are in default; environment and service are perhaps default/checkout',
    );
  });

  test.each([
    [
      '2026-11-20T11:00:00Z',
      /the capture ends at 2026-11-20 10:0\d:\d\dZ, before the canary began/,
    ],
    [
      '2026-11-20T08:00:00+00:00',
      /the capture begins at 2026-11-20 .*, long after the canary began/,
    ],
  ])('says so where the capture is of another time than %s', async (since, message) => {
    const path = capture('s.jsonl', twoServers(60, good));
    const options = [...place, '--canary=2.0.0', '--baseline=1.9.4', `--since=${since}`];
    const { exit, err } = await desk.plimsoll('backtest', `--metrics=${path}`, ...options, ...how);
    expect(exit).toBe(0);
    expect(err.join('\n')).toMatch(message);
  });

  test('says so where servers export too seldom for the windows to follow them', async () => {
    const everyS = 150;
    const seldom = Array.from({ length: 6 }, (_, index) =>
      ['2.0.0', '1.9.4'].map((version, cohort) => {
        const at = (index + 1) * everyS - 10 * cohort;
        return lineOf({ version, at, from: at - everyS, requests: 3_000, errors: 30 });
      }),
    ).flat();
    const { out, err } = await backtest(seldom);
    expect(out.join('\n')).toContain('a window in which both cohorts show requests');
    expect(err.join()).toMatch(
      /a version exports every 2 min, and windows are 5 s: .*judging: \{ no-data: 8m \}/,
    );
    const often = await backtest(twoServers(60, good));
    expect(often.err.join()).not.toContain('exports every');
  });

  test('says that clocks differ, where that leaves nothing to judge', async () => {
    const ahead = twoServers(200, bad).map((line) =>
      line.includes('"2.0.0"')
        ? line.replaceAll(/"(\d{19})"/g, (_, time: string) => `"${BigInt(time) + 30_000_000_000n}"`)
        : line,
    );
    const { err } = await backtest(ahead);
    expect(err.join()).toMatch(
      /more than three points in a hundred of a version came too late .*: \d+ of 160 points are late; do all servers have the same time \(NTP\)/,
    );
    expect((await backtest(twoServers(60, good))).err.join()).not.toContain('late');
  });

  test('counts what was refused as people do', async () => {
    const [first = '', ...others] = twoServers(20, good);
    const inMinutes = first.replaceAll('"unit":"s"', '"unit":"min"');
    const told = async (lines: readonly string[]): Promise<string> =>
      (await backtest(lines)).err.join('\n');
    expect(await told([inMinutes, ...others])).toContain('2 points were refused: unit-unknown');
    const one = JSON.parse(inMinutes) as Export;
    one.resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.histogram.dataPoints.pop();
    expect(await told([JSON.stringify(one), ...others])).toContain(
      '1 point was refused: unit-unknown',
    );
  });

  test('draws what it judged', async () => {
    const svg = join(folder, 'plot.svg');
    expect((await backtest(twoServers(200, bad), `--svg=${svg}`)).exit).toBe(0);
    expect(readFileSync(svg, 'utf8')).toMatch(
      /^<svg[^]*checkout 2\.0\.0 in production: roll-back[^]*<\/svg>\n$/,
    );
  });

  test.each([
    ['2.0.1', 'errors: nothing was compared, so there is no ratio'],
    ['2.0.0', 'errors: canary / baseline (ratio)'],
  ])('a plot of canary %s is labelled %s', async (canary, label) => {
    const svg = join(folder, 'empty.svg');
    const options = [...place, `--canary=${canary}`, ...versions.slice(1), ...how];
    const path = capture('e.jsonl', twoServers(200, bad));
    await desk.plimsoll('backtest', `--metrics=${path}`, ...options, `--svg=${svg}`);
    expect(readFileSync(svg, 'utf8')).toContain(label);
  });
});

describe('bad input', () => {
  test.each([
    ['no JSON', '{"resourceMetrics":', /line 3: /],
    ['no export', '{"foo":1}', /line 3: it is no export of telemetry/],
    ['a list', '[]', /line 3: /],
    ['a number where an object must be', '{"resourceMetrics":[7]}', /line 3: /],
    ['bytes of a compressed file', '\u001f\u008b\u0008', /line 3: /],
  ])('%s is refused with its line, exit 2', async (_, line, message) => {
    const lines = twoServers(200, bad);
    const said = await backtest([...lines.slice(0, 2), line, ...lines.slice(2)], '--json');
    expect(said.exit).toBe(2);
    const problem = JSON.parse(said.err.at(-1) ?? '') as {
      readonly code: string;
      readonly message: string;
    };
    expect(problem.code).toBe('capture-invalid');
    expect(problem.message).toMatch(message);
  });

  test('a bad line is refused wherever it is, also after the verdict', async () => {
    expect((await backtest([...twoServers(290, bad), 'end'])).exit).toBe(2);
  });

  test.each([
    ['--since=yesterday', 'option-invalid'],
    ['--since=2026-02-30T10:00:00Z', 'option-invalid'],
    ['--weight=0s=0.5,0s=0.6', 'option-invalid'],
    ['--weight=0s=1.5', 'option-invalid'],
    ['--weight=1.5', 'option-invalid'],
    ['--weight=half', 'option-invalid'],
    ['--weight=0s=50', 'option-invalid'],
    ['--weight=0.5,10s=0.6', 'option-invalid'],
    ['--canary=1.9.4', 'option-invalid'],
    ['--rollout=rolling', 'option-invalid'],
    ['--policy=bad.yaml', 'policy-invalid'],
    ['--policy=missing.yaml', 'file-invalid'],
    ['--policy=standart', 'file-invalid'],
    ['--metrics=missing.jsonl', 'file-invalid'],
    ['--history=missing.jsonl', 'file-invalid'],
  ])('%s is refused', async (option, code) => {
    const [name] = option.split('=');
    const options = [
      `--metrics=${capture('o.jsonl', twoServers(20, good))}`,
      ...place,
      ...versions,
      ...how,
    ];
    const said = await desk.plimsoll(
      'backtest',
      ...options.filter((other) => !other.startsWith(`${name}=`)),
      option,
      '--json',
    );
    expect(said.exit).toBe(2);
    expect((JSON.parse(said.err.at(-1) ?? '') as { readonly code: string }).code).toBe(code);
  });

  test('an empty capture, and options that are missing, are refused', async () => {
    expect((await backtest([])).err.join()).toContain('holds no line');
    const path = capture('p.jsonl', twoServers(20, good));
    expect((await desk.plimsoll('backtest', `--metrics=${path}`, ...place)).err.join()).toContain(
      '--canary',
    );
  });
});

describe('--compare', () => {
  test('judges every capture by every policy, as a table, as lines, and as a plot', async () => {
    const captures = join(folder, 'captures');
    const { mkdirSync } = await import('node:fs');
    mkdirSync(captures, { recursive: true });
    writeFileSync(join(captures, 'bad.jsonl'), twoServers(200, bad).join('\n'));
    writeFileSync(join(captures, 'good.jsonl'), twoServers(290, good, 400).join('\n'));
    const svg = join(folder, 'compare.svg');
    const options = [`--metrics=${captures}`, ...place, ...versions, '--compare=quick.yaml,strict'];
    const { exit, out } = await desk.plimsoll('backtest', ...options, `--svg=${svg}`);
    expect(exit).toBe(0);
    expect(out).toHaveLength(5);
    expect(out[1]).toMatch(/bad\.jsonl +quick\.yaml +roll-back +\d+ s +errors/);
    expect(readFileSync(svg, 'utf8')).toContain('What each policy says of each capture');
    const { out: lines } = await desk.plimsoll('backtest', ...options, '--json');
    for (const line of lines) expect(faultsOf('backtest-compared', JSON.parse(line))).toEqual([]);
    expect(lines).toHaveLength(4);
  });

  test('a capture can name its own start', async () => {
    const early = capture('early.jsonl', twoServers(200, bad));
    const late = capture(
      'late.jsonl',
      // An hour later, in nanoseconds.
      twoServers(200, bad).map((line) =>
        line.replaceAll(
          /(UnixNano":")(\d+)/g,
          (_, name: string, at: string) => `${name}${BigInt(at) + 3_600_000_000_000n}`,
        ),
      ),
    );
    const { out } = await desk.plimsoll(
      'backtest',
      ...[`--metrics=${early}`, `--metrics=${late}@2026-11-20T11:00:00Z`, ...place, ...versions],
      ...['--compare=quick.yaml', '--json'],
    );
    const [one, other] = out.map(
      (line) => JSON.parse(line) as { secondsAfterStart: number; decidedAt: string },
    );
    expect(one?.secondsAfterStart).toBeGreaterThan(0);
    expect(other?.secondsAfterStart).toBe(one?.secondsAfterStart);
    expect(other?.decidedAt).toMatch(/^2026-11-20T11/);
  });

  test('of an empty folder, or without names, is refused', async () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    const options = [...place, ...versions];
    expect(
      (await desk.plimsoll('backtest', `--metrics=${empty}`, ...options, '--compare=standard'))
        .exit,
    ).toBe(2);
    const path = capture('q.jsonl', twoServers(20, good));
    expect(
      (await desk.plimsoll('backtest', `--metrics=${path}`, ...options, '--compare=standard,'))
        .exit,
    ).toBe(2);
    const two = [`--metrics=${path}`, `--metrics=${path}`];
    expect((await desk.plimsoll('backtest', ...two, ...options)).err.join()).toContain('--compare');
  });
});

/**
 * Captures with one fault each, named by it, and what they come to. A change here means that captures of the past would
 * be judged otherwise today: raise `judgeVersion`, then write them anew with `vitest -u`.
 */
describe('golden captures', () => {
  const golden = join(import.meta.dirname, '../../golden/captures');
  const names = readdirSync(golden).filter((name) => name.endsWith('.jsonl'));

  test('are there', () => {
    expect(names.length).toBeGreaterThanOrEqual(10);
  });

  test.each(names)('%s', async (name) => {
    const path = join(golden, name);
    const said = await desk.plimsoll(
      'backtest',
      `--metrics=${path}`,
      ...place,
      ...versions,
      ...how,
      '--json',
    );
    const told =
      said.exit === 0
        ? (JSON.parse(said.out.at(-1) ?? '') as object)
        : { exit: said.exit, message: said.err.join().replaceAll(golden, '') };
    const rounded = (_key: string, value: unknown): unknown =>
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(9)) : value;
    await expect(`${JSON.stringify(told, rounded, 2)}\n`).toMatchFileSnapshot(
      join(golden, name.replace(/\.jsonl$/, '.outcome.json')),
    );
  });
});
