import { tallyIn } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { isGood } from '../cells.ts';
import type { Cell } from '../cells.ts';
import { goalRuns } from '../goals.ts';
import type { JudgePlug } from '../judge-plug.ts';
import { summaryOf } from '../tally.ts';
import type { Summary, Tally } from '../tally.ts';

/** What one judge did in one cell, with what it is held against. */
export type Row = {
  readonly judge: JudgePlug;
  readonly cell: Cell;
  readonly tally: Tally;
  readonly summary: Summary;
  readonly boundSeconds: number | null;
};

/** Of every judge and cell that has results, cells first. */
export const rowsOf = (
  campaign: Campaign,
  cells: readonly Cell[],
  judges: readonly JudgePlug[],
): readonly Row[] =>
  cells.flatMap((cell) =>
    judges.flatMap((judge) => {
      const tally = tallyIn(campaign, judge.name, cell.name);
      if (tally.runs === 0) return [];
      const summary = summaryOf(tally);
      return [{ judge, cell, tally, summary, boundSeconds: judge.boundSeconds(cell) }];
    }),
  );

/** Whether a judge rolls back more good canaries than it promises, as far as all the runs of its goal can say. */
export const breaksPromise = ({ judge, cell, summary }: Row): boolean =>
  judge.falseRollbackShareMax !== null &&
  isGood(cell) &&
  summary.runs >= goalRuns(cell, judge) &&
  summary.rolledBack.upper95 > judge.falseRollbackShareMax;
