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
};

/** Fewer requests than these may do anything by chance. */
const topMin = 30;
/** What begins anew has less than this part of what it had before, and comes back from below it in more than one step. */
const partMax = 0.5;
/** A counter is as high again no sooner than in this part of the time that it took before. */
const againMin = 0.25;

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
    const top = before.count;
    const isOdd = top >= topMin && count < top && count > partMax * top;
    if (isOdd && fallen?.isOdd === true) return 'several';
    const sinceMs = fallen?.atMs ?? startMs;
    const lifeMs = sinceMs > 0 ? timeMs - sinceMs : 0;
    return { atMs: timeMs, top, lifeMs, ...(isOdd && { isOdd }) };
  }
  if (fallen === undefined) return null;
  if (fallen.isOdd === true) return fallen;
  const { top, atMs, lifeMs } = fallen;
  if (top < topMin || count <= top) return fallen;
  // Where its exports were missing for long, one step may be as much.
  const isJump = before.count < partMax * top && timeMs - atMs < lifeMs;
  return isJump || timeMs - atMs < againMin * lifeMs ? 'several' : fallen;
};
