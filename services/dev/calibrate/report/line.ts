/** One thing that the judges are held against, and whether they meet it. */
export type Line = {
  readonly list: string;
  readonly what: string;
  readonly wanted: string;
  readonly seen: string;
  readonly isMet: boolean;
  /** Asked by us alone: the goals and the tables that the method was chosen by do not have it. */
  readonly isBeyond: boolean;
};
