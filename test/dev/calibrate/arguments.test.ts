import { describe, expect, test } from 'vitest';

import { parseArguments } from '../../../services/dev/calibrate/arguments.ts';
import { cells } from '../../../services/dev/calibrate/cells.ts';
import { judges } from '../../../services/dev/calibrate/judges.ts';

describe('judge:calibrate', () => {
  test('runs ten minutes of everything when nothing is said', () => {
    expect(parseArguments([])).toMatchObject({
      ok: true,
      value: { does: 'campaign', minutes: 10, cells, judges, runs: null, seed: null },
    });
  });

  test('runs the cells of a climate, and the judges whose names begin so', () => {
    const options = parseArguments(['--only', 'clusters', '--judge', 'kayenta errors from']);
    if (!options.ok) throw new Error(options.problem);
    expect(new Set(options.value.cells.map(({ climate }) => climate.name))).toEqual(
      new Set(['clusters']),
    );
    expect(options.value.judges.map(({ name }) => name)).toEqual([
      'kayenta errors from minute 2',
      'kayenta errors from minute 5',
    ]);
    const two = parseArguments(['--judge', 'standard', '--judge', 'windows of 15']);
    if (!two.ok) throw new Error(two.problem);
    expect(two.value.judges.map(({ name }) => name.replace(/ v\d+$/u, ''))).toEqual([
      'standard',
      'windows of 15 s',
    ]);
  });

  test.each([
    [['--report', 'out'], { does: 'report', reportFolder: 'out' }],
    [['--list'], { does: 'list' }],
    [['--runs', '50', '--seed', '0'], { runs: 50, seed: 0 }],
    [['-h'], { help: true }],
  ])('understands %j', (args, value) => {
    expect(parseArguments(args)).toMatchObject({ ok: true, value });
  });

  test.each([
    [['--only', 'rain'], '--only rain: no climate and no cell has that name'],
    [['--judge', 'Solomon'], '--judge Solomon: no judge has that name'],
    [['--runs', '0'], '--runs must be a whole number from 1 to 1000000, not 0'],
    [['--minutes', '1.5'], '--minutes must be a whole number from 1 to 1440, not 1.5'],
    [['--seed', '-1'], '--seed'],
    [['--rums', '5'], '--rums'],
    [['--list', '--report', 'x'], '--list and --report do not go together'],
  ])('refuses %j and says why', (args, problem) => {
    expect(parseArguments(args)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });
});
