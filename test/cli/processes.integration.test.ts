import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { faultsOf } from '../support/cli-schemas.ts';
import { eventually } from '../support/eventually.ts';
import { plimsoll, startPlimsoll } from '../support/plimsoll.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const scratch = scratchFolder();
const newFolder = (): string => join(scratch, randomUUID());
/** Processes start slowly where many share a machine; no test waits longer than it must. */
const manyMs = 120_000;
vi.setConfig({ testTimeout: manyMs, hookTimeout: manyMs });

const log = (version: string, environment = 'production'): readonly string[] => [
  ...['release', 'log', '--component-name=checkout', `--environment-name=${environment}`],
  ...[`--target-version=${version}`, '--json', '--timeout=60s'],
];

const linesOf = (out: string): readonly { readonly [field: string]: unknown }[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly [field: string]: unknown });

/** What a command that pipelines run may load: each module takes a millisecond and more. */
const modulesMax = 200;

/** Ports that nobody else has. */
const free = { PLIMSOLL_PORT: '0', PLIMSOLL_OTLP_PORT: '0' };

describe('in an empty folder', () => {
  test('the first command makes everything, says so in one line, and has done its work', async () => {
    const folder = newFolder();
    const first = await plimsoll(folder, log('1.0.0').slice(0, -2));
    expect(first.exit).toBe(0);
    expect(first.out).toMatch(/^logged checkout 1\.0\.0 to production \(.*position 4\)\n$/);
    expect(first.err).toBe(
      'plimsoll: first use: made ./plimsoll-data (database, keys, and a log for the audience local)\n',
    );
    const second = await plimsoll(folder, log('1.1.0'));
    expect([second.exit, second.err]).toEqual([0, '']);
    const current = await plimsoll(folder, ['current', '--json']);
    expect(linesOf(current.out)).toMatchObject([{ component: 'checkout', version: '1.1.0' }]);
  });

  test('a key may be the first thing that is made; through a gateway it needs a file of its own', async () => {
    const folder = newFolder();
    const made = await plimsoll(folder, ['keys', 'new', '--principal=ci']);
    expect([made.exit, readdirSync(join(folder, 'plimsoll-data/keys'))]).toMatchObject([
      0,
      expect.arrayContaining(['admin.json', 'ci.json', 'ci.pub.json']),
    ]);
    const away = { PLIMSOLL_URL: 'http://127.0.0.1:9' };
    const elsewhere = newFolder();
    const refused = await plimsoll(elsewhere, ['keys', 'new', '--principal=ci', '--json'], away);
    expect([refused.exit, JSON.parse(refused.err)]).toMatchObject([2, { code: 'out-missing' }]);
    const out = ['--out=ci.json'];
    const own = await plimsoll(elsewhere, ['keys', 'new', '--principal=ci', ...out], away);
    expect([own.exit, readdirSync(elsewhere)]).toEqual([0, ['ci.json', 'ci.pub.json']]);
  });

  test('whoever asks what a policy does makes nothing', async () => {
    const folder = newFolder();
    const place = ['--component=shop', '--environment=production'];
    const explained = await plimsoll(folder, ['policy', 'explain', ...place]);
    expect([explained.exit, explained.err]).toEqual([0, '']);
    expect(explained.out).toContain('# shop in production: the preset standard');
    const planned = await plimsoll(folder, [
      'policy',
      'plan',
      ...place,
      '--rps=100',
      '--share=0.1',
    ]);
    expect([planned.exit, planned.err]).toEqual([0, '']);
    const unknown = await plimsoll(folder, ['policy', 'plan', ...place]);
    expect([unknown.exit, unknown.err]).toEqual([
      2,
      expect.stringContaining('nothing was heard here yet'),
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('what was planned on the log is updated through its gateway, from the same folder', async () => {
    const folder = newFolder();
    const plan = [
      'release',
      'plan',
      'deploy',
      '--component-name=shop',
      '--target-version=1',
      '--json',
    ];
    const [planned] = linesOf((await plimsoll(folder, plan)).out);
    const up = startPlimsoll(folder, ['up', '--json'], free);
    await eventually('the gateway listens', () => /http:\/\/127\.0\.0\.1:\d+/.test(up.out()));
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(up.out())?.[0] ?? '';
    const update = ['release', 'update', 'deploy', '--status=SUCCESS', '--json'];
    const ended = await plimsoll(folder, update, { PLIMSOLL_URL: url });
    up.signal('SIGTERM');
    await up.ended;
    expect([ended.exit, linesOf(ended.out)[0]]).toMatchObject([
      0,
      { delivery: 'stored', deployment: planned?.['deployment'] },
    ]);
  });

  test.each<[string, readonly string[]]>([
    ['16 first commands at once', []],
    ['16 first commands at once, and of plimsoll up beside them,', ['up']],
  ])('of %s none is lost, and there is one log', async (_who, services) => {
    const folder = newFolder();
    const beside = services.map((service) => startPlimsoll(folder, [service], free));
    const versions = Array.from({ length: 16 }, (_, index) => `1.0.${index}`);
    const ran = await Promise.all(versions.map((version) => plimsoll(folder, log(version))));
    for (const { exit, err } of ran)
      expect([exit, err]).toEqual([0, expect.not.stringMatching(/refused|internal/)]);
    const receipts = ran.flatMap(({ out }) => linesOf(out));
    for (const receipt of receipts) expect(faultsOf('receipt', receipt)).toEqual([]);
    expect(
      receipts.map(({ position }) => position).toSorted((a, b) => Number(a) - Number(b)),
    ).toEqual(versions.map((_, index) => index + 4));
    for (const running of beside) {
      await eventually('it is ready', () => running.out().includes('ready'), manyMs);
      running.signal('SIGTERM');
      const { exit, err } = await running.ended;
      expect([exit, err]).toEqual([0, expect.not.stringMatching(/refused|internal|stopped/)]);
    }
    const timeline = await plimsoll(folder, ['timeline', '--json']);
    expect(
      linesOf(timeline.out)
        .map(({ version }) => version as string)
        .toSorted(),
    ).toEqual(versions.toSorted());
    expect(
      readdirSync(join(folder, 'plimsoll-data')).filter((name) => name.includes('new')),
    ).toEqual([]);
  });

  test('a command that cannot be read makes nothing', async () => {
    const folder = newFolder();
    for (const args of [['relase'], log('x'.repeat(200)), ['release', 'update', '--status=OK?']])
      expect((await plimsoll(folder, args)).exit).toBe(2);
    const bad = await plimsoll(folder, log('1'), { PLIMSOLL_PORT: 'many' });
    expect([bad.exit, linesOf(bad.err)]).toMatchObject([2, [{ code: 'setting-invalid' }]]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a component without a name is that of the repository', async () => {
    const folder = newFolder();
    mkdirSync(folder);
    execFileSync('git', ['init', '--quiet', folder]);
    execFileSync('git', [
      '-C',
      folder,
      'remote',
      'add',
      'origin',
      'git@host.example:shop/payments.git',
    ]);
    const said = await plimsoll(folder, ['release', 'log', '--target-version=1']);
    expect(said.out).toMatch(/^logged payments 1 to default /);
  });
});

describe('a database that is damaged', () => {
  const database = ['plimsoll-data', 'plimsoll.db'] as const;
  const healthy = newFolder();
  beforeAll(() => plimsoll(healthy, log('1.0.0')));

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut off', (bytes) => bytes.subarray(0, Math.floor(bytes.length / 2))],
    ['cut off in its first page', (bytes) => bytes.subarray(0, 100)],
    [
      'something else',
      () => Buffer.from('this is no database, whatever its name says. '.repeat(200)),
    ],
    [
      'overwritten in its header',
      (bytes) => Buffer.concat([Buffer.alloc(64, 0xff), bytes.subarray(64)]),
    ],
  ])('because it is %s is told, and not touched', async (_fault, damage) => {
    const folder = newFolder();
    cpSync(healthy, folder, { recursive: true });
    const path = join(folder, ...database);
    for (const ending of ['-wal', '-shm']) rmSync(`${path}${ending}`, { force: true });
    const damaged = damage(readFileSync(path));
    writeFileSync(path, damaged);
    const read = await plimsoll(folder, ['current', '--json']);
    expect([1, 6]).toContain(read.exit);
    const [problem] = linesOf(read.err);
    expect(faultsOf('problem', problem)).toEqual([]);
    expect(problem?.['code']).not.toBe('internal');
    expect(read.out).toBe('');
    // The deploy has happened: what is said of it waits for a log that can be written.
    const said = await plimsoll(folder, log('2.0.0'));
    expect([said.exit, linesOf(said.out)]).toMatchObject([0, [{ delivery: 'spooled' }]]);
    expect(linesOf(said.err)).toMatchObject([{ code: 'spooled' }]);
    expect(readFileSync(path).equals(damaged)).toBe(true);
  });
});

test('a key for staging deploys there, and not to production', async () => {
  const folder = newFolder();
  await plimsoll(folder, log('1.0.0'));
  const made = await plimsoll(folder, [
    'keys',
    'new',
    '--principal=ci@checkout',
    '--out=ci.json',
    '--json',
  ]);
  expect(faultsOf('key-made', linesOf(made.out)[0])).toEqual([]);
  const trust = [
    'keys',
    'trust',
    'ci.pub.json',
    '--role=emitter',
    '--environment=staging',
    '--component=*',
    '--json',
  ];
  expect(linesOf((await plimsoll(folder, trust)).out)).toMatchObject([{ delivery: 'stored' }]);
  const key = { PLIMSOLL_KEY: 'ci.json' };
  expect((await plimsoll(folder, log('1.0.1', 'staging'), key)).exit).toBe(0);
  const refused = await plimsoll(folder, log('1.0.1'), key);
  expect([refused.exit, linesOf(refused.err)]).toMatchObject([5, [{ code: 'out-of-scope' }]]);
  expect(linesOf(refused.out)).toMatchObject([{ delivery: 'refused', code: 'out-of-scope' }]);
  // A key that others may read is not used.
  writeFileSync(join(folder, 'open.json'), readFileSync(join(folder, 'ci.json')), { mode: 0o644 });
  const exposed = await plimsoll(folder, log('1.0.1', 'staging'), { PLIMSOLL_KEY: 'open.json' });
  expect([exposed.exit, linesOf(exposed.err)]).toMatchObject([5, [{ code: 'key-file-exposed' }]]);
});

describe('plimsoll up', () => {
  test('says where it is, serves commands from elsewhere, and ends when it is asked to', async () => {
    const folder = newFolder();
    const up = startPlimsoll(folder, ['up'], free);
    await eventually('it is ready', () => up.out().includes('ready'), manyMs);
    const url = /gateway: (http:\S+)/.exec(up.out())?.[1] ?? '';
    expect(up.out()).toMatch(/OTLP\/HTTP at http:\S+/);

    const elsewhere = newFolder();
    mkdirSync(elsewhere);
    copyFileSync(join(folder, 'plimsoll-data', 'keys', 'local.json'), join(elsewhere, 'ci.json'));
    const list = join(elsewhere, 'loaded.txt');
    const remote = {
      PLIMSOLL_URL: url,
      PLIMSOLL_KEY: 'ci.json',
      PLIMSOLL_TEST_LOADED: list,
      NODE_OPTIONS: `--import=${resolve(import.meta.dirname, '../support/loaded-modules.ts')}`,
    };
    const loaded = (): string => readFileSync(list, 'utf8');
    const stored = await plimsoll(elsewhere, log('1.0.0'), remote);
    expect([stored.exit, linesOf(stored.out)]).toMatchObject([
      0,
      [{ delivery: 'stored', position: 4 }],
    ]);
    expect(loaded()).toMatch(/cli\/main\.ts/);
    expect(loaded()).not.toMatch(/kafkajs|ioredis|node:sqlite|adapters\/(?:kafka|redis|sqlite)/);
    expect(loaded()).not.toMatch(/services\/(?:replay|projector|analyser|gateway)\//);
    expect(loaded()).not.toMatch(/adapters\/(?:archive|memory|otlp|telemetry)\//);
    expect(loaded().split('\n').length).toBeLessThan(modulesMax);
    // Beside it a command may also go to the log itself.
    expect((await plimsoll(folder, log('1.1.0'))).exit).toBe(0);
    await eventually('the gateway shows both', async () => {
      const { out } = await plimsoll(elsewhere, ['timeline', '--json'], remote);
      return linesOf(out).length === 2;
    });
    expect(loaded()).not.toMatch(/kafkajs|ioredis|node:sqlite|adapters\/(?:kafka|redis|sqlite)/);

    const second = await plimsoll(folder, ['gateway', '--json'], {
      ...free,
      PLIMSOLL_PORT: new URL(url).port,
    });
    expect([second.exit, linesOf(second.err)]).toMatchObject([6, [{ code: 'port-taken' }]]);

    up.signal('SIGTERM');
    const ended = await up.ended;
    expect([ended.exit, ended.err]).toEqual([0, expect.not.stringContaining('internal')]);
  });

  test.each([
    [
      '{"version":2,"policies":[{"component":"*","environment":"*","soak":"-1s"}]}',
      'line 1: policies[0].soak',
    ],
    [
      '{"version":2,\n"policies":[{"component":"*","environment":"*","judgng":{}}]}',
      'line 2: policies[0].judgng is no setting (did you mean judging?)',
    ],
    ['{"version":2', 'line 1: '],
  ])('is not started with the policy %s, and says what is wrong where', async (policy, said) => {
    const folder = newFolder();
    mkdirSync(folder);
    writeFileSync(join(folder, 'policy.json'), policy);
    const ended = await plimsoll(folder, ['up', '--json'], {
      ...free,
      PLIMSOLL_POLICY: 'policy.json',
    });
    expect([ended.exit, linesOf(ended.err).at(-1)]).toMatchObject([
      2,
      {
        code: 'policy-invalid',
        message: expect.stringContaining(`policy.json: ${said}`) as string,
      },
    ]);
  });
});

test('through a gateway that is not there the marker is kept, and with --strict the exit code is 6', async () => {
  const folder = newFolder();
  await plimsoll(folder, log('1.0.0'));
  const server = createServer();
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => void server.close(done));
  const away = { PLIMSOLL_URL: `http://127.0.0.1:${port}` };
  const kept = await plimsoll(folder, log('1.0.0'), away);
  expect([kept.exit, linesOf(kept.out)]).toMatchObject([0, [{ delivery: 'spooled' }]]);
  const strict = await plimsoll(folder, [...log('1.0.0'), '--strict'], away);
  expect([strict.exit, linesOf(strict.err).at(-1)]).toMatchObject([6, { code: 'unreachable' }]);
});

test('whoever stops reading early is no fault, of a command that ends or of one that stays', async () => {
  const folder = newFolder();
  await plimsoll(folder, log('1.0.0'));
  for (const args of [['timeline'], ['projector']]) {
    const unread = startPlimsoll(folder, args);
    unread.stopReading();
    const { exit, err } = await unread.ended;
    expect([exit, err]).toEqual([0, expect.not.stringContaining('EPIPE')]);
  }
});

test('a setting that is none is said, and not obeyed', async () => {
  const said = await plimsoll(newFolder(), log('1.0.0'), { PLIMSOLL_AUDIENC: 'other' });
  expect([said.exit, linesOf(said.err)]).toMatchObject([
    0,
    [
      { code: 'setting-unknown', message: 'PLIMSOLL_AUDIENC is no setting' },
      { code: 'first-use', message: expect.stringContaining('audience local') as string },
    ],
  ]);
});

test('the version is that of the package', async () => {
  const { version } = JSON.parse(
    readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'),
  ) as { readonly version: string };
  expect(await plimsoll(newFolder(), ['--version'])).toEqual({
    exit: 0,
    out: `${version}\n`,
    err: '',
  });
});
