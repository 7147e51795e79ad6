import { describe, expect, test } from 'vitest';
import { devCommand } from '../support/dev-command.ts';

const judgeBefore = devCommand('judge-before.ts');

describe('judge:before', () => {
  test('prints a row for each weather, and what the good ones add up to', () => {
    const { code, stdout } = judgeBefore('--runs', '3');
    expect(code).toBe(0);
    const rows = stdout.split('\n').filter((line) => line.startsWith('| '));
    expect(rows).toHaveLength(8);
    expect(rows[1]).toMatch(/^\| none \| 0 \| .* \| 100 %, \d+ min \| 100 %, \d+ min \|$/);
    expect(rows[7]).toMatch(/^\| no errors at all \| 0 \| - \| - \| - \| 100 %, \d+ min \|$/);
    expect(stdout).toContain('0 of 21 false roll-backs: at most 13.29 % with 95 % confidence');
    expect(stdout).toContain('incident of 5 min after the start: 0 of 3');
  });

  test('says how it is used when asked, and that is no failure', () => {
    expect(judgeBefore('--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Usage: npm run judge:before'),
      stderr: '',
    });
  });

  test.each([
    [['--rums', '5'], '--rums'],
    [['--runs', '0'], '--runs must be a whole number from 1 to 100000, not 0'],
    [['5'], '5'],
  ])('refuses %j with exit code 2 and says why', (flags, reason) => {
    const { code, stdout, stderr } = judgeBefore(...flags);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.split('\n')[0]).toContain(reason);
  });
});
