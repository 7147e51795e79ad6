import type { BlockPlace, Restarts } from '../../../services/core/canary/statistics/evidence.ts';
import { logSumExp } from '../../../services/core/canary/statistics/log-sum-exp.ts';

// A mixture of e-processes as it is written down: sums of log-increments for each alternative, and of every restart. The
// product keeps the same as a gambler's capital, in less space.

/** All values are natural logarithms; index = grid component. */
export type Evidence = {
  /** Sum over the finished blocks, each of them capped. */
  readonly settled: readonly number[];
  /** Sum over the running block, not capped. */
  readonly open: readonly number[];
  /** What `settled` was when each restart began. */
  readonly starts: readonly (readonly number[])[];
  /** Finished blocks in which the cap held some component back. */
  readonly cappedBlocks: number;
};

export const initialEvidence = (components: number): Evidence => ({
  settled: zeros(components),
  open: zeros(components),
  starts: [],
  cappedBlocks: 0,
});

/**
 * Takes one window's log-increments in.
 *
 * The cap is min(product of the block so far, e^cap). The minimum of a supermartingale and a
 * constant is again a supermartingale (Jensen), so the bound holds after every window and not only
 * at the end of a block. For that the running product itself must stay uncapped inside the block.
 */
export const addIncrements = (
  evidence: Evidence,
  increments: readonly number[],
  place: BlockPlace,
  capNats: number,
): Evidence => {
  const starts = place.beginsRestart ? [...evidence.starts, evidence.settled] : evidence.starts;
  const open = evidence.open.map((sum, component) => sum + (increments[component] ?? 0));
  if (!place.endsBlock) return { ...evidence, open, starts };
  return {
    settled: evidence.settled.map((sum, component) => sum + capped(open, component, capNats)),
    open: zeros(open.length),
    starts,
    cappedBlocks: evidence.cappedBlocks + (open.some((sum) => sum > capNats) ? 1 : 0),
  };
};

/**
 * ln E, where E = w0 * mean over components of the whole product, plus `weightEach` * the mean of
 * the product since each restart. A restart that has not begun counts as 1, so the weights always
 * sum to 1.
 */
export const logMixture = (evidence: Evidence, restarts: Restarts, capNats: number): number => {
  const { settled, open, starts } = evidence;
  const values = settled.map((sum, component) => sum + capped(open, component, capNats));
  const since = (start: readonly number[] | undefined, weight: number): readonly number[] => {
    const logWeight = Math.log(weight / values.length);
    return values.map((value, component) => logWeight + value - (start?.[component] ?? 0));
  };
  const begun = starts.slice(0, restarts.count);
  const terms = [
    since(undefined, 1 - restarts.count * restarts.weightEach),
    ...begun.map((start) => since(start, restarts.weightEach)),
  ].flat();
  const waiting = restarts.count - begun.length;
  if (waiting > 0) terms.push(Math.log(waiting * restarts.weightEach));
  return logSumExp(terms);
};

const capped = (open: readonly number[], component: number, capNats: number): number =>
  Math.min(open[component] ?? 0, capNats);

const zeros = (length: number): readonly number[] => Array<number>(length).fill(0);
