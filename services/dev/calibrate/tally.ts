import { upperLimit } from '../canary-climates/upper-limit.ts';
import type { Judged } from './judge-plug.ts';

/** What came of the runs of one judge in one cell, so that runs can be added for ever. Plain JSON. */
export type Tally = {
  readonly runs: number;
  /** How many were rolled back, or first promoted, so many seconds after the start. */
  readonly rolledBackAt: Counts;
  /** The same after both cohorts first had requests; absent: that was in the first window of every run. */
  readonly rolledBackAfterRequests?: Counts;
  readonly promotedAt: Counts;
  /** How many rollbacks each metric was blamed for. */
  readonly blamed: Counts;
};

export type Counts = Readonly<Record<string, number>>;

export const noTally: Tally = { runs: 0, rolledBackAt: {}, promotedAt: {}, blamed: {} };

export const tallyOf = (judged: readonly Judged[]): Tally => ({
  runs: judged.length,
  rolledBackAt: countsOf(judged.map(({ rolledBackMs }) => secondsOf(rolledBackMs))),
  ...(judged.some(({ requestsFromMs }) => requestsFromMs !== undefined) && {
    rolledBackAfterRequests: countsOf(
      judged.map(({ rolledBackMs, requestsFromMs = 0 }) =>
        secondsOf(rolledBackMs === null ? null : rolledBackMs - requestsFromMs),
      ),
    ),
  }),
  promotedAt: countsOf(judged.map(({ promotedMs }) => secondsOf(promotedMs))),
  blamed: countsOf(judged.map(({ blamed }) => blamed)),
});

export const addTallies = (left: Tally, right: Tally): Tally => ({
  runs: left.runs + right.runs,
  rolledBackAt: sumOf(left.rolledBackAt, right.rolledBackAt),
  ...((left.rolledBackAfterRequests ?? right.rolledBackAfterRequests) !== undefined && {
    rolledBackAfterRequests: sumOf(afterRequestsOf(left), afterRequestsOf(right)),
  }),
  promotedAt: sumOf(left.promotedAt, right.promotedAt),
  blamed: sumOf(left.blamed, right.blamed),
});

/** How many were rolled back so many seconds after both cohorts first had requests. */
export const afterRequestsOf = ({ rolledBackAt, rolledBackAfterRequests }: Tally): Counts =>
  rolledBackAfterRequests ?? rolledBackAt;

/** How a cell went. Quantiles are over all runs: null where the run in question was not ended. */
export type Summary = {
  readonly runs: number;
  readonly rolledBack: Ending;
  readonly promoted: Ending;
};

export type Ending = {
  readonly runs: number;
  readonly share: number;
  /** The share may be this high with a chance of 5 % (Clopper-Pearson, one-sided). */
  readonly upper95: number;
  readonly medianSeconds: number | null;
  readonly p90Seconds: number | null;
};

export const summaryOf = ({ runs, rolledBackAt, promotedAt }: Tally): Summary => ({
  runs,
  rolledBack: endingOf(runs, rolledBackAt),
  promoted: endingOf(runs, promotedAt),
});

const CONFIDENCE = 0.95;

const endingOf = (runs: number, at: Counts): Ending => {
  const ended = totalOf(at);
  return {
    runs: ended,
    share: runs === 0 ? 0 : ended / runs,
    upper95: runs === 0 ? 1 : upperLimit(ended, runs, CONFIDENCE),
    medianSeconds: quantileOf(at, runs, 0.5),
    p90Seconds: quantileOf(at, runs, 0.9),
  };
};

/** When that share of all runs had ended so; null: it never had. */
export const quantileOf = (at: Counts, runs: number, quantile: number): number | null => {
  const wanted = Math.ceil(quantile * runs);
  const times = Object.entries(at)
    .map(([seconds, count]) => ({ seconds: Number(seconds), count }))
    .toSorted((left, right) => left.seconds - right.seconds);
  let ended = 0;
  for (const { seconds, count } of times) {
    ended += count;
    if (ended >= wanted) return seconds;
  }
  return null;
};

const secondsOf = (ms: number | null): string | null => (ms === null ? null : String(ms / 1_000));

const countsOf = (keys: readonly (string | null)[]): Counts => {
  const counts: Record<string, number> = {};
  for (const key of keys) if (key !== null) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
};

const sumOf = (left: Counts, right: Counts): Counts => {
  const sum: Record<string, number> = { ...left };
  for (const [key, count] of Object.entries(right)) sum[key] = (sum[key] ?? 0) + count;
  return sum;
};

const totalOf = (counts: Counts): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
