import { metricAt } from './metric-at.ts';
import { logSumExp } from '../statistics/log-sum-exp.ts';
import { logPromoteIn, runningLengthOf } from './metric.ts';
import { logRollbackIn } from './metric-judge.ts';
import type { FamilyRule } from './rule.ts';
import { isSeen } from './seen.ts';
import type { CarriedEvidence, FamilyState } from './state.ts';

// The evidence of all metrics together, as a gambler's capital: a part of it is staked on each metric and multiplied by
// what that metric's windows say. Capital that is moved from one metric to another, at what both are worth by then, is
// neither more nor less: so E stays an e-process whatever hangs together among the metrics.

/** What is staked before the first window: the weights, or what an earlier attempt has made of them. */
export const initialStakesOf = (
  { metrics }: FamilyRule,
  carried: CarriedEvidence | null,
): readonly number[] => {
  const shares = sharesOf(metrics.map(({ weight }) => weight));
  if (carried === null) return shares.map((share) => Math.log(share));
  const left = new Map(carried.metrics.map(({ id, logCapital }) => [id, logCapital]));
  const capitals = metrics.map(({ id }) => left.get(id) ?? null);
  const total = logSumExp(carried.metrics.map(({ logCapital }) => logCapital ?? -Infinity));
  const kept = logSumExp(capitals.map((capital) => capital ?? -Infinity));
  // Nothing was staked on any metric.
  if (total === -Infinity) return shares.map((share) => Math.log(share));
  // Metrics that nothing is staked on get their weight of the whole, the others what that leaves, as it stood.
  const forOld = totalOf(shares.filter((_, index) => capitals[index] !== null));
  return shares.map((share, index) => {
    const capital = capitals[index] ?? null;
    return capital === null ? total + Math.log(share) : capital - kept + total + Math.log(forOld);
  });
};

/**
 * Decides which metrics are present, once: what is staked on those that neither cohort has shown is shared out among
 * the others by their weights.
 *
 * A metric that was never seen is worth what was staked on it (its E is 1), and v_i = w_i + w_absent * share_i / E_i
 * buys the others at what they are worth: sum v_i E_i = sum w_i E_i + w_absent, so deciding creates no evidence. While
 * nothing has been evidence every E_i is 1, and this is to scale the weights to a sum of 1.
 */
export const withPresence = (
  rule: FamilyRule,
  state: FamilyState,
  isAnythingJudged: boolean,
): FamilyState => {
  const isPresent = state.metrics.map((_, index) => isSeen(state.seen, index));
  const decided: FamilyState = { ...state, presenceIndex: state.nextIndex };
  if (isPresent.every((present) => present) || !isPresent.includes(true)) return decided;
  const shares = sharesOf(
    rule.metrics.map(({ weight }, index) => (isPresent[index] === true ? weight : 0)),
  );
  const parts = logParts(rule, state);
  const absent = logSumExp(
    parts.map((part, index) => (isPresent[index] === true ? -Infinity : part)),
  );
  const logStakes = state.logStakes.map((stake, index) => {
    const [share = 0, metric] = [shares[index], metricAt(rule, state, index)];
    if (share === 0 || metric === undefined) return null;
    if (!isAnythingJudged && state.carried === null) return Math.log(share);
    const bought = absent + Math.log(share) - logRollbackIn(metric);
    return logSumExp([stake ?? -Infinity, bought]);
  });
  return { ...decided, logStakes };
};

/** Each metric's part of the budget: its weight among those that something is staked on. */
export const weightsOf = ({ metrics }: FamilyRule, { logStakes }: FamilyState): readonly number[] =>
  sharesOf(metrics.map(({ weight }, index) => (logStakes[index] === null ? 0 : weight)));

type Parts = Pick<FamilyState, 'logStakes' | 'metrics' | 'running'>;

/** ln of each metric's part of the combined evidence; -Infinity: none. */
export const logParts = (rule: FamilyRule, state: Parts): readonly number[] => {
  const parts: number[] = [];
  fillParts(parts, rule, state);
  return parts;
};

/** In a list of the asker's. */
const fillParts = (
  parts: number[],
  rule: FamilyRule,
  { logStakes, metrics, running }: Parts,
): void => {
  let from = 0;
  for (let index = 0; index < metrics.length; index += 1) {
    const [metric, rest, stake] = [rule.metrics[index], metrics[index], logStakes[index] ?? null];
    parts[index] = stake === null ? -Infinity : stake + logRollbackIn({ running, from });
    if (metric !== undefined && rest !== undefined) from += runningLengthOf(metric, rest);
  }
};

/** ln of E = sum of v_i E_i. */
export const logEvidence = (rule: FamilyRule, state: Parts): number =>
  logSumExp(logParts(rule, state));

/** Whether E has reached e^needed. Hardly ever is the largest part so near to it that the sum must be reckoned. */
export const reaches = (rule: FamilyRule, state: Parts, needed: number): boolean => {
  const { length } = state.metrics;
  fillParts(partsNow, rule, state);
  let highest = -Infinity;
  for (let index = 0; index < length; index += 1)
    highest = Math.max(highest, partsNow[index] ?? -Infinity);
  return highest + Math.log(length) + roundingNats >= needed && logEvidence(rule, state) >= needed;
};

/** Of one call, and overwritten by the next. */
const partsNow: number[] = [];

/** More than any rounding of a sum. */
const roundingNats = 1e-6;

/** ln of the odds that each metric is good enough, with what earlier attempts showed. */
export const logPromotes = (rule: FamilyRule, state: FamilyState): readonly number[] =>
  rule.metrics.map((_, index) => logPromote(rule, state, index));

export const logPromote = (rule: FamilyRule, family: FamilyState, index: number): number => {
  const metric = rule.metrics[index];
  const state = metricAt(rule, family, index);
  return metric === undefined || state === undefined
    ? 0
    : logPromoteIn(metric, state) + (family.carried?.logPromotes[index] ?? 0);
};

/** The parts of the whole that weights stand for. */
export const sharesOf = (weights: readonly number[]): readonly number[] => {
  const total = totalOf(weights);
  return weights.map((weight) => (total > 0 ? weight / total : 0));
};

const totalOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0);
