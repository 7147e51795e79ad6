import { dotRowsSvg } from '../../../core/plot/dot-rows.ts';
import type { RowMark } from '../../../core/plot/dot-rows.ts';
import { isGood, isMargin } from '../cells.ts';
import type { Cell } from '../cells.ts';
import type { Row } from './rows.ts';
import { baseName, percent } from './tables.ts';

// Pictures: a line a cell, in it a mark a judge, on a logarithmic scale.

export type Plot = {
  readonly file: string;
  readonly shows: 'good canaries rolled back' | 'delay until found' | 'delay until promoted';
  readonly title: string;
  /** As many as can be told apart in one picture, without their versions. */
  readonly judges: readonly string[];
  readonly isShown: (cell: Cell) => boolean;
};

const isPlain = ({ climate, traffic }: Cell): boolean =>
  climate.name === 'iid' && traffic.canaryRps >= 1;
const isRegression = (cell: Cell): boolean => !isGood(cell) && !isMargin(cell);
const isAbout = (cell: Cell, ...truths: readonly string[]): boolean =>
  isRegression(cell) && isPlain(cell) && truths.some((truth) => cell.truth.name.startsWith(truth));

export const plots: readonly Plot[] = [
  {
    file: 'false-rollbacks.svg',
    shows: 'good canaries rolled back',
    title: 'Good canaries rolled back, by climate',
    judges: [
      ...['standard', 'sensitive', 'windows of 15 s', 'windows of 60 s'],
      ...['kayenta at the end', 'kayenta from minute 5'],
    ],
    isShown: ({ isPromised }) => isPromised,
  },
  {
    file: 'false-rollbacks-elsewhere.svg',
    shows: 'good canaries rolled back',
    title: 'Good canaries rolled back, at other traffic',
    judges: [
      ...['standard', 'sensitive', 'three metrics standard', 'three metrics sensitive'],
      ...['kayenta at the end', 'kayenta from minute 5'],
    ],
    isShown: (cell) => isGood(cell) && !cell.isPromised,
  },
  {
    file: 'delays.svg',
    shows: 'delay until found',
    title: 'How long it takes until a regression is found, warm-up included',
    judges: ['standard', 'sensitive', 'kayenta at the end', 'kayenta from minute 5'],
    isShown: (cell) => isRegression(cell) && isPlain(cell),
  },
  {
    file: 'windows.svg',
    shows: 'delay until found',
    title: 'The standard preset with windows of 5, 15 and 60 s',
    judges: ['standard', 'windows of 15 s', 'windows of 60 s'],
    isShown: (cell) => isRegression(cell) && isPlain(cell) && cell.traffic.canaryRps === 50,
  },
  {
    file: 'errors-cores.svg',
    shows: 'delay until found',
    title: 'Errors alone, the core test',
    judges: [
      ...['errors core strict', 'errors core 1.1x', 'errors core 1.25x'],
      ...['kayenta errors at the end', 'kayenta errors from minute 5'],
    ],
    isShown: (cell) => isAbout(cell, 'errors'),
  },
  {
    file: 'latency-cores.svg',
    shows: 'delay until found',
    title: 'Latency alone, the core test',
    judges: [
      ...['latency core', 'latency core 4.4 %', 'latency core 9.05 %'],
      ...['latency core, explicit bounds', 'kayenta latency from minute 5'],
    ],
    isShown: (cell) => isAbout(cell, 'latency', 'tail'),
  },
  {
    file: 'promotion.svg',
    shows: 'delay until promoted',
    title: 'How long it takes until a good canary is promoted',
    judges: [
      ...['errors promoted within 1.5x', 'errors promoted within 1.25x'],
      ...['latency promoted within 13.9 %', 'latency promoted within 9.05 %', 'standard'],
    ],
    isShown: (cell) => isGood(cell) && isPlain(cell),
  },
];

export const plotSvg = (plot: Plot, rows: readonly Row[]): string => {
  const shown = rows.filter(({ cell }) => plot.isShown(cell));
  const names = plot.judges.filter((name) => shown.some(({ judge }) => baseName(judge) === name));
  const cells = [...new Set(shown.map(({ cell }) => cell.name))];
  return dotRowsSvg({
    title: plot.title,
    ...frames[plot.shows],
    names,
    rows: cells.map((cell) => ({
      name: cell,
      marks: names.map((name) => {
        const row = shown.find((each) => each.cell.name === cell && baseName(each.judge) === name);
        return row === undefined ? null : markOf(plot, row);
      }),
    })),
  });
};

/** Where a median is drawn that lies beyond the deadline. */
const NEVER_SECONDS = 5_400;

const seconds = (never: string): Pick<Parameters<typeof dotRowsSvg>[0], 'axis' | 'line'> => ({
  axis: {
    scale: 'log',
    from: 1,
    to: NEVER_SECONDS,
    ticks: [
      ...[1, 5, 20, 60, 300, 1_800].map((at) => ({ at, text: `${at} s` })),
      { at: NEVER_SECONDS, text: never },
    ],
  },
  line: null,
});

const frames: Readonly<
  Record<Plot['shows'], Pick<Parameters<typeof dotRowsSvg>[0], 'about' | 'axis' | 'line'>>
> = {
  'good canaries rolled back': {
    about:
      'share of canaries; dot: seen, ring at the left end: none; line: to the 95 % limit of what it may be',
    axis: {
      scale: 'log',
      from: 0.0001,
      to: 1,
      ticks: [0.0001, 0.001, 0.01, 0.1, 1].map((at) => ({ at, text: percent(at) })),
    },
    line: { at: 0.01, text: 'the promise: 1 %' },
  },
  'delay until found': {
    about:
      'seconds; dot: median; line: to the 90th percentile; upright stroke: the least any judge needs',
    ...seconds('not found'),
  },
  'delay until promoted': {
    about:
      'seconds; dot: median; line: to the 90th percentile; upright stroke: the least any judge needs',
    ...seconds('not yet'),
  },
};

const markOf = ({ shows }: Plot, { summary, boundSeconds }: Row): RowMark => {
  const { rolledBack, promoted } = summary;
  if (shows === 'good canaries rolled back') {
    return {
      at: rolledBack.share,
      to: rolledBack.upper95,
      notch: null,
      isHollow: rolledBack.share === 0,
    };
  }
  const ending = shows === 'delay until found' ? rolledBack : promoted;
  return {
    at: ending.medianSeconds ?? NEVER_SECONDS,
    to: ending.p90Seconds ?? NEVER_SECONDS,
    notch: boundSeconds,
    isHollow: ending.medianSeconds === null,
  };
};
