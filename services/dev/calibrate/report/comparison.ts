import { isGood, isMargin } from '../cells.ts';
import type { Cell } from '../cells.ts';
import { quantileOf } from '../tally.ts';
import type { Line } from './line.ts';
import { published } from './published.ts';
import type { Published } from './published.ts';
import type { Row } from './rows.ts';
import { baseName, percent } from './tables.ts';

/** A share is met within so many standard errors of the difference, a quantile within those of its rank. */
const standardErrors = 2;
/** A delay may be one block longer: the judge looks for that long before it counts. */
const blockSeconds = 15;
/** A Mann-Whitney judge looks once a minute. */
const minuteSeconds = 60;

/**
 * Each published figure against what was seen here, or better:
 * - a share p of n runs against q of m: p and q differ by less than two standard errors, sqrt(r (1 - r) (1/n + 1/m)),
 *   where r is the share of both together; or p is on the better side;
 * - the median and the 90th percentile: the quantile of our own delays that is two standard errors of its rank lower,
 *   k - 2 sqrt(k (1 - k) (1/n + 1/m)), is at most one block later. So the spread is that of our own runs, whatever its
 *   shape, taken for the published one, too.
 */
export const comparisonsOf = (rows: readonly Row[]): readonly Line[] =>
  published.flatMap((table) =>
    Object.entries(table.figures).map(([cell, figure]): Line => {
      const row = rows.find(
        (each) => each.cell.name === cell && baseName(each.judge) === table.judge,
      );
      const list = listOf(table);
      const what = `${table.judge}, ${table.of}: ${cell}`;
      const wanted = shown(figureOf(figure));
      const isBeyond = list === asTheyAre;
      if (row === undefined)
        return { list, what, wanted, seen: 'no runs yet', isMet: false, isBeyond };
      const misses = missesOf(table, row, figureOf(figure));
      const note = misses.length === 0 ? '' : ` (${misses.join(', ')})`;
      const seen = `${seenIn(table, row)}${note}`;
      return { list, what, wanted, seen, isMet: note === '', isBeyond };
    }),
  );

/**
 * The presets have five metrics, keep half of alpha for the deadline and learn how errors scatter; the tables of the whole
 * pipeline were made with three metrics and all of alpha, the test at the deadline with errors alone.
 */
const asTheyAre = 'Table 4.6, the presets as they are';
const listOf = ({ table, judge }: Published): string => {
  if (judge.startsWith('kayenta')) return `Table ${table}, the Mann-Whitney judge`;
  return judge === 'standard' || judge === 'sensitive' ? asTheyAre : `Table ${table}`;
};

type Figure = {
  readonly share: number;
  readonly medianSeconds: number | null;
  readonly p90Seconds: number | null;
};

const figureOf = (text: string): Figure => {
  const [share, delays] = text.split(' ');
  const [median, p90] = (delays ?? '').split('/');
  const seconds = (part: string | undefined): number | null =>
    part === undefined || part === '' ? null : Number(part);
  return {
    share: Number(share) / 100,
    medianSeconds: seconds(median),
    p90Seconds: seconds(p90),
  };
};

const shown = ({ share, medianSeconds, p90Seconds }: Figure): string => {
  if (medianSeconds === null) return percent(share);
  return `${percent(share)}, ${medianSeconds}${p90Seconds === null ? '' : `/${p90Seconds}`} s`;
};

const seenIn = ({ of }: Published, { summary }: Row): string => {
  const { share, medianSeconds, p90Seconds } =
    of === 'promoted' ? summary.promoted : summary.rolledBack;
  return `${percent(share)}, ${medianSeconds ?? '-'}/${p90Seconds ?? '-'} s of ${summary.runs}`;
};

const missesOf = (table: Published, row: Row, figure: Figure): readonly string[] => {
  const { summary, tally, cell } = row;
  const isPromotion = table.of === 'promoted';
  const ending = isPromotion ? summary.promoted : summary.rolledBack;
  const runs = summary.runs;
  const publishedRuns = isGood(cell) ? table.goodRuns : table.badRuns;
  const slack = 1 / runs + 1 / publishedRuns;
  const pooled = (ending.runs + figure.share * publishedRuns) / (runs + publishedRuns);
  const worse = isMoreWorse(table, cell)
    ? ending.share - figure.share
    : figure.share - ending.share;
  const misses: string[] = [];
  if (worse > standardErrors * Math.sqrt(pooled * (1 - pooled) * slack) + rounding)
    misses.push('share');
  const at = isPromotion ? tally.promotedAt : tally.rolledBackAt;
  const late = table.judge.startsWith('kayenta') ? minuteSeconds : blockSeconds;
  const isLate = (quantile: number, seconds: number | null): boolean => {
    if (seconds === null) return false;
    const rank = quantile - standardErrors * Math.sqrt(quantile * (1 - quantile) * slack);
    return (quantileOf(at, runs, rank) ?? Infinity) > seconds + late;
  };
  if (isLate(0.5, figure.medianSeconds)) misses.push('median');
  if (isLate(0.9, figure.p90Seconds)) misses.push('90th percentile');
  return misses;
};

/** Sums of floating-point numbers. */
const rounding = 1e-9;

/** Whether a larger share is a worse one: of good canaries rolled back, of those on the margin promoted. */
const isMoreWorse = ({ of }: Published, cell: Cell): boolean =>
  of === 'promoted' ? isMargin(cell) : isGood(cell);
