import { expect, test } from 'vitest';
import { makeGround } from '../../../services/dev/simulate/ground.ts';
import { runSchedule } from '../../../services/dev/simulate/schedule.ts';

/** A sample: `npm test` runs ten thousand of them. */
const schedules = 60;

test(`after ${schedules} schedules of faults the read models are what the log says`, async () => {
  const ground = await makeGround();
  for (let seed = 1; seed <= schedules; seed++) {
    const { divergence } = await runSchedule(ground, { seed });
    expect(divergence, `npm run simulate -- --schedules 1 --seed ${seed} --trace`).toBeNull();
  }
}, 120_000);
