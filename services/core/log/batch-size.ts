/** Records in one batch to a subscriber that does not say how many it takes. */
export const batchRecordsDefault = 200;
