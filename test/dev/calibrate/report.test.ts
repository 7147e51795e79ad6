import { describe, expect, test } from 'vitest';

import { addTally, newCampaign } from '../../../services/dev/calibrate/campaign.ts';
import type { Campaign } from '../../../services/dev/calibrate/campaign.ts';
import { cells } from '../../../services/dev/calibrate/cells.ts';
import type { Cell } from '../../../services/dev/calibrate/cells.ts';
import { climates } from '../../../services/dev/calibrate/climates.ts';
import { judges } from '../../../services/dev/calibrate/judges.ts';
import { plots, plotSvg } from '../../../services/dev/calibrate/report/plots.ts';
import { breaksPromise, rowsOf } from '../../../services/dev/calibrate/report/rows.ts';
import { baseName, pageOf, percent } from '../../../services/dev/calibrate/report/tables.ts';
import { noTally } from '../../../services/dev/calibrate/tally.ts';

const results = (): Campaign => {
  let campaign = newCampaign(1);
  const add = (
    name: string,
    cell: string,
    rolledBackAt: Readonly<Record<string, number>>,
  ): void => {
    const judge = judges.find((each) => baseName(each) === name)?.name ?? '';
    campaign = addTally(campaign, judge, cell, { ...noTally, runs: 100, rolledBackAt });
  };
  add('errors core strict', 'iid 50/50', { '700': 2 });
  add('errors core strict', 'iid 50/50, errors 2 %', { '25': 60, '45': 40 });
  add('kayenta at the end', 'iid 50/50, errors 2 %', { '1800': 40 });
  return campaign;
};

const rows = rowsOf(results(), cells, judges);

describe('the page', () => {
  const page = pageOf(rows, climates);

  test('says of good canaries how many were rolled back, and how many it may be', () => {
    expect(page).toContain('| iid 50/50 | 2/100 (<= 6.16 %) |');
  });

  test('says of regressions how soon they were found, and how soon they could be', () => {
    expect(page).toContain('| iid 50/50, errors 2 % | 100 %, 25/45 s (18.9, 1.32x) |');
  });

  test('describes every climate and every judge with results', () => {
    expect(page).toContain('**pod-noise**');
    expect(page).toContain('*kayenta at the end*');
    expect(page).not.toContain('*kayenta from minute 5*');
  });
});

describe('the plots', () => {
  const svgOf = (file: string, of = rows): string => {
    const plot = plots.find((each) => each.file === file);
    if (plot === undefined) throw new Error(`no plot ${file}`);
    return plotSvg(plot, of);
  };

  test('have a mark for each judge with results', () => {
    const marks = (svg: string): number => svg.split('<circle').length - 1;
    // One cell with two judges, and their legends; a cell that another plot is for is not in it.
    expect(marks(svgOf('errors-cores.svg'))).toBe(1 + 1);
    expect(marks(svgOf('delays.svg'))).toBe(1 + 1);
    expect(marks(svgOf('promotion.svg'))).toBe(0);
  });

  test('are of judges and cells that there are', () => {
    const names = new Set(judges.map(baseName));
    for (const plot of plots) {
      expect(plot.judges.filter((name) => !names.has(name))).toEqual([]);
      expect(plot.judges.length).toBeLessThanOrEqual(6);
      expect(cells.some(plot.isShown)).toBe(true);
    }
  });

  test('are pictures by themselves, without a foreign character', () => {
    const plot = svgOf('delays.svg');
    expect(plot.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
    expect(plot.endsWith('</svg>\n')).toBe(true);
    expect(plot).not.toContain('NaN');
    expect(plot).not.toContain('undefined');
  });

  test('without any result are empty, and no fault', () => {
    for (const plot of plots) expect(plotSvg(plot, [])).not.toContain('NaN');
    expect(pageOf([], climates)).toContain('No runs yet.');
  });
});

describe('a promise of at most 1 %', () => {
  const [strict] = judges.filter(({ name }) => name.startsWith('errors core strict'));
  const [good] = cells;
  const bad = cells.find(({ name }) => name === 'iid 50/50, errors 2 %');
  if (strict === undefined || good === undefined || bad === undefined) throw new Error('no cell');
  const promising = { ...strict, falseRollbackShareMax: 0.01 };
  const isBroken = (cell: Cell, runs: number, rolledBack: number): boolean => {
    const tally = { ...noTally, runs, rolledBackAt: { '60': rolledBack } };
    const campaign = addTally(newCampaign(1), promising.name, cell.name, tally);
    return rowsOf(campaign, cells, [promising]).some(breaksPromise);
  };

  test('is kept while its 95 % limit is not above it', () => {
    expect(isBroken(good, 10_000, 0)).toBe(false);
    expect(isBroken(good, 10_000, 83)).toBe(false);
    expect(isBroken(good, 10_000, 84)).toBe(true);
  });

  test('is held against all the runs of its goal, not before', () => {
    expect(isBroken(good, 9_999, 5_000)).toBe(false);
  });

  test('says nothing of bad canaries', () => {
    expect(isBroken(bad, 10_000, 10_000)).toBe(false);
  });
});

test('shares are shown with the decimals they need', () => {
  expect([0, 0.0004, 0.0123, 0.406, 0.9996, 1].map(percent)).toEqual([
    '0 %',
    '0.04 %',
    '1.23 %',
    '40.6 %',
    '99.96 %',
    '100 %',
  ]);
});
