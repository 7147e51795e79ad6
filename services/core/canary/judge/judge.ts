import { metricAt } from './metric-at.ts';
import { evidenceOf } from '../statistics/evidence.ts';
import type { OpenNumbers, WindowPlace } from './metric-judge.ts';
import { openNumbers } from './metric-judge.ts';
import { saidAt } from '../metrics/rates.ts';
import type { WindowMark } from '../windows/window.ts';
import {
  initialStakesOf,
  logEvidence,
  logParts,
  logPromotes,
  reaches,
  sharesOf,
  weightsOf,
  withPresence,
} from './family-evidence.ts';
import type { JudgedWindow, MetricWindow } from './judged-window.ts';
import type { MetricRest } from './metric.ts';
import {
  addToMetric,
  deadlineOf,
  hasDeadlineTest,
  initialMetric,
  runningLengthOf,
  settledLengthOf,
} from './metric.ts';
import { isMissed, isMissingSome, isRequired, isSilent } from './missing.ts';
import type { FamilyRule } from './rule.ts';
import type { Advance, CarriedEvidence, DeadlineFound, FamilyState, Finding } from './state.ts';
import {
  hasRequests,
  isBaselineIdle,
  isAnyPaired,
  isSeenNow,
  lacksRequests,
  nothingSeen,
  seenWith,
} from './seen.ts';
import { isBaselineUnknown, saidWith } from './said.ts';
import { clientErrorsWith } from './client-errors.ts';
import { nextStep } from './steps.ts';
import { isJudged, placeOf, presenceDue, windowsIn } from './times.ts';

/** Raised when the same rule and windows may lead to other numbers than before. */
export const judgeVersion = 5;

/** `carried`: what an earlier attempt with the same artefact and baseline left (`carriedEvidence`). */
export const initialFamily = (
  rule: FamilyRule,
  carried: CarriedEvidence | null = null,
): FamilyState => {
  const logStakes = initialStakesOf(rule, carried);
  const left = rule.metrics.map(({ id }) => carried?.metrics.find((metric) => metric.id === id));
  const begun = rule.metrics.map(initialMetric);
  const metrics = begun.map(({ rest }) => rest);
  // `flatMap` would make them with holes (`zeros`), and every copy of them.
  const settled: number[] = [];
  const running: number[] = [];
  for (const metric of begun) {
    settled.push(...metric.settled);
    running.push(...metric.running);
  }
  return {
    nextIndex: 0,
    beginsMs: null,
    pairedIndex: null,
    anchorIndex: null,
    presenceIndex: null,
    silentFrom: null,
    unheardIndex: null,
    lateIndex: null,
    sparseIndex: null,
    loudIndex: null,
    overflownIndex: null,
    restarts: null,
    share: null,
    failed: null,
    advanced: null,
    promoted: null,
    logStakes,
    carried: carried && {
      attempts: carried.attempts,
      logEvidence: logEvidence(rule, { logStakes, metrics, running }),
      deadlineTested: carried.deadlineTested,
      worseAtDeadline: left.map((metric) => metric?.worseAtDeadline ?? null),
      logPromotes: left.map((metric) => metric?.logPromote ?? 0),
    },
    deadline: null,
    seen: nothingSeen(rule.metrics.length),
    metrics,
    settled,
    running,
  };
};

/**
 * What the next attempt with the same artefact and baseline begins with. Its evidence is the product: an e-process that
 * began at 1 again with every retry would be spent again and again until it passes.
 */
export const carriedEvidence = (rule: FamilyRule, state: FamilyState): CarriedEvidence => {
  const parts = logParts(rule, state);
  const promotes = logPromotes(rule, state);
  const { carried, failed, deadline } = state;
  const isWorse = failed?.code === 'worse-at-deadline';
  return {
    attempts: (carried?.attempts ?? 0) + 1,
    deadlineTested: deadline !== null || (carried?.deadlineTested ?? false),
    metrics: rule.metrics.map(({ id }, index) => {
      const part = parts[index] ?? -Infinity;
      const [z, zNeeded] = isWorse ? [failed.evidence[index], failed.needed[index]] : [];
      const isBlamed = typeof z === 'number' && typeof zNeeded === 'number';
      return {
        id,
        worseAtDeadline: isBlamed ? { z, zNeeded } : null,
        logCapital: part === -Infinity ? null : part,
        logPromote: promotes[index] ?? 0,
      };
    }),
  };
};

