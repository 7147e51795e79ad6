import { metricAt } from './metric-at.ts';
import type { Cohort } from '../windows/cohorts.ts';
import { logEvidence, logPromote } from './family-evidence.ts';
import { isBlind, isLosingTraffic, isSlowerInPart, shownOf } from './metric.ts';
import type { ClientErrors } from './client-errors.ts';
import { moreClientErrors } from './client-errors.ts';
import type { FamilyRule } from './rule.ts';
import type { Unsaid } from './said.ts';
import { unsaidOf } from './said.ts';
import { isSeenInBoth, lastSeen } from './seen.ts';
import type { FamilyState } from './state.ts';
import { isStepDue } from './steps.ts';
import { windowsIn } from './times.ts';
import type { Missing, Shift } from './verdict.ts';

/**
 * Whether nothing passes without this metric: something is staked on it, the policy calls it critical, or it came late
 * and is there now (then it weighs nothing, but must be shown to be good all the same). Before presence is decided: all.
 */
export const isRequired = (rule: FamilyRule, state: FamilyState, index: number): boolean => {
  const metric = rule.metrics[index];
  if (metric === undefined) return false;
  if (state.presenceIndex === null || metric.critical) return true;
  return state.logStakes[index] !== null || isSeenInBoth(state.seen, index);
};

const cohorts: readonly Cohort[] = ['canary', 'baseline'];

/** Whether a cohort has shown nothing of a metric for so long that this is silence. */
export const isSilentIn = (
  rule: FamilyRule,
  state: FamilyState,
  index: number,
  cohort: Cohort,
): boolean => (lastSeen(state.seen, index, cohort) ?? -1) <= lastSilent(rule, state);

/**
 * Whether a cohort has shown nothing of a metric lately, for so few windows that it is no silence yet, though it should have
 * had so many requests in them, or (of a level) shown so many windows, as to be no chance.
 */
const isFallingSilentIn = (
  rule: FamilyRule,
  state: FamilyState,
  index: number,
  cohort: Cohort,
): boolean => {
  const { anchorIndex, nextIndex, seen } = state;
  const [metric, known, last] = [
    rule.metrics[index],
    metricAt(rule, state, index),
    lastSeen(seen, index, cohort),
  ];
  if (metric === undefined || known === undefined || anchorIndex === null || last === null)
    return false;
  const judged = nextIndex - anchorIndex - windowsIn(rule, rule.warmUpMs);
  const newest = Math.max(...cohorts.map((one) => lastSeen(seen, index, one) ?? -1));
  const sinceBoth = lastIndex(rule, state) - newest;
  // What both lack at once may come in bursts, such as once a minute.
  const isOfBoth = sinceBoth > windowsIn(rule, rule.noDataMs) / 2;
  const since = newest - last + (isOfBoth ? sinceBoth : 0);
  if (judged <= 0 || since <= 0) return false;
  const { of, count } = shownOf(metric, known, cohort);
  return (count * since) / judged >= (of === 'windows' ? windowsMissedMin : requestsMissedMin);
};
const requestsMissedMin = 10;
/** One export may be late. */
const windowsMissedMin = 1.5;

/** Whether either cohort has. */
export const isMissed = (rule: FamilyRule, state: FamilyState, index: number): boolean =>
  cohorts.some((cohort) => isSilentIn(rule, state, index, cohort));

/** Who showed something for the last time in this window, or before, is silent. */
const lastSilent = (rule: FamilyRule, state: FamilyState): number =>
  lastIndex(rule, state) - windowsIn(rule, rule.noDataMs);

/** The last window that was taken in: what comes after the end says nothing. */
const lastIndex = (rule: FamilyRule, { nextIndex, failed, promoted }: FamilyState): number => {
  if (failed !== null) return failed.index;
  const end =
    promoted === null
      ? windowsIn(rule, rule.deadlineMs) - 1
      : promoted.index + windowsIn(rule, rule.bakeMs);
  return Math.min(nextIndex - 1, end);
};

/** Who does not say what became of the requests of a metric, where the other one does; null: nobody. */
export const unsaidAt = (rule: FamilyRule, state: FamilyState, index: number): Unsaid | null => {
  const metric = state.metrics[index];
  return metric?.judged === 'errors' ? unsaidOf(metric.said, lastSilent(rule, state)) : null;
};

/** Whether the canary plainly answers with more errors of the client's now; null: it does not. */
export const clientErrorsAt = (
  rule: FamilyRule,
  state: FamilyState,
  index: number,
): ClientErrors | null => {
  const metric = state.metrics[index];
  return metric?.judged === 'errors' ? moreClientErrors(rule, metric.clientErrors) : null;
};

/** Whether requests were left out lately that nobody knows whose they are, or how many. */
export const isUnheardNow = (rule: FamilyRule, state: FamilyState): boolean =>
  state.unheardIndex !== null && state.unheardIndex > lastSilent(rule, state);

/** Whether many points came too late lately. */
export const isLateNow = (rule: FamilyRule, state: FamilyState): boolean =>
  isNewest(rule, state, state.lateIndex);

