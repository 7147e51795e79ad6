/** A marker's place in its producer's own count. */
export type Numbered = {
  readonly producer: string;
  /** From 1. */
  readonly sequence: number;
};

/**
 * The count of what is emitted from here. It never stands in the way: where a number cannot be had there is none.
 * Many processes may take numbers at once, and no two get the same.
 */
export type Numbering = {
  /** The next number of what this key signs. Null: nothing is counted here. */
  readonly take: (keyId: string) => Promise<Numbered | null>;
  /** The number was not used after all: the next marker of the key takes it. Best effort. */
  readonly giveBack: (keyId: string, taken: Numbered) => Promise<void>;
};
