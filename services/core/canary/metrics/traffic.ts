import { evidenceOf } from '../evidence.ts';
import type { RuledJudge, WindowPlace } from '../metric-judge.ts';
import type { PairSums, RatePair } from '../rate-counts.ts';
import { addToSums, noSums, pairOf } from '../rate-counts.ts';
import { addToCurve, curveInterval, curveRatio, initialCurve } from '../ratio-curve.ts';
import type { RatioCurve } from '../ratio-curve.ts';
import type { RatioInterval } from '../ratio.ts';
import { intervalConfidence } from '../ratio.ts';
import type { StakeRules } from '../stakes.ts';
import { cappedBlocksOf, initialStakes, noIncrements, withoutRestarts } from '../stakes.ts';
import type { LoudWindow, LoudWindows } from '../strongest-windows.ts';
import { loudWindows, withWindow } from '../strongest-windows.ts';
import type { WindowMark } from '../window.ts';
import type { Staked } from './staked.ts';
import { withEvidence } from './staked.ts';

export type TrafficRule = StakeRules & {
  /** The canary may get this part of its share (0.8) before it counts as losing traffic. */
  readonly least: number;
  /** Above this part it must be shown to be for a promotion; below `least`. */
  readonly promoteLeast: number;
  /** How much more than independently routed requests the numbers scatter, at least 1. */
  readonly phi: number;
  /** Windows that are no evidence after the share was changed: it takes time to be so. */
  readonly settleWindows: number;
};

/** Requests of both cohorts; null: the cohort reported nothing at all, which says nothing about its traffic. */
export type TrafficWindow = WindowMark & {
  readonly canary: number | null;
  readonly baseline: number | null;
  /** The share of the requests that the canary should get, between 0 and 1; null: nobody said. */
  readonly canaryShare: number | null;
};

/** Requests that reach the canary, against its share: a canary that loses requests looks healthy otherwise. */
export type TrafficState = Staked & {
  readonly share: number | null;
  readonly settlingWindows: number;
  readonly canaryRequests: number;
  readonly baselineRequests: number;
  /** What the canary should have had of them. */
  readonly expectedRequests: number;
  /** The running block: requests, and shares of them as exposures. */
  readonly block: PairSums;
  readonly curve: RatioCurve;
  readonly strongestWindows: LoudWindows;
};

/** Alternatives, as parts of `least`; and as multiples of `promoteLeast`. */
const rollbackParts: readonly number[] = [0.9, 0.75, 0.5, 0.25, 0.05, 0.005];
const promoteParts: readonly number[] = [1.1, 1.25, 1.5];

export const trafficJudge: RuledJudge<
  TrafficRule,
  TrafficWindow,
  TrafficState,
  TrafficExplanation
> = {
  initial: (rule) => ({
    logRollback: 0,
    logPromote: 0,
    share: null,
    settlingWindows: 0,
    canaryRequests: 0,
    baselineRequests: 0,
    expectedRequests: 0,
    block: noSums,
    curve: initialCurve,
    rollback: initialStakes(rollbackParts.length, rule),
    promote: initialStakes(promoteParts.length, withoutRestarts(rule)),
    strongestWindows: [],
  }),
  addWindow: (rule, before, window, place) => {
    const state = withShare(rule, before, window.canaryShare);
    const { canary, baseline, canaryShare } = window;
    const isReported = canary !== null && baseline !== null && canary + baseline > 0;
    if (!place.judged || !isKnownShare(canaryShare) || !isReported || state.settlingWindows > 0)
      return settled(rule, withEvidence(rule, state, noIncrements, noIncrements, place), place);
    const { least, promoteLeast, phi } = rule;
    const next = withEvidence(
      rule,
      state,
      shareIncrements(least, rollbackParts, canaryShare, canary, baseline, phi),
      shareIncrements(promoteLeast, promoteParts, canaryShare, canary, baseline, phi),
      place,
    );
    const total = canary + baseline;
    const pair: RatePair = {
      canary: { total: canaryShare * total, events: canary },
      baseline: { total: (1 - canaryShare) * total, events: baseline },
    };
    const gain = next.logRollback - state.logRollback;
    const added: TrafficState = {
      ...next,
      canaryRequests: state.canaryRequests + canary,
      baselineRequests: state.baselineRequests + baseline,
      expectedRequests: state.expectedRequests + canaryShare * total,
      block: addToSums(state.block, pair),
      strongestWindows: withWindow(state.strongestWindows, window, gain),
    };
    return settled(rule, added, place);
  },
  explain: (rule, state) => explain(rule, state),
};

