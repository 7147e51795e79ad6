import { thousandths } from './rounding.ts';

// How much the counts at hand scatter: phi of the history, at the traffic that the canary has now.
//
// What all requests of an instance share (a slow node, a noisy neighbour) does not grow smaller with more requests,
// while what chance does to each of them does: phi - 1 is in proportion to w = 1 / (1/n_c + 1/n_b). With more traffic
// than in the history phi is therefore phi_w = 1 + (phi - 1) w / w_history. What the history leaves open grows with it:
// phi is the mean of so many squares, whose standard error is phi sqrt(2 / batches), and what is beyond the traffic of
// the history is reckoned from two of them above:
//
//   phi_w = phi + (phi - 1 + 2 phi sqrt(2 / batches)) (w / w_history - 1).
//
// With less traffic it stays what was measured: errors that come in clusters scatter as much then.
//
// Everything that a window says is divided by its phi_w. It depends on numbers of requests alone, of earlier windows
// and of the window itself, and given these the tests hold: the expectation of e^(x / phi_w) is at most 1 where that of
// e^x is (Jensen), whatever phi_w >= 1 each window has.

/** The traffic that a phi was measured at; and by how much what came before counts less with every window. */
export type MeasuredAt = {
  /** 1 / (1/n_c + 1/n_b) in a window, requests. */
  readonly weight: number;
  /** Batches of the history. */
  readonly batches: number;
  readonly kept: number;
};

/**
 * Requests of the canary and of the baseline, and windows, of about the last minute; then the least and the most times
 * the traffic of the history it was in judged windows (`raisedTimes`), 0 before the first.
 */
export type TrafficSeen = readonly [
  canary: number,
  baseline: number,
  windows: number,
  least: number,
  most: number,
];

export const noTrafficSeen: TrafficSeen = [0, 0, 0, 0, 0];

/** As it is kept: so many numbers of a list, where a rule has a traffic to compare with; else none. */
const seenLength = 5;
export const trafficLength = (at: MeasuredAt | null): number => (at === null ? 0 : seenLength);

export const trafficIn = (
  at: MeasuredAt | null,
  numbers: readonly number[],
  from: number,
): TrafficSeen =>
  at === null
    ? noTrafficSeen
    : [
        numbers[from] ?? 0,
        numbers[from + 1] ?? 0,
        numbers[from + 2] ?? 0,
        numbers[from + 3] ?? 0,
        numbers[from + 4] ?? 0,
      ];

/** Adds a window in which both cohorts had requests, in a list of the asker's. */
export const addTraffic = (
  at: MeasuredAt | null,
  numbers: number[],
  from: number,
  canary: number,
  baseline: number,
  isJudged: boolean,
): void => {
  if (at === null) return;
  const seen = withTraffic(at, trafficIn(at, numbers, from), canary, baseline, isJudged);
  for (let index = 0; index < seenLength; index += 1) numbers[from + index] = seen[index] ?? 0;
};

/**
 * A quarter more is the same traffic: phi is not known better than to a sixth. So is what a minute of a dozen requests is
 * by chance, two standard errors.
 */
const sameTrafficTimes = 1.25;
const errorsAbove = 2;

/** With a window in which both cohorts had requests. */
export const withTraffic = (
  at: MeasuredAt | null,
  seen: TrafficSeen,
  canary: number,
  baseline: number,
  isJudged: boolean,
): TrafficSeen => {
  if (at === null) return seen;
  const [, , , least, most] = seen;
  const now: TrafficSeen = [
    thousandths(seen[0] * at.kept + canary),
    thousandths(seen[1] * at.kept + baseline),
    thousandths(seen[2] * at.kept + 1),
    least,
    most,
  ];
  if (!isJudged) return now;
  const times = raisedTimes(at, now);
  const isFirst = most === 0;
  return [now[0], now[1], now[2], isFirst ? times : Math.min(least, times), Math.max(most, times)];
};

/** How many times the traffic of the history it is at present, at least 1. */
export const raisedTimes = (
  at: MeasuredAt | null,
  [canary, baseline, windows]: TrafficSeen,
): number => {
  if (at === null || canary === 0 || baseline === 0) return 1;
  const times = (canary * baseline) / ((canary + baseline) * windows * at.weight);
  const byChance = errorsAbove * weightError(at, canary, baseline);
  return times > sameTrafficTimes + byChance ? thousandths(times) : 1;
};

/**
 * The relative standard error of 1 / (1/n_c + 1/n_b): of counts of which with every window only a part k of what came
 * before is kept, the variance is 1 / (1 + k) of the mean.
 */
const weightError = ({ kept }: MeasuredAt, canary: number, baseline: number): number =>
  Math.sqrt((baseline ** 2 / canary + canary ** 2 / baseline) / (1 + kept)) / (canary + baseline);

/** phi at so many times the traffic. */
export const raisedPhi = (at: MeasuredAt | null, phi: number, times: number): number => {
  if (at === null || times === 1) return phi;
  const open = errorsAbove * phi * Math.sqrt(2 / at.batches);
  return phi + (phi - 1 + open) * (times - 1);
};

/** What people are told of the phi that was used in judged windows. */
export type UsedPhi = {
  /** The largest. */
  readonly phi: number;
  /** The smallest: the same, but where traffic changed. */
  readonly phiLeast: number;
  /** It is more than was measured, for the traffic was. */
  readonly isPhiRaised: boolean;
};

export const usedPhi = (
  at: MeasuredAt | null,
  phi: number,
  [, , , least, most]: TrafficSeen,
): UsedPhi => ({
  phi: raisedPhi(at, phi, Math.max(1, most)),
  phiLeast: raisedPhi(at, phi, Math.max(1, least)),
  isPhiRaised: most > 1,
});
