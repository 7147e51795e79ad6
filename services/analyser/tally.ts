/** Counts by name what was not used. Nothing is dropped in silence. */
export type Tally = {
  readonly add: (name: string, count: number) => void;
  readonly counts: () => { readonly [name: string]: number };
};

export const openTally = (): Tally => {
  const counts = new Map<string, number>();
  return {
    add: (name, count) => {
      if (count > 0) counts.set(name, (counts.get(name) ?? 0) + count);
    },
    counts: () => Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
};
