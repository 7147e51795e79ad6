import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { commitOfServices } from '../../services/dev/commit.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

test('a run is of its commit while only the files of campaigns grow, and not when a source was changed', () => {
  const folder = scratchFolder();
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  const campaigns = ['services/dev/simulate/campaign.json', 'services/dev/faults/odometer.json'];
  for (const file of [...campaigns, 'services/core/a.ts']) write(file, '1');
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message=first');
  const commit = git('rev-parse', '--short=12', 'HEAD');
  expect(commitOfServices(folder)).toEqual({ commit, changed: false });
  for (const file of campaigns) write(file, '2');
  expect(commitOfServices(folder)).toEqual({ commit, changed: false });
  write('services/core/a.ts', '2');
  expect(commitOfServices(folder)).toEqual({ commit, changed: true });
});
