import type { RateCounts, RatePair, SaidCounts } from '../statistics/rate-counts.ts';
import type { WindowMark } from '../windows/window.ts';

// Errors of the client's (4xx, UNAUTHENTICATED) are no failures of the service's, so nobody is rolled back for them. But
// a version that suddenly refuses what the other one takes is seldom meant so: while it plainly does, nothing passes.

/**
 * Since a window in which the canary had plainly more of them, as long as most of the windows agree: one client that tries
 * again and again at one server is some loud windows, and a changed version is all of them. Plain JSON.
 */
export type ClientErrorsState = {
  readonly since: WindowMark;
  /** Windows with plainly more, less those without; 0 ends it. */
  readonly votes: number;
  /** Events are errors of the client's. */
  readonly canary: RateCounts;
  readonly baseline: RateCounts;
  /** Windows with requests of both, and of each one the sum of events²/total of them: clients come in clumps. */
  readonly windows: number;
  readonly squares: { readonly [Of in keyof RatePair]: number };
};

/** Events are errors of the client's. */
export type ClientErrors = Pick<ClientErrorsState, 'since' | 'canary' | 'baseline'>;

/** Plainly more are as many times as many, and so much more of all requests. */
const plainly = { times: 2, more: 0.01 } as const;
/** So long it must have been so, and of a short soak the half. */
const heldForMs = 60_000;
const windowsMin = 3;
/** Fewer errors may be chance whatever their share. */
const eventsMin = 10;
/** Standard deviations by which a share must be above what would be plainly more. */
const deviations = 3;

/** Of a family's rule. */
type Times = { readonly windowMs: number; readonly soakMs: number };

const votesNeeded = ({ windowMs, soakMs }: Times): number =>
  Math.max(windowsMin, Math.ceil(Math.min(heldForMs, soakMs / 2) / windowMs));

type Shown = { readonly canary: SaidCounts | null; readonly baseline: SaidCounts | null };

/** With one window. Null where there is nothing to remember: nobody pays for errors that nobody sends. */
export const clientErrorsWith = (
  times: Times,
  before: ClientErrorsState | null,
  { canary, baseline }: Shown,
  { index, startMs }: WindowMark,
): ClientErrorsState | null => {
  if (before === null && canary?.clientErrors === undefined) return null;
  const [ofCanary, ofBaseline] = [countsOf(canary), countsOf(baseline)];
  if (ofCanary === null || ofBaseline === null) return before;
  const sums = {
    canary: added(before?.canary, ofCanary),
    baseline: added(before?.baseline, ofBaseline),
  };
  // Few requests of the baseline's are often all without: then what it has shown since is asked.
  const asked = ofBaseline.events === 0 ? sums.baseline : ofBaseline;
  const vote = rateOf(ofCanary) > plainlyMore(rateOf(asked)) ? 1 : -1;
  const votes = Math.min(2 * votesNeeded(times), (before?.votes ?? 0) + vote);
  if (votes <= 0) return null;
  return {
    since: before?.since ?? { index, startMs },
    votes,
    ...sums,
    windows: (before?.windows ?? 0) + 1,
    squares: {
      canary: (before?.squares.canary ?? 0) + squareOf(ofCanary),
      baseline: (before?.squares.baseline ?? 0) + squareOf(ofBaseline),
    },
  };
};

/** Of the requests of which a point says how they ended; null: of none, so nobody knows who refused how many. */
const countsOf = (shown: SaidCounts | null): RateCounts | null =>
  shown?.said === undefined
    ? null
    : { total: shown.said.good + shown.events, events: shown.clientErrors ?? 0 };

const added = (sums: RateCounts | undefined, { total, events }: RateCounts): RateCounts => ({
  total: (sums?.total ?? 0) + total,
  events: (sums?.events ?? 0) + events,
});

const rateOf = ({ total, events }: RateCounts): number => events / total;

const squareOf = ({ total, events }: RateCounts): number => events ** 2 / total;

/** Than a share of the baseline's requests. */
const plainlyMore = (rate: number): number => Math.max(plainly.times * rate, rate + plainly.more);

/** The baseline's share from which on such a share of the canary's is not plainly more. */
const notPlainlyMore = (rate: number): number =>
  Math.min(rate / plainly.times, rate - plainly.more);

/** That the canary answers plainly more requests with errors of the client's now; null: it does not. */
export const moreClientErrors = (
  times: Times,
  state: ClientErrorsState | null,
): ClientErrors | null => {
  if (state === null || state.votes < votesNeeded(times)) return null;
  const { since, canary, baseline } = state;
  const above = rateOf(canary) - plainlyMore(rateOf(baseline));
  if (canary.events < eventsMin || above <= 0) return null;
  // The baseline may have had luck: its variance is that of the share which it would have if nothing were amiss. A share
  // seen as 0 would have none.
  const variance =
    varianceOf(rateOf(canary)) / canary.total +
    (plainly.times ** 2 * varianceOf(notPlainlyMore(rateOf(canary)))) / baseline.total;
  return above > deviations * Math.sqrt(scatterOf(state) * variance)
    ? { since, canary, baseline }
    : null;
};

/** Of one request. */
const varianceOf = (rate: number): number => rate * (1 - rate);

/** How much more the windows' counts scatter than those of independent requests, at least 1: Pearson's, of the louder one. */
const scatterOf = ({ canary, baseline, windows, squares }: ClientErrorsState): number => {
  const of = (counts: RateCounts, sum: number): number => {
    const expected = (windows - 1) * varianceOf(rateOf(counts));
    return expected > 0 ? (sum - squareOf(counts)) / expected : 1;
  };
  return Math.max(1, of(canary, squares.canary), of(baseline, squares.baseline));
};
