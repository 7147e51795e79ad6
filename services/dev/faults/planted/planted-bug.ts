/** A change of the product's source: `from` stands in the file exactly once. */
export type Edit = { readonly file: string; readonly from: string; readonly to: string };

/** What must find it, the cheapest that does. */
export type PlantedCheck =
  /** A test file of the house. */
  | {
      readonly check: 'suite';
      readonly project: 'unit' | 'laws' | 'integration';
      readonly file: string;
    }
  /** Torn append-only files. */
  | { readonly check: 'aof-cuts'; readonly cuts: number }
  /** Faults on real processes. */
  | { readonly check: 'campaign'; readonly only: string; readonly minutes: number }
  /** Simulated schedules. */
  | { readonly check: 'simulate'; readonly schedules: number };

/** A bug that somebody might write one day. */
export type PlantedBug = {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** In this order, until one of them finds it. */
  readonly checks: readonly PlantedCheck[];
};

/** For a report: `suite test/contract/…`, `aof-cuts 60`. */
export const nameOf = (check: PlantedCheck): string => {
  switch (check.check) {
    case 'suite':
      return `suite ${check.file}`;
    case 'aof-cuts':
      return `aof-cuts ${check.cuts}`;
    case 'campaign':
      return `campaign ${check.only}`;
    case 'simulate':
      return `simulate ${check.schedules}`;
  }
};
