import { shareOn } from './axis.ts';
import type { Axis } from './axis.ts';
import type { Chart, Panel, Series } from './chart.ts';

// A chart in characters. Lines are dots of braille (2 x 4 in a character), what lies behind them is one character a
// cell; in plain ASCII everything is.

export type TerminalStyle = {
  /** Width of everything, labels too. */
  readonly columns: number;
  /** Height of the first panel; further ones have half of it. */
  readonly rows: number;
  /** No character above 126. */
  readonly isAscii: boolean;
};

type Marks = {
  readonly band: string;
  readonly limit: string;
  readonly moment: string;
  readonly side: string;
  readonly corner: string;
  readonly floor: string;
};
const unicodeMarks: Marks = {
  band: '░',
  limit: '╌',
  moment: '┊',
  side: '│',
  corner: '└',
  floor: '─',
};
const asciiMarks: Marks = {
  band: '.',
  limit: '-',
  moment: '!',
  side: '|',
  corner: '+',
  floor: '-',
};
const asciiLine = '*';

const labelWidth = 9;
const rowsMin = 4;

/** The chart as lines of text, none wider than `columns`. */
export const chartText = (chart: Chart, style: TerminalStyle): readonly string[] => {
  const marks = style.isAscii ? asciiMarks : unicodeMarks;
  const width = Math.max(10, style.columns - labelWidth - 2);
  const lines = chart.panels.flatMap((panel, index) => {
    const rows = Math.max(rowsMin, index === 0 ? style.rows : Math.floor(style.rows / 2));
    return [
      cut(`${' '.repeat(labelWidth)} ${panel.label}`, style.columns),
      ...panelLines(panel, chart, marks, { width, rows, isAscii: style.isAscii }),
    ];
  });
  return [
    ...lines,
    `${' '.repeat(labelWidth)}${marks.corner}${marks.floor.repeat(width)}`,
    timeLine(chart.time, width),
    ...keyLines(chart, marks, style),
  ].map((line) => (style.isAscii ? plain(line) : line));
};

type Size = { readonly width: number; readonly rows: number; readonly isAscii: boolean };

const panelLines = (
  { axis, series }: Panel,
  { time, moments }: Chart,
  marks: Marks,
  size: Size,
): readonly string[] => {
  const { width, rows } = size;
  const cells: string[][] = Array.from({ length: rows }, () => Array<string>(width).fill(' '));
  const put = (column: number, row: number, mark: string): void => {
    const line = cells[row];
    if (line !== undefined && column >= 0 && column < width) line[column] = mark;
  };
  const columnOf = (x: number): number => Math.min(width - 1, Math.floor(shareOn(time, x) * width));
  const rowOf = (y: number): number =>
    Math.min(rows - 1, Math.floor((1 - shareOn(axis, y)) * rows));

  for (const each of series) {
    if (each.kind !== 'band') continue;
    for (const [column, point] of byColumn(each.points, columnOf, width)) {
      const [high, low] = [rowOf(point.high ?? axis.to), rowOf(point.low ?? axis.from)];
      for (let row = high; row <= low; row++) put(column, row, marks.band);
    }
  }
  for (const each of series) {
    if (each.kind !== 'limit') continue;
    for (const [column, { y }] of byColumn(each.points, columnOf, width))
      if (y !== null) put(column, rowOf(y), marks.limit);
  }
  for (const { x } of moments)
    for (let row = 0; row < rows; row++) put(columnOf(x), row, marks.moment);
  for (const [key, mark] of lineCells(series, time, axis, size)) {
    const [column = 0, row = 0] = key.split(',').map(Number);
    put(column, row, mark);
  }
  const names = new Map(axis.ticks.map(({ at, text }) => [rowOf(at), text]));
  return cells.map(
    (line, row) =>
      `${(names.get(row) ?? '').padStart(labelWidth - 1)} ${marks.side}${line.join('')}`,
  );
};

/** For each column the point that lies in it last, or before it: a line goes on until it ends. */
const byColumn = <Point extends { readonly x: number }>(
  points: readonly Point[],
  columnOf: (x: number) => number,
  width: number,
): readonly (readonly [column: number, point: Point])[] => {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return [];
  const at = new Map(points.map((point) => [columnOf(point.x), point]));
  const filled: (readonly [number, Point])[] = [];
  let current = first;
  for (let column = columnOf(first.x); column <= Math.min(width - 1, columnOf(last.x)); column++) {
    current = at.get(column) ?? current;
    filled.push([column, current]);
  }
  return filled;
};

