import { thousandths } from '../statistics/rounding.ts';
import type { Cohort } from './cohorts.ts';

// How many requests a server of each version gets lately: a server that has more of them is busier, and one that is not
// heard has lost none.

/** Requests and windows, of which the older count for less: of a minute, and of three. Windows since it was heard. Plain JSON. */
type Load = readonly [
  requests: number,
  windows: number,
  longRequests: number,
  longWindows: number,
  unheard: number,
];

/** By sender, of those who name their instance. */
type LoadsOfCohort = { readonly [sender: string]: Load };

export type LoadsLately = {
  readonly canary: LoadsOfCohort;
  readonly baseline: LoadsOfCohort;
  /** For so long they are not to be gone by yet: the share of the traffic has changed, or they were not known for a while. */
  readonly unsettledMs: number;
};

export const noLoadsLately: LoadsLately = { canary: {}, baseline: {}, unsettledMs: 0 };

/** As it takes to know them again. */
const settlesMs = 60_000;

/** What servers had at another share says nothing of what they have now. */
export const loadsAtNewShare: LoadsLately = { ...noLoadsLately, unsettledMs: settlesMs };

/** Requests of one server in a window lately, and how many are heard. */
export type ServerLoads = {
  readonly canaryServers: number;
  readonly baselineServers: number;
  /** The mean of the canary's servers. */
  readonly canary: number;
  /** What most of the baseline's have, or more: the lower median. One that is busier than all others does not move it. */
  readonly baselineUsual: number;
  /** How many times the mean of the baseline's that of the canary's is; 1: plainly neither more nor less. */
  readonly busier: number;
};

/** After so long a window counts for about a third. A loss is to be seen soon; how busy servers are, through exports that jitter. */
const keptMs = 60_000;
const longKeptMs = 180_000;
/** Who was not heard for so many windows may be gone, or hang, or not reach the collector: nobody knows what it has. */
const unheardMax = 1;
/** Then it is forgotten. */
const forgottenAfter = 10;
/** In each version; of more these stand for all. */
const serversMax = 1_000;
/** So large a part of the requests may be of senders without a name. */
const namelessMax = 0.1;
/** Less is no load that anybody sees. */
const busierMin = 1.1;
/** As little as is told. */
const busierLeast = 0.001;
/** Standard deviations of counts by chance. */
const deviationsMin = 2;

type Counted = {
  readonly point: {
    readonly cohort: Cohort;
    readonly sender: string;
    readonly instance: string | null;
  };
  readonly added: { readonly count: number };
};

/** With the requests of a window, each of them once. */
export const withLoads = (
  before: LoadsLately,
  counted: readonly Counted[],
  windowMs: number,
): LoadsLately => {
  const [ofCanary, ofBaseline] = [countsIn(counted, 'canary'), countsIn(counted, 'baseline')];
  const wereKnown = serverLoads(before) !== null || before.unsettledMs > 0;
  const isNameless = ofCanary === undefined || ofBaseline === undefined;
  return {
    canary: loadsOf(before.canary, ofCanary, windowMs),
    baseline: loadsOf(before.baseline, ofBaseline, windowMs),
    unsettledMs: isNameless
      ? wereKnown
        ? settlesMs
        : 0
      : Math.max(0, before.unsettledMs - windowMs),
  };
};

/** Also of who was asked nothing, and says so. Undefined: too many name no instance. */
const countsIn = (
  counted: readonly Counted[],
  cohort: Cohort,
): ReadonlyMap<string, number> | undefined => {
  const counts = new Map<string, number>();
  let [requests, nameless] = [0, 0];
  for (const { point, added } of counted) {
    if (point.cohort !== cohort) continue;
    requests += added.count;
    if (point.instance === null) nameless += added.count;
    else counts.set(point.sender, (counts.get(point.sender) ?? 0) + added.count);
  }
  return nameless > namelessMax * requests ? undefined : counts;
};

