import { thousandths } from '../statistics/rounding.ts';
import { isKnownShare } from '../metrics/traffic.ts';
import type { ByCohort } from './by-cohort.ts';
import type { Cohort } from './cohorts.ts';

// How many requests a server of each version gets lately: a server that has more of them is busier, and one that is not
// heard has lost none.

/**
 * Requests and windows, of which the older count for less: of a minute, and of three (without its first window, of which it
 * may have had a part). Windows since it was heard, and since it was first. Plain JSON.
 */
type Load = readonly [
  requests: number,
  windows: number,
  longRequests: number,
  longWindows: number,
  unheard: number,
  age: number,
];

/** By sender, of those who name their instance. */
type LoadsOfCohort = { readonly [sender: string]: Load };

export type LoadsLately = ByCohort<LoadsOfCohort> & {
  /** For so long they are not to be gone by yet: the share of the traffic has changed, or they were not known for a while. */
  readonly unsettledMs: number;
  /** So many servers of the canary were heard at once, at whatever share: those that are not heard now were there. */
  readonly canaryMost: number;
};

export const noLoadsLately: LoadsLately = {
  canary: {},
  baseline: {},
  unsettledMs: 0,
  canaryMost: 0,
};

/** What servers had at another share says nothing of what they have now, and it takes until they are no news to know that. */
export const loadsAtNewShare = (
  { canaryMost }: Pick<LoadsLately, 'canaryMost'>,
  windowMs: number,
): LoadsLately => ({
  ...noLoadsLately,
  canaryMost,
  unsettledMs: newsWindows(windowMs) * windowMs,
});

/** Who was first heard in one of the newest so many windows is news: it warms up, or ends as soon as it came. */
const newsWindows = (windowMs: number): number => Math.max(3, Math.ceil(newsMs / windowMs));
const newsMs = 60_000;

/** Requests of one server in a window lately, and how many are heard. */
export type ServerLoads = {
  readonly canaryServers: number;
  readonly baselineServers: number;
  /** The mean of the canary's servers. */
  readonly canary: number;
  /** What most of the baseline's have, or more: the lower median. One that is busier than all others does not move it. */
  readonly baselineUsual: number;
  /**
   * How many times the mean of the baseline's that of the canary's is, of servers that are no news; 1: plainly neither more
   * nor less, or most are news.
   */
  readonly busier: number;
  /** Servers of the canary that were heard and are not. */
  readonly canaryGone: number;
  /** The canary's servers plainly get more and more beside the baseline's: connections move to it one by one. */
  readonly isRising: boolean;
};

/** After so long a window counts for about a third. A loss is to be seen soon; how busy servers are, through exports that jitter. */
const keptMs = 60_000;
const longKeptMs = 180_000;
/** Who was not heard for so many windows may be gone, or hang, or not reach the collector: nobody knows what it has. */
const unheardMax = 1;
const ageMax = 1_000;
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
/** By so much the share of a minute is above that of three, and not by chance alone. Who rises a little is still on the way. */
const risingMin = 0.02;
const risingDeviations = 1;

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
  const wereKnown =
    (isAnyHeard(before.canary) && isAnyHeard(before.baseline)) || before.unsettledMs > 0;
  const isNameless = ofCanary === undefined || ofBaseline === undefined;
  const canary = loadsOf(before.canary, ofCanary, windowMs);
  return {
    canary,
    baseline: loadsOf(before.baseline, ofBaseline, windowMs),
    unsettledMs: isNameless
      ? wereKnown
        ? newsWindows(windowMs) * windowMs
        : 0
      : Math.max(0, before.unsettledMs - windowMs),
    canaryMost: Math.max(before.canaryMost, Object.values(canary).filter(isHeard).length),
  };
};

const isHeard = ([, , , , unheard]: Load): boolean => unheard <= unheardMax;

const isAnyHeard = (loads: LoadsOfCohort): boolean => Object.values(loads).some(isHeard);

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
    const [requests, windows, longRequests, longWindows, unheard, age] = load;
    const count = counts.get(sender);
    if (count === undefined && unheard >= forgottenAfter) continue;
    servers += 1;
    after[sender] = [
      thousandths(requests * kept + (count ?? 0)),
      thousandths(windows * kept + 1),
      thousandths(longRequests * longKept + (count ?? 0)),
      thousandths(longWindows * longKept + 1),
      count === undefined ? unheard + 1 : 0,
      Math.min(ageMax, age + 1),
    ];
  }
  for (const [sender, count] of counts) {
    if (Object.hasOwn(before, sender) || servers >= serversMax) continue;
    servers += 1;
    after[sender] = [count, 1, 0, 0, 0, 0];
  }
  return after;
};

/** Null: of either version no server is heard that names itself. */
export const serverLoads = (
  { canary, baseline, canaryMost }: Omit<LoadsLately, 'unsettledMs'>,
  windowMs: number,
): ServerLoads | null => {
  const newsMax = newsWindows(windowMs);
  const [ofCanary, ofBaseline] = [heardIn(canary, newsMax), heardIn(baseline, newsMax)];
  return ofCanary.length === 0 || ofBaseline.length === 0
    ? null
    : {
        canaryServers: ofCanary.length,
        baselineServers: ofBaseline.length,
        canary: thousandths(meanOf(ofCanary, 'perWindow')),
        baselineUsual: thousandths(usualOf(ofBaseline)),
        busier: busierBy(ofCanary, ofBaseline),
        canaryGone: Math.max(0, canaryMost - ofCanary.length),
        isRising: isRising(ofCanary, ofBaseline),
      };
};

