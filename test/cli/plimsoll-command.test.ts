import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

// The command is tried beside a main.ts of our own that tells how it was called.
const mainThatTells = `
import { writeSync } from 'node:fs';
const [word, code]: string[] = process.argv.slice(2);
if (word === 'wait') {
  process.on('SIGTERM', () => {
    writeSync(1, 'ended');
    process.exit(7);
  });
  setTimeout(() => process.exit(1), 50_000);
  console.log('waiting');
} else {
  process.emitWarning('of no interest', 'ExperimentalWarning');
  console.log(JSON.stringify({ word, folder: process.cwd() }));
  process.exitCode = Number(code);
}
`;

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'plimsoll-command-')));
const command = join(folder, 'services', 'cli', 'plimsoll.mjs');
const elsewhere = join(folder, 'elsewhere');
const linked = join(elsewhere, 'plimsoll');

mkdirSync(join(folder, 'services', 'cli'), { recursive: true });
mkdirSync(elsewhere);
writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
writeFileSync(join(folder, 'services', 'cli', 'main.ts'), mainThatTells);
copyFileSync(resolve(import.meta.dirname, '../../services/cli/plimsoll.mjs'), command);
symlinkSync(command, linked);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const oldNode = [
  '--import',
  'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.20.2"})',
];

function bringNodeAlong(): void {
  const packageFolder = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`);
  mkdirSync(join(packageFolder, 'bin'), { recursive: true });
  writeFileSync(join(packageFolder, 'package.json'), '{}');
  symlinkSync(process.execPath, join(packageFolder, 'bin', 'node'));
}

function call(flags: readonly string[], ...args: readonly string[]): ReturnType<typeof spawnSync> {
  return spawnSync(process.execPath, [...flags, linked, ...args], {
    cwd: elsewhere,
    encoding: 'utf8',
    env: {},
  });
}

function endOnTermination(flags: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [...flags, linked, 'wait'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.once('data', () => child.kill('SIGTERM'));
  return new Promise((done) => {
    child.on('exit', done);
  });
}

describe('plimsoll, called by a link from another folder', () => {
  const tells = {
    status: 3,
    stdout: `${JSON.stringify({ word: 'current', folder: elsewhere })}\n`,
  };

  test('runs in this Node where it is new enough', async () => {
    expect(call([], 'current', '3')).toMatchObject({ ...tells, stderr: '' });
    expect(await endOnTermination([])).toBe(7);
  });

  test('says what to install where Node is too old and none was brought along', () => {
    const called = call(oldNode, 'current', '3');
    expect(called).toMatchObject({ status: 1, stdout: '' });
    expect(called.stderr).toMatch(/Node 20\.20\.2.* needs 22\.18 .*\n.*npm ci/);
  });

  const built = resolve(import.meta.dirname, '../../services/dev/build/plimsoll.cjs');
  describe.each([
    ['this command', linked],
    ['that of the built package', built],
  ])('where Node is too old, %s', (_what, launcher) => {
    const sh = ['--target-version=1', '--', 'sh', '-c'];
    test.each<[what: string, words: readonly string[], status: number, stdout: string]>([
      ['runs the program of run', ['run', ...sh, 'echo "$0"; exit 5', '--strict'], 5, '--strict\n'],
      ['tells how it was killed', ['run', ...sh, 'kill -TERM $$'], 143, ''],
      ['tells that it is not there', ['run', '--', '/nowhere/x'], 127, ''],
      ['does not run it where that was asked', ['run', '--strict', ...sh, 'echo no'], 1, ''],
      ['does as --no-fail says', ['release', 'log', '--no-fail'], 0, ''],
      ['else fails', ['release', 'log', '--', '--no-fail'], 1, ''],
    ])('%s', (_case, words, status, stdout) => {
      const called = spawnSync(process.execPath, [...oldNode, launcher, ...words], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '' },
      });
      expect(called).toMatchObject({ status, stdout });
      expect(called.stderr).toContain('no marker is made');
    });
  });

  test('hands over to the Node that was brought along', async () => {
    bringNodeAlong();
    expect(call(oldNode, 'current', '3')).toMatchObject({ ...tells, stderr: '' });
    expect(await endOnTermination(oldNode)).toBe(7);
  });

  test('leaves nothing running behind it when it is killed', async () => {
    const child = spawn(process.execPath, [...oldNode, linked, 'wait'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      if (told === 'waiting\n') child.kill('SIGKILL');
    });
    // The pipe is closed when nobody holds it any more.
    await new Promise((done) => child.on('close', done));
    expect(told).toBe('waiting\nended');
  });
});
