import type { Random } from '../canary-climates/random.ts';

export type Side = 'baseline' | 'canary';

/** What customers met on one side. */
export type Answers = {
  readonly answered: number;
  /** Answered with a status of 500 or more. */
  readonly failed: number;
  /** Not answered at all. */
  readonly lost: number;
};

/** The share of customers on each side, and what they met there. */
export type Traffic = {
  readonly shiftTo: (canaryShare: number) => void;
  readonly nextSide: () => Side;
  readonly answered: (side: Side, status: number | 'lost', nowMs: number) => void;
  readonly counts: (side: Side) => Answers;
  /** When the canary first failed a customer, or null. */
  readonly firstBadAtMs: () => number | null;
};

const serverErrorMin = 500;

export const createTraffic = (random: Random): Traffic => {
  const sides: { [Name in Side]: Answers } = { baseline: none, canary: none };
  let share = 0;
  let firstBadAtMs: number | null = null;
  return {
    shiftTo: (canaryShare) => {
      share = canaryShare;
    },
    nextSide: () => (random() < share ? 'canary' : 'baseline'),
    answered: (side, status, nowMs) => {
      const { answered, failed, lost } = sides[side];
      if (status === 'lost') {
        sides[side] = { answered, failed, lost: lost + 1 };
        return;
      }
      const isBad = status >= serverErrorMin;
      sides[side] = { answered: answered + 1, failed: failed + (isBad ? 1 : 0), lost };
      if (isBad && side === 'canary') firstBadAtMs ??= nowMs;
    },
    counts: (side) => sides[side],
    firstBadAtMs: () => firstBadAtMs,
  };
};

const none: Answers = { answered: 0, failed: 0, lost: 0 };
