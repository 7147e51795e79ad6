import { parentPort } from 'node:worker_threads';
import { makeGround } from './ground.ts';
import { runSchedules } from './run.ts';

// Runs the blocks of seeds that blocks.ts hands over, one after the other.

const ground = await makeGround();

parentPort?.on('message', ({ seed, schedules }: { seed: number; schedules: number }) => {
  void runSchedules(ground, {
    seed,
    first: false,
    isOver: ({ schedules: done }) => done >= schedules,
  }).then((tally) => parentPort?.postMessage(tally));
});