/**
 * Takes in the next window; the state that comes in is not touched. Once the judgement is over windows only pass by.
 * Throws on a window out of order and on one that was made for another rule.
 */
export const judgeWindow = (
  rule: FamilyRule,
  before: FamilyState,
  window: JudgedWindow,
): FamilyState => {
  const { index } = window;
  if (index !== before.nextIndex)
    throw new RangeError(`window ${index} came where ${before.nextIndex} was due`);
  if (window.metrics.length !== rule.metrics.length)
    throw new TypeError(
      `window ${index} shows ${window.metrics.length} metrics of ${rule.metrics.length}`,
    );
  if (hasEnded(rule, before)) return { ...before, nextIndex: index + 1 };
  const { state, place, isPaired } = folded(rule, presenceDecided(rule, before, index), window);
  const mark = { index, startMs: window.startMs };
  const needed = Math.log(1 / rule.alphaAnytime);
  if (place.judged && (before.carried?.logEvidence ?? -Infinity) >= needed) {
    // It sufficed once: what this window says is too late, whichever way it points.
    const { seen, metrics, settled, running } = before;
    const asCarried: FamilyState = { ...state, seen, metrics, settled, running };
    return { ...asCarried, failed: crossed(rule, asCarried, mark) };
  }
  const isCrossed = place.judged && reaches(rule, state, needed);
  if (isCrossed) return { ...state, failed: crossed(rule, state, mark) };
  const worseBefore = state.carried?.worseAtDeadline ?? [];
  // What was found worse once is so in every attempt.
  if (place.judged && worseBefore.some((found) => found !== null))
    return { ...state, failed: failedAtDeadline(mark, worseBefore) };
  const tested = isDeadline(rule, state) ? atDeadline(rule, state, mark) : state;
  if (tested.failed !== null || tested.promoted !== null) return tested;
  const silentFrom = isSilent(rule, tested) ? (before.silentFrom ?? index) : null;
  const held = silentFrom === tested.silentFrom ? tested : { ...tested, silentFrom };
  // A window in which nothing was compared never passes a canary, however good the evidence before it.
  if (!place.judged || !isPaired || isMissingSome(rule, held)) return held;
  if (lacksRequests(held.seen, window)) return held;
  const finding = shownGood(rule, held, mark);
  const share = nextStep(rule, held);
  if (share === null) return { ...held, promoted: finding };
  return { ...held, advanced: { ...finding, share, waitsFrom: index + 1 } };
};

/** Whether this judgement is over: failed, baked after a promotion, or at its deadline without one. */
export const hasEnded = (
  rule: FamilyRule,
  { failed, promoted, nextIndex }: FamilyState,
): boolean => {
  if (failed !== null) return true;
  return promoted === null
    ? nextIndex >= windowsIn(rule, rule.deadlineMs)
    : // What is promoted is watched as long as was asked for, whenever that was: the deadline is for those without.
      nextIndex > promoted.index + windowsIn(rule, rule.bakeMs);
};

/** The end of the time for those without a verdict; what is promoted by then has shown that it is good enough. */
const isDeadline = (rule: FamilyRule, { nextIndex, promoted }: FamilyState): boolean =>
  promoted === null && nextIndex === windowsIn(rule, rule.deadlineMs);

/** With presence decided if its time has come, from earlier windows alone. */
const presenceDecided = (rule: FamilyRule, state: FamilyState, index: number): FamilyState => {
  const { anchorIndex, presenceIndex } = state;
  if (anchorIndex === null || presenceIndex !== null) return state;
  const isLast = index === windowsIn(rule, rule.deadlineMs) - 1;
  if (index < presenceDue(rule, anchorIndex) && !isLast) return state;
  return withPresence(rule, state, isJudged(rule, anchorIndex, index - 1));
};

/** Who had requests and has had none for so long does nothing now: all traffic was taken from it. */
const idleMs = 60_000;