const loadsOf = (
  before: LoadsOfCohort,
  counts: ReadonlyMap<string, number> | undefined,
  windowMs: number,
): LoadsOfCohort => {
  if (counts === undefined) return {};
  const [kept, longKept] = [Math.exp(-windowMs / keptMs), Math.exp(-windowMs / longKeptMs)];
  const after: { [sender: string]: Load } = {};
  let servers = 0;
  for (const [sender, load] of Object.entries(before)) {
    const [requests, windows, longRequests, longWindows, unheard] = load;
    const count = counts.get(sender);
    if (count === undefined && unheard >= forgottenAfter) continue;
    servers += 1;
    after[sender] = [
      thousandths(requests * kept + (count ?? 0)),
      thousandths(windows * kept + 1),
      thousandths(longRequests * longKept + (count ?? 0)),
      thousandths(longWindows * longKept + 1),
      count === undefined ? unheard + 1 : 0,
    ];
  }
  for (const [sender, count] of counts) {
    if (Object.hasOwn(before, sender) || servers >= serversMax) continue;
    servers += 1;
    after[sender] = [count, 1, count, 1, 0];
  }
  return after;
};

/** Null: of either version no server is heard that names itself. */
export const serverLoads = ({
  canary,
  baseline,
}: Pick<LoadsLately, Cohort>): ServerLoads | null => {
  const [ofCanary, ofBaseline] = [heardIn(canary), heardIn(baseline)];
  return ofCanary.length === 0 || ofBaseline.length === 0
    ? null
    : {
        canaryServers: ofCanary.length,
        baselineServers: ofBaseline.length,
        canary: thousandths(meanOf(ofCanary, 'perWindow')),
        baselineUsual: thousandths(usualOf(ofBaseline)),
        busier: busierBy(ofCanary, ofBaseline),
      };
};

type Heard = {
  /** In a window lately. */
  readonly perWindow: number;
  readonly longRequests: number;
  readonly longPerWindow: number;
};

/**
 * Whether the canary loses requests that neither a server of it has that is not heard, nor one of the baseline's that is
 * busier than all others: its servers have less than the baseline's usually have, or less than half of what they
 * should have together, at most as many not being heard as are. `least`: the part of its share that it may get.
 */
export const areServersLosing = (
  { canaryServers, baselineServers, canary, baselineUsual }: ServerLoads,
  share: number,
  least: number,
): boolean =>
  canary < least * baselineUsual ||
  2 * canary * canaryServers * (1 - share) < least * baselineUsual * baselineServers * share;

/** From the least busy on: a sum is the same whoever was heard first. */
const heardIn = (loads: LoadsOfCohort): readonly Heard[] =>
  Object.values(loads)
    .flatMap(([requests, windows, longRequests, longWindows, unheard]) =>
      unheard > unheardMax
        ? []
        : [
            {
              perWindow: requests / windows,
              longRequests,
              longPerWindow: longRequests / longWindows,
            },
          ],
    )
    .toSorted(
      (left, right) => left.perWindow - right.perWindow || left.longRequests - right.longRequests,
    );

const meanOf = (heard: readonly Heard[], of: 'perWindow' | 'longPerWindow'): number =>
  sumOf(heard, of) / heard.length;

const sumOf = (heard: readonly Heard[], of: keyof Heard): number =>
  heard.reduce((sum, one) => sum + one[of], 0);

const usualOf = (heard: readonly Heard[]): number =>
  heard[Math.floor((heard.length - 1) / 2)]?.perWindow ?? 0;

const busierBy = (canary: readonly Heard[], baseline: readonly Heard[]): number => {
  const [ofCanary, ofBaseline] = [sumOf(canary, 'longRequests'), sumOf(baseline, 'longRequests')];
  if (ofCanary === 0 || ofBaseline === 0) return 1;
  const ratio = meanOf(canary, 'longPerWindow') / meanOf(baseline, 'longPerWindow');
  const deviation = Math.sqrt(1 / ofCanary + 1 / ofBaseline);
  const apart = Math.abs(Math.log(ratio));
  return apart > Math.log(busierMin) && apart > deviationsMin * deviation
    ? Math.max(busierLeast, thousandths(ratio))
    : 1;
};
