/** History is cut into batches of five minutes. */
export const historyBatchMs = 300_000;
