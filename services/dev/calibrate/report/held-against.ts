import type { Line } from './line.ts';

/** What the judges are held against as a page of Markdown: what is missed first, then everything. */
export const heldAgainstPage = (lines: readonly Line[]): string => {
  const missed = lines.filter(({ isMet }) => !isMet);
  const lists = [...new Set(lines.map(({ list }) => list))];
  return [
    '# What the judge is held against',
    '',
    'Written by `npm run judge:calibrate -- --report FOLDER`. The tables 4.1 to 4.6 are those of the prototype by which the',
    'method was chosen; 4.1 and 4.2 are single tests, 4.4 is promotion, 4.6 the whole pipeline. A share is met within two',
    'standard errors of the difference (binomial), a delay within two standard errors of its rank among our own runs and',
    'one block of 15 s (a minute for the Mann-Whitney judge), or where it is better. Of so many comparisons one in forty',
    'would miss by chance if both were equal.',
    '',
    '| list | met |',
    '| --- | --- |',
    ...lists.map((list) => `| ${list} | ${countOf(lines.filter((line) => line.list === list))} |`),
    `| together | ${countOf(lines)} |`,
    '',
    '## Missed',
    '',
    ...(missed.length === 0 ? ['Nothing.'] : [tableHead, ...missed.map(rowOf)]),
    ...lists.flatMap((list) => [
      '',
      `## ${list}`,
      '',
      tableHead,
      ...lines.filter((line) => line.list === list).map(rowOf),
    ]),
    '',
  ].join('\n');
};

const tableHead = '| what | wanted | seen | |\n| --- | --- | --- | --- |';

const rowOf = ({ what, wanted, seen, isMet }: Line): string =>
  `| ${what} | ${wanted} | ${seen} | ${isMet ? 'met' : 'MISSED'} |`;

/** "12 of 13". */
export const countOf = (lines: readonly Line[]): string =>
  `${lines.filter(({ isMet }) => isMet).length} of ${lines.length}`;
