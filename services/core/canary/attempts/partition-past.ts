import type { Position } from '../../log/record.ts';
import type { AnalysisOpened } from '../../samples/sample.ts';

// What a partition of samples remembers of analyses that are gone, and where a reader must begin so that it obeys the
// same openings. Nothing here depends on where one began: whoever begins at `lowestNeeded` comes to the same bytes.

/** The attempt that an analysis was of. */
type AttemptPlace = Pick<
  AnalysisOpened,
  'environment' | 'component' | 'namespace' | 'target' | 'deployment' | 'attempt'
>;

/** An analysis whose attempt is over. An opening of it that comes again is not obeyed. */
export type Gone = {
  /** Where its opening stands; of one that never was opened, the copy that ended its attempt. */
  readonly position: Position;
  /** By the append times of the partition: after it an opening of it would be too late to count anyway. */
  readonly untilMs: number;
  /** Null: it never was opened. */
  readonly attempt: AttemptPlace | null;
};

/** Whoever begins to read behind `from`, and not behind `to`, would obey an opening that was not obeyed. */
export type Span = readonly [from: Position, to: Position];

export type PartitionPast = {
  /** By id of the analysis. */
  readonly gone: { readonly [id: string]: Gone };
  /** In order; no two have a position in common. */
  readonly spans: readonly Span[];
};

export const noPast: PartitionPast = { gone: {}, spans: [] };

/** An opening that lies on the samples only so long after it was made is one of somebody who was away. */
export const openingAgeMsMax = 600_000;
/** From the look at the log that an opening rests on to the time that it says. */
export const openingMadeMsMax = 60_000;
/** How far clocks of openers may be from that of the samples. */
const clockMsMax = 240_000;

/** Whether an opening was appended so long after it was made that what it rests on may be over. */
export const isOpenedLate = ({ openedAt }: AnalysisOpened, appendedAtMs: number): boolean =>
  appendedAtMs - openedAt > openingAgeMsMax;

export const goneSince = (
  position: Position,
  appendedAtMs: number,
  attempt: AttemptPlace | null,
): Gone => ({
  position,
  untilMs: appendedAtMs + openingAgeMsMax + openingMadeMsMax + clockMsMax,
  attempt,
});

export const attemptPlace = ({
  environment,
  component,
  namespace,
  target,
  deployment,
  attempt,
}: AnalysisOpened): AttemptPlace => ({
  environment,
  component,
  namespace,
  target,
  deployment,
  attempt,
});

/** Those that an opening could still come for. The same object where that is all of them. */
export const stillGone = (
  gone: PartitionPast['gone'],
  appendedAtMs: number,
): PartitionPast['gone'] => {
  let isLapsed = false;
  for (const id in gone) if ((gone[id]?.untilMs ?? 0) < appendedAtMs) isLapsed = true;
  return isLapsed
    ? Object.fromEntries(Object.entries(gone).filter(([, { untilMs }]) => untilMs >= appendedAtMs))
    : gone;
};

export const withSpan = (spans: readonly Span[], [from, to]: Span): readonly Span[] => {
  const apart = spans.filter((span) => span[1] < from || span[0] > to);
  const joined = spans.filter((span) => !apart.includes(span));
  const whole: Span = [
    Math.min(from, ...joined.map((span) => span[0])),
    Math.max(to, ...joined.map((span) => span[1])),
  ];
  return [...apart, whole].toSorted((left, right) => left[0] - right[0]);
};

/** Where a reader must begin who is to know these positions; undefined: there is none. */
export const lowestNeeded = (
  positions: readonly Position[],
  { gone, spans }: PartitionPast,
): Position | undefined => {
  let lowest = Infinity;
  for (const position of positions) lowest = Math.min(lowest, position);
  for (const id in gone) lowest = Math.min(lowest, gone[id]?.position ?? Infinity);
  if (lowest === Infinity) return undefined;
  for (const [from, to] of spans.toReversed()) if (to >= lowest) lowest = Math.min(lowest, from);
  return lowest;
};

/** Without the spans before everything that is known: nobody begins there any more. */
export const withoutPassed = (
  spans: readonly Span[],
  lowest: Position | undefined,
): readonly Span[] =>
  spans.length === 0 ? spans : spans.filter(([, to]) => lowest !== undefined && to >= lowest);
