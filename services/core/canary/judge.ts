import { evidenceOf } from './evidence.ts';
import { logSumExp } from './log-sum-exp.ts';
import type { MetricEvidence, MetricExplanation, MetricName, WindowPlace } from './metric-judge.ts';
import { errorsJudge } from './metrics/errors.ts';
import type { ErrorsState } from './metrics/errors.ts';
import { windowsIn } from './policy.ts';
import type { JudgePolicy } from './policy.ts';
import { assertWindow, isPaired } from './window.ts';
import type { WindowCounts, WindowMark } from './window.ts';

/** Raised when the same policy and windows may lead to other numbers than before. */
export const judgeVersion = 1;

/** A window that settled something, with the evidence of that moment. */
export type Finding = WindowMark & { readonly reasons: readonly Reason[] };

/** Plain JSON, below 10 KB: what is known after the windows so far, and nothing else. */
export type JudgeState = {
  readonly nextIndex: number;
  /** The first window with requests in both cohorts; warm-up, blocks and soak count from it. */
  readonly anchorIndex: number | null;
  /** How many windows each cohort has been without requests, up to the last window. */
  readonly silentWindows: { readonly canary: number; readonly baseline: number };
  /** The first window at which the evidence sufficed, and why. Neither is ever taken back. */
  readonly failed: Finding | null;
  readonly passed: Finding | null;
  readonly metrics: { readonly errors: ErrorsState };
};

export type Reason = {
  readonly metric: MetricName;
  readonly code: 'worse-than-tolerated' | 'within-promote-tolerance';
  readonly evidence: number;
  readonly evidenceNeeded: number;
};

/** What keeps a canary from passing. */
export type Missing =
  | 'canary-requests'
  | 'baseline-requests'
  | 'warm-up'
  | 'soak'
  | 'promote-evidence'
  | 'veto';

export type InconclusiveReason = 'warming' | 'collecting' | 'no-data' | 'deadline';

export type Verdict =
  | { readonly outcome: 'pass' | 'fail'; readonly reasons: readonly Reason[] }
  | {
      readonly outcome: 'inconclusive';
      readonly reason: InconclusiveReason;
      readonly missing: readonly Missing[];
    };

/** Everything needed to check a verdict by hand. */
export type Explanation = {
  /** Combined over the metrics: odds against "no metric is worse than tolerated". */
  readonly evidence: number;
  readonly evidenceNeeded: number;
  readonly promoteEvidenceNeeded: number;
  readonly firstCrossed: WindowMark | null;
  readonly windows: number;
  readonly metrics: readonly MetricExplanation[];
};

export const initialJudge = (policy: JudgePolicy): JudgeState => ({
  nextIndex: 0,
  anchorIndex: null,
  silentWindows: { canary: 0, baseline: 0 },
  failed: null,
  passed: null,
  metrics: {
    errors: errorsJudge.initial(policy),
  },
});

/**
 * Takes in the next window. Every window is folded in, also after a verdict, so that counts, ratio
 * and interval follow from the windows alone; but the first verdict that ends the judgement stands.
 * Throws on a window out of order or with impossible counts.
 */
export const judgeWindow = (
  policy: JudgePolicy,
  state: JudgeState,
  window: WindowCounts,
): JudgeState => {
  assertWindow(window, state.nextIndex);
  const anchorIndex = state.anchorIndex ?? (isPaired(window) ? window.index : null);
  const place = placeOf(policy, anchorIndex, window);
  const next: JudgeState = {
    ...state,
    nextIndex: window.index + 1,
    anchorIndex,
    silentWindows: {
      canary: window.canary.requests > 0 ? 0 : state.silentWindows.canary + 1,
      baseline: window.baseline.requests > 0 ? 0 : state.silentWindows.baseline + 1,
    },
    metrics: {
      errors: errorsJudge.addWindow(policy, state.metrics.errors, window, place),
    },
  };
  if (hasEnded(policy, state)) return next;
  const mark = markOf(window);
  if (logEvidence(policy, next) >= Math.log(evidenceNeeded(policy))) {
    return { ...next, failed: { ...mark, reasons: failReasons(policy, next) } };
  }
  // A silent window never passes a canary, however good the evidence before it.
  if (next.passed === null && place.judged && missingIn(policy, next).length === 0) {
    return { ...next, passed: { ...mark, reasons: passReasons(policy, next) } };
  }
  return next;
};

/** What the windows so far say. `fail` is final; `pass` stands until a `fail`. */
export const verdictOf = (policy: JudgePolicy, state: JudgeState): Verdict => {
  if (state.failed !== null) return { outcome: 'fail', reasons: state.failed.reasons };
  if (state.passed !== null) return { outcome: 'pass', reasons: state.passed.reasons };
  const reason = inconclusiveReason(policy, state);
  return { outcome: 'inconclusive', reason, missing: missingIn(policy, state) };
};

export const explain = (policy: JudgePolicy, state: JudgeState): Explanation => ({
  evidence: evidenceOf(logEvidence(policy, state)),
  evidenceNeeded: evidenceNeeded(policy),
  promoteEvidenceNeeded: 1 / policy.beta,
  firstCrossed: state.failed === null ? null : markOf(state.failed),
  windows: state.nextIndex,
  metrics: [errorsJudge.explain(policy, state.metrics.errors)],
});

