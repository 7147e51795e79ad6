import type { Position } from './log/record.ts';

// The numbers that a producer gives its markers, and which of them never came. A producer is a name under a
// principal: what somebody else signs under the same name is another producer's.

/** Numbers that were passed over, both ends included. */
export type MissingRange = {
  readonly from: number;
  readonly to: number;
  /** The marker that showed the gap. */
  readonly position: Position;
};

export type ProducerRow = {
  readonly principal: string;
  readonly producer: string;
  /** Numbering begins at the lowest number that came: what lies below is not missed. */
  readonly lowest: number;
  readonly highest: number;
  /** The marker that brought the highest number. */
  readonly highestPosition: Position;
  /** By number, at most `missingRangesMax`. */
  readonly missing: readonly MissingRange[];
  /** How many numbers are missing from ranges that found no place in `missing`. */
  readonly missingUnlisted: number;
  /** Up to this number it is known how many are missing, but not which. */
  readonly unlistedTo: number | null;
  /** Markers with a number that another marker had. */
  readonly repeats: number;
  readonly repeatedAt: Position | null;
  readonly firstPosition: Position;
  readonly lastPosition: Position;
  /** Milliseconds since 1970, by the log. */
  readonly lastAt: number;
};

/** Of a producer whose numbers have more holes the lowest are counted, and no longer listed. */
export const missingRangesMax = 100;

/** One numbered marker of a producer. */
export type Numbered = {
  readonly principal: string;
  readonly producer: string;
  readonly sequence: number;
  readonly position: Position;
  readonly atMs: number;
};

export const producerKey = (principal: string, producer: string): string =>
  `${encodeURIComponent(principal)}/${encodeURIComponent(producer)}`;

/** The row after one more marker. Whatever the order in which numbers come, the same ones are missing. */
export const evolveProducer = (row: ProducerRow | undefined, marker: Numbered): ProducerRow => {
  const { principal, producer, sequence, position, atMs } = marker;
  if (row === undefined)
    return {
      principal,
      producer,
      lowest: sequence,
      highest: sequence,
      highestPosition: position,
      missing: [],
      missingUnlisted: 0,
      unlistedTo: null,
      repeats: 0,
      repeatedAt: null,
      firstPosition: position,
      lastPosition: position,
      lastAt: atMs,
    };
  const heard: ProducerRow = { ...row, lastPosition: position, lastAt: atMs };
  if (sequence > row.highest)
    return listed({ ...heard, highest: sequence, highestPosition: position }, [
      ...row.missing,
      ...between(row.highest, sequence, position),
    ]);
  if (sequence < row.lowest)
    return listed({ ...heard, lowest: sequence }, [
      ...between(sequence, row.lowest, position),
      ...row.missing,
    ]);
  const hole = row.missing.find(({ from, to }) => from <= sequence && sequence <= to);
  if (hole !== undefined)
    return listed(
      heard,
      row.missing.flatMap((range) => (range === hole ? without(hole, sequence) : [range])),
    );
  const isUnlisted = row.unlistedTo !== null && sequence <= row.unlistedTo;
  return isUnlisted && row.missingUnlisted > 0
    ? { ...heard, missingUnlisted: row.missingUnlisted - 1 }
    : { ...heard, repeats: row.repeats + 1, repeatedAt: position };
};

/** How many numbers never came. */
export const missingCount = ({ missing, missingUnlisted }: ProducerRow): number =>
  missing.reduce((sum, range) => sum + numbersIn(range), missingUnlisted);

const numbersIn = ({ from, to }: MissingRange): number => to - from + 1;

const between = (below: number, above: number, position: Position): readonly MissingRange[] =>
  above - below > 1 ? [{ from: below + 1, to: above - 1, position }] : [];

const without = ({ from, to, position }: MissingRange, sequence: number): readonly MissingRange[] =>
  [
    { from, to: sequence - 1, position },
    { from: sequence + 1, to, position },
  ].filter((range) => range.from <= range.to);

const listed = (row: ProducerRow, missing: readonly MissingRange[]): ProducerRow => {
  const cut = missing.slice(0, Math.max(0, missing.length - missingRangesMax));
  return {
    ...row,
    missing: missing.slice(cut.length),
    missingUnlisted: cut.reduce((sum, range) => sum + numbersIn(range), row.missingUnlisted),
    // A number below all others may come late, and its gap is then the lowest.
    unlistedTo: cut.reduce<number | null>(
      (most, { to }) => Math.max(most ?? to, to),
      row.unlistedTo,
    ),
  };
};
