import type { ManyRestarts } from '../judge/judged-window.ts';
import type { Cohort } from './cohorts.ts';
import { isUncounted } from '../../telemetry/point.ts';
import { maySeveralSend } from '../../telemetry/series-sender.ts';
import { byText } from './cohort-windows.ts';
import type { PendingPoint } from './cohort-windows.ts';
import { exportGapMs, mayHaveForgotten } from './stream-bases.ts';
import type { Bases } from './stream-bases.ts';

// Servers that crash and begin anew answer well as long as they live, so neither errors nor durations need show it. What
// shows is that all counters of a server have a later start and count from below again. Only what is certain is a restart:
// of servers with a name, told by counters that say their start; deltas, new names and starts that move on tell nothing.

/** A server that began anew. */
export type ServerRestart = {
  readonly cohort: Cohort;
  readonly server: string;
  /** When it began anew. */
  readonly startMs: number;
  /** Of the servers that were heard then, the share that was the canary's. */
  readonly canaryShare: number;
};

/** Plain JSON. */
export type ServerRestarts = {
  /** Of each server whose restart would be seen, the time of its newest export. */
  readonly newestMs: { readonly [server: string]: number };
  /** Those that are remembered, of each version in the order in which they were told. */
  readonly restarts: readonly ServerRestart[];
};

export const noServerRestarts: ServerRestarts = { newestMs: {}, restarts: [] };

/** For so long a restart is remembered: a bad quarter of an hour passes. */
const restartsRememberedMs = 1_200_000;
/** Of each version; the newest of more. */
const rememberedMax = 50;
/** With fewer there is no telling, however rare they are. */
const restartsMin = 3;
/** As many as the canary has, or more, would come of servers that are alike less often than this. */
const chanceMax = 0.01;

/** As far as counters are told by clocks that are asked one after the other. */
const sameStartMs = 5;

/** Beyond it servers are not told from new ones. */
const serversMax = 5_000;

/**
 * With the points of a window. `bases`: of before it. `fromMs`: the end of the warm-up, before which a restart is one of the
 * rollout's; null: not known yet.
 */
export const closeServerRestarts = (
  { newestMs, restarts }: ServerRestarts,
  due: readonly PendingPoint[],
  { ofSeries }: Pick<Bases, 'ofSeries'>,
  { endMs, windowMs, fromMs }: ClosedAt,
): ServerRestarts => {
  const isGone = (atMs: number): boolean => mayHaveForgotten(endMs - atMs, windowMs);
  const newest = new Map(Object.entries(newestMs).filter(([, atMs]) => !isGone(atMs)));
  let kept = restarts.filter(({ startMs }) => startMs > endMs - restartsRememberedMs);
  const told: Omit<ServerRestart, 'canaryShare'>[] = [];
  for (const { cohort, server, timeMs, startMs, counts } of exportsOf(due)) {
    // What goes on under an earlier start is another one of that name.
    const isOfOther = (one: Omit<ServerRestart, 'canaryShare'>): boolean =>
      one.server === server && one.startMs < timeMs && startMs < one.startMs - sameStartMs;
    if (kept.some(isOfOther)) kept = kept.filter((one) => !isOfOther(one));
    if (told.some(isOfOther)) told.splice(0, told.length, ...told.filter((one) => !isOfOther(one)));
    const lastMs = newest.get(server);
    if (lastMs !== undefined || newest.size < serversMax) newest.set(server, timeMs);
    const isRestart =
      fromMs !== null &&
      lastMs !== undefined &&
      startMs >= Math.max(lastMs + exportGapMs, fromMs) &&
      !mayHaveForgotten(startMs - lastMs, windowMs) &&
      countsAnew(counts, ofSeries);
    if (isRestart) told.push({ cohort, server, startMs });
  }
  const canaryShare = canaryShareOf([...newest.keys()]);
  const all = [...kept, ...told.map((one) => ({ ...one, canaryShare }))];
  return {
    newestMs: Object.fromEntries(newest),
    restarts: [...newestOf(all, 'canary'), ...newestOf(all, 'baseline')],
  };
};

