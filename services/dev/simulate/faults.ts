import type { Chance } from './chance.ts';
import type { Turn } from './scheduler.ts';

// What goes wrong, and how often. Each fault of a schedule has a number, in the order in which they were drawn, so
// that one of them can be left out while all the others stay what they were.

export type Faults = {
  /** True where this fault is to happen; counts it. */
  readonly strikes: (fault: string) => boolean;
  /** What happens to the call whose turn has come. */
  readonly turnOf: (label: string, isMortal: boolean, canFail: boolean) => Turn;
  /** How many happened, and how many were drawn. */
  readonly count: () => number;
  readonly drawn: () => number;
  readonly byName: ReadonlyMap<string, number>;
  /** Projectors that stopped for good, by the name that they gave. */
  readonly refused: (code: string) => void;
  readonly refusals: ReadonlyMap<string, number>;
  /** No more of them. */
  readonly end: () => void;
};

/** Of a hundred calls so many go wrong. */
const callFaultsShare = 0.085;
const callFaults: readonly { readonly turn: Turn; readonly name: string }[] = [
  { turn: 'fails', name: 'time-out' },
  { turn: 'answer-lost', name: 'answer-lost' },
  { turn: 'crash-before', name: 'crash-before' },
  { turn: 'crash-after', name: 'crash-after' },
  { turn: 'late', name: 'answer-late' },
];

export const openFaults = (chance: Chance, without: ReadonlySet<number>): Faults => {
  const byName = new Map<string, number>();
  const refusals = new Map<string, number>();
  let drawn = 0;
  let happened = 0;
  let isOver = false;
  const strikes = (fault: string): boolean => {
    if (isOver || without.has(drawn++)) return false;
    happened += 1;
    byName.set(fault, (byName.get(fault) ?? 0) + 1);
    return true;
  };
  return {
    strikes,
    turnOf: (label, isMortal, canFail) => {
      if (isOver || !chance.happens(callFaultsShare)) return 'runs';
      const { turn, name } = chance.oneOf(callFaults);
      const isCrash = turn === 'crash-before' || turn === 'crash-after';
      if (isCrash ? !isMortal : turn !== 'late' && !canFail) return 'runs';
      const call = label.split(' ')[0] ?? label;
      return strikes(`${name} ${call}`) ? turn : 'runs';
    },
    count: () => happened,
    drawn: () => drawn,
    byName,
    refused: (code) => void refusals.set(code, (refusals.get(code) ?? 0) + 1),
    refusals,
    end: () => {
      isOver = true;
    },
  };
};
