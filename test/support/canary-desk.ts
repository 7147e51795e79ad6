import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { canary } from './decisions.ts';
import type { Desk, DeskOptions } from './desk.ts';
import { openDesk } from './desk.ts';
import type { Step } from './given.ts';

/** A desk before a log on which a canary runs, and on which these steps came then; it keeps its files in `scratch`. */
export const openCanaryDesk = async (
  scratch: string,
  steps: readonly (Step | Promise<Step>)[],
  options: DeskOptions = {},
): Promise<Desk> =>
  openDesk({
    folder: join(scratch, randomUUID()),
    steps: [...canary, ...(await Promise.all(steps.map(async (step) => step)))],
    ...options,
  });
