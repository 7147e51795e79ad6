/** A message seen as a frame (all that is said once) around parts, each of which can stand in a copy of the frame. */
export type Message = {
  /** At most so many bytes does `join` put around the parts, and so many between each two. */
  readonly frameBytes: number;
  readonly separatorBytes: number;
  readonly parts: readonly Part[];
  /** A copy with these parts, as it would stand in the message around it. */
  readonly join: (parts: readonly Uint8Array[]) => Uint8Array;
};

export type Part = {
  /** As it stands in its message. */
  readonly bytes: Uint8Array;
  /** The part as a message; null: a data point, a span or a log record, which is whole or nothing. */
  readonly open: () => Message | null;
};

/** How many data points, spans or log records a message holds, and how many a part. */
export const leavesIn = ({ parts }: Message): number =>
  parts.reduce((sum, part) => sum + leavesOf(part), 0);
export const leavesOf = (part: Part): number => {
  const message = part.open();
  return message === null ? 1 : leavesIn(message);
};
