import { describe, expect, test } from 'vitest';

import { addTally, newCampaign } from '../../../services/dev/calibrate/campaign.ts';
import { cells } from '../../../services/dev/calibrate/cells.ts';
import { judges } from '../../../services/dev/calibrate/judges.ts';
import { comparisonsOf } from '../../../services/dev/calibrate/report/comparison.ts';
import { goalLines } from '../../../services/dev/calibrate/report/goal-lines.ts';
import { countOf, heldAgainstPage } from '../../../services/dev/calibrate/report/held-against.ts';
import type { Line } from '../../../services/dev/calibrate/report/line.ts';
import { published } from '../../../services/dev/calibrate/report/published.ts';
import { rowsOf } from '../../../services/dev/calibrate/report/rows.ts';
import type { Row } from '../../../services/dev/calibrate/report/rows.ts';
import { baseName } from '../../../services/dev/calibrate/report/tables.ts';
import { noTally } from '../../../services/dev/calibrate/tally.ts';
import type { Tally } from '../../../services/dev/calibrate/tally.ts';

/** The rows of one judge in one cell. */
const ran = (judge: string, cell: string, tally: Partial<Tally>): readonly Row[] => {
  const full = judges.find((each) => baseName(each) === judge)?.name ?? '';
  return rowsOf(addTally(newCampaign(1), full, cell, { ...noTally, ...tally }), cells, judges);
};

const lineOf = (lines: readonly Line[], what: string): Line => {
  const found = lines.find((line) => line.what === what);
  if (found === undefined) throw new Error(`no line ${what}`);
  return found;
};

test('every published figure is of a judge and a cell that are tried', () => {
  for (const { judge, figures } of published) {
    const plug = judges.find((each) => baseName(each) === judge);
    for (const name of Object.keys(figures)) {
      const cell = cells.find((each) => each.name === name);
      expect([judge, name, cell !== undefined && plug?.isTriedIn(cell)]).toEqual([
        judge,
        name,
        true,
      ]);
    }
  }
});

describe('a published share', () => {
  // 0.9 % of 2,000 in the table.
  const isMet = (runs: number, rolledBack: number): boolean =>
    lineOf(
      comparisonsOf(
        ran('errors core strict', 'iid 50/50', { runs, rolledBackAt: { '9': rolledBack } }),
      ),
      'errors core strict, rolled back: iid 50/50',
    ).isMet;

  test('is met from below, and within two standard errors of the difference', () => {
    expect(isMet(2_000, 0)).toBe(true);
    expect(isMet(2_000, 31)).toBe(true);
    expect(isMet(2_000, 33)).toBe(false);
    expect(isMet(20_000, 260)).toBe(true);
    expect(isMet(20_000, 300)).toBe(false);
  });

  // 71 % of 1,000.
  test('of regressions is met from above', () => {
    const found = (share: number): boolean =>
      lineOf(
        comparisonsOf(
          ran('errors core strict', 'iid 5/5, errors 1 %', {
            runs: 1_000,
            rolledBackAt: { '900': 1_000 * share },
          }),
        ),
        'errors core strict, rolled back: iid 5/5, errors 1 %',
      ).isMet;
    expect(found(0.9)).toBe(true);
    expect(found(0.68)).toBe(true);
    expect(found(0.66)).toBe(false);
  });
});

