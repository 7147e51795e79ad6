export type HistogramExemplar = {
  readonly deployment: string;
  readonly value: number;
  readonly atMs: number;
};

export type HistogramBucket = {
  /** Upper bound, inclusive; the last one is Infinity. */
  readonly upTo: number;
  /** How many values lie in this bucket and all below it. */
  readonly count: number;
  /** The newest value of this bucket alone that can be told by its deployment. */
  readonly exemplar: HistogramExemplar | null;
};

export type HistogramState = {
  readonly buckets: readonly HistogramBucket[];
  readonly sum: number;
  readonly count: number;
};

export type Histogram = {
  readonly record: (value: number, exemplar?: Omit<HistogramExemplar, 'value'>) => void;
  readonly read: () => HistogramState;
};

/** Counts values by bounds, which ascend. */
export const openHistogram = (bounds: readonly number[]): Histogram => {
  const buckets = [...bounds, Infinity].map((upTo) => ({
    upTo,
    count: 0,
    exemplar: null as HistogramExemplar | null,
  }));
  let sum = 0;
  return {
    record: (value, exemplar) => {
      const bucket = buckets.find(({ upTo }) => value <= upTo);
      if (bucket === undefined) return;
      bucket.count += 1;
      sum += value;
      if (exemplar !== undefined) bucket.exemplar = { ...exemplar, value };
    },
    read: () => {
      let count = 0;
      const cumulative = buckets.map((bucket) => {
        count += bucket.count;
        return { ...bucket, count };
      });
      return { buckets: cumulative, sum, count };
    },
  };
};
