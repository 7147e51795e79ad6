/** CPU that the main thread used between two turns of the event loop, milliseconds. */
export type Slices = {
  readonly largestMs: number;
  readonly p99Ms: number;
  readonly workMedianMs: number;
  readonly count: number;
};

/**
 * Looks at every turn of the event loop while the work goes on. What a turn costs is the thread's own CPU, so nothing
 * that waits and nothing that others do counts. A kernel that counts in ticks of 4 ms rounds a single turn up or down to
 * that on a busy machine; the median says what a turn takes.
 */
export const measureSlices = async (work: () => Promise<void>): Promise<Slices> => {
  const tookMs: number[] = [];
  let isOver = false;
  const cpuMs = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let lastMs = cpuMs();
  const look = (): void => {
    const nowMs = cpuMs();
    tookMs.push(nowMs - lastMs);
    lastMs = nowMs;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await work();
  isOver = true;
  await new Promise((turn) => void setImmediate(turn));
  const sorted = tookMs.toSorted((a, b) => a - b);
  return {
    largestMs: sorted.at(-1) ?? 0,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    workMedianMs: medianOf(sorted.filter((ms) => ms > workMsMin)),
    count: sorted.length,
  };
};

/** A turn that took less did nothing. */
const workMsMin = 0.1;

const medianOf = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? 0;

export const slicesLine = (
  name: string,
  { largestMs, p99Ms, workMedianMs, count }: Slices,
): string =>
  `${name}: largest slice of the main thread ${largestMs.toFixed(2)} ms of CPU, p99 ${p99Ms.toFixed(2)} ms, median of those with work ${workMedianMs.toFixed(2)} ms (${count} turns)`;