type Heard = {
  /** Of a minute. */
  readonly requests: number;
  /** In a window lately. */
  readonly perWindow: number;
  /** No news, and heard in the newest window. */
  readonly isKnown: boolean;
  readonly longRequests: number;
  readonly longPerWindow: number;
};

/**
 * Whether the canary loses requests that neither a server of it has that is not heard, nor one of the baseline's that is
 * busier than all others: its servers have less than the baseline's usually have, or less than they should have together
 * with others that are not heard: as many as once were, or half as many (one, beside one), or as many where those that are heard are
 * as busy as the baseline's, as they are who have their part by servers. `least`: the part of its share that it may get.
 */
export const areServersLosing = (
  { canaryServers, baselineServers, canary, baselineUsual, ...lately }: ServerLoads,
  share: number,
  least: number,
): boolean => {
  if (lately.isRising) return false;
  if (canary < least * baselineUsual) return true;
  const mayBe = canary <= asBusyMax * baselineUsual ? canaryServers : Math.floor(canaryServers / 2);
  const unheard = Math.max(1, mayBe, Math.min(lately.canaryGone, 2 * canaryServers));
  return (
    canary * (canaryServers + unheard) * (1 - share) <
    least * baselineUsual * baselineServers * share
  );
};

/** A little busier is as busy. */
const asBusyMax = 1.25;

/**
 * How many times busier the canary's servers are, and no more than follows from its share of the traffic and from how many
 * servers there are: requests that only the canary gets (of a load test, of probes) grant it nothing. `share`: null where nobody told it.
 */
export const busierAt = (
  { busier, canaryServers, baselineServers }: ServerLoads,
  share: number | null,
): number => {
  const byShare = busierByShare(canaryServers, baselineServers, share);
  return byShare === null ? busier : Math.min(busier, Math.max(1, shareSlack * byShare));
};

/**
 * Whether the canary's servers are so much busier than follows from its share that their level may be of requests which only they
 * get (a load test, a customer that keeps its connections): that is neither granted nor held against it.
 */
export const isBusierThanShare = (loads: ServerLoads, share: number | null): boolean =>
  loads.busier > shareSlack * busierAt(loads, share);

/** Whether anything may be granted, as far as its share tells, once it is known what servers have. */
export const mayBeBusier = (
  { canaryServers, baselineServers }: ServerLoads,
  share: number | null,
): boolean => (busierByShare(canaryServers, baselineServers, share) ?? Infinity) > evenMax;

/** Null: nobody told its share. */
const busierByShare = (
  canaryServers: number,
  baselineServers: number,
  share: number | null,
): number | null =>
  isKnownShare(share) ? (share / (1 - share)) * (baselineServers / canaryServers) : null;

/** A share is told in round numbers: so much more is none, and so much more may follow from it. */
const evenMax = 1.05;
const shareSlack = 1.1;

/** From the least busy on: a sum is the same whoever was heard first. */
const heardIn = (loads: LoadsOfCohort, newsMax: number): readonly Heard[] =>
  Object.values(loads)
    .filter(isHeard)
    .map(([requests, windows, longRequests, longWindows, unheard, age]) => ({
      requests,
      perWindow: requests / windows,
      isKnown: unheard === 0 && age + 1 >= newsMax,
      longRequests,
      longPerWindow: longWindows === 0 ? 0 : longRequests / longWindows,
    }))
    .toSorted(
      (left, right) =>
        left.perWindow - right.perWindow ||
        left.longRequests - right.longRequests ||
        left.longPerWindow - right.longPerWindow,
    );

const meanOf = (heard: readonly Heard[], of: 'perWindow' | 'longPerWindow'): number =>
  sumOf(heard, of) / heard.length;

const sumOf = (heard: readonly Heard[], of: Exclude<keyof Heard, 'isKnown'>): number =>
  heard.reduce((sum, one) => sum + one[of], 0);

const usualOf = (heard: readonly Heard[]): number =>
  heard[Math.floor((heard.length - 1) / 2)]?.perWindow ?? 0;

/** Of servers that are no news: the first window of one counts in the short mean alone. */
const isRising = (all: readonly Heard[], allOfBaseline: readonly Heard[]): boolean => {
  const canary = all.filter(({ isKnown }) => isKnown);
  const baseline = allOfBaseline.filter(({ isKnown }) => isKnown);
  const [short, long] = (['perWindow', 'longPerWindow'] as const).map(
    (of) => meanOf(canary, of) / meanOf(baseline, of),
  ) as [number, number];
  const counted = Math.min(sumOf(canary, 'requests'), sumOf(baseline, 'requests'));
  // Not where either has had none lately, or yet.
  if (!(short > 0 && long > 0 && Number.isFinite(short) && Number.isFinite(long))) return false;
  return Math.log(short / long) > Math.max(risingMin, risingDeviations * Math.sqrt(2 / counted));
};

const busierBy = (all: readonly Heard[], allOfBaseline: readonly Heard[]): number => {
  const canary = all.filter(({ isKnown }) => isKnown);
  const baseline = allOfBaseline.filter(({ isKnown }) => isKnown);
  if (2 * canary.length < all.length || 2 * baseline.length < allOfBaseline.length) return 1;
  const [ofCanary, ofBaseline] = [sumOf(canary, 'longRequests'), sumOf(baseline, 'longRequests')];
  if (ofCanary === 0 || ofBaseline === 0) return 1;
  const ratio = meanOf(canary, 'longPerWindow') / meanOf(baseline, 'longPerWindow');
  const deviation = Math.sqrt(1 / ofCanary + 1 / ofBaseline);
  const apart = Math.abs(Math.log(ratio));
  return apart > Math.log(busierMin) && apart > deviationsMin * deviation
    ? Math.max(busierLeast, thousandths(ratio))
    : 1;
};
