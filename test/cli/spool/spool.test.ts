import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSpool } from '../../../services/adapters/spool/folder.ts';
import { createSystemClock } from '../../../services/adapters/system/clock.ts';
import type { CliPorts } from '../../../services/cli/ports.ts';
import { fail, ok } from '../../../services/core/result.ts';
import type { Result } from '../../../services/core/result.ts';
import type { SpoolProblem } from '../../../services/ports/spool.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, DeskOptions, Said } from '../../support/desk.ts';
import { jsonOf, openDesk, unreachable } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { tools, trusts } from '../../support/given.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

/** A desk, the same with log and gateway away, and the folder of their spool. */
const openPair = async (
  options: Omit<DeskOptions, 'folder'> & {
    readonly steps?: readonly Step[];
  } = {},
): Promise<{ readonly there: Desk; readonly away: Desk; readonly spool: string }> => {
  const folder = join(scratch, randomUUID());
  const there = await openDesk({ folder, ...options });
  return { there, away: there.elsewhere({ change: gone }), spool: join(folder, 'spool') };
};

const gone = (ports: CliPorts): CliPorts => ({
  ...ports,
  gateway:
    ports.gateway === null
      ? null
      : async () => fail({ code: 'no-connection', message: 'nobody is there' }),
  log: async () => unreachable('no log'),
  atHand: async () => unreachable('no log'),
});

const place = ['--component-name=checkout', '--environment-name=production'];
const log = (version: string, ...more: readonly string[]): readonly string[] => [
  ...['release', 'log', ...place, `--target-version=${version}`, ...more],
];
const plan = (version: string, ...more: readonly string[]): readonly string[] => [
  ...['release', 'plan', ...place, `--target-version=${version}`, ...more],
];
const update = (status: string, ...more: readonly string[]): readonly string[] => [
  ...['release', 'update', `--status=${status}`, ...more],
];

const spoolNames = (folder: string): readonly string[] =>
  readdirSync(folder).filter((name) => name.endsWith('.marker'));

const flushed = (said: Said): readonly string[] =>
  said.out.map((line) => {
    const one = JSON.parse(line) as { readonly [field: string]: string | number | null };
    expect(faultsOf('flushed', one)).toEqual([]);
    return [one['kind'], one['delivery'], one['code'], one['position']]
      .filter((word) => word !== null)
      .join(' ');
  });

const timeline = async ({ plimsoll }: Desk): Promise<readonly string[]> =>
  (await plimsoll('timeline', '--json')).out.map((line) => {
    const { version, status } = JSON.parse(line) as { readonly [field: string]: string };
    return `${version} ${status}`;
  });

