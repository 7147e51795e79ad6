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
  /**
   * Of many requests it once left more than half, or it was as high again in one step: a clock that was set back, a stray
   * point, exports that were missing, or several counters. Those do it again.
   */
  readonly isOdd?: true;
  /**
   * It was as high again in no time: how many of its points came since, this one included, up to one more than
   * `againPointsMax`. Its traffic may have grown; several counters fall again with the next one.
   */
  readonly again?: number;
  /** Its newest point is that fall. */
  readonly isFresh?: true;
  /** How many points ago it did what one counter seldom does, up to `strangeAgoMax`. */
  readonly strange?: readonly number[];
};

/** Fewer requests than these may do anything by chance, once or twice. */
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
/** Three strange steps this close together are of several. One that crashes less often than at every third export does fewer. */
const strangeAgoMax = 6;
const strangeMax = 3;

export type CounterStep = {
  readonly before: { readonly count: number; readonly fallen?: Fallen };
  /** It fell, or one of its buckets did. */
  readonly hasFallen: boolean;
  readonly count: number;
  /** 0: not told. */
  readonly startMs: number;
  readonly timeMs: number;
};

/** `isDoubtful`: what it adds with this step may be what another has counted in all its life. */
export type Stepped = { readonly fallen: Fallen; readonly isDoubtful: boolean };

/** What is known of the newest fall, or null: of none. `several`: no single counter does that. */
export const fallenBy = (step: CounterStep): Stepped | null | 'several' =>
  step.hasFallen
    ? afterFall(step)
    : step.before.fallen === undefined
      ? null
      : afterRise(step, step.before.fallen);

const afterFall = ({ before, count, startMs, timeMs }: CounterStep): Stepped | 'several' => {
  const { count: top, fallen } = before;
  if ((fallen?.again ?? Infinity) <= againPointsMax) return 'several';
  // Where a bucket alone fell, it has as much as before or more.
  const isDoubtful = count > partMax * top;
  const isOdd = isDoubtful && top >= topMin;
  const wasOdd = fallen?.isOdd === true;
  const strange = strangeAfter(fallen?.strange, isDoubtful || top < topMin);
  if ((isOdd && wasOdd) || strange.length >= strangeMax) return 'several';
  const sinceMs = fallen?.atMs ?? startMs;
  // Of several, each may have less than the one before it: one fall down to the least.
  const from =
    fallen?.isFresh === true
      ? { atMs: fallen.atMs, top: fallen.top, lifeMs: fallen.lifeMs }
      : { atMs: timeMs, top, lifeMs: sinceMs > 0 ? timeMs - sinceMs : 0 };
  return {
    fallen: {
      ...from,
      isFresh: true,
      ...((isOdd || wasOdd) && { isOdd: true }),
      ...(strange.length > 0 && { strange }),
    },
    isDoubtful,
  };
};

const afterRise = (
  { before, count, timeMs }: CounterStep,
  { strange: strangeBefore, isFresh, ...fallen }: Fallen,
): Stepped | 'several' => {
  const { top, atMs, lifeMs } = fallen;
  const isBack = before.count < top && count >= top;
  const isFromBelow = before.count <= partMax * top;
  const isJump = isBack && isFromBelow && top >= topMin;
  // Where its exports were missing for long, one step may be as much, once.
  if (isJump && (timeMs - atMs < lifeMs || fallen.isOdd === true)) return 'several';
  const isDoubtful = isBack && (isFromBelow || isFresh === true);
  const strange = strangeAfter(strangeBefore, isDoubtful);
  if (strange.length >= strangeMax) return 'several';
  const isSoon = isBack && top >= topMin && timeMs - atMs < againMin * lifeMs;
  const again = isSoon ? 1 : nextAgain(fallen.again);
  return {
    fallen: {
      ...fallen,
      ...(isJump && { isOdd: true }),
      ...(again !== undefined && { again }),
      ...(strange.length > 0 && { strange }),
    },
    isDoubtful,
  };
};

const nextAgain = (again: number | undefined): number | undefined =>
  again === undefined ? undefined : Math.min(againPointsMax, again) + 1;

/** How many points ago each strange step was, seen from the next point. */
const strangeAfter = (
  strange: readonly number[] | undefined,
  isStrange: boolean,
): readonly number[] => {
  const kept = (strange ?? []).map((ago) => ago + 1).filter((ago) => ago <= strangeAgoMax);
  return isStrange ? [...kept, 0] : kept;
};
