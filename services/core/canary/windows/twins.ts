import type { PointRefusal, Temporality } from '../../telemetry/point.ts';
import { isUncounted } from '../../telemetry/point.ts';
import { maySeveralSend } from '../../telemetry/series-sender.ts';
import { familyOf } from './stream-starts.ts';

// One server's exports that arrive twice, each time under a resource of their own: a sidecar and a DaemonSet both forward them,
// and one of them adds an attribute. Workers that share an instance id are told apart by starts, times and counts of their own.

/** What is looked at of a point that waits. */
export type ToldPoint = {
  readonly sender: string;
  readonly instance: string | null;
  readonly name: string;
  readonly unit: string;
  readonly series: string;
  readonly temporality: Temporality | null;
  readonly startMs: number;
  readonly timeMs: number;
  readonly count: number;
  readonly refused?: PointRefusal;
};

/** What speaks for a pair so far. */
type Suspicion = {
  /** Exports that were equal, with requests since the one before; 0: one was not, and they are two for good. */
  readonly times: number;
  /** Requests that were counted alike. */
  readonly count: number;
};

/** Plain JSON. A family is a metric of a resource and scope, and a pair is two of them, one behind the other. */
export type Twins = {
  readonly suspected: { readonly [pair: string]: Suspicion };
  /** Of a family that says what another said, that one. */
  readonly of: { readonly [family: string]: string };
};

export const noTwins: Twins = { suspected: {}, of: {} };

/** Workers with few requests may count the same at the same moment, but not again and again. */
const timesMin = 3;
const countMin = 30;
/** Beyond it pairs stay suspected. */
const pairsMax = 5_000;

/** What is known to be told twice is told as one series, so that it is a duplicate, and either fills what the other lost. */
export const asOneSender = <Point extends { readonly series: string }>(
  { of }: Twins,
  points: readonly Point[],
): readonly Point[] => {
  if (isEmpty(of)) return points;
  return points.map((point) => {
    const said = familyOf(point.series);
    let family = said;
    for (let next = of[family]; next !== undefined; next = of[family]) family = next;
    return family === said
      ? point
      : { ...point, series: `${family}${point.series.slice(said.length)}` };
  });
};

/**
 * Which points say what another one says, and may be that one. `sorted`: by time, start and series, each once.
 * `twins`: what is known from the next window on.
 */
export const twinsIn = (
  before: Twins,
  sorted: readonly ToldPoint[],
): { readonly doubtful: ReadonlySet<ToldPoint>; readonly twins: Twins } => {
  const doubtful = new Set<ToldPoint>();
  const draft = openTwins(before);
  for (const together of toldTogether(sorted))
    for (const [first, ...others] of familiesBySender(together)) {
      if (first === undefined || others.length === 0) continue;
      const counts = countsOf(first);
      for (const other of others) {
        const alike = alikeIn(counts, other);
        if (alike === undefined) continue;
        if (draft.isSuspect(first.family, other.family, alike))
          for (const point of alike.points) doubtful.add(point);
      }
    }
  return { doubtful, twins: draft.close() };
};

/** Points of one start and time, where they are of more than one family: most exports are of one. */
function* toldTogether(sorted: readonly ToldPoint[]): Generator<readonly ToldPoint[]> {
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    const first = sorted[from];
    if (first === undefined) return;
    let last = first;
    for (to = from + 1; to < sorted.length; to += 1) {
      const next = sorted[to];
      if (next?.timeMs !== first.timeMs || next.startMs !== first.startMs) break;
      last = next;
    }
    if (to - from > 1 && !last.series.startsWith(familyOf(first.series)))
      yield sorted.slice(from, to);
  }
}

type FamilyPoints = { readonly family: string; readonly points: readonly ToldPoint[] };