describe.each([
  ['the log at hand', false],
  ['a gateway', true],
])('what was kept is delivered to %s', (_way, isRemote) => {
  test('by flush, in its order, once, and counts from when it was said', async () => {
    const { there, away, spool } = await openPair({ isRemote });
    for (const words of [plan('1'), update('RUNNING'), update('SUCCESS')])
      expect(jsonOf(await away.plimsoll(...words, '--json'))).toMatchObject({
        delivery: 'spooled',
        code: 'unreachable',
      });
    expect(spoolNames(spool)).toHaveLength(3);
    const said = await there.plimsoll('flush', '--json');
    expect([said.exit, flushed(said)]).toEqual([
      0,
      ['planned stored 2', 'started stored 3', 'succeeded stored 4'],
    ]);
    expect([spoolNames(spool), await timeline(there)]).toEqual([[], ['1 succeeded']]);
    const again = await there.plimsoll('flush');
    expect([again.exit, again.out]).toEqual([0, ['nothing waits in the spool']]);
    // Each call leaves the log a minute older: the first of them waited for three.
    const shown = jsonOf(await there.plimsoll('show', '--json', ...(await deployments(there))));
    expect(JSON.stringify(shown)).toContain('"waitedMs":180000');
  });

  test('by the next command, before its own marker', async () => {
    const { there, away } = await openPair({ isRemote });
    await away.plimsoll(...plan('1'));
    await away.plimsoll(
      ...log('7', '--environment-name=staging').filter((word) => word !== place[1]),
    );
    const next = jsonOf(await there.plimsoll(...update('SUCCESS'), '--json'));
    expect(next).toMatchObject({ delivery: 'stored', position: 4 });
    expect((await timeline(there)).toSorted()).toEqual(['1 succeeded', '7 logged']);
  });

  test('also where it had been stored already, and its answer was lost', async () => {
    const { there } = await openPair({ isRemote });
    const deaf = there.elsewhere({ change: losesAnswers });
    expect(jsonOf(await deaf.plimsoll(...log('1'), '--json'))).toMatchObject({
      delivery: 'spooled',
    });
    const said = await there.plimsoll('flush', '--json');
    expect([said.exit, flushed(said)]).toEqual([0, ['logged duplicate 2']]);
    expect(await timeline(there)).toEqual(['1 logged']);
  });

  test('with what a rule refuses laid aside, told, listed, tried again and dropped by hand', async () => {
    const { there, away, spool } = await openPair({
      isRemote,
      steps: [trusts('ci', { environments: ['staging'] })],
    });
    await away.plimsoll(...log('1', '--key=ci.json'));
    await away.plimsoll(...log('2'));
    const said = await there.plimsoll('flush', '--json');
    expect([said.exit, flushed(said)]).toEqual([
      3,
      ['logged refused out-of-scope', 'logged stored 3'],
    ]);
    expect(spoolNames(join(spool, 'refused'))).toHaveLength(1);
    const list = jsonOf(await there.plimsoll('spool', 'list', '--json'));
    expect(faultsOf('spooled', list)).toEqual([]);
    expect(list).toMatchObject({ state: 'refused', code: 'out-of-scope', kind: 'logged' });
    expect(flushed(await there.plimsoll('flush', '--refused', '--json'))).toEqual([
      'logged refused out-of-scope',
    ]);
    expect((await there.plimsoll('spool', 'drop', String(list['marker']))).exit).toBe(0);
    expect((await there.plimsoll('spool', 'list')).out).toEqual(['nothing waits for this log']);
    expect((await there.plimsoll('spool', 'drop', String(list['marker']))).exit).toBe(4);
  });
});

const deployments = async ({ plimsoll }: Desk): Promise<readonly string[]> =>
  (await plimsoll('timeline', '--json')).out.map(
    (line) => (JSON.parse(line) as { readonly deployment: string }).deployment,
  );

/** What is sent is stored, and nobody hears of it. */
const losesAnswers = (ports: CliPorts): CliPorts => {
  const { gateway } = ports;
  return {
    ...ports,
    gateway:
      gateway === null
        ? null
        : async (request, withinMs) => {
            await gateway(request, withinMs);
            return fail({ code: 'unreachable', message: 'lost' });
          },
    atHand: async (onProgress) => {
      const atHand = await ports.atHand(onProgress);
      if (!atHand.ok) return atHand;
      let isFirst = true;
      const append: typeof atHand.value.log.append = async (partition, records) => {
        if (isFirst) await atHand.value.log.append(partition, records);
        isFirst = false;
        return fail({ code: 'unknown', message: 'lost' });
      };
      return ok({ ...atHand.value, log: { ...atHand.value.log, append } });
    },
  };
};

describe('an update', () => {
  test('does not overtake its plan: it lies down behind what is not taken', async () => {
    const { there, away, spool } = await openPair({ isRemote: true });
    await away.plimsoll(...plan('1'));
    const refusing = there.elsewhere({ change: refusesPlans });
    const said = jsonOf(await refusing.plimsoll(...update('SUCCESS'), '--json'));
    expect(said).toMatchObject({ delivery: 'spooled', code: 'busy' });
    expect(spoolNames(spool)).toHaveLength(2);
    // What is of another key goes its way.
    const other = jsonOf(await refusing.plimsoll(...log('3'), '--json'));
    expect(other).toMatchObject({ delivery: 'stored' });
    expect((await there.plimsoll('flush')).out.at(-1)).toBe('2 delivered, 0 still waiting');
    expect((await timeline(there)).toSorted()).toEqual(['1 succeeded', '3 logged']);
  });
});

