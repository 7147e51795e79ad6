import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Tally } from './tally.ts';
import { addTally, noTally } from './tally.ts';

// A campaign on several threads: each takes the next block of seeds. What is added up is always a range without
// gaps, so that a campaign that is killed can go on behind it.

const blockSeeds = 100;

type Block = { readonly seed: number; readonly schedules: number };

/** Takes blocks in as they end, and adds them to `all` as far as no earlier one is missing. */
export const addInOrder = (first: number, all: Tally): ((seed: number, block: Tally) => void) => {
  const ahead = new Map<number, Tally>();
  return (seed, ended) => {
    ahead.set(seed, ended);
    for (;;) {
      const next = first + all.schedules;
      const block = ahead.get(next);
      if (block === undefined) return;
      ahead.delete(next);
      addTally(all, block);
    }
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
  const all = noTally();
  const add = addInOrder(first, all);
  const work = async (): Promise<void> => {
    const thread = new Worker(new URL('./block-worker.ts', import.meta.url));
    try {
      while (!isOver()) {
        const block: Block = { seed: next, schedules: blockSeeds };
        next += blockSeeds;
        thread.postMessage(block);
        const [tally] = (await once(thread, 'message')) as [Tally];
        add(block.seed, tally);
        onReached(all);
      }
    } finally {
      await thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return all;
};