/** Of each sender's metric, the families that tell of it, where they are several. */
const familiesBySender = (together: readonly ToldPoint[]): Iterable<readonly FamilyPoints[]> => {
  const bySender = new Map<string, number[]>();
  let family: string | undefined;
  let families = 0;
  for (const [index, { series, sender }] of together.entries()) {
    if (family !== undefined && series.startsWith(family)) continue;
    family = familyOf(series);
    families += 1;
    const known = bySender.get(sender);
    if (known === undefined) bySender.set(sender, [index]);
    else known.push(index);
  }
  // As a rule each is of a sender of its own.
  if (families === bySender.size) return [];
  const byMetric = new Map<string, FamilyPoints[]>();
  for (const indexes of bySender.values())
    for (const from of indexes.length > 1 ? indexes : []) {
      const [first, ...others] = ofFamilyFrom(together, from);
      if (first === undefined) continue;
      const { temporality, unit, name, sender, series } = first;
      const key = `${temporality} ${unit} ${name} ${sender}`;
      const one = { family: familyOf(series), points: [first, ...others] };
      const known = byMetric.get(key);
      if (known === undefined) byMetric.set(key, [one]);
      else known.push(one);
    }
  return byMetric.values();
};

const ofFamilyFrom = (together: readonly ToldPoint[], from: number): readonly ToldPoint[] => {
  const family = familyOf(together[from]?.series ?? '');
  let to = from + 1;
  while (together[to]?.series.startsWith(family) === true) to += 1;
  return together.slice(from, to).filter(namesItsSender);
};

const namesItsSender = ({ temporality, instance, series, refused }: ToldPoint): boolean =>
  temporality !== null &&
  instance !== null &&
  series !== familyOf(series) &&
  !maySeveralSend(series) &&
  !isUncounted(refused);

/** What two families say alike. */
type Alike = {
  /** Of the second. */
  readonly points: readonly ToldPoint[];
  readonly count: number;
  /** Some series that both tell of has another count. */
  readonly hasOther: boolean;
};

/** By what tells a series from others of its family. */
type CountsOfSeries = ReadonlyMap<string, number>;

const countsOf = ({ family, points }: FamilyPoints): CountsOfSeries =>
  new Map(points.map(({ series, count }) => [series.slice(family.length), count]));

/** Undefined: no series is told by both. */
const alikeIn = (counts: CountsOfSeries, second: FamilyPoints): Alike | undefined => {
  const points = second.points.filter(({ series }) =>
    counts.has(series.slice(second.family.length)),
  );
  if (points.length === 0) return undefined;
  return {
    points,
    count: points.reduce((sum, { count }) => sum + count, 0),
    hasOther: points.some(
      ({ series, count }) => counts.get(series.slice(second.family.length)) !== count,
    ),
  };
};

const openTwins = (
  before: Twins,
): {
  /** Whether the second may say what the first says. */
  readonly isSuspect: (first: string, second: string, alike: Alike) => boolean;
  readonly close: () => Twins;
} => {
  let suspected: { [pair: string]: Suspicion } | undefined;
  let of: { [family: string]: string } | undefined;
  let pairs: number | undefined;
  const set = (pair: string, known: Suspicion | undefined, next: Suspicion): void => {
    pairs ??= Object.keys(before.suspected).length + Object.keys(before.of).length;
    if (known === undefined && pairs >= pairsMax) return;
    if (known === undefined) pairs += 1;
    suspected ??= { ...before.suspected };
    suspected[pair] = next;
  };
  return {
    isSuspect: (first, second, { points, count, hasOther }) => {
      if ((of ?? before.of)[second] !== undefined) return true;
      const pair = `${first}${second}`;
      const known = (suspected ?? before.suspected)[pair];
      if (known?.times === 0) return false;
      if (hasOther) {
        set(pair, known, { times: 0, count: 0 });
        return false;
      }
      if (count === 0) return false;
      const isDelta = points[0]?.temporality === 'delta';
      const isNew = isDelta || count !== known?.count;
      const next = {
        times: (known?.times ?? 0) + (isNew ? 1 : 0),
        count: isDelta ? (known?.count ?? 0) + count : count,
      };
      set(pair, known, next);
      if (next.times >= timesMin && next.count >= countMin && suspected?.[pair] !== undefined) {
        delete suspected[pair];
        of ??= { ...before.of };
        of[second] = first;
      }
      return true;
    },
    close: () => ({ suspected: suspected ?? before.suspected, of: of ?? before.of }),
  };
};

const isEmpty = (held: object): boolean => {
  for (const _key in held) return false;
  return true;
};
