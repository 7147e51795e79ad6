import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { devCommand, lastLine } from '../../support/dev-command.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const calibrate = devCommand('calibrate/main.ts');
const folder = scratchFolder();

test('judge:calibrate adds runs up in its file, and writes tables and plots of them', () => {
  const file = join(folder, 'campaign.json');
  const given = ['--only', 'iid 50/50', '--judge', 'errors only', '--file', file, '--json'];
  const one = calibrate(...given, '--runs', '3', '--seed', '7');
  expect(one.code).toBe(0);
  expect(lastLine(one.stdout)).toMatchObject({ seed: 7, runs: 3 });
  const two = calibrate(...given, '--runs', '5');
  expect(two.code).toBe(0);
  expect(lastLine(two.stdout)).toMatchObject({
    runs: 2,
    results: [{ judge: expect.stringMatching(/^errors only v\d+$/u), cell: 'iid 50/50', runs: 5 }],
  });

  const reports = join(folder, 'reports');
  const { code, stdout } = calibrate('--report', reports, '--file', file);
  // So few runs meet nothing.
  expect(code).toBe(1);
  expect(stdout).toContain('missed: ');
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(
    /^met: \d+ of \d+ that are asked, \d+ of \d+ with all beyond$/u,
  );
  const page = readFileSync(join(reports, 'calibration.md'), 'utf8');
  expect(page).toContain('| iid 50/50 | 0/5 (<= 45.1 %) |');
  expect(existsSync(join(reports, 'plots', 'delays.svg'))).toBe(true);
  expect(readFileSync(join(reports, 'held-against.md'), 'utf8')).toContain('## Missed');

  const nowhere = calibrate('--only', 'incident', '--judge', 'errors only', '--file', file);
  expect(nowhere.code).toBe(2);
  expect(nowhere.stderr).toContain('none of these judges is tried in these cells');

  const other = calibrate(...given, '--seed', '8');
  expect(other.code).toBe(2);
  expect(other.stdout).toBe('');
  expect(other.stderr).toContain('holds the runs of seed 7');
}, 120_000);
