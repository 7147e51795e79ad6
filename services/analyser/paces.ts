/**
 * When the state of a partition is kept: whoever takes it over reads at most so many records again, or what came in so
 * much time. `msMin`: in a flood it is kept no more often than this.
 */
export type SnapshotPace = {
  readonly records: number;
  readonly ms: number;
  readonly msMin: number;
};

export const snapshotPace: SnapshotPace = { records: 2_000, ms: 120_000, msMin: 5_000 };

/** When noise is learned again, and from how much. */
export type NoisePace = {
  /** Time of day, milliseconds after midnight UTC. */
  readonly atMsOfDay: number;
  /** How far back samples are read; they are kept for a week. */
  readonly historyMs: number;
  /** With fewer batches of five minutes that can be used nothing is learned. */
  readonly batchesMin: number;
  /** How often it is looked whether it is time. */
  readonly lookEveryMs: number;
};

/** Six hours of batches out of the last day, at two at night. */
export const noisePace: NoisePace = {
  atMsOfDay: 2 * 3_600_000,
  historyMs: 86_400_000,
  batchesMin: 72,
  lookEveryMs: 600_000,
};
