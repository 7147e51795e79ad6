/** How long steps may follow one another before the rest of the process gets its turn, milliseconds. */
const heldMsMax = 20;

/**
 * A step answers before it lets go of the thread, so whoever takes step after step (a fold from record 0, a prune)
 * would keep timers, sockets and signals waiting until it is done: leases would run out, and nobody be answered.
 * To be awaited before each step.
 */
export const openTurns = (): (() => Promise<void>) => {
  let heldSinceMs: number | undefined;
  return async () => {
    if (heldSinceMs === undefined) {
      heldSinceMs = performance.now();
      setImmediate(() => (heldSinceMs = undefined));
    } else if (performance.now() - heldSinceMs > heldMsMax) {
      await new Promise((turn) => void setImmediate(turn));
    }
  };
};
