/** Requests of one cohort, and how many of them failed. */
export type ArmCounts = { readonly requests: number; readonly errors: number };

/** One window of both cohorts. Windows come in index order from 0; a missing one comes as zeros. */
export type WindowCounts = {
  readonly index: number;
  readonly startMs: number;
  readonly canary: ArmCounts;
  readonly baseline: ArmCounts;
};

/** A window by which something can be found again. */
export type WindowMark = { readonly index: number; readonly startMs: number };

export const noCounts: ArmCounts = { requests: 0, errors: 0 };

export const addCounts = (left: ArmCounts, right: ArmCounts): ArmCounts => ({
  requests: left.requests + right.requests,
  errors: left.errors + right.errors,
});

/** Only a window with requests in both cohorts can say anything about their difference. */
export const isPaired = (window: WindowCounts): boolean =>
  window.canary.requests > 0 && window.baseline.requests > 0;

/** Throws on counts no window can have: whoever builds windows has parsed them at its door. */
export const assertWindow = (window: WindowCounts, expectedIndex: number): void => {
  if (window.index !== expectedIndex) {
    throw new RangeError(`window ${window.index} came where ${expectedIndex} was due`);
  }
  for (const { requests, errors } of [window.canary, window.baseline]) {
    if (!isCount(requests) || !isCount(errors) || errors > requests) {
      throw new RangeError(`window ${window.index} has ${errors} errors in ${requests} requests`);
    }
  }
};

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
