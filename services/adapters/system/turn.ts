/** How long work goes on before others have their turn: a turn costs as much as a few rows. */
const heldMs = 0.5;

/**
 * Everybody else's turn: timers, sockets and signals that are due come first. To be awaited after each piece of work;
 * pieces so short that nobody waits for long go on.
 */
export const openTurn = (): (() => Promise<void>) => {
  let begunMs = performance.now();
  return async () => {
    if (performance.now() - begunMs < heldMs) return;
    await new Promise<void>((turn) => void setImmediate(turn));
    begunMs = performance.now();
  };
};
