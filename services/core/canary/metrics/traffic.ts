import { evidenceOf } from '../statistics/evidence.ts';
import type { Numbers, RuledJudge } from '../judge/metric-judge.ts';
import { logRollbackIn, settledOf } from '../judge/metric-judge.ts';
import type { WindowMark } from '../windows/window.ts';
import { addPair, pairLength, pairOf } from '../statistics/rate-counts.ts';
import {
  addToCurve,
  addToKeptCurve,
  curveIn,
  curveInterval,
  curveRatio,
  initialCurve,
  weighedLength,
} from '../statistics/ratio-curve.ts';
import type { RatioInterval } from '../statistics/ratio.ts';
import { intervalConfidence } from '../statistics/ratio.ts';
import type { StakeRules } from '../statistics/stakes.ts';
import { cappedBlocksOf, roundGrowth, zeros } from '../statistics/stakes.ts';
import type { LoudIndex } from '../analysis/strongest-windows.ts';
import { loudWindows } from '../analysis/strongest-windows.ts';
import type { Growth, Making } from './staked.ts';
import type { Lately, TrafficLost } from './traffic-lately.ts';
import { latelyWith, lostNow } from './traffic-lately.ts';
import {
  afterStakes,
  initialSettled,
  logPromoteOf,
  ownRunningAt,
  stake,
  stakesAt,
} from './staked.ts';

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
  /**
   * Whether the canary's servers have fewer requests than the baseline's. If not, what seems lost may be that of a server
   * that is not heard, or the baseline has one that is busier than all others: then nobody is blamed.
   */
  readonly areServersLosing: boolean;
};

/**
 * Requests that reach the canary, against its share: a canary that loses requests looks healthy otherwise.
 *
 * Settled, after the stakes: the sums of the curve. Running, after ln of the evidence: the running block (a pair: requests,
 * and shares of them as exposures), what all judged windows have come to (requests of the canary, of the baseline, and what
 * the canary should have had), and the growth of the alternatives of both questions.
 */
export type TrafficRest = {
  readonly judged: 'traffic';
  readonly share: number | null;
  readonly settlingWindows: number;
  /** Of the finished blocks (`RatioCurve`). */
  readonly heights: string;
  /** Null: nothing speaks of a loss now. */
  readonly lately: Lately | null;
};
export type TrafficState = TrafficRest & Numbers;

const blockAt: number = ownRunningAt;
const requestsAt: number = blockAt + pairLength;
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
const runningLength: number = promoteAt + alternatives.promote.length;
const weighedAt: number = afterStakes(alternatives);

export const trafficJudge: RuledJudge<TrafficRule, TrafficWindow, TrafficRest, TrafficExplanation> =
  {
    initial: (rule) => ({
      settled: [...initialSettled(alternatives, rule), ...zeros(weighedLength)],
      running: zeros(runningLength),
      rest: {
        judged: 'traffic',
        share: null,
        settlingWindows: 0,
        heights: initialCurve.heights,
        lately: null,
      },
    }),
    settledLength: () => weighedAt + weighedLength,
    runningLength: () => runningLength,
    addWindow: (rule, before, open, window, place) => {
      const rest = withShare(rule, before, window.canaryShare);
      const { canary, baseline, canaryShare, areServersLosing } = window;
      const isReported = canary !== null && baseline !== null && canary + baseline > 0;
      const speaks =
        place.judged && isKnownShare(canaryShare) && isReported && rest.settlingWindows === 0;
      const { running, from } = open;
      const lately = speaks
        ? latelyOf(
            rest.lately,
            addRequests(rule, running, from, canaryShare, canary, baseline, areServersLosing),
            canaryShare,
            canary,
            baseline,
            place,
          )
        : rest.lately;
      const isOpen = (running[from + blockAt] ?? 0) > 0;
      const isEnding = place.endsBlock && isOpen;
      if (isEnding) {
        fillPromote(open);
        running.fill(0, from + promoteAt, from + runningLength);
      }
      growth.rollback = running;
      growth.from = from + growthAt;
      growth.isOpen = isOpen;
      stake(rule, alternatives, open, growth, place, speaks, speaks);
      if (!isEnding) return lately === rest.lately ? rest : { ...rest, lately };
      const block = pairOf(running, from + blockAt);
      const at = open.at + weighedAt;
      const heights = addToKeptCurve(settledOf(open), at, rest.heights, block, rule.phi);
      running.fill(0, from + blockAt, from + blockAt + pairLength);
      return { ...rest, heights, lately };
    },
    logPromote: (rule, state) => logPromoteIn(rule, state),
    explain: (rule, state) => explain(rule, state),
  };

