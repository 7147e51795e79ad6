import { logSumExp } from './log-sum-exp.ts';

/**
 * The bookkeeping of one mixture of e-processes: sums of log-increments per grid component, with a
 * cap per block and with restarts. It knows no metric; whoever calls it brings the increments.
 *
 * An e-process is a running product whose expectation stays at or below 1 while the null is true,
 * so the chance that it ever reaches 1/alpha is at most alpha, however often one looks (Ville).
 */

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

/** Where a window stands among blocks and restarts. */
export type BlockPlace = {
  readonly endsBlock: boolean;
  /** Restarts fall on the first window of a block, where `open` is zero. */
  readonly beginsRestart: boolean;
};

export type Restarts = { readonly count: number; readonly weightEach: number };

export const noRestarts: Restarts = { count: 0, weightEach: 0 };

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

/** E from ln E, for people to read: never infinite, so that it stays a number in JSON. */
export const evidenceOf = (logEvidence: number): number =>
  Math.exp(Math.min(logEvidence, SHOWN_LOG_EVIDENCE_MAX));

/** e^690 is about 1e299. */
const SHOWN_LOG_EVIDENCE_MAX = 690;

const capped = (open: readonly number[], component: number, capNats: number): number =>
  Math.min(open[component] ?? 0, capNats);

const zeros = (length: number): readonly number[] => Array<number>(length).fill(0);