describe('a published delay', () => {
  // 100 %, 25/45 s of 1,000.
  const missed = (rolledBackAt: Tally['rolledBackAt']): string =>
    lineOf(
      comparisonsOf(
        ran('errors core strict', 'iid 50/50, errors 2 %', { runs: 1_000, rolledBackAt }),
      ),
      'errors core strict, rolled back: iid 50/50, errors 2 %',
    ).seen.replace(/^[^(]*/u, '');

  test('is met where it is at most one block longer', () => {
    expect(missed({ '20': 1_000 })).toBe('');
    expect(missed({ '40': 900, '60': 100 })).toBe('');
    expect(missed({ '45': 1_000 })).toBe('(median)');
    expect(missed({ '25': 600, '65': 400 })).toBe('(90th percentile)');
  });

  test('or within two standard errors of its rank', () => {
    // The median is the 500th; the standard error of its rank, between two samples of 1,000, is 22.
    expect(missed({ '40': 470, '45': 530 })).toBe('');
    expect(missed({ '40': 440, '45': 560 })).toBe('(median)');
  });

  test('of those that were never found is none', () => {
    expect(missed({ '25': 800 })).toBe('(share, 90th percentile)');
  });
});

describe('the goals', () => {
  test('are all missed where nothing was run', () => {
    const lines = goalLines([]);
    expect(lines.length).toBeGreaterThan(80);
    expect(lines.filter(({ isMet }) => isMet)).toEqual([]);
  });

  test('hold a promise against the runs it needs', () => {
    const kept = (runs: number, rolledBack: number): boolean =>
      lineOf(
        goalLines(ran('standard', 'bursts 50/50', { runs, rolledBackAt: { '60': rolledBack } })),
        'standard: bursts 50/50',
      ).isMet;
    expect(kept(10_000, 83)).toBe(true);
    expect(kept(10_000, 84)).toBe(false);
    expect(kept(9_999, 0)).toBe(false);
  });

  test('hold a core test against 1.6 times its bound, which is 18.9 s for 2 % errors, so six windows count', () => {
    const after = (seconds: number, cell: string): Line =>
      lineOf(
        goalLines(
          ran('errors core strict', cell, { runs: 10, rolledBackAt: { [String(seconds)]: 10 } }),
        ),
        `errors core strict: ${cell}`,
      );
    expect(after(30, 'iid 50/50, errors 2 %').isMet).toBe(true);
    expect(after(35, 'iid 50/50, errors 2 %').isMet).toBe(false);
    expect(after(300, 'iid 5/5, errors 2 %').isMet).toBe(true);
    expect(after(305, 'iid 5/5, errors 2 %')).toMatchObject({ seen: '305 s, 1.61x', isMet: false });
  });

  test('ask for the power of the Mann-Whitney judge where that keeps 1 %, and nowhere else', () => {
    const lines = (falsely: number): readonly Line[] =>
      goalLines([
        ...ran('kayenta at the end', 'iid 5/5', { runs: 1_000, rolledBackAt: { '1800': falsely } }),
        ...ran('kayenta at the end', 'iid 5/5, errors 1 %', {
          runs: 1_000,
          rolledBackAt: { '1800': 540 },
        }),
        ...ran('sensitive', 'iid 5/5, errors 1 %', { runs: 1_000, rolledBackAt: { '1800': 450 } }),
      ]).filter(
        ({ what, wanted }) => what === 'sensitive: iid 5/5, errors 1 %' && wanted.includes('54'),
      );
    expect(lines(10)).toMatchObject([{ wanted: 'at least 54.0 %', seen: '45.0 %', isMet: false }]);
    expect(lines(11)).toEqual([]);
  });
});

test('the page says first what is missed, and of that what nobody but we ask', () => {
  const line = { list: 'A', wanted: '2', isBeyond: false } as const;
  const lines: readonly Line[] = [
    { ...line, what: 'one', seen: '2', isMet: true },
    { ...line, what: 'two', seen: '3', isMet: false },
    { ...line, what: 'three', seen: '4', isMet: false, isBeyond: true },
  ];
  const page = heldAgainstPage(lines);
  expect(countOf(lines)).toBe('1 of 3');
  const [one, two, three] = ['| one |', '| two | 2 | 3 | MISSED |', '| three | 2 | 4 | MISSED |'];
  const places = [
    '| A | 1 of 2 |',
    '| A | 0 of 1 |',
    '## Missed',
    two,
    '## Missed beyond it',
    three,
    one,
  ];
  const found = places.map((text) => page.indexOf(text));
  expect(found).toEqual(found.toSorted((left, right) => left - right));
  expect(found).not.toContain(-1);
  expect(heldAgainstPage(lines.slice(0, 1)).match(/Nothing\./gu)).toHaveLength(2);
});

test('beyond the goals and tables are cells without a published least time, and a climate of our own', () => {
  const beyond = new Set(
    [...goalLines([]), ...comparisonsOf([])]
      .filter(({ isBeyond }) => isBeyond)
      .map(({ list, what }) => `${list}: ${what}`),
  );
  const wald = 'The core tests beside the least time (Wald)';
  const good = 'Good canaries rolled back, looking after every window';
  for (const line of [
    `${wald}: errors core strict: iid 0.2/1.8, errors 20 %`,
    `${wald}: latency core 9.05 %: iid 50/50, tail +25 %`,
    `${wald}: latency core: iid 5/5, tail +100 %`,
    `${good}: standard: grown 50/50`,
    'Table 4.6, the presets as they are: standard, rolled back: iid 50/50, errors 1 %',
  ])
    expect(beyond).toContain(line);
  for (const line of [
    `${wald}: errors core 1.1x: iid 50/50, errors 1 %`,
    `${wald}: latency core 4.4 %: iid 50/50, tail +25 %`,
    `${good}: sensitive: iid 0.2/1.8`,
    `${good}: windows of 60 s: iid 50/50`,
    'The presets after the warm-up beside the least time: standard: iid 0.2/1.8, errors 50 %',
  ])
    expect(beyond).not.toContain(line);
});
