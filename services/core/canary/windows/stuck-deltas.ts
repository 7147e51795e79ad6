import { isUncounted } from '../../telemetry/point.ts';
import { familyOf } from './stream-starts.ts';
import type { ToldPoint } from './twins.ts';

// A delta whose start does not move may be one all the same, or a counter that is called a delta. A counter never falls;
// deltas of many series soon do, somewhere.

/** Plain JSON. */
export type StuckDeltas = {
  /** Of series whose spans are long, the newest point. */
  readonly newest: {
    readonly [series: string]: { readonly startMs: number; readonly count: number };
  };
  /** By family and start, what one of its series did. What fell once is a delta. */
  readonly families: { readonly [name: string]: 'rose' | 'fell' };
};

export const noStuckDeltas: StuckDeltas = { newest: {}, families: {} };

/** A delta's span is that of an export; one whose start does not move has it longer each time. */
const longerBy = 3;
/** Beyond it nothing is held against a delta. */
const rememberedMax = 20_000;

/**
 * Which points may be of counters, though they say that they are deltas. `sorted`: by time. `windowMs`: how often is exported;
 * 0: not known, then none is. `stuck`: what is known from the next window on.
 */
export const countersIn = (
  before: StuckDeltas,
  sorted: readonly ToldPoint[],
  windowMs: number,
): { readonly counters: ReadonlySet<ToldPoint>; readonly stuck: StuckDeltas } => {
  const counters = new Set<ToldPoint>();
  const long = windowMs > 0 ? sorted.filter((point) => isLong(point, windowMs)) : [];
  if (long.length === 0) return { counters, stuck: before };
  const newest = { ...before.newest };
  const families = { ...before.families };
  let remembered = Object.keys(newest).length + Object.keys(families).length;
  for (const point of long) {
    const { series, startMs, count } = point;
    const name = nameOf(point);
    const last = newest[series];
    if (families[name] === 'fell') {
      if (last !== undefined) remembered -= 1;
      delete newest[series];
      continue;
    }
    if (last?.startMs === startMs && last.count !== count) {
      if (families[name] === undefined) remembered += 1;
      families[name] = count < last.count ? 'fell' : 'rose';
    }
    if (last === undefined && remembered >= rememberedMax) continue;
    if (last === undefined) remembered += 1;
    newest[series] = { startMs, count };
  }
  for (const point of long) if (families[nameOf(point)] === 'rose') counters.add(point);
  return { counters, stuck: { newest, families } };
};

const nameOf = ({ series, startMs }: ToldPoint): string => `${familyOf(series)}:${startMs}`;

const isLong = ({ temporality, refused, startMs, timeMs }: ToldPoint, windowMs: number): boolean =>
  temporality === 'delta' && timeMs - startMs > longerBy * windowMs && !isUncounted(refused);