/** Where a window stands. */
type ClosedAt = {
  readonly endMs: number;
  readonly windowMs: number;
  readonly fromMs: number | null;
};

const newestOf = (restarts: readonly ServerRestart[], cohort: Cohort): readonly ServerRestart[] =>
  restarts.filter((one) => one.cohort === cohort).slice(-rememberedMax);

/**
 * Restarts of the canary that are clearly more often, by server, than the baseline's; null: they are not. Each restart is as
 * likely the canary's as its share of the servers then is, if servers are alike: the chance of so many. And one server must
 * have done it twice: all of them once is a rollout, or a node that went away.
 */
export const manyRestarts = ({ newestMs, restarts }: ServerRestarts): ManyRestarts | null => {
  const ofCanary = restarts.filter(({ cohort }) => cohort === 'canary');
  const canary = ofCanary.length;
  const isAgain = new Set(ofCanary.map(({ server }) => server)).size < canary;
  if (canary < restartsMin || !isAgain) return null;
  if (chanceOf(canary, restarts) >= chanceMax) return null;
  const servers = Object.keys(newestMs);
  const canaryServers = servers.filter(isOfCanary).length;
  return {
    canary,
    baseline: restarts.length - canary,
    canaryServers,
    baselineServers: servers.length - canaryServers,
  };
};

/** That so many or more of them are the canary's, exactly. */
const chanceOf = (canary: number, restarts: readonly ServerRestart[]): number => {
  // By how many are the canary's, of those looked at so far.
  let chances = [1];
  for (const { canaryShare } of restarts)
    chances = [...chances, 0].map(
      (chance, count) => chance * (1 - canaryShare) + (chances[count - 1] ?? 0) * canaryShare,
    );
  return chances.slice(canary).reduce((sum, chance) => sum + chance, 0);
};

/** What one server told with one export. */
type Export = {
  readonly cohort: Cohort;
  readonly server: string;
  readonly timeMs: number;
  /** The first of its series. */
  startMs: number;
  /** Of each series. What came twice, or contradicts itself, is one. */
  readonly counts: Map<string, number>;
};

const exportsOf = (due: readonly PendingPoint[]): readonly Export[] => {
  const all: Export[] = [];
  const newest = new Map<string, Export>();
  for (const point of due.filter(tellsStart).toSorted(byTime)) {
    const { cohort, sender, series, timeMs, startMs, count } = point;
    const server = `${cohort} ${sender}`;
    let one = newest.get(server);
    if (one === undefined || timeMs >= one.timeMs + exportGapMs) {
      one = { cohort, server, timeMs, startMs, counts: new Map() };
      newest.set(server, one);
      all.push(one);
    }
    one.startMs = Math.min(one.startMs, startMs);
    one.counts.set(series, Math.max(one.counts.get(series) ?? 0, count));
  }
  return all;
};

const byTime = (one: PendingPoint, other: PendingPoint): number =>
  one.timeMs - other.timeMs || byText(one.cohort, other.cohort) || byText(one.sender, other.sender);

const tellsStart = ({ temporality, instance, series, startMs, refused }: PendingPoint): boolean =>
  temporality === 'cumulative' &&
  instance !== null &&
  startMs > 0 &&
  !maySeveralSend(series) &&
  !isUncounted(refused);

/** Whether what is known of them has fallen: a start that moves while its counter goes on is none. */
const countsAnew = (counts: Export['counts'], ofSeries: Bases['ofSeries']): boolean => {
  let [counted, countedBefore] = [0, 0];
  for (const [series, count] of counts) {
    const streams = Object.values(ofSeries[series] ?? {});
    if (streams.length === 0) continue;
    counted += count;
    countedBefore += streams.reduce((last, one) => (one.timeMs > last.timeMs ? one : last)).count;
  }
  return counted < countedBefore;
};

const isOfCanary = (server: string): boolean => server.startsWith('canary ');

const canaryShareOf = (servers: readonly string[]): number =>
  servers.filter(isOfCanary).length / Math.max(1, servers.length);