/** Whether this judgement is over: failed, or at its deadline without a pass. */
export const hasEnded = (policy: JudgePolicy, state: JudgeState): boolean =>
  state.failed !== null || (state.passed === null && isPastDeadline(policy, state));

/** The longest of the two cohorts' silences, in windows. */
export const silenceOf = (state: JudgeState): number =>
  Math.max(state.silentWindows.canary, state.silentWindows.baseline);

/** One metric's part in the family. A new metric adds its line to `partsOf`. */
type Part = MetricEvidence & { readonly metric: MetricName; readonly weight: number };

const partsOf = (policy: JudgePolicy, { metrics }: JudgeState): readonly Part[] => [
  { metric: 'errors', weight: policy.weights.errors, ...evidenceIn(metrics.errors) },
];

const evidenceIn = ({ logRollback, logPromote }: MetricEvidence): MetricEvidence => ({
  logRollback,
  logPromote,
});

/**
 * ln of E = sum of w_i E_i over the metrics present, their weights scaled to sum to 1: valid under
 * any dependence between metrics. Which metrics are present must be settled before the first of
 * them is judged; weights that follow the evidence would break the bound.
 */
const logEvidence = (policy: JudgePolicy, state: JudgeState): number => {
  const parts = partsOf(policy, state);
  const total = totalWeight(parts);
  return logSumExp(parts.map((part) => Math.log(part.weight / total) + part.logRollback));
};

const totalWeight = (parts: readonly Part[]): number =>
  parts.reduce((sum, part) => sum + part.weight, 0);

const evidenceNeeded = (policy: JudgePolicy): number => 1 / policy.alphaAnytime;

const placeOf = (
  policy: JudgePolicy,
  anchorIndex: number | null,
  window: WindowCounts,
): WindowPlace => {
  if (anchorIndex === null) return { judged: false, endsBlock: false, beginsRestart: false };
  const blockWindows = windowsIn(policy, policy.blockMs);
  const restartBlocks = Math.ceil(windowsIn(policy, policy.restarts.everyMs) / blockWindows);
  const restartWindows = restartBlocks * blockWindows;
  const sinceAnchor = window.index - anchorIndex;
  return {
    judged: isPaired(window) && sinceAnchor >= windowsIn(policy, policy.warmUpMs),
    endsBlock: (sinceAnchor + 1) % blockWindows === 0,
    beginsRestart:
      sinceAnchor > 0 &&
      sinceAnchor % restartWindows === 0 &&
      sinceAnchor / restartWindows <= policy.restarts.count,
  };
};

const markOf = ({ index, startMs }: WindowMark): WindowMark => ({ index, startMs });

const windowsSinceAnchor = (state: JudgeState): number =>
  state.anchorIndex === null ? 0 : state.nextIndex - state.anchorIndex;

const isWarming = (policy: JudgePolicy, state: JudgeState): boolean =>
  state.anchorIndex === null || windowsSinceAnchor(state) <= windowsIn(policy, policy.warmUpMs);

const isSilent = (policy: JudgePolicy, silentWindows: number): boolean =>
  silentWindows >= windowsIn(policy, policy.noDataMs);

const isPastDeadline = (policy: JudgePolicy, state: JudgeState): boolean =>
  state.nextIndex >= windowsIn(policy, policy.deadlineMs);

const inconclusiveReason = (policy: JudgePolicy, state: JudgeState): InconclusiveReason => {
  if (isPastDeadline(policy, state)) return 'deadline';
  if (isSilent(policy, silenceOf(state))) return 'no-data';
  return isWarming(policy, state) ? 'warming' : 'collecting';
};

/** Every metric must have shown enough by itself, so no correction for their number is needed. */
const missingIn = (policy: JudgePolicy, state: JudgeState): readonly Missing[] => {
  const { silentWindows } = state;
  const promoteNeeded = Math.log(1 / policy.beta);
  const shownByAll = partsOf(policy, state).every((part) => part.logPromote >= promoteNeeded);
  const missing: Missing[] = [];
  if (isSilent(policy, silentWindows.canary)) missing.push('canary-requests');
  if (isSilent(policy, silentWindows.baseline)) missing.push('baseline-requests');
  if (isWarming(policy, state)) missing.push('warm-up');
  if (windowsSinceAnchor(state) < windowsIn(policy, policy.soakMs)) missing.push('soak');
  if (!shownByAll) missing.push('promote-evidence');
  if (logEvidence(policy, state) >= Math.log(policy.vetoEvidence)) missing.push('veto');
  return missing;
};

/** The metrics that would have sufficed alone; if none would, all of them did it together. */
const failReasons = (policy: JudgePolicy, state: JudgeState): readonly Reason[] => {
  const parts = partsOf(policy, state);
  const needed = evidenceNeeded(policy);
  const total = totalWeight(parts);
  const alone = parts.filter(
    (part) => part.logRollback >= Math.log((needed * total) / part.weight),
  );
  return (alone.length > 0 ? alone : parts).map((part) => ({
    metric: part.metric,
    code: 'worse-than-tolerated',
    evidence: evidenceOf(part.logRollback),
    evidenceNeeded: needed,
  }));
};

const passReasons = (policy: JudgePolicy, state: JudgeState): readonly Reason[] =>
  partsOf(policy, state).map((part) => ({
    metric: part.metric,
    code: 'within-promote-tolerance',
    evidence: evidenceOf(part.logPromote),
    evidenceNeeded: 1 / policy.beta,
  }));
