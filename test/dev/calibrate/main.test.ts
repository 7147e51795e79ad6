import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const COMMAND = join(import.meta.dirname, '../../../services/dev/calibrate/main.ts');

const calibrate = (
  ...flags: readonly string[]
): { readonly code: number | null; readonly stdout: string; readonly stderr: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...flags], {
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
};

const folder = (): string => mkdtempSync(join(tmpdir(), 'calibrate-'));

const lastLine = (text: string): unknown => JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');

describe('judge:calibrate', () => {
  test('adds runs up in its file, and writes tables and plots of them', () => {
    const file = join(folder(), 'campaign.json');
    const given = ['--only', 'incident 50/50', '--judge', 'errors only', '--file', file, '--json'];
    const one = calibrate(...given, '--runs', '3', '--seed', '7');
    expect(one.code).toBe(0);
    expect(lastLine(one.stdout)).toMatchObject({ seed: 7, runs: 3 });
    const two = calibrate(...given, '--runs', '5');
    expect(two.code).toBe(0);
    expect(lastLine(two.stdout)).toMatchObject({
      runs: 2,
      results: [{ judge: 'errors only v1', cell: 'incident 50/50', runs: 5 }],
    });

    const reports = join(folder(), 'reports');
    const { code, stdout } = calibrate('--report', reports, '--file', file);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    const page = readFileSync(join(reports, 'calibration.md'), 'utf8');
    expect(page).toContain('| incident 50/50 | 0/5 (<= 45.1 %) |');
    expect(existsSync(join(reports, 'delays.svg'))).toBe(true);
    expect(readFileSync(join(reports, 'false-rollbacks.svg'), 'utf8')).toContain(
      'incident 50/50</text>',
    );
  }, 60_000);

  test('lists cells and judges', () => {
    const { code, stdout } = calibrate('--list');
    expect(code).toBe(0);
    expect(stdout).toContain('cell   pod-noise 50/50 (10000 runs)');
    expect(stdout).toContain('judge  kayenta at the end: Mann-Whitney');
  });

  test('says how it is used when asked, and that is no failure', () => {
    expect(calibrate('--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('npm run judge:calibrate'),
      stderr: '',
    });
  });

  test('refuses another seed for the same file', () => {
    const file = join(folder(), 'campaign.json');
    const given = [
      '--only',
      'iid 0.2/1.8',
      '--judge',
      'errors only',
      '--runs',
      '1',
      '--file',
      file,
    ];
    expect(calibrate(...given, '--seed', '1').code).toBe(0);
    const { code, stderr } = calibrate(...given, '--seed', '2');
    expect(code).toBe(2);
    expect(stderr).toContain('holds the runs of seed 1');
  });

  test.each([
    [['--only', 'rain'], '--only rain: no climate and no cell has that name'],
    [['--judge', 'Solomon'], '--judge Solomon: no judge has that name'],
    [['--runs', '0'], '--runs must be a whole number from 1 to 1000000, not 0'],
    [['--minutes', '1.5'], '--minutes must be a whole number from 1 to 1440, not 1.5'],
    [['--seed', '-1'], '--seed'],
    [['--rums', '5'], '--rums'],
    [['--list', '--report', 'x'], '--list and --report do not go together'],
    [['--report', 'x', '--file', 'no-such-file.json'], 'there are no results yet'],
  ])('refuses %j with exit code 2 and says why', (flags, reason) => {
    const { code, stdout, stderr } = calibrate(...flags);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.split('\n')[0]).toContain(reason);
  });
});
