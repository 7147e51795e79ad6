import type { Cohort } from '../windows/cohorts.ts';
import { isKnownShare } from '../metrics/traffic.ts';
import type { JudgedWindow } from './judged-window.ts';
import { isShown } from './metric.ts';

// When either cohort last showed anything of each metric of a family.

/** Of each metric in turn: the index of the last window with something usable, of the canary and of the baseline. */
export type Seen = readonly (number | null)[];

export const nothingSeen = (metrics: number): Seen => Array<null>(2 * metrics).fill(null);

export const lastSeen = (seen: Seen, metric: number, cohort: Cohort): number | null =>
  seen[2 * metric + (cohort === 'canary' ? 0 : 1)] ?? null;

export const isSeen = (seen: Seen, metric: number): boolean =>
  lastSeen(seen, metric, 'canary') !== null || lastSeen(seen, metric, 'baseline') !== null;

export const isSeenInBoth = (seen: Seen, metric: number): boolean =>
  lastSeen(seen, metric, 'canary') !== null && lastSeen(seen, metric, 'baseline') !== null;

/** With one window. Throws where it is not one of so many metrics. */
export const seenWith = (before: Seen, { index, canaryShare, metrics }: JudgedWindow): Seen => {
  const seen = before.slice();
  for (let metric = 0; metric < metrics.length; metric += 1) {
    const shown = metrics[metric];
    if (shown === undefined) throw new TypeError(`window ${index} shows no metric ${metric}`);
    // Nobody has seen the traffic of a canary before somebody said what it should be.
    const isUntold =
      shown.judged === 'traffic' && !isSeen(before, metric) && !isKnownShare(canaryShare);
    if (isUntold) continue;
    if (isShown(shown, 'canary')) seen[2 * metric] = index;
    if (isShown(shown, 'baseline')) seen[2 * metric + 1] = index;
  }
  return seen;
};

/** Whether a cohort showed something of it in this window. */
export const isSeenNow = (seen: Seen, metric: number, cohort: Cohort, index: number): boolean =>
  lastSeen(seen, metric, cohort) === index;

/** Whether both cohorts did, of any metric. */
export const isAnyPaired = (seen: Seen, { index, metrics }: JudgedWindow): boolean => {
  for (let metric = 0; metric < metrics.length; metric += 1)
    if (isPairedIn(seen, metric, index)) return true;
  return false;
};

/** Whether requests reached both cohorts in this window, as far as any metric shows it. */
export const hasRequests = (seen: Seen, { index, metrics }: JudgedWindow): boolean =>
  metrics.some((shown, metric) => {
    if (shown.judged === 'level' || !isPairedIn(seen, metric, index)) return false;
    return shown.judged !== 'traffic' || (shown.canary !== 0 && shown.baseline !== 0);
  });

/**
 * Whether a baseline that has had requests has had none for so many windows, as far as any metric shows it: its gauges tell
 * of no work. (A canary without requests passes nothing, and may take CPU all the same: it hangs.)
 */
export const isBaselineIdle = (
  seen: Seen,
  { index, metrics }: JudgedWindow,
  windows: number,
): boolean => {
  let last = -1;
  for (let metric = 0; metric < metrics.length; metric += 1) {
    const shown = metrics[metric];
    if (shown === undefined || shown.judged === 'level') continue;
    if (shown.judged !== 'traffic') last = Math.max(last, lastSeen(seen, metric, 'baseline') ?? -1);
    else if ((shown.baseline ?? 0) > 0) return false;
    if (last === index) return false;
  }
  return last >= 0 && index - last >= windows;
};

/** Whether both cohorts have shown requests before, and not both of them in this window: gauges alone pass nobody then. */
export const lacksRequests = (seen: Seen, window: JudgedWindow): boolean =>
  !hasRequests(seen, window) &&
  window.metrics.some(
    ({ judged }, metric) =>
      (judged === 'errors' || judged === 'latency') && isSeenInBoth(seen, metric),
  );

const isPairedIn = (seen: Seen, metric: number, index: number): boolean =>
  isSeenNow(seen, metric, 'canary', index) && isSeenNow(seen, metric, 'baseline', index);