/** A block that ends is in the curve. */
const settled = (
  { phi }: TrafficRule,
  state: TrafficState,
  { endsBlock }: WindowPlace,
): TrafficState =>
  endsBlock && state.block !== noSums
    ? { ...state, block: noSums, curve: addToCurve(state.curve, pairOf(state.block), phi) }
    : state;

/** A share that the traffic can be held against: somebody told it, and both cohorts should have some. */
export const isKnownShare = (share: number | null): share is number =>
  share !== null && share > 0 && share < 1;

/**
 * Given n requests in all, the canary's number is binomial with chance r w / (r w + 1 - w): w its share, r the part of
 * it that arrives. The log-increments against "r is at least `limit`" (for alternatives above it: "at most"), one for
 * each alternative part * limit: n_c ln(c/c0) + n_b ln((1-c)/(1-c0)), divided by `phi`. The chance rises with r, so
 * the expectation of their exponentials is at most 1 on the whole null.
 */
export const shareIncrements = (
  limit: number,
  parts: readonly number[],
  share: number,
  canary: number,
  baseline: number,
  phi: number,
): readonly number[] => {
  const increments: number[] = [];
  const atLimit = limit * share + 1 - share;
  for (const part of parts) {
    const spread = (part * limit * share + 1 - share) / atLimit;
    increments.push((canary * Math.log(part) - (canary + baseline) * Math.log(spread)) / phi);
  }
  return increments;
};

const withShare = (
  { settleWindows }: TrafficRule,
  state: TrafficState,
  share: number | null,
): TrafficState => {
  if (share !== state.share) return { ...state, share, settlingWindows: settleWindows };
  return state.settlingWindows === 0
    ? state
    : { ...state, settlingWindows: state.settlingWindows - 1 };
};

export type TrafficExplanation = {
  readonly judged: 'traffic';
  readonly canaryRequests: number;
  readonly baselineRequests: number;
  /** What the canary should have had of all of them. */
  readonly expectedRequests: number;
  /** The part of its share that the canary got; null while the baseline got nothing. */
  readonly ratio: number | null;
  readonly interval: RatioInterval & { readonly confidence: number };
  readonly toleratedRatio: number;
  readonly rollbackEvidence: number;
  readonly promoteEvidence: number;
  readonly strongestWindows: readonly LoudWindow[];
  readonly cappedBlocks: number;
  readonly phi: number;
};

const explain = (rule: TrafficRule, state: TrafficState): TrafficExplanation => {
  const curve = addToCurve(state.curve, pairOf(state.block), rule.phi);
  return {
    judged: 'traffic',
    canaryRequests: state.canaryRequests,
    baselineRequests: state.baselineRequests,
    expectedRequests: state.expectedRequests,
    ratio: curveRatio(curve),
    interval: { ...curveInterval(curve, intervalConfidence), confidence: intervalConfidence },
    toleratedRatio: rule.least,
    rollbackEvidence: evidenceOf(state.logRollback),
    promoteEvidence: evidenceOf(state.logPromote),
    strongestWindows: loudWindows(state.strongestWindows),
    cappedBlocks: cappedBlocksOf(state.rollback),
    phi: rule.phi,
  };
};