/** With the window in every metric, and nothing settled yet. */
const folded = (
  rule: FamilyRule,
  before: FamilyState,
  shownWindow: JudgedWindow,
): { readonly state: FamilyState; readonly place: WindowPlace; readonly isPaired: boolean } => {
  const { index, canaryShare } = shownWindow;
  const known = withoutUnknown(rule, before, shownWindow);
  // A share that is none is one that nobody told.
  const window =
    canaryShare === null || (canaryShare >= 0 && canaryShare <= 1)
      ? known
      : { ...known, canaryShare: null };
  const seen = seenWith(before.seen, window);
  const isPairedNow = isAnyPaired(seen, window);
  const pairedIndex = before.pairedIndex ?? (isPairedNow ? index : null);
  const waited = pairedIndex !== null && index - pairedIndex >= windowsIn(rule, rule.noDataMs);
  const isAnchor = before.anchorIndex === null && (waited || hasRequests(seen, window));
  const anchorIndex = before.anchorIndex ?? (isAnchor ? index : null);
  const place = placeOf(rule, anchorIndex, window);
  const isIdle = isBaselineIdle(seen, window, windowsIn(rule, idleMs));
  const open = openNumbers(before.settled, before.running);
  let changed: MetricRest[] | null = null;
  for (let metricIndex = 0; metricIndex < before.metrics.length; metricIndex += 1) {
    const metric = rule.metrics[metricIndex];
    const rest = before.metrics[metricIndex];
    const shown = window.metrics[metricIndex];
    const told = shownWindow.metrics[metricIndex];
    if (metric === undefined || rest === undefined || shown === undefined || told === undefined)
      throw new TypeError(`a state of other metrics than the rule's`);
    const hasCanary = isSeenNow(seen, metricIndex, 'canary', index);
    const hasBaseline = isSeenNow(seen, metricIndex, 'baseline', index);
    const judged = addToMetric(
      metric,
      rest,
      open,
      window,
      shown,
      hasCanary,
      hasBaseline,
      isIdle,
      place,
    );
    const next = withTold(rule, judged, open, told, place);
    if (next !== rest) {
      changed ??= before.metrics.slice();
      changed[metricIndex] = next;
    }
    open.at += settledLengthOf(metric, next);
    open.from += runningLengthOf(metric, next);
  }
  const share = window.canaryShare ?? before.share;
  const { advanced } = before;
  const state: FamilyState = {
    nextIndex: index + 1,
    beginsMs: before.beginsMs ?? shownWindow.startMs - index * rule.windowMs,
    pairedIndex,
    anchorIndex,
    presenceIndex: before.presenceIndex,
    silentFrom: before.silentFrom,
    unheardIndex: shownWindow.isUnheard === true ? index : before.unheardIndex,
    lateIndex: shownWindow.isLate === true ? index : before.lateIndex,
    sparseIndex: shownWindow.isSparse === true ? index : before.sparseIndex,
    loudIndex: shownWindow.isLoud === true ? index : before.loudIndex,
    overflownIndex: shownWindow.isOverflown === true ? index : before.overflownIndex,
    restarts: shownWindow.restarts ?? null,
    share,
    failed: before.failed,
    advanced: advanced && waiting(advanced, share, index),
    promoted: before.promoted,
    logStakes: before.logStakes,
    carried: before.carried,
    deadline: before.deadline,
    seen,
    metrics: changed ?? before.metrics,
    settled: open.settled,
    running: open.running,
  };
  return { state, place, isPaired: isPairedNow };
};

/** With what a window says of errors, whether they are known or not: who tells of them, and those of the client's. */
const withTold = (
  rule: FamilyRule,
  rest: MetricRest,
  { running, from }: OpenNumbers,
  told: MetricWindow,
  place: WindowPlace,
): MetricRest => {
  if (rest.judged !== 'errors' || told.judged !== 'errors') return rest;
  const said = saidWith(rest.said, running, from + saidAt, told, place);
  const clientErrors = clientErrorsWith(rule, rest.clientErrors, told, place);
  return said === rest.said && clientErrors === rest.clientErrors
    ? rest
    : { ...rest, said, clientErrors };
};

