import type { Campaign } from './campaign.ts';
import { addTally, tallyIn } from './campaign.ts';
import type { Cell } from './cells.ts';
import type { Judge, JudgePlug } from './judge-plug.ts';
import { openLatencySource } from './latency.ts';
import type { LivedWindow } from './lived-window.ts';
import { historyOf, windowsOf } from './stream.ts';
import { tallyOf } from './tally.ts';

/** A judge learns once for so many runs, and results are added up after as many. */
const BLOCK_RUNS = 50;

/** How many runs of a cell a judge is to have made in all. */
export type Goal = { readonly cell: Cell; readonly judge: JudgePlug; readonly runs: number };

/** The next runs to make: of what is furthest from its goal, and of the judges that stand at the same run. */
export type Block = {
  readonly cell: Cell;
  readonly judges: readonly JudgePlug[];
  readonly from: number;
  readonly runs: number;
};

export const nextBlock = (campaign: Campaign, goals: readonly Goal[]): Block | undefined => {
  const open = goals
    .map((goal) => ({ ...goal, done: tallyIn(campaign, goal.judge.name, goal.cell.name).runs }))
    .filter(({ done, runs }) => done < runs);
  let furthest = open[0];
  if (furthest === undefined) return undefined;
  for (const goal of open) {
    if (goal.done / goal.runs < furthest.done / furthest.runs) furthest = goal;
  }
  const { cell, done: from } = furthest;
  const together = open.filter((goal) => goal.cell.name === cell.name && goal.done === from);
  // Runs start at whole blocks for every judge, so that all of them learn from the same histories.
  const toBlockEnd = BLOCK_RUNS - (from % BLOCK_RUNS);
  return {
    cell,
    judges: together.map(({ judge }) => judge),
    from,
    runs: Math.min(toBlockEnd, ...together.map(({ runs }) => runs - from)),
  };
};

/** Makes the runs of blocks: the same windows for every judge, made only as far as one of them looks. */
export const openRunner = (seed: number): ((campaign: Campaign, block: Block) => Campaign) => {
  const source = openLatencySource();
  return (campaign, { cell, judges, from, runs }) => {
    const history: Iterable<LivedWindow> = {
      [Symbol.iterator]: () =>
        historyOf(source, cell, seed, Math.floor(from / BLOCK_RUNS))[Symbol.iterator](),
    };
    const learnt = judges.map((plug) => ({
      name: plug.name,
      judge: plug.learn(history),
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
