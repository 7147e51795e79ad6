import { isGood } from '../cells.ts';
import type { Row } from './rows.ts';
import { percent } from './tables.ts';

// One picture: a line a cell, in it a mark a judge, on a logarithmic scale.

/** How many good canaries each judge rolls back: the share seen, and a line to what it may be. */
export const falseRollbackPlot = (rows: readonly Row[]): string =>
  plotOf({
    title: 'Good canaries rolled back (mark: seen; line: up to the 95 % limit)',
    rows: rows.filter(({ cell }) => isGood(cell)),
    from: 0.0001,
    to: 1,
    ticks: [0.0001, 0.001, 0.01, 0.1, 1].map((at) => ({ at, text: percent(at) })),
    line: { at: 0.01, text: 'the promise: 1 %' },
    markOf: ({ summary: { rolledBack } }) => ({
      at: rolledBack.share,
      to: rolledBack.upper95,
      notch: null,
    }),
  });

/** How soon each judge finds regressions: the median, a line to the 90th percentile, the bound as a notch. */
export const delayPlot = (rows: readonly Row[]): string =>
  plotOf({
    title:
      'Seconds until a regression is found (mark: median; line: to the 90th percentile; notch: bound)',
    rows: rows.filter(({ cell }) => !isGood(cell)),
    from: 1,
    to: NEVER_SECONDS,
    ticks: [
      ...[1, 5, 20, 60, 300, 1_800].map((at) => ({ at, text: `${at} s` })),
      { at: NEVER_SECONDS, text: 'not found' },
    ],
    line: null,
    markOf: ({ summary: { rolledBack }, boundSeconds }) => ({
      at: rolledBack.medianSeconds ?? NEVER_SECONDS,
      to: rolledBack.p90Seconds ?? NEVER_SECONDS,
      notch: boundSeconds,
    }),
  });

/** Where a median is drawn that lies beyond the deadline. */
const NEVER_SECONDS = 3_600;

type Mark = { readonly at: number; readonly to: number; readonly notch: number | null };

type Plot = {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  readonly line: { readonly at: number; readonly text: string } | null;
  readonly markOf: (row: Row) => Mark;
};

const WIDTH = 960;
const LEFT = 220;
const RIGHT = 40;
const TOP = 44;
const MARK_HEIGHT = 9;
const CELL_GAP = 8;
const LEGEND_LINE = 18;
/** Okabe and Ito: told apart by people who do not see all colours. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

const plotOf = ({ title, rows, from, to, ticks, line, markOf }: Plot): string => {
  const judges = [...new Set(rows.map(({ judge }) => judge.name))];
  const cells = [...new Set(rows.map(({ cell }) => cell.name))];
  const cellHeight = judges.length * MARK_HEIGHT + CELL_GAP;
  const bottom = TOP + cells.length * cellHeight;
  const height = bottom + 40 + judges.length * LEGEND_LINE;
  const x = (value: number): number => {
    const share = Math.log(Math.max(from, Math.min(to, value)) / from) / Math.log(to / from);
    return round(LEFT + share * (WIDTH - LEFT - RIGHT));
  };
  const parts: string[] = [text(LEFT, 20, title, 'start', 14)];
  for (const tick of ticks) {
    parts.push(
      upright(x(tick.at), TOP, bottom, '#d0d0d0'),
      text(x(tick.at), bottom + 14, tick.text, 'middle'),
    );
  }
  if (line !== null) {
    parts.push(
      upright(x(line.at), TOP, bottom, '#c00000'),
      text(x(line.at), TOP - 6, line.text, 'middle'),
    );
  }
  for (const [index, cell] of cells.entries()) {
    const top = TOP + index * cellHeight + CELL_GAP / 2;
    parts.push(text(LEFT - 10, top + (judges.length * MARK_HEIGHT) / 2 + 4, cell, 'end'));
    for (const row of rows.filter((each) => each.cell.name === cell)) {
      const judge = judges.indexOf(row.judge.name);
      parts.push(markAt(x, top + (judge + 0.5) * MARK_HEIGHT, colourOf(judge), markOf(row)));
    }
  }
  for (const [index, judge] of judges.entries()) {
    const y = bottom + 36 + index * LEGEND_LINE;
    parts.push(dot(LEFT, y - 4, colourOf(index)), text(LEFT + 12, y, judge, 'start'));
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11" fill="#222222">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
};

const markAt = (x: (value: number) => number, y: number, colour: string, mark: Mark): string =>
  [
    `<line x1="${x(mark.at)}" y1="${y}" x2="${x(mark.to)}" y2="${y}" stroke="${colour}" stroke-width="2"/>`,
    dot(x(mark.at), y, colour),
    ...(mark.notch === null ? [] : [upright(x(mark.notch), y - 4, y + 4, colour)]),
  ].join('');

const dot = (x: number, y: number, colour: string): string =>
  `<circle cx="${x}" cy="${y}" r="3.5" fill="${colour}"/>`;

const upright = (x: number, from: number, to: number, colour: string): string =>
  `<line x1="${x}" y1="${from}" x2="${x}" y2="${to}" stroke="${colour}"/>`;

const text = (
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
  size = 11,
): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}">${escaped(content)}</text>`;

const colourOf = (index: number): string => COLOURS[index % COLOURS.length] ?? '#000000';

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const round = (value: number): number => Math.round(value * 10) / 10;
