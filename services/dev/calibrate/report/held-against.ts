import type { Line } from './line.ts';

/** What the judges are held against as a page of Markdown: what is missed first, then everything. */
export const heldAgainstPage = (lines: readonly Line[]): string => {
  const [beyond, asked] = [true, false].map((is) =>
    lines.filter(({ isBeyond }) => isBeyond === is),
  );
  return [
    '# What the judge is held against',
    '',
    'Written by `npm run judge:calibrate -- --report FOLDER`. The tables 4.1 to 4.6 are those of the prototype by which the',
    'method was chosen; 4.1 and 4.2 are single tests, 4.4 is promotion, 4.6 the whole pipeline. A share is met within two',
    'standard errors of the difference (binomial), a delay within two standard errors of its rank among our own runs and',
    'one block of 15 s (a minute for the Mann-Whitney judge), or where it is better. Of so many comparisons one in forty',
    'would miss by chance if both were equal. A warm-up begins when requests first reach both cohorts: what is counted after',
    'it is counted from then.',
    '',
    'Beyond the goals and the tables: single tests where these have no least time (0.2/1.8, slow tails but at 50/50, the',
    'margin of 9.05 %), a history with a tenth of the traffic, and the presets as they are beside a table of three metrics.',
    '',
    ...summaryOf('what is asked', asked ?? []),
    '',
    ...summaryOf('beyond it', beyond ?? []),
    '',
    `Together: ${countOf(lines)}.`,
    ...missedOf('Missed', asked ?? []),
    ...missedOf('Missed beyond it', beyond ?? []),
    ...listsOf(lines).flatMap((list) => [
      '',
      `## ${list}`,
      '',
      tableHead,
      ...lines.filter((line) => line.list === list).map(rowOf),
    ]),
    '',
  ].join('\n');
};

const listsOf = (lines: readonly Line[]): readonly string[] => [
  ...new Set(lines.map(({ list }) => list)),
];

const summaryOf = (title: string, lines: readonly Line[]): readonly string[] => [
  `| ${title} | met |`,
  '| --- | --- |',
  ...listsOf(lines).map(
    (list) => `| ${list} | ${countOf(lines.filter((line) => line.list === list))} |`,
  ),
  `| together | ${countOf(lines)} |`,
];

const missedOf = (title: string, lines: readonly Line[]): readonly string[] => {
  const missed = lines.filter(({ isMet }) => !isMet);
  return [
    ...['', `## ${title}`, ''],
    ...(missed.length === 0 ? ['Nothing.'] : [tableHead, ...missed.map(rowOf)]),
  ];
};

const tableHead = '| what | wanted | seen | |\n| --- | --- | --- | --- |';

const rowOf = ({ what, wanted, seen, isMet }: Line): string =>
  `| ${what} | ${wanted} | ${seen} | ${isMet ? 'met' : 'MISSED'} |`;

/** "12 of 13". */
export const countOf = (lines: readonly Line[]): string =>
  `${lines.filter(({ isMet }) => isMet).length} of ${lines.length}`;
