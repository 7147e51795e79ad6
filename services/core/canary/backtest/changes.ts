import type { Reading } from '../reading/reading.ts';

/** The readings at which the stage, the verdict or its reason is another than before. */
export const openChanges = (): ((reading: Reading) => boolean) => {
  let before: string | undefined;
  return ({ stage, outcome, reason }) => {
    const now = `${stage} ${outcome} ${reason}`;
    if (now === before) return false;
    before = now;
    return true;
  };
};