const refusesPlans = (ports: CliPorts): CliPorts => ({
  ...ports,
  gateway: async (request, withinMs) =>
    request.headers['ce-type'] === 'plimsoll.planned.v1'
      ? ok({
          status: 503,
          header: () => 'busy',
          body: Buffer.from('{"code":"busy","detail":"later"}'),
        })
      : (ports.gateway?.(request, withinMs) ?? fail({ code: 'no-connection', message: '' })),
});

describe('in a CI, whose disk goes with the job', () => {
  const env = { CI: 'true' };
  const lineOf = (said: Said): string =>
    said.err.find((line) => line.includes('plimsoll-marker:v1:')) ?? '';

  test('the log of the job holds it, and flush --from-log delivers it from there, once', async () => {
    const folder = join(scratch, randomUUID());
    const there = await openDesk({ folder, isRemote: true });
    const job = there.elsewhere({ env, change: gone, folder: join(scratch, randomUUID()) });
    const first = await job.plimsoll(...log('1'));
    expect([first.exit, first.err.length]).toEqual([0, 2]);
    const second = lineOf(await job.plimsoll(...log('2'), '--json'));
    expect(faultsOf('problem', JSON.parse(second))).toEqual([]);
    const text = [
      '2026-11-22T10:00:00.123Z ##[section]deploy',
      `2026-11-22T10:00:01.123Z \u001b[33m${lineOf(first)}\u001b[0m`,
      `2026-11-22T10:00:01.123Z \u001b[33m${lineOf(first)}\u001b[0m`,
      `[12:00:01] stderr | ${second}`,
      lineOf(first).slice(0, -40),
      'only the line plimsoll-marker:v1:… holds it',
    ].join('\r\n');
    const reader = there.elsewhere({ files: { 'job.log': text } });
    const said = await reader.plimsoll('flush', '--from-log=job.log', '--json');
    expect(flushed(said)).toEqual(['logged stored 2', 'logged stored 3']);
    expect([said.exit, JSON.parse(said.err.at(-1) ?? '')]).toMatchObject([
      2,
      { code: 'line-damaged', message: expect.stringContaining('1 line plimsoll') },
    ]);
    const again = await reader.plimsoll('flush', '--from-log=job.log', '--json');
    expect(flushed(again)).toEqual(['logged duplicate 2', 'logged duplicate 3']);
    expect(await timeline(there)).toEqual(['1 logged', '2 logged']);
  });

  test('a log without such a line is told as such', async () => {
    const { there } = await openPair({ files: { 'job.log': 'all is well' } });
    const said = await there.plimsoll('flush', '--from-log=job.log');
    expect([said.exit, said.err]).toEqual([
      0,
      ['plimsoll: there is no line plimsoll-marker:v1:… in job.log'],
    ]);
  });
});

