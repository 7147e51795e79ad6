import type { Position } from './log/record.ts';
import type { Circumstance } from './markers/marker.ts';

// Incidents and migrations: what begins, goes on for a time and ends. What was said of one name is told in the order of
// when it counts, not of when it came: a spool may bring an opening after the end that was said behind it.

/** A begin or an end that was said in a place. */
export type Saying = {
  readonly what: 'incident' | 'migration';
  readonly name: string;
  readonly position: Position;
  /** When it counts, milliseconds since 1970. */
  readonly at: number;
  /** The token with which it was said, or null. */
  readonly onBehalf: string | null;
};

/** What is kept of a place. */
export type Sayings = {
  /** What goes on, oldest first. */
  readonly open: readonly Saying[];
  /**
   * The newest else: ends, and begins that are over or said nothing new. Oldest first. Rows that folds before 14 wrote
   * have none, and are read until the new ones stand.
   */
  readonly over?: readonly (Saying & { readonly is: Stage['is'] })[];
};

export type Stage = { readonly is: 'begin' | 'end'; readonly what: Saying['what'] };

/** What a saying came to. */
export type Outcome = {
  /** `repeat`: what it begins went on already; `unmatched`: what it ends had not begun. */
  readonly note: 'applied' | 'repeat' | 'unmatched';
  /** Of a begin: what ended it. */
  readonly ended: { readonly position: Position; readonly at: number } | null;
};

/** Each voice has so many of its own: nobody's go because somebody else has said many. */
const openMax = 100;
const overMax = 50;

/** What goes on for a time has a begin and an end; anything else is a moment. */
export const stageOf = ({ kind }: Circumstance): Stage | undefined => {
  switch (kind) {
    case 'migration-started':
      return { is: 'begin', what: 'migration' };
    case 'migration-finished':
      return { is: 'end', what: 'migration' };
    case 'incident-opened':
      return { is: 'begin', what: 'incident' };
    case 'incident-resolved':
      return { is: 'end', what: 'incident' };
    case 'label':
    case 'freeze':
    case 'flag-changed':
    case 'config-changed':
    case 'secret-changed':
      return undefined;
  }
};

type Event = NonNullable<Sayings['over']>[number];
type Named = Pick<Saying, 'what' | 'name'>;

/** All that is kept of one name, in the order of when it counts. */
const eventsOf = ({ open, over = [] }: Sayings, named: Named): readonly Event[] =>
  [...open.map((one) => ({ ...one, is: 'begin' as const })), ...over].filter((one) =>
    isOfName(one, named),
  );

/** Positions of all that may be seen otherwise after the next that is said of the name. */
export const positionsOf = (sayings: Sayings, named: Named): readonly Position[] =>
  eventsOf(sayings, named).map(({ position }) => position);

const isOfName = (one: Named, { what, name }: Named): boolean =>
  one.what === what && one.name === name;

const inTime = (a: Saying, b: Saying): number => a.at - b.at || a.position - b.position;

/**
 * What goes on already, by the same voice. A key also ends what was begun with a token; a token ends nothing that somebody
 * else has begun.
 */
const begunBefore = (
  open: readonly Saying[],
  is: Stage['is'],
  voice: string | null,
): Saying | undefined =>
  open.find(({ onBehalf }) => onBehalf === voice) ??
  (is === 'end' && voice === null ? open[0] : undefined);

/** What of that name goes on, and that this would say again or end. */
export const goesOn = (
  { open }: Pick<Sayings, 'open'>,
  stage: Stage,
  { name, onBehalf }: Pick<Saying, 'name' | 'onBehalf'>,
): Saying | undefined =>
  begunBefore(
    open.filter((one) => isOfName(one, { what: stage.what, name })),
    stage.is,
    onBehalf,
  );

/** Whether the last that this voice said of the name was its end. */
export const isOver = (
  sayings: Sayings,
  { what }: Stage,
  { name, onBehalf }: Pick<Saying, 'name' | 'onBehalf'>,
): boolean =>
  eventsOf(sayings, { what, name })
    .filter((one) => one.onBehalf === onBehalf)
    .toSorted(inTime)
    .at(-1)?.is === 'end';

/** What each came to, told in the order of when they count. */
const told = (
  events: readonly Event[],
): { readonly outcomes: ReadonlyMap<Position, Outcome>; readonly open: readonly Saying[] } => {
  const outcomes = new Map<Position, Outcome>();
  let open: readonly Event[] = [];
  for (const one of events.toSorted(inTime)) {
    const { position, at, is, onBehalf } = one;
    const begun = begunBefore(open, is, onBehalf);
    if (is === 'begin') {
      outcomes.set(position, { note: begun === undefined ? 'applied' : 'repeat', ended: null });
      if (begun === undefined) open = [...open, one];
    } else {
      outcomes.set(position, { note: begun === undefined ? 'unmatched' : 'applied', ended: null });
      if (begun !== undefined)
        outcomes.set(begun.position, { note: 'applied', ended: { position, at } });
      open = open.filter((other) => other !== begun);
    }
  }
  return { outcomes, open };
};

/** What is kept after it, what it came to, and which of the earlier are now seen otherwise. */
export const afterSaying = (
  sayings: Sayings,
  stage: Stage,
  saying: Saying,
): {
  readonly sayings: Required<Sayings>;
  readonly outcome: Outcome;
  readonly others: ReadonlyMap<Position, Outcome>;
} => {
  const known = eventsOf(sayings, saying);
  const events: readonly Event[] = [...known, { ...saying, is: stage.is }];
  const before = told(known).outcomes;
  const { outcomes, open } = told(events);
  const others = [...outcomes].filter(
    ([position, outcome]) => position !== saying.position && !isSame(before.get(position), outcome),
  );
  const isOpen = new Set(open.map(({ position }) => position));
  const elsewhere = (one: Saying): boolean => !isOfName(one, saying);
  return {
    sayings: {
      open: newestOfEach(
        [...sayings.open.filter(elsewhere), ...open.map(asSaying)],
        saying.onBehalf,
        openMax,
      ),
      over: newestOfEach(
        [
          ...(sayings.over ?? []).filter(elsewhere),
          ...events.filter(({ position }) => !isOpen.has(position)),
        ],
        saying.onBehalf,
        overMax,
      ),
    },
    outcome: outcomes.get(saying.position) ?? { note: 'applied', ended: null },
    others: new Map(others),
  };
};

const asSaying = ({ what, name, position, at, onBehalf }: Saying): Saying => ({
  ...{ what, name, position, at, onBehalf },
});

const isSame = (a: Outcome | undefined, b: Outcome): boolean =>
  a?.note === b.note && a.ended?.position === b.ended?.position;

/** In their order, of one voice no more than so many. */
const newestOfEach = <One extends Saying>(
  sayings: readonly One[],
  voice: string | null,
  countMax: number,
): readonly One[] => {
  const sorted = sayings.toSorted(inTime);
  const extra = sorted.filter(({ onBehalf }) => onBehalf === voice).length - countMax;
  if (extra <= 0) return sorted;
  let dropped = 0;
  return sorted.filter(({ onBehalf }) => onBehalf !== voice || dropped++ >= extra);
};
