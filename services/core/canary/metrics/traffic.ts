import { evidenceOf } from '../statistics/evidence.ts';
import type { RuledJudge } from '../judge/metric-judge.ts';
import type { WindowMark } from '../windows/window.ts';
import { addPair, pairOf } from '../statistics/rate-counts.ts';
import { addToCurve, curveInterval, curveRatio, initialCurve } from '../statistics/ratio-curve.ts';
import type { RatioCurve } from '../statistics/ratio-curve.ts';
import type { RatioInterval } from '../statistics/ratio.ts';
import { intervalConfidence } from '../statistics/ratio.ts';
import type { StakeRules } from '../statistics/stakes.ts';
import { cappedBlocksOf, roundGrowth, zeros } from '../statistics/stakes.ts';
import type { LoudIndex } from '../analysis/strongest-windows.ts';
import { loudWindows } from '../analysis/strongest-windows.ts';
import type { Growth, Making, Staked } from './staked.ts';
import type { Lately, TrafficLost } from './traffic-lately.ts';
import { latelyWith, lostNow } from './traffic-lately.ts';
import { initialSettled, logPromoteOf, stake, stakesAt } from './staked.ts';

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
export type TrafficWindow = {
  readonly canary: number | null;
  readonly baseline: number | null;
  /** The share of the requests that the canary should get, between 0 and 1; null: nobody said. */
  readonly canaryShare: number | null;
};

/**
 * Requests that reach the canary, against its share: a canary that loses requests looks healthy otherwise.
 *
 * `running` begins with the sums of the running block (`PairSums`: requests, and shares of them as exposures), and
 * with those of all judged windows: requests of the canary, of the baseline, and what the canary should have had.
 */
export type TrafficState = Staked & {
  readonly judged: 'traffic';
  readonly share: number | null;
  readonly settlingWindows: number;
  readonly curve: RatioCurve;
  /** Null: nothing speaks of a loss now. */
  readonly lately: Lately | null;
};

const sumsLength = 4;
const requestsAt = sumsLength;
const growthAt: number = requestsAt + 3;

/** Alternatives: parts and their natural logarithms. */
export type Parts = { readonly parts: readonly number[]; readonly logs: readonly number[] };

export const partsOf = (parts: readonly number[]): Parts => ({
  parts,
  logs: parts.map((part) => Math.log(part)),
});

/** Alternatives, as parts of `least`; and as multiples of `promoteLeast`. */
const rollbackParts: Parts = partsOf([0.9, 0.75, 0.5, 0.25, 0.05, 0.005]);
const promoteParts: Parts = partsOf([1.1, 1.25, 1.5]);
const alternatives = { rollback: rollbackParts.parts, promote: promoteParts.parts } as const;
const promoteAt: number = growthAt + alternatives.rollback.length;

export const trafficJudge: RuledJudge<
  TrafficRule,
  TrafficWindow,
  TrafficState,
  TrafficExplanation
> = {
  initial: (rule) => ({
    judged: 'traffic',
    logRollback: 0,
    isBegun: false,
    settled: initialSettled(alternatives, rule),
    running: zeros(promoteAt + alternatives.promote.length),
    share: null,
    settlingWindows: 0,
    curve: initialCurve,
    lately: null,
  }),
  addWindow: (rule, before, window, place) => {
    const state = withShare(rule, before, window.canaryShare);
    const { canary, baseline, canaryShare } = window;
    const isReported = canary !== null && baseline !== null && canary + baseline > 0;
    const speaks =
      place.judged && isKnownShare(canaryShare) && isReported && state.settlingWindows === 0;
    const running = speaks
      ? withRequests(rule, state.running, canaryShare, canary, baseline)
      : state.running.slice();
    const isOpen = (running[0] ?? 0) > 0;
    if (place.endsBlock && isOpen) {
      fillPromote(running);
      running.fill(0, promoteAt);
    }
    const next: Making<TrafficState> = {
      judged: 'traffic',
      logRollback: state.logRollback,
      isBegun: state.isBegun,
      settled: state.settled,
      running,
      share: state.share,
      settlingWindows: state.settlingWindows,
      curve: state.curve,
      lately: speaks
        ? latelyOf(state, running, canaryShare, canary, baseline, place)
        : state.lately,
    };
    growth.rollback = running;
    growth.isOpen = isOpen;
    stake(rule, alternatives, next, growth, place, speaks, speaks);
    return place.endsBlock ? withBlock(rule, next) : next;
  },
  logPromote: (rule, state) => logPromoteIn(rule, state),
  explain: (rule, state) => explain(rule, state),
};

/** Of one call, and overwritten by the next. */
const promoteGrowth: number[] = [];
const growth: Making<Growth> = {
  rollback: [],
  from: growthAt,
  promote: promoteGrowth,
  isOpen: false,
};

