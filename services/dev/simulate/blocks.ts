import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Tally } from './tally.ts';
import { addTally, noTally } from './tally.ts';

// A campaign on several threads: each takes the next block of seeds. What is added up is always a range without
// gaps, so that a campaign that is killed can go on behind it.

const blockSeeds = 100;

type Block = { readonly seed: number; readonly schedules: number };

/** Blocks that are done, in the order of their seeds as far as no earlier one is missing. */
export type DoneInOrder = { readonly add: (seed: number, tally: Tally) => void };

export const openDoneInOrder = (first: number, onReached: (all: Tally) => void): DoneInOrder => {
  const all = noTally();
  const ahead = new Map<number, Tally>();
  return {
    add: (seed, tally) => {
      ahead.set(seed, tally);
      for (;;) {
        const next = first + all.schedules;
        const block = ahead.get(next);
        if (block === undefined) break;
        ahead.delete(next);
        addTally(all, block);
      }
      onReached(all);
    },
  };
};

/**
 * Runs the seeds from `first` on, on so many threads, until `isOver`; answers what came of them. `onReached` hears of
 * the seeds that are done without a gap. A thread that fails ends all.
 */
export const runBlocks = async (
  first: number,
  workers: number,
  isOver: () => boolean,
  onReached: (all: Tally) => void,
): Promise<Tally> => {
  let next = first;
  let reached = noTally();
  const done = openDoneInOrder(first, (all) => {
    reached = all;
    onReached(all);
  });
  const work = async (): Promise<void> => {
    const thread = new Worker(new URL('./block-worker.ts', import.meta.url));
    try {
      while (!isOver()) {
        const block: Block = { seed: next, schedules: blockSeeds };
        next += blockSeeds;
        thread.postMessage(block);
        const [tally] = (await once(thread, 'message')) as [Tally];
        done.add(block.seed, tally);
      }
    } finally {
      await thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return reached;
};
