// Which stream a point of a cumulative series is of, where its start alone does not say: some senders reckon their start anew
// for each export, and some leave it out of a few.

/** As close together as this are starts that one clock was asked for, as now less the time since. Milliseconds. */
const sameStartMs = 5;

/** Of a series, what stands for its resource, scope and metric; the rest stands for its attributes. */
const familyChars = 32;
export const familyOf = (series: string): string => series.slice(0, familyChars);

/** What is known of the streams of a series, by their start; 0: without one. */
export type StreamsOfSeries = {
  readonly [startMs: number]: {
    readonly timeMs: number;
    readonly count: number;
    readonly saidStartMs?: number;
  };
};

/** From a start to those that may be meant by it, the nearest first; of two as near, what began first. */
const nearMs: readonly number[] = Array.from({ length: 2 * sameStartMs + 1 }, (_, index) =>
  index % 2 === 0 ? index / 2 : -(index + 1) / 2,
);

/** Whether a stream of the series was told under several starts, of which this may have been one. */
export const wasPartOf = (streams: StreamsOfSeries | undefined, startMs: number): boolean =>
  streams !== undefined &&
  nearMs.some((offMs) => streams[startMs + offMs]?.saidStartMs !== undefined);

export type StartsDraft = {
  /** The start of the stream that the point is of; its own, where that is none that is known. */
  readonly of: (series: string, startMs: number, count: number) => number;
  /** The newest point of a stream. */
  readonly told: (series: string, startMs: number, timeMs: number, count: number) => void;
};

/** `held`: what is known now. */
export const openStarts = (
  held: () => { readonly [series: string]: StreamsOfSeries },
  openedAtMs: number,
): StartsDraft => {
  // Most windows ask for neither: all of their starts are known, and said.
  let ofFamilies: Map<string, FamilyStarts> | undefined;
  const newest = new Map<string, Newest>();
  const inFamily = (series: string): FamilyStarts | undefined => {
    ofFamilies ??= startsOfFamilies(held());
    return ofFamilies.get(familyOf(series));
  };
  const newestOf = (series: string): Newest | undefined => {
    const streams = newest.has(series) ? {} : (held()[series] ?? {});
    for (const [startMs, { timeMs, count }] of Object.entries(streams))
      tell(newest, series, { startMs: Number(startMs), timeMs, count });
    return newest.get(series);
  };
  return {
    of: (series, startMs, count) => {
      const streams = held()[series];
      if (startMs === 0) {
        if (streams === undefined) return inFamily(series)?.newestMs ?? 0;
        const last = newestOf(series);
        return last === undefined || count < last.count ? 0 : last.startMs;
      }
      if (streams?.[startMs] !== undefined) return startMs;
      const starts = inFamily(series)?.all;
      const near = nearMs.find((offMs) => starts?.has(startMs + offMs));
      if (near !== undefined) return startMs + near;
      // It was told without its start before. Of a series that is new its family may have been.
      if (streams === undefined)
        return startMs < openedAtMs && starts?.has(0) === true ? 0 : startMs;
      const last = streams[0] === undefined ? undefined : newestOf(series);
      const isThat = last?.startMs === 0 && startMs <= last.timeMs && count >= last.count;
      return isThat ? 0 : startMs;
    },
    told: (series, startMs, timeMs, count) => {
      if (newest.has(series)) tell(newest, series, { startMs, timeMs, count });
      if (ofFamilies !== undefined) addTo(ofFamilies, series, startMs);
    },
  };
};

type Newest = { readonly startMs: number; readonly timeMs: number; readonly count: number };

/** Of two streams that were told of at once, what began last. */
const tell = (newest: Map<string, Newest>, series: string, one: Newest): void => {
  const last = newest.get(series);
  const isNewer =
    last === undefined ||
    one.timeMs > last.timeMs ||
    (one.timeMs === last.timeMs && one.startMs >= last.startMs);
  if (isNewer) newest.set(series, one);
};

type FamilyStarts = { readonly all: Set<number>; newestMs: number };

const startsOfFamilies = (held: {
  readonly [series: string]: StreamsOfSeries;
}): Map<string, FamilyStarts> => {
  const families = new Map<string, FamilyStarts>();
  for (const [series, streams] of Object.entries(held))
    for (const startMs of Object.keys(streams)) addTo(families, series, Number(startMs));
  return families;
};

const addTo = (families: Map<string, FamilyStarts>, series: string, startMs: number): void => {
  const name = familyOf(series);
  const family = families.get(name) ?? { all: new Set(), newestMs: 0 };
  family.all.add(startMs);
  family.newestMs = Math.max(family.newestMs, startMs);
  families.set(name, family);
};
