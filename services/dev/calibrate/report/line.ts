/** One thing that the judges are held against, and whether they meet it. */
export type Line = {
  readonly list: string;
  readonly what: string;
  readonly wanted: string;
  readonly seen: string;
  readonly isMet: boolean;
};
