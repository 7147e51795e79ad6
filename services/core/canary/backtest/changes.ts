import { reasonOf } from '../reading/reading.ts';
import type { Reading } from '../reading/reading.ts';

/** The readings at which the stage, the verdict or its reason is another than before. */
export const openChanges = (): ((reading: Reading) => boolean) => {
  let before: string | undefined;
  return ({ stage, verdict }) => {
    const now = `${stage} ${verdict.outcome} ${reasonOf(verdict)}`;
    if (now === before) return false;
    before = now;
    return true;
  };
};