describe('where no disk keeps it', () => {
  test.each([
    ['its folder cannot be made', 'spool-failed', (spool: string) => writeFileSync(spool, '')],
    ['it is full', 'spool-full', () => undefined],
  ])('because %s, the line holds it, and it is said', async (_why, code, spoil) => {
    const folder = join(scratch, randomUUID());
    const there = await openDesk({ folder });
    const away = there.elsewhere({ change: (ports) => gone(capped(ports, code)) });
    const spool = join(folder, 'spool');
    mkdirSync(folder);
    spoil(spool);
    const said = await away.plimsoll(...log('1'), '--json');
    expect([said.exit, jsonOf(said)]).toMatchObject([0, { delivery: 'spooled', code }]);
    expect(said.err.map((line) => (JSON.parse(line) as { code: string }).code)).toEqual([
      code,
      'marker-line',
    ]);
    expect((await away.plimsoll(...log('1'))).out).toEqual([
      expect.stringMatching(/^only in the line plimsoll-marker:v1:…: logged/),
    ]);
    const strict = await away.plimsoll(...log('1'), '--strict');
    expect([strict.exit, strict.err.join(' ')]).toEqual([
      6,
      expect.stringContaining('only the line plimsoll-marker:v1:… holds it'),
    ]);
    const line = said.err.at(-1) ?? '';
    const reader = there.elsewhere({
      files: { log: line },
      change: (ports) => capped(ports, code),
    });
    expect((await reader.plimsoll('flush', '--from-log=log')).out.at(-1)).toBe(
      '1 delivered, 0 still waiting',
    );
  });
});

const capped = (ports: CliPorts, code: string): CliPorts =>
  code === 'spool-full'
    ? {
        ...ports,
        spool: {
          ...ports.spool,
          keep: async () => fail({ code: 'spool-full', message: 'no more' }),
        },
      }
    : ports;

test('--async keeps it, says so at once, and leaves the rest to a process of its own', async () => {
  const folder = join(scratch, randomUUID());
  const keys: (string | null)[] = [];
  const there = await openDesk({
    folder,
    change: (ports) => ({ ...ports, flushApart: async (key) => void keys.push(key) }),
  });
  const said = await there.plimsoll(...log('1'), '--async', '--json', '--key=local.json');
  expect([said.exit, said.err, jsonOf(said)]).toMatchObject([
    0,
    [],
    { delivery: 'spooled', code: 'async' },
  ]);
  expect(keys).toEqual(['local.json']);
  expect(flushed(await there.plimsoll('flush', '--json'))).toEqual(['logged stored 2']);
});

test.each([false, true])(
  '--async sends at once what no disk keeps (through a gateway: %s)',
  async (isRemote) => {
    const folder = join(scratch, randomUUID());
    const there = await openDesk({
      folder,
      isRemote,
      change: (ports) => capped(ports, 'spool-full'),
    });
    const said = await there.plimsoll(...log('1'), '--async', '--json', '--key=local.json');
    expect([said.exit, jsonOf(said)]).toMatchObject([0, { delivery: 'stored', position: 2 }]);
  },
);

test('a spool that does not answer holds nobody back who can deliver', async () => {
  const there = await openDesk({
    folder: join(scratch, randomUUID()),
    env: { PLIMSOLL_TIMEOUT: '4s' },
    change: (ports) => ({
      ...ports,
      clock: { ...ports.clock, sleep: createSystemClock().sleep },
      spool: { ...ports.spool, waiting: () => new Promise(() => undefined) },
    }),
  });
  const said = await there.plimsoll(...log('1'), '--json', '--key=local.json');
  expect([said.exit, jsonOf(said)]).toMatchObject([0, { delivery: 'stored' }]);
});