/** Whether exports are sparser than windows lately. */
export const isSparseNow = (rule: FamilyRule, state: FamilyState): boolean =>
  isNewest(rule, state, state.sparseIndex);

const isNewest = (rule: FamilyRule, state: FamilyState, index: number | null): boolean =>
  index !== null && index >= lastIndex(rule, state);

/** Whether nobody knows which requests of a version failed, as an SDK had no room for their attributes lately. */
export const isOverflownNow = (rule: FamilyRule, state: FamilyState): boolean =>
  isNewest(rule, state, state.overflownIndex);

/** Whether a metric that was not seen before showed nothing lately because somebody was loud. */
export const isLoudNow = (rule: FamilyRule, state: FamilyState): boolean =>
  state.loudIndex !== null && state.loudIndex > lastSilent(rule, state);

/** A cohort is silent, or, once presence is decided, a metric that is required. */
export const isSilent = (rule: FamilyRule, state: FamilyState): boolean => {
  const last = lastSilent(rule, state);
  return cohorts.some((cohort) => {
    const isSilentAt = (index: number): boolean =>
      (lastSeen(state.seen, index, cohort) ?? -1) <= last;
    return state.presenceIndex === null
      ? rule.metrics.every((_, index) => isSilentAt(index))
      : rule.metrics.some((_, index) => isSilentAt(index) && isRequired(rule, state, index));
  });
};

/**
 * What is not there yet. Every metric must have shown enough by itself (an intersection-union test), so their number
 * costs nothing.
 */
export const missingIn = (rule: FamilyRule, state: FamilyState): readonly Missing[] => {
  const missing: Missing[] = [];
  const sinceAnchor = state.anchorIndex === null ? 0 : state.nextIndex - state.anchorIndex;
  const needed = Math.log(1 / rule.beta);
  if (!rule.metrics.some((_, index) => isSeenInBoth(state.seen, index)))
    missing.push({ what: 'any-metric' });
  for (const [index, metricRule] of rule.metrics.entries()) {
    const { id: metric } = metricRule;
    if (!isRequired(rule, state, index)) continue;
    const metricState = metricAt(rule, state, index);
    for (const what of cohorts) {
      const isUnseen = lastSeen(state.seen, index, what) === null;
      if (
        isUnseen ||
        isSilentIn(rule, state, index, what) ||
        isFallingSilentIn(rule, state, index, what)
      )
        missing.push({ what, metric });
    }
    if (logPromote(rule, state, index) < needed) missing.push({ what: 'promote-evidence', metric });
    if (metricState !== undefined && isBlind(metricRule, metricState))
      missing.push({ what: 'no-bound', metric });
    if (metricState !== undefined && isSlowerInPart(metricRule, metricState))
      missing.push({ what: 'slower-part', metric });
    if (metricState !== undefined && isLosingTraffic(metricRule, metricState))
      missing.push({ what: 'traffic-lost', metric });
    if (clientErrorsAt(rule, state, index) !== null)
      missing.push({ what: 'client-errors', metric });
    if (unsaidAt(rule, state, index) !== null) missing.push({ what: 'unsaid', metric });
  }
  if (isUnheardNow(rule, state)) missing.push({ what: 'all-heard' });
  if (isLateNow(rule, state)) missing.push({ what: 'all-in-time' });
  if (isSparseNow(rule, state)) missing.push({ what: 'dense-exports' });
  if (isLoudNow(rule, state)) missing.push({ what: 'none-loud' });
  if (isOverflownNow(rule, state)) missing.push({ what: 'none-overflown' });
  if (state.restarts !== null) missing.push({ what: 'restarts', ...state.restarts });
  if (sinceAnchor <= windowsIn(rule, rule.warmUpMs)) missing.push({ what: 'warm-up' });
  else if (state.presenceIndex === null) missing.push({ what: 'presence' });
  if (sinceAnchor < windowsIn(rule, rule.soakMs)) missing.push({ what: 'soak' });
  if (logEvidence(rule, state) >= Math.log(rule.vetoEvidence)) missing.push({ what: 'veto' });
  if (!isStepDue(rule, state)) missing.push(shiftOf(state) ?? { what: 'steps' });
  return missing;
};

/** The share that it was advanced to, while somebody tells of a smaller one; null: it has that share, or nobody tells. */
const shiftOf = ({ advanced, share: present }: FamilyState): Shift | null => {
  if (advanced === null || present === null || present >= advanced.share) return null;
  const { share, index, startMs } = advanced;
  return { what: 'shift', share, since: { index, startMs } };
};

/** Whether anything is missing: the question of every window, so it is asked in the order of what is known soonest. */
export const isMissingSome = (rule: FamilyRule, state: FamilyState): boolean => {
  const { anchorIndex, nextIndex } = state;
  if (anchorIndex === null || nextIndex - anchorIndex < windowsIn(rule, rule.soakMs)) return true;
  if (!isStepDue(rule, state)) return true;
  const needed = Math.log(1 / rule.beta);
  return (
    rule.metrics.some(
      (_, index) => isRequired(rule, state, index) && logPromote(rule, state, index) < needed,
    ) || missingIn(rule, state).length > 0
  );
};
