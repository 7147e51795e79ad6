import { isGood, isMargin } from '../cells.ts';
import type { Climate } from '../climates.ts';
import type { JudgePlug } from '../judge-plug.ts';
import type { Ending } from '../tally.ts';
import type { Row } from './rows.ts';

/** The results as a page of Markdown. */
export const pageOf = (rows: readonly Row[], climates: readonly Climate[]): string =>
  [
    '# What the judges do',
    'Simulated canaries of 30 minutes each, judged after every window of 5 s; errors 0.5 % and latency',
    'log-normal (median 120 ms) in plain weather. Cells are climate and canary/baseline requests a second.',
    '',
    '- Rolled back: how many of all runs, and what the share may be with a chance of 5 % (Clopper-Pearson).',
    '- Found: the share, median/90th percentile of the seconds it took (of all runs); in brackets the least time on',
    '  average in which any judge with this budget and tolerance could (Wald), and the median as a multiple of it.',
    '- Promoted: the share, median/90th percentile of the seconds it took; of bad canaries also where they were rolled',
    '  back later.',
    '',
    ...climates.map(({ name, about }) => `- **${name}**: ${about}.`),
    ...groups.map(({ title, has }) =>
      groupPage(
        title,
        rows.filter(({ judge }) => has(judge)),
      ),
    ),
  ].join('\n');

/** Judges that are read beside each other. */
const groups: readonly { readonly title: string; readonly has: (judge: JudgePlug) => boolean }[] = [
  {
    title: 'The product',
    has: (judge) => /^(standard|sensitive|windows)/u.test(judge.name),
  },
  {
    title: 'Errors, latency and CPU alone',
    has: (judge) => judge.name.startsWith('three metrics'),
  },
  { title: 'Errors alone', has: (judge) => /^errors (core|only|at half)/u.test(judge.name) },
  { title: 'Latency alone', has: (judge) => judge.name.startsWith('latency core') },
  { title: 'Promotion alone', has: ({ looksFor }) => looksFor === 'promotion' },
  {
    title: 'Mann-Whitney as Kayenta runs it',
    has: (judge) => /^kayenta (at|from)/u.test(judge.name),
  },
  {
    title: 'Mann-Whitney on one metric',
    has: (judge) => /^kayenta (errors|latency)/u.test(judge.name),
  },
];

const groupPage = (title: string, rows: readonly Row[]): string => {
  const judges = unique(rows.map(({ judge }) => judge));
  const promotes = judges.every(({ looksFor }) => looksFor === 'promotion');
  const good = rows.filter(({ cell }) => isGood(cell));
  const margin = rows.filter(({ cell }) => isMargin(cell));
  const regressed = rows.filter(({ cell }) => !isGood(cell) && !isMargin(cell));
  if (rows.length === 0) return `\n## ${title}\n\nNo runs yet.\n`;
  return [
    `\n## ${title}\n`,
    ...judges.map(({ name, about }) => `- *${name}*: ${about}.`),
    ...(promotes
      ? [
          section('Good canaries promoted', tableOf(good, promotedBeside)),
          section(
            'On the margin, promoted',
            tableOf(margin, ({ summary }) => sharesOf(summary)),
          ),
        ]
      : [
          section('Good canaries rolled back', tableOf(good, falseRollbacks)),
          section('Regressions found', tableOf(regressed, found)),
          section(
            'Good canaries promoted',
            tableOf(good, ({ summary }) => shareAndDelay(summary.promoted)),
          ),
          section(
            'Regressions promoted',
            tableOf(regressed, ({ summary }) => percent(summary.promoted.share)),
          ),
        ]),
  ].join('\n');
};

const section = (title: string, table: string): string => `\n### ${title}\n\n${table}`;

/** A line a cell, a column a judge. */
const tableOf = (rows: readonly Row[], textOf: (row: Row) => string): string => {
  const judges = unique(rows.map(({ judge }) => judge.name));
  const cells = unique(rows.map(({ cell }) => cell.name));
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

const falseRollbacks = ({ summary: { rolledBack, runs } }: Row): string =>
  `${rolledBack.runs}/${runs} (<= ${percent(rolledBack.upper95)})`;

const sharesOf = ({ promoted, runs }: Row['summary']): string => `${promoted.runs}/${runs}`;

const found = (row: Row): string => beside(row.summary.rolledBack, row);
const promotedBeside = (row: Row): string => beside(row.summary.promoted, row);

const beside = (ending: Ending, { boundSeconds }: Row): string => {
  const text = shareAndDelay(ending);
  if (boundSeconds === null) return text;
  const { medianSeconds } = ending;
  const times = medianSeconds === null ? '' : `, ${(medianSeconds / boundSeconds).toFixed(2)}x`;
  return `${text} (${boundSeconds.toPrecision(3)}${times})`;
};

const shareAndDelay = ({ share, medianSeconds, p90Seconds }: Ending): string =>
  `${percent(share)}, ${medianSeconds ?? '-'}/${p90Seconds ?? '-'} s`;

/** Without the version that results add up under. */
export const baseName = ({ name }: JudgePlug): string => name.replace(/ v\d+$/u, '');

export const percent = (share: number): string => {
  if (share === 0 || share === 1) return `${100 * share} %`;
  return `${(100 * share).toFixed(share < 0.0995 || share > 0.9905 ? 2 : 1)} %`;
};

const unique = <Item>(items: readonly Item[]): readonly Item[] => [...new Set(items)];
