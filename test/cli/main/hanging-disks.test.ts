import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bareEnv } from '../../support/bare-env.ts';
import type { Ran } from '../../support/plimsoll.ts';
import { plimsoll } from '../../support/plimsoll.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

// What a command of a pipeline reads may be no file, or lie on a disk that does not answer: it ends all the same.

const scratch = scratchFolder();
/** Less than what waits for a pipe to its deadline would take beside the rest. */
const patient = { timeout: 180_000 };
const command = resolve(import.meta.dirname, '../../support/command/plimsoll');
const log = ['release', 'log', '--component-name=shop', '--target-version=1'];
const update = ['release', 'update', '--status=RUNNING'];

/** A folder with a log, a key `ci.json` that it trusts, and what one plan leaves behind. */
const aPlace = async (): Promise<string> => {
  const folder = join(scratch, randomUUID());
  mkdirSync(folder);
  const planned = ['release', 'plan', '--component-name=shop', '--target-version=1'];
  expect((await plimsoll(folder, planned)).exit).toBe(0);
  expect((await plimsoll(folder, ['keys', 'new', '--principal=ci', '--out=ci.json'])).exit).toBe(0);
  return folder;
};

const onlyIn = (folder: string, ending: string): string =>
  join(folder, readdirSync(folder).find((name) => name.endsWith(ending)) ?? 'none');

const pipeInPlaceOf = (path: string): void => {
  rmSync(path, { force: true, recursive: true });
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
};

// The deadline is far behind the end of the test: what waits for a pipe takes longer than that.
describe('a pipe that nobody writes to', () => {
  test.each<
    [
      what: string,
      where: (folder: string) => string,
      env: { readonly [name: string]: string },
      words: readonly string[],
      exit: number,
    ]
  >([
    ['the key that was named', () => 'key', { PLIMSOLL_KEY: 'key' }, log, 5],
    ['the key of first use', () => 'plimsoll-data/keys/local.json', {}, log, 5],
    ['the folder of keys', () => 'plimsoll-data/keys', {}, log, 5],
    ['the settings file', () => 'plimsoll.yaml', {}, log, 2],
    ['the settings file that was named', () => 'set', { PLIMSOLL_CONFIG: 'set' }, log, 2],
    ['the database', () => 'plimsoll-data/plimsoll.db', {}, log, 0],
    [
      'what was planned here',
      (folder) => onlyIn(join(folder, 'plimsoll-data/planned/local'), '.json'),
      {},
      update,
      4,
    ],
    ['the folder of plans', () => 'plimsoll-data/planned', {}, log, 0],
    [
      'the name of who counts',
      (folder) => join(onlyIn(join(folder, 'plimsoll-data/numbering'), ''), 'producer'),
      {},
      log,
      0,
    ],
    ['the spool', () => 'plimsoll-data/spool', {}, log, 0],
    ['the settings of git', () => '.git/config', {}, [...log.slice(0, 2), ...log.slice(3)], 2],
  ])('in place of %s keeps nobody waiting', patient, async (_what, where, env, words, exit) => {
    const folder = await aPlace();
    mkdirSync(join(folder, '.git'));
    pipeInPlaceOf(resolve(folder, where(folder)));
    const ran = await plimsoll(folder, words, { PLIMSOLL_TIMEOUT: '10m', ...env });
    expect([ran.exit, ran.err]).toEqual([exit, expect.stringMatching(exit === 0 ? '' : /\[.+\]/)]);
  });

  test('in place of a marker that waits keeps nobody waiting', patient, async () => {
    const folder = await aPlace();
    const away = { PLIMSOLL_URL: 'http://127.0.0.1:1', PLIMSOLL_KEY: 'ci.json' };
    expect((await plimsoll(folder, log, away)).exit).toBe(0);
    const spool = onlyIn(join(folder, 'plimsoll-data/spool'), '');
    pipeInPlaceOf(onlyIn(spool, '.marker'));
    const ran = await plimsoll(folder, ['spool', 'list', '--json'], away);
    expect(ran.exit).toBe(0);
    expect(ran.out).toContain('"state":"damaged"');
  });
});