const dotsAcross = 2;
const dotsDown = 4;
/** Bits of a braille character, by column and row of its dots (Unicode 15.0, chapter 21.1). */
const brailleBits: readonly (readonly number[])[] = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
];
const brailleFirst = 0x2800;

/** The cells that lines go through, by `column,row`. */
const lineCells = (
  series: readonly Series[],
  time: Axis,
  axis: Axis,
  { width, rows, isAscii }: Size,
): ReadonlyMap<string, string> => {
  const [across, down] = isAscii ? [1, 1] : [dotsAcross, dotsDown];
  const bits = new Map<string, number>();
  const dot = (x: number, y: number): void => {
    const [column, row] = [Math.floor(x / across), Math.floor(y / down)];
    const bit = brailleBits[x % across]?.[y % down] ?? 0;
    const key = `${column},${row}`;
    bits.set(key, (bits.get(key) ?? 0) | bit);
  };
  const [dotsWide, dotsHigh] = [width * across, rows * down];
  for (const each of series) {
    if (each.kind !== 'line') continue;
    let before: { readonly x: number; readonly y: number } | null = null;
    for (const point of each.points) {
      if (point.y === null) {
        before = null;
        continue;
      }
      const here = {
        x: Math.min(dotsWide - 1, Math.floor(shareOn(time, point.x) * dotsWide)),
        y: Math.min(dotsHigh - 1, Math.floor((1 - shareOn(axis, point.y)) * dotsHigh)),
      };
      const from = before ?? here;
      const steps = Math.max(1, Math.abs(here.x - from.x), Math.abs(here.y - from.y));
      for (let step = 0; step <= steps; step++)
        dot(
          Math.round(from.x + ((here.x - from.x) * step) / steps),
          Math.round(from.y + ((here.y - from.y) * step) / steps),
        );
      before = here;
    }
  }
  return new Map(
    [...bits].map(([key, mask]) => [
      key,
      isAscii ? asciiLine : String.fromCodePoint(brailleFirst + mask),
    ]),
  );
};

/** Names of times under their places, as many as do not touch. */
const timeLine = (time: Axis, width: number): string => {
  let line = ' '.repeat(labelWidth + 1);
  for (const { at, text } of time.ticks) {
    const centre = labelWidth + 1 + Math.min(width - 1, Math.floor(shareOn(time, at) * width));
    const from = Math.min(
      Math.max(labelWidth, centre - Math.floor(text.length / 2)),
      labelWidth + 1 + width - text.length,
    );
    if (from > line.trimEnd().length || line.trim() === '') line = line.padEnd(from) + text;
  }
  return line;
};

const keyLines = (
  { panels, moments }: Chart,
  marks: Marks,
  { columns, isAscii }: TerminalStyle,
): readonly string[] => {
  const markOf = (kind: Series['kind']): string => {
    switch (kind) {
      case 'band':
        return marks.band.repeat(2);
      case 'limit':
        return marks.limit.repeat(2);
      case 'line':
        return isAscii ? asciiLine.repeat(2) : '⠤⠤';
    }
  };
  const named = new Map(
    panels.flatMap(({ series }) =>
      series.map(({ kind, name }) => [name, `${markOf(kind)} ${name}`] as const),
    ),
  );
  const entries = [...named.values(), ...moments.map(({ text }) => `${marks.moment} ${text}`)];
  const lines: string[] = [];
  for (const entry of entries) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 3 + entry.length <= columns)
      lines[lines.length - 1] = `${last}   ${entry}`;
    else lines.push(cut(`${' '.repeat(labelWidth + 1)}${entry}`, columns));
  }
  return lines;
};

const cut = (line: string, columns: number): string =>
  line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;

/** Other characters of labels as the nearest that ASCII has. */
const plain = (line: string): string =>
  line
    .replaceAll('…', '~')
    .replaceAll('≥', '>=')
    .replaceAll('×', 'x')
    .replace(/[^\u0020-\u007e]/g, '?');
