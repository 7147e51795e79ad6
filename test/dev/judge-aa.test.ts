import { describe, expect, test } from 'vitest';
import { devCommand, lastLine } from '../support/dev-command.ts';

const judgeAa = devCommand('judge-aa.ts');

describe('judge:aa', () => {
  test('ends with the share of false rollbacks and its upper limit', () => {
    const { code, stdout } = judgeAa('--runs', '20', '--seed', '7', '--json');
    expect(code).toBe(0);
    expect(lastLine(stdout)).toEqual({
      runs: 20,
      falseRollbackShare: 0,
      upper95: expect.closeTo(1 - 0.05 ** (1 / 20), 9),
    });
  });

  test('says how it is used when asked, and that is no failure', () => {
    expect(judgeAa('--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Usage: npm run judge:aa'),
      stderr: '',
    });
  });

  test('prints a line for each climate, and the alpha to compare with', () => {
    const { stdout } = judgeAa('--runs', '1');
    expect(stdout).toContain('steady 50/50 rps');
    expect(stdout).toContain('0.2/1.8 rps');
    expect(stdout).toContain('to compare with: alpha, at most 1.00 % rolled back');
    expect(stdout.trimEnd().split('\n')).toHaveLength(11);
  });

  test('finds regressions with --power', () => {
    const { stdout } = judgeAa('--runs', '5', '--power', '--json');
    expect(lastLine(stdout)).toMatchObject({
      runs: 5,
      climates: expect.arrayContaining([
        expect.objectContaining({ climate: '0.5 -> 5 % at 50/50 rps', detectedShare: 1 }),
      ]),
    });
  });

  test.each([
    [['--rums', '5'], '--rums'],
    [['--runs', '0'], '--runs must be a whole number from 1 to 1000000, not 0'],
    [['--runs', '1e3'], '--runs must be a whole number from 1 to 1000000, not 1e3'],
    [['--seed', '-1'], '--seed'],
    [['--seed', 'x'], '--seed must be a whole number from 0 to 4294967295, not x'],
    [['--runs'], '--runs'],
    [['5'], '5'],
  ])('refuses %j with exit code 2 and says why', (flags, reason) => {
    const { code, stdout, stderr } = judgeAa(...flags);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.split('\n')[0]).toContain(reason);
  });
});