/** What the running block let the alternatives of the second question grow. */
const fillPromote = (running: readonly number[]): void => {
  const { length } = alternatives.promote;
  for (let index = 0; index < length; index += 1)
    promoteGrowth[index] = running[promoteAt + index] ?? 0;
};

const logPromoteIn = (rule: TrafficRule, state: TrafficState): number => {
  fillPromote(state.running);
  return logPromoteOf(rule, alternatives, state, promoteGrowth);
};

/** With a window that is evidence. */
const withRequests = (
  { least, promoteLeast, phi }: TrafficRule,
  before: readonly number[],
  share: number,
  canary: number,
  baseline: number,
): number[] => {
  const running = before.slice();
  const total = canary + baseline;
  addPair(running, {
    canary: { total: share * total, events: canary },
    baseline: { total: (1 - share) * total, events: baseline },
  });
  running[requestsAt] = (running[requestsAt] ?? 0) + canary;
  running[requestsAt + 1] = (running[requestsAt + 1] ?? 0) + baseline;
  running[requestsAt + 2] = (running[requestsAt + 2] ?? 0) + share * total;
  addShareIncrements(running, growthAt, least, rollbackParts, share, canary, baseline, phi);
  // A share may change inside a block, and the chance bends with it: so window by window, unlike other promotions.
  addShareIncrements(running, promoteAt, promoteLeast, promoteParts, share, canary, baseline, phi);
  roundGrowth(running, growthAt, running.length - growthAt);
  return running;
};

/** By the nearest alternative: who gets still less gets less than that, too. */
const latelyOf = (
  { lately, running: before }: TrafficState,
  running: readonly number[],
  share: number,
  canary: number,
  baseline: number,
  mark: WindowMark,
): Lately | null => {
  const total = canary + baseline;
  return latelyWith(lately, mark, (running[growthAt] ?? 0) - (before[growthAt] ?? 0), {
    canary,
    baseline,
    canaryExpected: share * total,
    baselineExpected: (1 - share) * total,
  });
};

/** A block that ends is in the curve. */
const withBlock = ({ phi }: TrafficRule, state: TrafficState): TrafficState =>
  state.running[0] === 0
    ? state
    : {
        ...state,
        running: state.running.slice().fill(0, 0, sumsLength),
        curve: addToCurve(state.curve, pairOf(state.running), phi),
      };

/** A share that the traffic can be held against: somebody told it, and both cohorts should have some. */
export const isKnownShare = (share: number | null): share is number =>
  share !== null && share > 0 && share < 1;

/**
 * Given n requests in all, the canary's number is binomial with chance r w / (r w + 1 - w): w its share, r the part of
 * it that arrives. Adds up (to a list, from some place on) the log-increments against "r is at least `limit`" (for
 * alternatives above it: "at most"), one for each alternative part * limit: n_c ln(c/c0) + n_b ln((1-c)/(1-c0)),
 * divided by `phi`. The chance rises with r, so the expectation of their exponentials is at most 1 on the whole null.
 */
export const addShareIncrements = (
  into: number[],
  from: number,
  limit: number,
  { parts, logs }: Parts,
  share: number,
  canary: number,
  baseline: number,
  phi: number,
): void => {
  const atLimit = limit * share + 1 - share;
  for (let index = 0; index < parts.length; index += 1) {
    const spread = ((parts[index] ?? 1) * limit * share + 1 - share) / atLimit;
    const increment = canary * (logs[index] ?? 0) - (canary + baseline) * Math.log(spread);
    into[from + index] = (into[from + index] ?? 0) + increment / phi;
  }
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
  readonly strongestWindows: readonly LoudIndex[];
  readonly cappedBlocks: number;
  readonly phi: number;
  /** What it gets now, where that is plainly less than is tolerated, so that nothing is promoted. */
  readonly lost?: TrafficLost;
};

/** Whether requests are plainly lost now, whatever was seen before. */
export const trafficLost = ({ least }: TrafficRule, { lately }: TrafficState): TrafficLost | null =>
  lostNow(lately, least);

const explain = (rule: TrafficRule, state: TrafficState): TrafficExplanation => {
  const curve = addToCurve(state.curve, pairOf(state.running), rule.phi);
  const lost = trafficLost(rule, state);
  const [canaryRequests = 0, baselineRequests = 0, expectedRequests = 0] =
    state.running.slice(requestsAt);
  return {
    judged: 'traffic',
    canaryRequests,
    baselineRequests,
    expectedRequests,
    ratio: curveRatio(curve),
    interval: { ...curveInterval(curve, intervalConfidence), confidence: intervalConfidence },
    toleratedRatio: rule.least,
    rollbackEvidence: evidenceOf(state.logRollback),
    promoteEvidence: evidenceOf(logPromoteIn(rule, state)),
    strongestWindows: loudWindows(state.settled),
    cappedBlocks: cappedBlocksOf(state.settled, stakesAt),
    phi: rule.phi,
    ...(lost !== null && { lost }),
  };
};
