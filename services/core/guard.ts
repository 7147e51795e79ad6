import type { Position } from './log/record.ts';
import type { Slot } from './markers/marker.ts';
import { sameSlot, slotKey } from './markers/slot.ts';
import { positionKey } from './position-key.ts';
import { takesName } from './name-pattern.ts';

// What stands between a decision and whoever would obey it: stops, freezes by people, roll-backs said so far and what
// they froze, approvals. The fold keeps it; core/canary/obey/obey.ts judges by it.

/** Who changed something here, and why. */
export type Said = {
  readonly position: Position;
  /** When it counts, by the log. */
  readonly at: number;
  readonly principal: string;
  readonly key: string;
  readonly reason: string;
};

/** Nobody obeys decisions there. */
export type Stop = Said & {
  /** A name, or the beginning of one and `*`; null: everywhere. */
  readonly environment: string | null;
};

export type StopsRow = { readonly stops: readonly Stop[] };

/** A roll-back that was to be obeyed: one that was decided, or one that was asked for and approved. */
export type RollBackSaid = {
  /** Of the decision. */
  readonly position: Position;
  /** Since when it could be obeyed. */
  readonly at: number;
  readonly deployment: string;
  readonly attempt: number;
  /** Of the artifact that was rolled back. */
  readonly fromDigest: string | null;
};

/** A person froze a place: nothing new may come to it. */
export type PlaceFreeze = Said & {
  /** Names may be patterns: a beginning and `*`. A target of null is any. */
  readonly slot: Slot;
};

export type FreezesRow = { readonly freezes: readonly PlaceFreeze[] };

export type SlotGuardRow = {
  /** The newest `slotRollBacksMax`, oldest first. */
  readonly rollBacks: readonly RollBackSaid[];
  /** What the roll-backs up to that one froze is lifted. */
  readonly lifted: (Said & { readonly rollBack: Position }) | null;
};

/** Of the last hour by the log's time, oldest first; the newest `recentMax`. */
export type RecentRow = {
  readonly rollBacks: readonly (Pick<RollBackSaid, 'position' | 'at'> & {
    readonly component: string;
  })[];
};

/** What a person said of a decision that asks; the last word counts. */
export type ApprovalRow = Said & {
  readonly decision: Position;
  readonly answer: 'approved' | 'declined';
  /** Approved before by another principal: that counts on where this one may not approve it. */
  readonly before?: Said;
};

export const guardModel = 'guard';
export const stopsKey = 'stops';
export const recentKey = 'recent';
export const freezesKey = 'freezes';
export const slotGuardPrefix = 'slot/';
export const slotGuardKey = (slot: Slot): string => `${slotGuardPrefix}${slotKey(slot)}`;
export const approvalKey = (decision: Position): string => `approval/${positionKey(decision)}`;

/** Patterns of environments; the stop of everything always finds room. */
export const stopsMax = 200;
export const slotRollBacksMax = 20;
/** That stand at once; who freezes the same place again finds room. */
const freezesMax = 200;
const recentMax = 1000;
const hourMs = 3_600_000;

/** The stop in the place of an older one of the same environments; undefined: there is no room. */
export const withStop = (row: StopsRow | undefined, stop: Stop): StopsRow | undefined => {
  const others = (row?.stops ?? []).filter(({ environment }) => environment !== stop.environment);
  if (stop.environment !== null && others.length >= stopsMax) return undefined;
  return { stops: [...others, stop] };
};

/** Undefined: nothing is stopped by that name. */
export const withoutStop = (
  row: StopsRow | undefined,
  environment: string | null,
): StopsRow | undefined => {
  const stops = row?.stops ?? [];
  const others = stops.filter((stop) => stop.environment !== environment);
  return others.length === stops.length ? undefined : { stops: others };
};

export const stopOf = (row: StopsRow | undefined, { environment }: Slot): Stop | undefined =>
  (row?.stops ?? []).find(
    ({ environment: pattern }) => pattern === null || takesName(pattern, environment),
  );

/** The freeze in the place of an older one of the same person and place; undefined: there is no room. */
export const withFreeze = (
  row: FreezesRow | undefined,
  freeze: PlaceFreeze,
): FreezesRow | undefined => {
  const others = (row?.freezes ?? []).filter(
    ({ slot, principal }) => principal !== freeze.principal || !sameSlot(slot, freeze.slot),
  );
  return others.length >= freezesMax ? undefined : { freezes: [...others, freeze] };
};

/** Undefined: none stands that was said there. */
export const withoutFreeze = (
  row: FreezesRow | undefined,
  position: Position,
): FreezesRow | undefined => {
  const freezes = row?.freezes ?? [];
  const others = freezes.filter((freeze) => freeze.position !== position);
  return others.length === freezes.length ? undefined : { freezes: others };
};

/** The newest freeze by a person that covers the place. */
export const placeFreezeOf = (
  row: FreezesRow | undefined,
  { namespace, environment, component, target }: Slot,
): PlaceFreeze | undefined =>
  (row?.freezes ?? []).findLast(
    ({ slot }) =>
      takesName(slot.namespace, namespace) &&
      takesName(slot.environment, environment) &&
      takesName(slot.component, component) &&
      (slot.target === null || (target !== null && takesName(slot.target, target))),
  );

export const withRollBack = (
  row: SlotGuardRow | undefined,
  rollBack: RollBackSaid,
): SlotGuardRow => {
  const { position, at, deployment, attempt, fromDigest } = rollBack;
  return {
    rollBacks: [...(row?.rollBacks ?? []), { position, at, deployment, attempt, fromDigest }].slice(
      -slotRollBacksMax,
    ),
    lifted: row?.lifted ?? null,
  };
};

export const withRecent = (
  row: RecentRow | undefined,
  { position, at }: Pick<RollBackSaid, 'position' | 'at'>,
  { component }: Slot,
): RecentRow => ({
  rollBacks: [...(row?.rollBacks ?? []), { position, at, component }]
    .filter((other) => other.at > at - hourMs)
    .slice(-recentMax),
});

/** Roll-backs within the hour before that moment, that decision's own not counted. */
export const recentBefore = (
  row: RecentRow | undefined,
  asked: { readonly position: Position; readonly at: number },
): RecentRow['rollBacks'] =>
  (row?.rollBacks ?? []).filter(
    ({ position, at }) => position < asked.position && at > asked.at - hourMs,
  );

export type AttemptNamed = Pick<RollBackSaid, 'deployment' | 'attempt'>;

export const isSameAttempt = (a: AttemptNamed, b: AttemptNamed): boolean =>
  a.deployment === b.deployment && a.attempt === b.attempt;

/** The newest roll-back whose freeze nobody lifted; those of `own`, if named, do not stand in its way. */
export const freezeOf = (
  row: SlotGuardRow | undefined,
  own: AttemptNamed | null,
): RollBackSaid | undefined =>
  row?.rollBacks.findLast(
    (said) =>
      said.position > (row.lifted?.rollBack ?? -1) && (own === null || !isSameAttempt(said, own)),
  );
