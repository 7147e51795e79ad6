// A counter that falls though its start stays has begun anew, or is several counters under one name: workers that inherit
// resource and start from the process that made them. What it does tells them apart where no name does.

/** A counter that began anew without saying so. Plain JSON. */
export type Fallen = {
  /** When, as far as its points tell; milliseconds. */
  readonly atMs: number;
  /** What it had counted by then. */
  readonly top: number;
  /** For how long it had counted; 0: nobody knows. */
  readonly lifeMs: number;
  /** To more than half: a clock that was set back, a stray point, or several counters. Those do it again. */
  readonly isOdd?: true;
  /**
   * It was as high again in no time: how many of its points came since, this one included, up to one more than
   * `againPointsMax`. Its traffic may have grown; several counters fall again with the next one.
   */
  readonly again?: number;
};

/** Fewer requests than these may do anything by chance. */
const topMin = 30;
/** What begins anew has less than this part of what it had before, and comes back from below it in more than one step. */
const partMax = 0.5;
/**
 * As high again sooner than in this part of the time that it took before: its traffic has grown fourfold and more, or it
 * is several counters. Of several, whoever has counted most is followed by one that has counted less: what rises on for
 * so many points is one. A pace of its own would not tell: among several counters it is that of their differences.
 */
const againMin = 0.25;
const againPointsMax = 8;

export type CounterStep = {
  readonly before: { readonly count: number; readonly fallen?: Fallen };
  /** It fell, or one of its buckets did. */
  readonly hasFallen: boolean;
  readonly count: number;
  /** 0: not told. */
  readonly startMs: number;
  readonly timeMs: number;
};

/** What is known of the newest fall, or null: of none. `several`: no single counter does that. */
export const fallenBy = ({
  before,
  hasFallen,
  count,
  startMs,
  timeMs,
}: CounterStep): Fallen | null | 'several' => {
  const { fallen } = before;
  if (hasFallen) {
    if ((fallen?.again ?? Infinity) <= againPointsMax) return 'several';
    const top = before.count;
    const isOdd = top >= topMin && count < top && count > partMax * top;
    if (isOdd && fallen?.isOdd === true) return 'several';
    const sinceMs = fallen?.atMs ?? startMs;
    const lifeMs = sinceMs > 0 ? timeMs - sinceMs : 0;
    return { atMs: timeMs, top, lifeMs, ...(isOdd && { isOdd }) };
  }
  if (fallen === undefined) return null;
  if (fallen.isOdd === true) return fallen;
  const { top, atMs, lifeMs, again } = fallen;
  if (again !== undefined) return again > againPointsMax ? fallen : { ...fallen, again: again + 1 };
  if (top < topMin || count <= top) return fallen;
  // Where its exports were missing for long, one step may be as much.
  if (before.count < partMax * top && timeMs - atMs < lifeMs) return 'several';
  return timeMs - atMs < againMin * lifeMs ? { ...fallen, again: 1 } : fallen;
};
