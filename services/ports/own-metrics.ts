/** What a service says of itself, as numbers. */
export type OwnNumbers = {
  /** Records that wait for it; null: nobody knows. */
  readonly lagRecords: number | null;
  /** What has become of things so far, by outcome or code. They only grow. */
  readonly totals: { readonly [outcome: string]: number };
};

/** Lets the numbers of a service be read by whoever measures this process, for as long as it runs. */
export type MeasureService = (service: string, read: () => OwnNumbers) => void;
