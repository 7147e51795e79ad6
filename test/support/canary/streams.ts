/** Canary requests and errors, baseline requests and errors of one window. */
export type Counts = readonly [number, number, number, number];

export const repeat = (times: number, counts: Counts): readonly Counts[] =>
  Array.from({ length: times }, () => counts);
