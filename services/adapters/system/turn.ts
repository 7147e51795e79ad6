/** Everybody else's turn: timers, sockets and signals that are due come first. */
export const nextTurn = (): Promise<void> => new Promise((turn) => void setImmediate(turn));
