import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CliPorts } from '../../../services/cli/ports.ts';
import { ok } from '../../../services/core/result.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, DeskOptions, Said } from '../../support/desk.ts';
import { openDesk, unreachable } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { trusts } from '../../support/given.ts';
import { logId } from '../../support/markers.ts';
import { plimsoll as inFolder } from '../../support/plimsoll.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const newFolder = (): string => join(scratch, randomUUID());
const desk = (options: DeskOptions & { readonly steps?: readonly Step[] } = {}): Promise<Desk> =>
  openDesk({ folder: newFolder(), ...options });

type Line = {
  readonly check: string;
  readonly outcome: string;
  readonly message: string;
  readonly hint: string;
};

const linesOf = (out: readonly string[]): readonly Line[] => {
  const lines = out.map((line) => JSON.parse(line) as Line);
  expect(lines.flatMap((line) => faultsOf('doctor-check', line))).toEqual([]);
  return lines;
};

/** `check outcome` of each line. */
const outcomes = ({ out }: Said): readonly string[] =>
  linesOf(out).map(({ check, outcome }) => `${check} ${outcome}`);

/** The gateway of these ports, by whose clock it is an hour earlier. */
const anHourBehind =
  ({ gateway, clock }: CliPorts): CliPorts['gateway'] =>
  async (request, withinMs) => {
    if (gateway === null) throw new Error('no gateway');
    const answer = await gateway(request, withinMs);
    const date = new Date(clock.nowMs() - 3_600_000).toUTCString();
    return answer.ok
      ? ok({
          ...answer.value,
          header: (name) => (name === 'date' ? date : answer.value.header(name)),
        })
      : answer;
  };

const wentThrough = ['test marker ok', 'read back ok', 'undone ok', 'said again ok'];

describe('on a log at hand', () => {
  test('a marker goes there and back, and what runs where stays as it is', async () => {
    const { plimsoll } = await desk();
    const said = await plimsoll('doctor', '--json');
    expect(said.exit).toBe(0);
    expect(outcomes(said)).toEqual(
      expect.arrayContaining(['key ok', 'log ok', 'log id warn', ...wentThrough]),
    );
    expect((await plimsoll('current', '--json')).out).toEqual([]);
    const timeline = (await plimsoll('timeline', '--json')).out.map(
      (line) => JSON.parse(line) as { readonly status: string; readonly environment: string },
    );
    expect(timeline).toMatchObject([{ status: 'canceled', environment: 'plimsoll-doctor' }]);
  });

  test('people are told in lines with what to do under them', async () => {
    const { plimsoll } = await desk();
    const text = (await plimsoll('doctor')).out.join('\n');
    expect(text).toContain(`WARN  log id: not pinned: the log that is found, ${logId}`);
    expect(text).toContain(`      PLIMSOLL_LOG_ID=${logId}`);
    expect(text).toContain('ok    test marker: stored at position');
  });

  test('a log that is not the pinned one stops it before anything is sent', async () => {
    const other = '0190a000-0000-7000-8000-00000000000f';
    const { plimsoll, house } = await desk({ env: { PLIMSOLL_LOG_ID: other } });
    const before = (await house.records()).length;
    const said = await plimsoll('doctor', '--json');
    expect(said.exit).toBe(3);
    expect(outcomes(said)).toContain('log id fail');
    expect((await house.records()).length).toBe(before);
  });

  test('a key that is not there is a failure with its own exit code', async () => {
    const { plimsoll } = await desk();
    const said = await plimsoll('doctor', '--key=keys/missing.json', '--json');
    expect(said.exit).toBe(5);
    expect(outcomes(said)).toContain('key fail');
    expect(said.err.join('')).toContain('doctor-failed');
  });

  test('a key that the log does not know, or that may not act there, is told', async () => {
    const { plimsoll } = await desk({
      steps: [trusts('ci', { environments: ['staging'], components: ['checkout'] })],
    });
    const unknown = await plimsoll('doctor', '--key=keys/stranger.json', '--json');
    expect(unknown.exit).toBe(5);
    expect(outcomes(unknown)).toContain('trust fail');
    const narrow = await plimsoll('doctor', '--key=keys/ci.json', '--json');
    expect(narrow.exit).toBe(0);
    expect(outcomes(narrow)).toEqual(expect.arrayContaining(['trust ok', 'test marker skipped']));
  });

  test('in a CI job it says that a log on the disk of the job goes with it; and so do markers', async () => {
    const job = { GITHUB_ACTIONS: 'true', GITHUB_RUN_ID: '7', GITHUB_REPOSITORY: 'shop/checkout' };
    const folder = newFolder();
    const said = await inFolder(folder, ['doctor', '--json'], job);
    expect(linesOf(said.out.trim().split('\n'))).toContainEqual(
      expect.objectContaining({ check: 'where the log lies', outcome: 'warn' }),
    );
    const emitting = ['release', 'log', '--target-version=1'];
    expect((await inFolder(folder, emitting, job)).err).toContain('goes with it');
    const kept = { ...job, PLIMSOLL_LOG: 'sqlite:./kept' };
    expect((await inFolder(folder, emitting, kept)).err).not.toContain('goes with it');
    expect(readFileSync(join(folder, 'plimsoll-data/.gitignore'), 'utf8')).toBe('*\n');
    expect(readFileSync(join(folder, 'plimsoll-data/keys/.gitignore'), 'utf8')).toBe('*\n');
  });

  test.each([
    ['an empty folder', []],
    ['a folder where only a spool lies', ['plimsoll-data/spool']],
  ])('in %s it makes nothing', async (_what, there) => {
    const folder = newFolder();
    for (const path of there) mkdirSync(join(folder, path), { recursive: true });
    const ran = await inFolder(folder, ['doctor', '--json']);
    expect(ran.exit).toBe(0);
    const lines = linesOf(ran.out.trim().split('\n'));
    expect(lines.at(-1)).toMatchObject({ check: 'log', outcome: 'warn' });
    expect(lines.map(({ check }) => check)).not.toContain('test marker');
  });
});

