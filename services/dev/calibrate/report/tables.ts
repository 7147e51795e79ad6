import { isGood } from '../cells.ts';
import type { Climate } from '../climates.ts';
import type { Ending } from '../tally.ts';
import type { Row } from './rows.ts';

/** The results as a page of Markdown. */
export const pageOf = (rows: readonly Row[], climates: readonly Climate[]): string => {
  const good = rows.filter(({ cell }) => isGood(cell));
  const regressed = rows.filter(({ cell }) => !isGood(cell));
  const judges = unique(rows.map(({ judge }) => judge));
  return [
    '# What the judges do',
    'Simulated canaries of 30 minutes each, judged after every window of 5 s; errors 0.5 % and latency',
    'log-normal (median 120 ms) in plain weather. Cells are climate and canary/baseline requests a second.',
    '',
    ...climates.map(({ name, about }) => `- **${name}**: ${about}.`),
    '',
    ...judges.map(({ name, about }) => `- *${name}*: ${about}.`),
    section(
      'Good canaries rolled back',
      'Rolled back / runs, and what the share may be with a chance of 5 % (Clopper-Pearson).',
      tableOf(good, ({ summary }) => falseRollbacks(summary.rolledBack, summary.runs)),
    ),
    section(
      'Regressions found',
      'Share found; median / 90th percentile of the seconds it took; in brackets the least time on average\n' +
        'in which any judge with this budget and tolerance could (Wald), and the median as a multiple of it.',
      tableOf(regressed, found),
    ),
    section(
      'Good canaries promoted',
      'Share promoted; median / 90th percentile of the seconds it took.',
      tableOf(good, ({ summary }) => shareAndDelay(summary.promoted)),
    ),
    section(
      'Regressions promoted',
      'Share of bad canaries that were promoted, also where they were rolled back later.',
      tableOf(regressed, ({ summary }) => percent(summary.promoted.share)),
    ),
  ].join('\n');
};

const section = (title: string, about: string, table: string): string =>
  `\n## ${title}\n${about}\n\n${table}`;

/** A line a cell, a column a judge. */
const tableOf = (rows: readonly Row[], textOf: (row: Row) => string): string => {
  const judges = unique(rows.map(({ judge }) => judge.name));
  const cells = unique(rows.map(({ cell }) => cell.name));
  if (cells.length === 0) return 'No runs yet.\n';
  const lines = cells.map((cell) => [
    cell,
    ...judges.map((judge) => {
      const row = rows.find((each) => each.cell.name === cell && each.judge.name === judge);
      return row === undefined ? '' : textOf(row);
    }),
  ]);
  return [['cell', ...judges], ['cell', ...judges].map(() => '---'), ...lines]
    .map((columns) => `| ${columns.join(' | ')} |\n`)
    .join('');
};

const falseRollbacks = ({ runs, upper95 }: Ending, of: number): string =>
  `${runs}/${of} (<= ${percent(upper95)})`;

const found = ({ summary: { rolledBack }, boundSeconds }: Row): string => {
  const text = shareAndDelay(rolledBack);
  if (boundSeconds === null) return text;
  const { medianSeconds } = rolledBack;
  const times = medianSeconds === null ? '' : `, ${(medianSeconds / boundSeconds).toFixed(2)}x`;
  return `${text} (${boundSeconds.toPrecision(3)}${times})`;
};

const shareAndDelay = ({ share, medianSeconds, p90Seconds }: Ending): string =>
  `${percent(share)}, ${medianSeconds ?? '-'}/${p90Seconds ?? '-'} s`;

export const percent = (share: number): string => {
  if (share === 0 || share === 1) return `${100 * share} %`;
  return `${(100 * share).toFixed(share < 0.0995 || share > 0.9905 ? 2 : 1)} %`;
};

const unique = <Item>(items: readonly Item[]): readonly Item[] => [...new Set(items)];