/** Without the errors of a baseline that are not known (`isBaselineUnknown`). */
const withoutUnknown = (
  rule: FamilyRule,
  { metrics, running }: FamilyState,
  window: JudgedWindow,
): JudgedWindow => {
  let known: MetricWindow[] | null = null;
  let from = 0;
  for (let index = 0; index < metrics.length; index += 1) {
    const [metric, rest] = [rule.metrics[index], metrics[index]];
    const shown = window.metrics[index];
    if (metric === undefined || rest === undefined) continue;
    const at = from + saidAt;
    from += runningLengthOf(metric, rest);
    if (rest.judged !== 'errors' || shown?.judged !== 'errors') continue;
    if (!isBaselineUnknown(rest.said, { running, at }, shown)) continue;
    known ??= window.metrics.slice();
    known[index] = { ...shown, baseline: null };
  }
  return known === null ? window : { ...window, metrics: known };
};

/** The wait for the next step begins when the canary has the share of this one, as far as anybody tells it. */
const waiting = (advanced: Advance, share: number | null, index: number): Advance =>
  share !== null && share < advanced.share ? { ...advanced, waitsFrom: index + 1 } : advanced;

/** The metrics that would have sufficed alone; if none would, all whose stake has grown. */
const crossed = (rule: FamilyRule, state: FamilyState, mark: WindowMark): Finding => {
  const needed = 1 / rule.alphaAnytime;
  const parts = logParts(rule, state);
  const shares = weightsOf(rule, state);
  const isAlone = parts.map((part) => part >= Math.log(needed));
  const blamed = isAlone.includes(true)
    ? isAlone
    : parts.map((part, index) => part > Math.log(shares[index] ?? 0));
  return {
    ...mark,
    code: 'worse-than-tolerated',
    evidence: parts.map((part, index) => (blamed[index] === true ? shownOdds(part) : null)),
    needed: blamed.map((isBlamed) => (isBlamed ? needed : null)),
  };
};

/** The other half of alpha, once: split by weight among the metrics that have such a test. */
const atDeadline = (rule: FamilyRule, state: FamilyState, mark: WindowMark): FamilyState => {
  if (state.carried?.deadlineTested === true || rule.alphaDeadline === 0) return state;
  const shares = sharesOf(
    weightsOf(rule, state).map((weight, index) => {
      const metric = rule.metrics[index];
      return metric !== undefined && hasDeadlineTest(metric) ? weight : 0;
    }),
  );
  const results = rule.metrics.map((metric, index) => {
    const [share = 0, before] = [shares[index], metricAt(rule, state, index)];
    if (before === undefined || !(share > 0)) return null;
    // What nobody knows now may not have been what it seemed before, either.
    if (isMissed(rule, state, index)) return null;
    return deadlineOf(metric, before, share * rule.alphaDeadline) ?? null;
  });
  const deadline = results.map((found) => found && { z: found.z, zNeeded: found.zNeeded });
  const worse = deadline.map((found, index) => (results[index]?.isWorse === true ? found : null));
  const isWorse = worse.some((found) => found !== null);
  return { ...state, deadline, failed: isWorse ? failedAtDeadline(mark, worse) : null };
};

const failedAtDeadline = (mark: WindowMark, worse: readonly (DeadlineFound | null)[]): Finding => ({
  ...mark,
  code: 'worse-at-deadline',
  evidence: worse.map((found) => found && found.z),
  needed: worse.map((found) => found && found.zNeeded),
});

const shownGood = (rule: FamilyRule, state: FamilyState, mark: WindowMark): Finding => {
  const promotes = logPromotes(rule, state);
  const isAsked = rule.metrics.map((_, index) => isRequired(rule, state, index));
  return {
    ...mark,
    code: 'within-promote-tolerance',
    evidence: promotes.map((log, index) => (isAsked[index] === true ? shownOdds(log) : null)),
    needed: isAsked.map((asked) => (asked ? 1 / rule.beta : null)),
  };
};

/** Odds from their logarithm, as short as a reader needs them: a finding is kept as long as its analysis. */
const shownOdds = (log: number): number => Number(evidenceOf(log).toPrecision(6));