describe('on Kafka without a key', () => {
  /** Its log as the broker tells of it, seen from a folder in which nobody has made keys. */
  const looked = async (
    isLogThere: Awaited<ReturnType<CliPorts['isLogThere']>>,
    ...args: readonly string[]
  ): Promise<{ readonly exit: number; readonly key: Line | undefined }> => {
    const { plimsoll } = await desk({
      env: { PLIMSOLL_LOG: 'kafka://127.0.0.1:9' },
      change: (ports) => ({
        ...ports,
        settings: { ...ports.settings, log: { foundation: 'kafka', brokers: ['127.0.0.1:9'] } },
        keys: { ...ports.keys, pathOf: () => 'keys/missing.json' },
        isLogThere: async () => isLogThere,
      }),
    });
    const { exit, out } = await plimsoll('doctor', '--json', ...args);
    return { exit, key: linesOf(out).find(({ check }) => check === 'key') };
  };

  test('a log without records will have its keys made by first use', async () => {
    expect(await looked(ok(false))).toMatchObject({
      exit: 0,
      key: { outcome: 'skipped', message: 'none is named; first use of the log makes one' },
    });
  });

  test('one with records trusts keys that were made elsewhere', async () => {
    expect(await looked(ok(true))).toMatchObject({
      exit: 5,
      key: { outcome: 'fail', hint: expect.stringContaining('a key that the log trusts') },
    });
  });

  test.each([
    ['nobody is asked', ok(true), ['--offline'], 0],
    ['nobody answers', unreachable('no broker'), [], 6],
  ])('where %s it says what holds of either', async (_what, there, args, exit) => {
    expect(await looked(there, ...args)).toMatchObject({
      exit,
      key: { outcome: 'skipped', hint: expect.stringContaining('a key that the log trusts') },
    });
  });
});

describe('through a gateway', () => {
  test('the gateway, its clock, its log and the whole way are looked at', async () => {
    const { plimsoll, house } = await desk({ isRemote: true });
    house.projectorRuns(true);
    const said = await plimsoll('doctor', '--json');
    expect(said.exit).toBe(0);
    expect(outcomes(said)).toEqual(expect.arrayContaining(['gateway ok', ...wentThrough]));
  });

  test('the address is shown without its password, and a clock that is far off is told', async () => {
    const { plimsoll, house } = await desk({
      env: { PLIMSOLL_URL: 'http://bob:hunter2@gateway.example.com' },
      isRemote: true,
      change: (ports) => ({ ...ports, gateway: anHourBehind(ports) }),
    });
    house.projectorRuns(true);
    const said = await plimsoll('doctor', '--json');
    expect(said.out.join('\n')).not.toContain('hunter2');
    expect(linesOf(said.out).find(({ check }) => check === 'clock')).toMatchObject({
      outcome: 'warn',
      message: expect.stringContaining('s ahead of the gateway') as string,
    });
  });

  test('an outage is 6, and nothing is tried behind it', async () => {
    const ran = await inFolder(newFolder(), ['doctor', '--json'], {
      PLIMSOLL_URL: 'http://127.0.0.1:9',
    });
    expect(ran.exit).not.toBe(0);
    const lines = linesOf(ran.out.trim().split('\n'));
    expect(lines.at(-1)).toMatchObject({ check: 'gateway', outcome: 'fail' });
  });
});

describe('--offline', () => {
  test('asks nobody', async () => {
    const { plimsoll, house } = await desk();
    const before = (await house.records()).length;
    const said = await plimsoll('doctor', '--offline', '--json');
    expect(said.exit).toBe(0);
    expect(outcomes(said)).not.toContain('log ok');
    expect((await house.records()).length).toBe(before);
  });
});

describe('--readiness', () => {
  test('says of each point of the checklists whether it is met, not met or not to be seen', async () => {
    const { plimsoll } = await desk();
    const log = (environment: string, ...more: readonly string[]): readonly string[] => [
      ...['release', 'log', '--component-name=checkout', `--environment-name=${environment}`],
      ...more,
    ];
    await plimsoll(...log('staging', '--target-version=1.9.4'));
    await plimsoll(...log('production', '--target-version=2.0.0'));
    await plimsoll(...log('production', '--target-version=1.9.4', '--rollback'));
    const said = await plimsoll('doctor', '--readiness', '--json');
    const found = Object.fromEntries(
      linesOf(said.out)
        .filter(({ check }) => check.includes('production: '))
        .map(({ check, outcome }) => [check.replace(/^.*production: /, ''), outcome]),
    );
    expect(found).toEqual({
      'markers of test deployments': 'met',
      'markers are valid': 'met',
      'tracing carries the marker': 'unseen',
      'dashboards show test markers': 'unseen',
      'who may sign is bounded': 'not-met',
      'markers are seen in time': 'met',
      'the same marker counts once': 'met',
      'canaries are analysed': 'not-met',
      'alerts are routed': 'unseen',
      'runbooks are named': 'not-met',
      'rolling back was tried': 'met',
    });
    await plimsoll(
      ...log('production', '--target-version=2.0.1', '--runbook=https://wiki.example.com/r'),
    );
    const after = await plimsoll('doctor', '--readiness', '--json');
    expect(outcomes(after)).toContain('production: runbooks are named met');
  });
});
