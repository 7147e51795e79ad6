import type { Clock } from '../ports/clock.ts';

/** The one time by which everything that a command does must be over. */
export type Deadline = {
  /** Milliseconds until then, never below 0. */
  readonly leftMs: () => number;
  /** What the work answers, or undefined if that takes until `reserveMs` before the deadline. The work goes on. */
  readonly before: <Value>(reserveMs: number, work: Promise<Value>) => Promise<Value | undefined>;
};

/** `sinceStartMs` is a clock that nobody sets. */
export const openDeadline = (
  {
    clock,
    sinceStartMs,
  }: { readonly clock: Pick<Clock, 'sleep'>; readonly sinceStartMs: () => number },
  endMs: number,
): Deadline => {
  const leftMs = (): number => Math.max(0, endMs - sinceStartMs());
  return {
    leftMs,
    before: async (reserveMs, work) => {
      // Whoever stops waiting must not leave a rejection that nobody handles.
      work.catch(() => undefined);
      const done = new AbortController();
      const late = clock
        .sleep(Math.max(0, leftMs() - reserveMs), done.signal)
        // Where we had no processor for long, an answer that came meanwhile is heard only after the timers.
        .then(() => new Promise<undefined>((turn) => void setImmediate(turn, undefined)));
      try {
        return await Promise.race([work, late]);
      } finally {
        done.abort();
      }
    },
  };
};
