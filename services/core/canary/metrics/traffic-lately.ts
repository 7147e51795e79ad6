import { millionths, thousandths } from '../statistics/rounding.ts';
import type { WindowMark } from '../windows/window.ts';

// Whether requests are lost now. A promotion rests on all windows since the start, and what they have shown stays
// shown: many good minutes outweigh the few in which a loss has begun. So it also asks what the newest windows say.

/**
 * Since evidence of a loss last was none (Page's cumulative sum). Only promotions ask for it: it is no e-process, and
 * rolls nothing back.
 */
export type Lately = {
  /** From this window on. */
  readonly since: WindowMark;
  /** ln of the odds that the canary gets less than is tolerated. */
  readonly nats: number;
  readonly canary: number;
  readonly baseline: number;
  /** What would be theirs by the share. */
  readonly canaryExpected: number;
  readonly baselineExpected: number;
};

/** The odds from which on a loss holds a promotion: as sure as a promotion usually has to be. */
const lossNats: number = Math.log(20);
/** More is not kept, so that whoever gets its share again waits for a few windows only. */
const keptNats: number = 2 * lossNats;

/** With a window, of which `nats` are the log-increment against "the canary gets what is tolerated". */
export const latelyWith = (
  before: Lately | null,
  { index, startMs }: WindowMark,
  nats: number,
  requests: Omit<Lately, 'since' | 'nats'>,
): Lately | null => {
  const sum = Math.min(keptNats, (before?.nats ?? 0) + nats);
  if (!(sum > 0)) return null;
  return {
    since: before?.since ?? { index, startMs },
    nats: millionths(sum),
    canary: (before?.canary ?? 0) + requests.canary,
    baseline: (before?.baseline ?? 0) + requests.baseline,
    canaryExpected: thousandths((before?.canaryExpected ?? 0) + requests.canaryExpected),
    baselineExpected: thousandths((before?.baselineExpected ?? 0) + requests.baselineExpected),
  };
};

/** What the canary gets of its share since then. */
export type TrafficLost = {
  readonly since: WindowMark;
  readonly ratio: number;
  readonly least: number;
};

/** Null: nothing speaks of a loss, or not plainly. */
export const lostNow = (lately: Lately | null, least: number): TrafficLost | null => {
  if (lately === null || lately.nats < lossNats) return null;
  const { since, canary, baseline, canaryExpected, baselineExpected } = lately;
  return { since, ratio: (canary / canaryExpected) * (baselineExpected / baseline), least };
};