/** Of one call, and overwritten by the next. */
const promoteGrowth: number[] = [];
const unblamed: number[] = zeros(rollbackParts.parts.length);
const growth: Making<Growth> = {
  rollback: [],
  from: 0,
  promote: promoteGrowth,
  isOpen: false,
};

/** What the running block let the alternatives of the second question grow. */
const fillPromote = ({ running, from }: Pick<Numbers, 'running' | 'from'>): void => {
  const { length } = alternatives.promote;
  for (let index = 0; index < length; index += 1)
    promoteGrowth[index] = running[from + promoteAt + index] ?? 0;
};

const logPromoteIn = (rule: TrafficRule, state: TrafficState): number => {
  fillPromote(state);
  return logPromoteOf(rule, alternatives, state, promoteGrowth);
};

/** Adds a window that is evidence. What it says of a loss by the nearest alternative, whether or not anybody is blamed. */
const addRequests = (
  { least, promoteLeast, phi }: TrafficRule,
  running: number[],
  from: number,
  share: number,
  canary: number,
  baseline: number,
  areServersLosing: boolean,
): number => {
  const total = canary + baseline;
  addPair(running, from + blockAt, {
    canary: { total: share * total, events: canary },
    baseline: { total: (1 - share) * total, events: baseline },
  });
  const requests = from + requestsAt;
  running[requests] = (running[requests] ?? 0) + canary;
  running[requests + 1] = (running[requests + 1] ?? 0) + baseline;
  running[requests + 2] = (running[requests + 2] ?? 0) + share * total;
  const rollback = from + growthAt;
  const promote = from + promoteAt;
  const before = running[rollback] ?? 0;
  if (areServersLosing)
    addShareIncrements(running, rollback, least, rollbackParts, share, canary, baseline, phi);
  else {
    // Nobody is blamed, and what speaks for the canary does all the same.
    unblamed.fill(0);
    addShareIncrements(unblamed, 0, least, rollbackParts, share, canary, baseline, phi);
    for (let index = 0; index < unblamed.length; index += 1)
      running[rollback + index] =
        (running[rollback + index] ?? 0) + Math.min(0, unblamed[index] ?? 0);
  }
  // A share may change inside a block, and the chance bends with it: so window by window, unlike other promotions.
  addShareIncrements(running, promote, promoteLeast, promoteParts, share, canary, baseline, phi);
  roundGrowth(running, rollback, runningLength - growthAt);
  return areServersLosing ? (running[rollback] ?? 0) - before : (unblamed[0] ?? 0);
};

/** `nats`: by the nearest alternative, for who gets still less gets less than that, too. */
const latelyOf = (
  before: Lately | null,
  nats: number,
  share: number,
  canary: number,
  baseline: number,
  mark: WindowMark,
): Lately | null => {
  const total = canary + baseline;
  return latelyWith(before, mark, nats, {
    canary,
    baseline,
    canaryExpected: share * total,
    baselineExpected: (1 - share) * total,
  });
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
  state: TrafficRest,
  share: number | null,
): TrafficRest => {
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
export const trafficLost = ({ least }: TrafficRule, { lately }: TrafficRest): TrafficLost | null =>
  lostNow(lately, least);

const explain = (rule: TrafficRule, state: TrafficState): TrafficExplanation => {
  const { settled, at, running, from } = state;
  const past = curveIn(settled, at + weighedAt, state.heights);
  const curve = addToCurve(past, pairOf(running, from + blockAt), rule.phi);
  const lost = trafficLost(rule, state);
  const [canaryRequests = 0, baselineRequests = 0, expectedRequests = 0] = running.slice(
    from + requestsAt,
  );
  return {
    judged: 'traffic',
    canaryRequests,
    baselineRequests,
    expectedRequests,
    ratio: curveRatio(curve),
    interval: { ...curveInterval(curve, intervalConfidence), confidence: intervalConfidence },
    toleratedRatio: rule.least,
    rollbackEvidence: evidenceOf(logRollbackIn(state)),
    promoteEvidence: evidenceOf(logPromoteIn(rule, state)),
    strongestWindows: loudWindows(settled, at),
    cappedBlocks: cappedBlocksOf(settled, at + stakesAt),
    phi: rule.phi,
    ...(lost !== null && { lost }),
  };
};