test('a key may come from a pipe that somebody writes to', patient, async () => {
  const folder = await aPlace();
  const words = `PLIMSOLL_KEY=<(cat plimsoll-data/keys/local.json) "${command}" ${log.join(' ')}`;
  const ran = spawnSync('bash', ['-c', words], {
    cwd: folder,
    env: { ...bareEnv(), NODE_BINARY: process.execPath },
    encoding: 'utf8',
  });
  expect([ran.status, ran.stdout]).toEqual([0, expect.stringMatching(/^logged shop 1/)]);
});

test('a working folder that was removed stops no deploy', patient, () => {
  const inNowhere = (words: string): readonly [number | null, string] => {
    const script = `mkdir gone && cd gone && rmdir ../gone && "${command}" ${words}`;
    const ran = spawnSync('sh', ['-c', script], {
      cwd: scratch,
      env: { ...bareEnv(), NODE_BINARY: process.execPath },
      encoding: 'utf8',
    });
    expect(ran.stderr).toContain('the working folder is gone; nothing was stored or kept');
    return [ran.status, ran.stdout];
  };
  expect(inNowhere(log.join(' '))).toEqual([0, '']);
  expect(inNowhere(`${log.join(' ')} --strict`)).toEqual([6, '']);
  expect(inNowhere('run --target-version=1 -- sh -c "echo done; exit 6"')).toEqual([6, 'done\n']);
});

/** Of util-linux. */
const unshare = '/usr/bin/unshare';
/** Mounts what never answers, where this machine lets us, and runs the command before it. */
const hanging = `exec 9<>/dev/fuse && mount -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 dead "$0" || exit 99; "$@" 9>&-`;
const canHang = (): boolean => {
  const folder = join(scratch, randomUUID());
  mkdirSync(folder);
  return spawnSync(unshare, ['-m', 'sh', '-c', hanging, folder, 'true']).status === 0;
};

describe.skipIf(!canHang())('a disk that never answers', () => {
  const before = (
    folder: string,
    env: { readonly [name: string]: string },
    words: readonly string[],
  ): Promise<Ran> =>
    new Promise((done) => {
      mkdirSync(join(folder, 'dead'));
      const child = spawn(unshare, ['-m', 'sh', '-c', hanging, 'dead', command, ...words], {
        cwd: folder,
        env: { ...bareEnv(), NODE_BINARY: process.execPath, PLIMSOLL_TIMEOUT: '2s', ...env },
      });
      let [out, err] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => void (err += text));
      child.on('close', (exit) => done({ exit, out, err }));
    });

  // A busy machine may be late with what it asks for last, and then says that instead.
  const nothing = /nothing (?:was|is) stored or kept/;
  test.each<[what: string, env: { readonly [name: string]: string }, told: RegExp]>([
    ['with the key', { PLIMSOLL_KEY: 'dead/key.json' }, nothing],
    ['with the settings file', { PLIMSOLL_CONFIG: 'dead/plimsoll.yaml' }, nothing],
    ['with the log, its keys and its spool', { PLIMSOLL_LOG: 'sqlite:dead/data' }, nothing],
    [
      'with the log',
      {
        PLIMSOLL_LOG: 'sqlite:dead/data',
        PLIMSOLL_KEY: 'plimsoll-data/keys/local.json',
        PLIMSOLL_SPOOL: 'spool',
      },
      /kept in spool|nothing is stored or kept/,
    ],
    [
      'with the spool of a log that is away',
      { PLIMSOLL_SPOOL: 'dead/spool', PLIMSOLL_KEY: 'ci.json', PLIMSOLL_URL: 'http://127.0.0.1:1' },
      /plimsoll-marker:v1:|nothing is stored or kept/,
    ],
    ['with the spool of a log that is there', { PLIMSOLL_SPOOL: 'dead/spool' }, /^/],
  ])('%s holds no command', patient, async (_what, env, told) => {
    const ran = await before(await aPlace(), env, log);
    expect([ran.exit, ran.err]).toEqual([0, expect.stringMatching(told)]);
  });

  test.each(['PLIMSOLL_KEY', 'PLIMSOLL_CONFIG'])(
    'with what %s names: the program of run has its exit code, and --strict fails',
    patient,
    async (name) => {
      const env = { [name]: 'dead/file' };
      const run = ['run', '--target-version=1', '--component-name=shop', '--', 'sh', '-c'];
      const ran = await before(await aPlace(), env, [...run, 'echo done; exit 6']);
      expect([ran.exit, ran.out]).toEqual([6, 'done\n']);
      expect((await before(await aPlace(), env, [...log, '--strict'])).exit).toBe(8);
    },
  );
});