describe.each([
  ['the log at hand', false],
  ['a gateway', true],
])('a spool that is not listed in time, before %s,', (_way, isRemote) => {
  const never = new Promise<never>(() => undefined);
  /** What the disk keeps in time, and whether it can be listed. */
  const slow =
    (spool: Partial<CliPorts['spool']>) =>
    (ports: CliPorts): CliPorts => ({
      ...ports,
      clock: { ...ports.clock, sleep: createSystemClock().sleep },
      spool: { ...ports.spool, ...spool },
    });
  const env = { PLIMSOLL_TIMEOUT: '1s', CI: 'true' };
  const deliveryOf = async (desk: Desk, words: readonly string[]): Promise<unknown> => {
    const said = await desk.plimsoll(...words, '--json', '--key=local.json');
    return [said.exit, jsonOf(said)['delivery']];
  };

  test('has what builds on earlier markers laid down behind them', async () => {
    const { there, away, spool } = await openPair({ isRemote });
    await away.plimsoll(...plan('1'));
    const busy = there.elsewhere({ env, change: slow({ waiting: () => never }) });
    const said = await busy.plimsoll(...update('RUNNING'));
    expect([said.exit, said.out, said.err.join()]).toEqual([
      0,
      [expect.stringMatching(/^kept for later: running/)],
      expect.stringMatching(/earlier markers of it may still wait.*the next command sends it/),
    ]);
    expect(spoolNames(spool)).toHaveLength(2);
    // Facts that stand by themselves go their way.
    expect(await deliveryOf(busy, log('3'))).toEqual([0, 'stored']);
    const sent = await there.plimsoll('flush', '--json');
    expect([sent.exit, flushed(sent).map((line) => line.split(' ', 2).join(' '))]).toEqual([
      0,
      ['planned stored', 'started stored'],
    ]);
  });

  test.each([
    ['does not answer either', () => never],
    ['is full', async () => fail({ code: 'spool-full', message: 'no more' } as const)],
  ])('is passed by where the disk that should keep it %s', async (_why, keep) => {
    const { there } = await openPair({ isRemote });
    await there.plimsoll(...plan('1'));
    const deaf = there.elsewhere({ env, change: slow({ waiting: () => never, keep }) });
    expect(await deliveryOf(deaf, update('SUCCESS'))).toEqual([0, 'stored']);
    expect(await timeline(there)).toEqual(['1 succeeded']);
  });
});

test('what lacks its plan is written to the log of the job where the spool can neither be read nor written', async () => {
  const { there, away } = await openPair();
  await away.plimsoll(...plan('1'));
  const spoilt = async (): Promise<Result<never, SpoolProblem>> =>
    fail({ code: 'spool-failed', message: 'no such disk' });
  const blind = there.elsewhere({
    change: (ports) => ({ ...ports, spool: { ...ports.spool, waiting: spoilt, keep: spoilt } }),
  });
  const said = await blind.plimsoll(...update('RUNNING'));
  expect([said.exit, said.err.join()]).toEqual([
    0,
    expect.stringMatching(/cannot be read \(no such disk\).*plimsoll-marker:v1:/),
  ]);
});

describe('what was kept for an address that the log no longer has', () => {
  const moved = async (): Promise<{ readonly there: Desk; readonly old: Desk }> => {
    const folder = join(scratch, randomUUID());
    const there = await openDesk({ folder });
    const keptFor = (name: string, label: string): Desk =>
      there.elsewhere({
        change: (ports) => ({
          ...gone(ports),
          spool: openSpool({
            root: folder,
            destination: { name, label },
            ...{ tools, now: ports.spoolNow, bytesMax: 1_000_000, ageMaxMs: 1_000_000_000 },
          }),
        }),
      });
    await keptFor('other.0123456789ab', 'http://other (other)').plimsoll(...log('9'));
    return { there, old: keptFor('local.0123456789ab', 'http://old (local)') };
  };

  test('is listed, and goes to this log when somebody says so', async () => {
    const { there, old } = await moved();
    await old.plimsoll(...log('1'));
    await old.plimsoll(...log('2'));
    const listed = await there.plimsoll('spool', 'list', '--json');
    for (const line of listed.out) expect(faultsOf('spooled', JSON.parse(line))).toEqual([]);
    expect(
      listed.out.map((line) => (JSON.parse(line) as { readonly elsewhere: string }).elsewhere),
    ).toEqual(['http://old (local)', 'http://old (local)', 'http://other (other)']);
    const plain = await there.plimsoll('flush');
    expect(plain.out).toEqual(['nothing waits in the spool']);
    expect(plain.err.join()).toMatch(/2 markers wait for http:\/\/old .*--elsewhere=ADDRESS/);
    const sent = await there.plimsoll('flush', '--elsewhere=http://old', '--json');
    expect([sent.exit, flushed(sent)]).toEqual([0, ['logged stored 2', 'logged stored 3']]);
    expect((await there.plimsoll('flush', '--elsewhere=http://old')).exit).toBe(4);
    expect((await there.plimsoll('spool', 'list', '--json')).out).toHaveLength(1);
  });

  test.each([
    ['http://nowhere', 4, 'not-found'],
    ['http://other', 2, 'option-invalid'],
    ['other.0123456789ab', 2, 'option-invalid'],
  ])('is not sent where it is not, or is of another audience: %s', async (address, exit, code) => {
    const { there } = await moved();
    const said = await there.plimsoll('flush', `--elsewhere=${address}`);
    expect([said.exit, said.err.join(' ')]).toEqual([exit, expect.stringContaining(`[${code}]`)]);
    expect((await there.plimsoll('spool', 'list', '--json')).out).toHaveLength(1);
  });

  test('can be dropped as well', async () => {
    const { there, old } = await moved();
    await old.plimsoll(...log('1'));
    const [line = ''] = (await there.plimsoll('spool', 'list', '--json')).out;
    const { marker } = JSON.parse(line) as { readonly marker: string };
    expect((await there.plimsoll('spool', 'drop', marker)).exit).toBe(0);
    expect((await there.plimsoll('spool', 'list', '--json')).out).toHaveLength(1);
  });
});

