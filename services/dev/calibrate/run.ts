import type { Campaign } from './campaign.ts';
import { addTally, tallyIn } from './campaign.ts';
import type { Cell } from './cells.ts';
import type { Judge, JudgePlug } from './judge-plug.ts';
import { openLatencySource } from './latency.ts';
import { historyOf, windowsOf } from './stream.ts';
import { tallyOf } from './tally.ts';

/** A judge learns once for so many runs, and results are added up after as many. */
const BLOCK_RUNS = 50;

export type Goal = { readonly cell: Cell; readonly runs: number };

/** The next runs to make: of the cell that is furthest from its goal, the judges that are furthest behind. */
export type Block = {
  readonly cell: Cell;
  readonly judges: readonly JudgePlug[];
  readonly from: number;
  readonly runs: number;
};

export const nextBlock = (
  campaign: Campaign,
  goals: readonly Goal[],
  judges: readonly JudgePlug[],
): Block | undefined => {
  let furthest: { readonly goal: Goal; readonly done: number } | undefined;
  for (const goal of goals) {
    for (const { name } of judges) {
      const done = tallyIn(campaign, name, goal.cell.name).runs;
      if (done >= goal.runs) continue;
      const isFurther =
        furthest === undefined || done / goal.runs < furthest.done / furthest.goal.runs;
      if (isFurther) furthest = { goal, done };
    }
  }
  if (furthest === undefined) return undefined;
  const { goal, done: from } = furthest;
  const doneBy = ({ name }: JudgePlug): number => tallyIn(campaign, name, goal.cell.name).runs;
  // Runs start at whole blocks for every judge, so that all of them learn from the same histories.
  const toBlockEnd = BLOCK_RUNS - (from % BLOCK_RUNS);
  return {
    cell: goal.cell,
    judges: judges.filter((judge) => doneBy(judge) === from),
    from,
    runs: Math.min(toBlockEnd, goal.runs - from),
  };
};

/** Makes the runs of blocks: the same windows for every judge, made only as far as one of them looks. */
export const openRunner = (seed: number): ((campaign: Campaign, block: Block) => Campaign) => {
  const source = openLatencySource();
  return (campaign, { cell, judges, from, runs }) => {
    const history = Math.floor(from / BLOCK_RUNS);
    const learnt = judges.map((plug) => ({
      name: plug.name,
      judge: plug.learn(historyOf(source, cell, seed, history)),
      judged: [] as ReturnType<Judge>[],
    }));
    for (let run = from; run < from + runs; run += 1) {
      const windows = keptAsSeen(windowsOf(source, cell, seed, run));
      for (const { judge, judged } of learnt) judged.push(judge(windows));
    }
    return learnt.reduce(
      (sum, { name, judged }) => addTally(sum, name, cell.name, tallyOf(judged)),
      campaign,
    );
  };
};

/** Can be walked through again and again; what was seen once is not made again. */
const keptAsSeen = <Item>(items: Iterable<Item>): Iterable<Item> => {
  const iterator = items[Symbol.iterator]();
  const seen: Item[] = [];
  return {
    *[Symbol.iterator]() {
      for (let index = 0; ; index += 1) {
        if (index === seen.length) {
          const next = iterator.next();
          if (next.done === true) return;
          seen.push(next.value);
        }
        const item = seen[index];
        if (item !== undefined) yield item;
      }
    },
  };
};
