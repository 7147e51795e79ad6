import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfigured } from '../../../services/cli/main/settings-file.ts';
import { parseArguments } from '../../../services/cli/terminal/parse-arguments.ts';
import { withDefaults } from '../../../services/cli/terminal/defaults.ts';
import type { SettingLine } from '../../../services/cli/setup/config.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import { plimsoll } from '../../support/plimsoll.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

/** A repository with a folder in it, and a settings file at the top. */
const repository = (file: string | null): { readonly top: string; readonly inner: string } => {
  const top = join(scratch, randomUUID());
  const inner = join(top, 'services', 'checkout');
  mkdirSync(inner, { recursive: true });
  mkdirSync(join(top, '.git'));
  if (file !== null) writeFileSync(join(top, 'plimsoll.yaml'), file);
  return { top, inner };
};

const lines = (out: string): readonly SettingLine[] =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SettingLine);

describe('what counts', () => {
  test('is the environment before the file, and the file before what is built in', async () => {
    const { inner } = repository('audience: shop\nurl: http://127.0.0.1:9\n');
    const ran = await plimsoll(inner, ['config', '--json'], { PLIMSOLL_AUDIENCE: 'other' });
    const told = lines(ran.out);
    expect(told.flatMap((line) => faultsOf('setting', line))).toEqual([]);
    const by = (name: string): unknown => told.find(({ setting }) => setting === name);
    expect(by('PLIMSOLL_AUDIENCE')).toMatchObject({ value: 'other', from: 'environment' });
    expect(by('PLIMSOLL_URL')).toMatchObject({ from: 'file', line: 2 });
    expect(by('PLIMSOLL_KEY')).toMatchObject({ value: null, from: 'default' });
  });

  test('is shown to people with its line, and without passwords', async () => {
    const { inner } = repository('store: redis://:hunter2@cache:6379\n');
    const { out } = await plimsoll(inner, ['config']);
    expect(out).toContain('redis://:***@cache:6379  (line 1 of the file)');
    expect(out).not.toContain('hunter2');
  });

  test('is not what stands above the repository, nor what PLIMSOLL_CONFIG=none sets aside', () => {
    const { top, inner } = repository('audience: shop\n');
    mkdirSync(join(inner, '.git'));
    expect(value(readConfigured({}, inner)).sources.file).toBeNull();
    expect(value(readConfigured({ PLIMSOLL_CONFIG: 'none' }, top)).sources.file).toBeNull();
    expect(
      value(readConfigured({ PLIMSOLL_CONFIG: '../../plimsoll.yaml' }, inner)).env,
    ).toMatchObject({
      PLIMSOLL_AUDIENCE: 'shop',
    });
  });

  test('outside a repository is what stands in the working folder, and nowhere above it', () => {
    const top = join(scratch, randomUUID());
    const inner = join(top, 'inner');
    mkdirSync(inner, { recursive: true });
    writeFileSync(join(top, 'plimsoll.yaml'), 'audience: shop\n');
    expect(value(readConfigured({}, inner)).sources.file).toBeNull();
    expect(value(readConfigured({}, top)).env).toMatchObject({ PLIMSOLL_AUDIENCE: 'shop' });
  });

  test("is refused where it is somebody else's, or others may write it", () => {
    const top = join(scratch, randomUUID());
    mkdirSync(top);
    const file = join(top, 'plimsoll.yaml');
    writeFileSync(file, 'audience: shop\n');
    chmodSync(file, 0o666);
    expect(readConfigured({}, top)).toMatchObject({ ok: false });
    expect(readConfigured({ PLIMSOLL_CONFIG: file }, top)).toMatchObject({ ok: true });
    chmodSync(file, 0o644);
    expect(readConfigured({}, top)).toMatchObject({ ok: true });
  });

  test.runIf(process.getuid?.() === 0)(
    "is refused where its owner is neither us, nor root, nor the folder's",
    () => {
      const { top, inner } = repository('audience: shop\n');
      chownSync(join(top, 'plimsoll.yaml'), 1234, 1234);
      expect(readConfigured({}, inner)).toMatchObject({ ok: false });
      chownSync(inner, 1234, 1234);
      expect(readConfigured({}, inner)).toMatchObject({ ok: true });
    },
  );

  test.runIf(process.getuid?.() === 0)(
    "is not stopped by what somebody else put above us, though it looks like a repository's",
    () => {
      const { top, inner } = repository('audience: shop\n');
      for (const path of [join(top, '.git'), join(top, 'plimsoll.yaml')])
        chownSync(path, 1234, 1234);
      expect(value(readConfigured({}, inner)).sources.file).toBeNull();
    },
  );

  test('of paths is told from the folder of the file', () => {
    const { inner } = repository('log: sqlite:./data\nkey: keys/ci.json\narchive: /var/archive\n');
    expect(value(readConfigured({}, inner)).env).toMatchObject({
      PLIMSOLL_LOG: 'sqlite:../../data',
      PLIMSOLL_KEY: '../../keys/ci.json',
      PLIMSOLL_ARCHIVE: '/var/archive',
    });
  });
});

describe('a settings file', () => {
  test('that cannot be read stops a command with its line', async () => {
    const { inner } = repository('audience: shop\nulr: x\n');
    const ran = await plimsoll(inner, ['current', '--json']);
    expect(ran.exit).toBe(2);
    const told = JSON.parse(ran.err) as { readonly message: string; readonly hint: string };
    expect(told.message).toContain('plimsoll.yaml: line 2 sets ulr');
    expect(told.hint).toBe('did you mean url?');
  });

  test('that is not there, though it was named, is told', async () => {
    const { inner } = repository(null);
    const ran = await plimsoll(inner, ['current'], { PLIMSOLL_CONFIG: 'missing.yaml' });
    expect(ran.exit).toBe(2);
    expect(ran.err).toContain('missing.yaml');
  });

  test.each([
    [
      'a pipe that nobody writes to',
      (path: string) => spawnSync('sh', ['-c', 'mkfifo "$0"', path]),
    ],
    ['a link to a device without end', (path: string) => symlinkSync('/dev/zero', path)],
    ['a folder', (path: string) => mkdirSync(path)],
    ['a file of a megabyte', (path: string) => writeFileSync(path, '#'.repeat(1_000_000))],
  ])('that is %s is told at once', (_what, make) => {
    const { top, inner } = repository(null);
    make(join(top, 'plimsoll.yaml'));
    expect(readConfigured({}, inner)).toMatchObject({ ok: false, problem: { exit: 2 } });
  });

  test('names the component and its owner for plans, and nothing for updates and readers', () => {
    const defaults = {
      'component-name': { value: 'checkout', line: 1 },
      owner: { value: 'payments', line: 2 },
    };
    const component = (...args: readonly string[]): string | null => {
      const request = value(parseArguments(args));
      if (request.ask !== 'run') throw new Error('no command');
      return withDefaults(request.command, request.given, defaults).value('component-name');
    };
    expect(component('release', 'plan', '--target-version=1')).toBe('checkout');
    expect(component('release', 'log', '--target-version=1', '--component=search')).toBe('search');
    expect(component('release', 'update', '--status=SUCCESS')).toBeNull();
    expect(component('timeline')).toBeNull();
  });
});
