import { dotRowsSvg } from '../../../core/plot/dot-rows.ts';
import type { RowMark } from '../../../core/plot/dot-rows.ts';
import { isGood } from '../cells.ts';
import type { Row } from './rows.ts';
import { percent } from './tables.ts';

// One picture: a line a cell, in it a mark a judge, on a logarithmic scale.

/** How many good canaries each judge rolls back: the share seen, and a line to what it may be. */
export const falseRollbackPlot = (rows: readonly Row[]): string =>
  plotOf({
    title: 'Good canaries rolled back',
    about:
      'share of canaries; dot: seen, ring at the left end: none; line: to the 95 % limit of what it may be',
    rows: rows.filter(({ cell }) => isGood(cell)),
    from: 0.0001,
    to: 1,
    ticks: [0.0001, 0.001, 0.01, 0.1, 1].map((at) => ({ at, text: percent(at) })),
    line: { at: 0.01, text: 'the promise: 1 %' },
    markOf: ({ summary: { rolledBack } }) => ({
      at: rolledBack.share,
      to: rolledBack.upper95,
      notch: null,
      isHollow: rolledBack.share === 0,
    }),
  });

/** How soon each judge finds regressions: the median, a line to the 90th percentile, the bound as a notch. */
export const delayPlot = (rows: readonly Row[]): string =>
  plotOf({
    title: 'How long it takes until a regression is found',
    about:
      'seconds; dot: median; line: to the 90th percentile; upright stroke: the least any judge needs',
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
      isHollow: rolledBack.medianSeconds === null,
    }),
  });

/** Where a median is drawn that lies beyond the deadline. */
const NEVER_SECONDS = 5_400;

type Plot = {
  readonly title: string;
  readonly about: string;
  readonly rows: readonly Row[];
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  readonly line: { readonly at: number; readonly text: string } | null;
  readonly markOf: (row: Row) => RowMark;
};

/** As many as can be told apart in one picture, those that people would choose between first. */
const judgesMax = 6;
const chosenFirst: readonly RegExp[] = [
  /^standard /,
  /^sensitive /,
  /^errors only/,
  /^kayenta at the end$/,
  /^kayenta from minute 5$/,
  /^kayenta from minute 2$/,
];

const plotted = (names: readonly string[]): readonly string[] => {
  const rankOf = (name: string): number => {
    const rank = chosenFirst.findIndex((pattern) => pattern.test(name));
    return rank < 0 ? chosenFirst.length : rank;
  };
  return names.toSorted((one, other) => rankOf(one) - rankOf(other)).slice(0, judgesMax);
};

const plotOf = ({ title, about, rows, from, to, ticks, line, markOf }: Plot): string => {
  const known = [...new Set(rows.map(({ judge }) => judge.name))];
  const names = plotted(known);
  const cells = [...new Set(rows.map(({ cell }) => cell.name))];
  return dotRowsSvg({
    title,
    about: known.length > names.length ? `${about}; the tables have all judges` : about,
    axis: { scale: 'log', from, to, ticks },
    line,
    names,
    rows: cells.map((cell) => ({
      name: cell,
      marks: names.map((name) => {
        const row = rows.find((each) => each.cell.name === cell && each.judge.name === name);
        return row === undefined ? null : markOf(row);
      }),
    })),
  });
};
