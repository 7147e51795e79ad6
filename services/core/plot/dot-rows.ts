import { shareOn } from './axis.ts';
import type { Axis } from './axis.ts';
import type { Tone } from './svg.ts';
import { fitted, svgDocument, svgDot, svgLine, svgText, textWidth, toneAt } from './svg.ts';

// A picture with a line for each row and in it a mark for each of several things that are compared.

export type RowMark = {
  /** Where the mark is. */
  readonly at: number;
  /** A line from there to here; `at`: none. */
  readonly to: number;
  /** A small upright stroke; null: none. */
  readonly notch: number | null;
  /** An open ring instead of a dot. */
  readonly isHollow?: boolean;
  /** Beside the mark; empty or absent: nothing. */
  readonly text?: string;
};

export type DotRows = {
  readonly title: string;
  /** What the axis measures, with its unit, and what the marks mean. */
  readonly about: string;
  readonly axis: Axis;
  /** A value that is drawn through all rows; null: none. */
  readonly line: { readonly at: number; readonly text: string } | null;
  /** Things that are compared, in the order of their marks in a row. */
  readonly names: readonly string[];
  /** `marks` has one for each name, or null where there is none. */
  readonly rows: readonly { readonly name: string; readonly marks: readonly (RowMark | null)[] }[];
};

const width = 960;
const right = 60;
const nameWidthMax = 320;
const markHeight = 13;
const rowGap = 10;
const legendLine = 20;
/** Where it stands in a picture that is higher than a screen. */
const legendTop = 78;
/** Higher than a screen: then the axis is named at both ends. */
const tallHeight = 600;
const titleSize = 16;
const besideMark = 8;
const markTextSize = 11;

/** The rows as a picture of its own. */
export const dotRowsSvg = ({ title, about, axis, line, names, rows }: DotRows): string => {
  const nameWidth = Math.min(
    nameWidthMax,
    Math.max(60, ...rows.map(({ name }) => textWidth(name))),
  );
  const left = nameWidth + 24;
  const isTall = rows.length * (names.length * markHeight + rowGap) > tallHeight;
  const legendLines = isTall ? legendOf(names, left, legendTop).bottom - legendTop + 40 : 0;
  const top = 78 + (line === null ? 0 : 18) + legendLines;
  const rowHeight = names.length * markHeight + rowGap;
  const bottom = top + rows.length * rowHeight;
  const x = (value: number): number => left + shareOn(axis, value) * (width - left - right);
  const parts: string[] = [
    svgText(24, 28, fitted(title, width - 48, titleSize), { size: titleSize, isBold: true }),
    svgText(24, 50, fitted(about, width - 48), { tone: 'soft' }),
  ];
  for (const [index, { name }] of rows.entries()) {
    const y = top + index * rowHeight;
    if (index > 0) parts.push(svgLine({ x: 24, y }, { x: width - right, y }, { tone: 'grid' }));
    parts.push(
      svgText(left - 12, y + rowHeight / 2 + 4, fitted(name, nameWidth), { anchor: 'end' }),
    );
  }
  for (const { at, text } of axis.ticks)
    parts.push(
      svgLine({ x: x(at), y: top }, { x: x(at), y: bottom }, { tone: 'grid' }),
      svgText(x(at), bottom + 18, text, { anchor: 'middle' }),
      ...(isTall ? [svgText(x(at), top - 8, text, { anchor: 'middle' })] : []),
    );
  if (line !== null)
    parts.push(
      svgLine(
        { x: x(line.at), y: top },
        { x: x(line.at), y: bottom },
        { tone: 'limit', width: 1.5 },
      ),
      svgText(x(line.at), top - (isTall ? 26 : 8), line.text, { anchor: 'middle', tone: 'limit' }),
    );
  for (const [index, { marks }] of rows.entries()) {
    const first = top + index * rowHeight + rowGap / 2;
    for (const [place, mark] of marks.entries())
      if (mark !== null)
        parts.push(...markParts(mark, x, first + (place + 0.5) * markHeight, toneAt(place)));
  }
  const legend = legendOf(names, left, isTall ? legendTop : bottom + 48);
  parts.push(...legend.parts);
  const height = (isTall ? bottom + 28 : legend.bottom) + 20;
  return svgDocument({ width, height, title }, parts);
};

/** The names of what is compared, each with its mark, in as many lines as they need. */
const legendOf = (
  names: readonly string[],
  left: number,
  top: number,
): { readonly parts: readonly string[]; readonly bottom: number } => {
  const parts: string[] = [];
  let [x, y] = [left, top];
  for (const [place, name] of names.entries()) {
    const shown = fitted(name, width - left - right - 20);
    if (x > left && x + 20 + textWidth(shown) > width - right) [x, y] = [left, y + legendLine];
    parts.push(svgDot({ x: x + 4, y: y - 4 }, toneAt(place)), svgText(x + 16, y, shown));
    x += 16 + textWidth(shown) + 28;
  }
  return { parts, bottom: y };
};

const markParts = (
  { at, to, notch, isHollow = false, text = '' }: RowMark,
  x: (value: number) => number,
  y: number,
  tone: Tone,
): readonly string[] => [
  ...(to === at ? [] : [svgLine({ x: x(at), y }, { x: x(to), y }, { tone, width: 2 })]),
  svgDot({ x: x(at), y }, tone, { isHollow }),
  ...(notch === null
    ? []
    : [svgLine({ x: x(notch), y: y - 5 }, { x: x(notch), y: y + 5 }, { tone, width: 1.5 })]),
  ...(text === ''
    ? []
    : [
        svgText(x(to) + besideMark, y + 4, text, {
          tone: 'soft',
          size: markTextSize,
          isOver: true,
        }),
      ]),
];
