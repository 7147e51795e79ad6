import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { devCommand } from '../support/dev-command.ts';

test('the README has the table that judge:before prints', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const { stdout } = devCommand('judge-before.ts')();
  const [table = '', rest = ''] = stdout.split('\n\n');
  expect(readme).toContain(`\n${table}\n\n`);
  const [sum = '', ...incidents] = rest.trim().split('\n');
  expect(readme).toContain(sum);
  expect(incidents).toHaveLength(3);
  for (const incident of incidents) expect(incident).toMatch(/: 0 of 320$/);
});
