import { hash } from 'node:crypto';
import type { Ids } from '../../ports/ids.ts';
import { createIds } from '../system/ids.ts';

/** The same ids for the same seed and the same times: for simulation and tests, never for real markers. */
export function createMemoryIds(seed: string, nowMs: () => number): Ids {
  let drawn = 0;
  return createIds({
    nowMs,
    randomBytes: (count) =>
      Buffer.from(hash('sha256', `${seed} ${drawn++}`, 'hex'), 'hex').subarray(0, count),
  });
}