test('what is damaged is laid aside as it is, and holds nobody up', async () => {
  const { there, away, spool } = await openPair();
  await away.plimsoll(...log('1'));
  const [name = ''] = spoolNames(spool);
  const whole = readFileSync(join(spool, name));
  writeFileSync(join(spool, name), whole.subarray(0, -3));
  await away.plimsoll(...log('2'));
  const said = await there.plimsoll('flush', '--json');
  expect([said.exit, flushed(said)]).toEqual([3, ['refused spool-damaged', 'logged stored 2']]);
  expect(readFileSync(join(spool, 'refused', name))).toEqual(whole.subarray(0, -3));
  expect(jsonOf(await there.plimsoll('spool', 'list', '--json'))).toMatchObject({
    state: 'damaged',
  });
});

test('what lies there for too long is sent only to who asks', async () => {
  const { there, away } = await openPair();
  await away.plimsoll(...log('1'));
  const later = there.elsewhere({
    change: (ports) => ({ ...ports, spool: { ...ports.spool, read: aged(ports.spool.read) } }),
  });
  const said = await later.plimsoll('flush', '--json');
  expect([said.exit, flushed(said)]).toEqual([0, ['logged expired']]);
  expect(jsonOf(await later.plimsoll('spool', 'list', '--json'))).toMatchObject({
    state: 'expired',
  });
  // It holds back nobody, of the same key neither.
  expect(jsonOf(await later.plimsoll(...log('2'), '--json'))).toMatchObject({ position: 2 });
  const asked = await later.plimsoll('flush', '--expired', '--json');
  expect(flushed(asked)).toEqual(['logged stored 3']);
  expect((await there.plimsoll('current', '--json')).out.join('')).toContain('"version":"2"');
});

const aged =
  (read: CliPorts['spool']['read']): CliPorts['spool']['read'] =>
  async (entry, from) => {
    const found = await read(entry, from);
    return found.ok && found.value !== undefined
      ? ok({ ...found.value, waitedMs: 31 * 86_400_000, isExpired: true })
      : found;
  };

test('a flush to nobody exits with 6 and leaves all as it was', async () => {
  const { away, spool } = await openPair({ isRemote: true });
  await away.plimsoll(...log('1'));
  const before = spoolNames(spool);
  const said = await away.plimsoll('flush', '--json');
  expect([said.exit, flushed(said)]).toEqual([6, ['logged waiting unreachable']]);
  expect((await away.plimsoll('flush', '--no-fail')).exit).toBe(0);
  expect(spoolNames(spool)).toEqual(before);
});
