import { attemptsMet } from './attempts.ts';
import type { Outcome, Sayings } from './begun-and-ended.ts';
import { afterSaying, goesOn, isOver, positionsOf, stageOf } from './begun-and-ended.ts';
import type { Deployment, KnownDetails } from './deployment.ts';
import { isClockSkewed } from './deployment.ts';
import type { FreezesRow } from './guard.ts';
import { freezesKey, guardModel, withFreeze } from './guard.ts';
import { knownDetails } from './known-details.ts';
import type { Position } from './log/record.ts';
import { labelsMax } from './markers/limits.ts';
import type { Circumstance, Freeze, Label, PlaceChange, Slot } from './markers/marker.ts';
import { slotKey } from './markers/slot.ts';
import { positionKey } from './position-key.ts';
import { onBehalfOf } from './trust/on-behalf.ts';
import type { KeyState, Trust } from './trust/trust.ts';
import { coversSlot } from './trust/trust.ts';

// What is said of a place beside its deployments: labels, freezes, changes of flags, configuration, secrets and schemas,
// incidents. It moves no deployment. Each fact is a row by its position; what stands because of them is a row for each
// slot and each deployment.

/** One fact, by its position. Times are milliseconds since 1970. */
export type CircumstanceRow = {
  readonly position: Position;
  readonly marker: string;
  readonly kind: Circumstance['kind'];
  readonly slot: Slot;
  readonly deployment: string | null;
  readonly name: string | null;
  readonly fromVersion: string | null;
  readonly toVersion: string | null;
  readonly outcome: string | null;
  readonly url: string | null;
  readonly reason: string | null;
  readonly details: KnownDetails;
  /** When it counts: the log's append time less its waiting time. */
  readonly at: number;
  readonly occurredAt: number;
  readonly waitedMs: number;
  readonly clockSkewed: boolean;
  readonly principal: string;
  readonly key: string;
  readonly source: string;
  /** The token with which it was said, or null. */
  readonly onBehalf: string | null;
  readonly note: Outcome['note'];
  /** What ended it, for what goes on: an incident, a migration, a freeze. */
  readonly ended: { readonly position: Position; readonly at: number } | null;
};

/** A label that stands, and where it was said. */
export type LabelSaid = {
  readonly name: string;
  readonly value: string;
  readonly position: Position;
  /** When it counts. */
  readonly at: number;
  /** The token with which it was said, or null. */
  readonly onBehalf: string | null;
};

/** What stands in a slot or of a deployment because of such facts. */
export type NotedRow = Sayings & {
  readonly labels: readonly LabelSaid[];
  /** Positions of the newest `recentMax` facts, oldest first. */
  readonly recent: readonly Position[];
};

export const circumstanceModel = 'circumstance';
export const notedModel = 'noted';
export const notedSlotKey = (slot: Slot): string => `slot/${slotKey(slot)}`;
export const notedDeploymentKey = (deployment: string): string => `deployment/${deployment}`;

const recentMax = 50;

type CircumstanceRows = {
  readonly deployment: Deployment;
  readonly circumstance: CircumstanceRow;
  readonly noted: NotedRow;
  readonly guard: FreezesRow;
};

/** The rows that the fold of a circumstance looks at. */
export type Rows = {
  readonly get: <Model extends keyof CircumstanceRows>(
    model: Model,
    key: string,
  ) => CircumstanceRows[Model] | undefined;
  readonly put: (model: string, key: string, row: unknown) => void;
};

type From = {
  readonly position: Position;
  readonly at: number;
  readonly waitedMs: number;
  readonly signer: KeyState;
  readonly trust: Trust;
};

export type CircumstanceRefusal = {
  readonly code: 'out-of-scope' | 'deployment-unknown' | 'labels-full' | 'freezes-full';
  readonly message: string;
};

/** Why it is not accepted, or undefined. `deployment` is the one that it names, where that is known. */
export const circumstanceRefusal = (
  marker: Circumstance,
  { signer, trust }: Pick<From, 'signer' | 'trust'>,
  rows: Pick<Rows, 'get'>,
): CircumstanceRefusal | undefined => {
  if (!coversSlot(signer, marker.slot))
    return {
      code: 'out-of-scope',
      message: `the key ${signer.id} of ${signer.principal} may not act on ${slotKey(marker.slot)}`,
    };
  if (marker.kind === 'freeze')
    return withFreeze(freezesIn(rows), freezeSaid(marker, fromNowhere(signer))) === undefined
      ? { code: 'freezes-full', message: 'so many freezes stand that no more are taken' }
      : undefined;
  const deployment =
    marker.deployment === null ? undefined : rows.get('deployment', marker.deployment);
  const voice = onBehalfOf(signer, marker);
  if (
    deployment !== undefined &&
    attemptsMet(deployment, { signer, voice }, null, trust).length === 0
  )
    return {
      code: 'out-of-scope',
      message: `the key ${signer.id} of ${signer.principal} may not act where ${deployment.id} was planned`,
    };
  if (marker.kind !== 'label') return undefined;
  if (marker.deployment !== null && deployment === undefined)
    return {
      code: 'deployment-unknown',
      message: `no deployment ${marker.deployment} is known`,
    };
  const labels = withLabels(rows.get('noted', labelledKey(marker))?.labels ?? [], marker, {
    position: 0,
    at: Number.POSITIVE_INFINITY,
    signer,
  }).filter(({ onBehalf }) => onBehalf === voice);
  return labels.length > labelsMax
    ? {
        code: 'labels-full',
        message: `${labels.length} labels would stand there; at most ${labelsMax} are taken`,
      }
    : undefined;
};

/** Writes what follows from a circumstance that was not refused. */
export const applyCircumstance = (rows: Rows, marker: Circumstance, from: From): void => {
  const { position } = from;
  if (marker.kind === 'freeze') {
    applyFreeze(rows, marker, from);
    return;
  }
  const slotNoted = rows.get('noted', notedSlotKey(marker.slot)) ?? nothingNoted;
  const { noted, outcome, others } = afterCircumstance(slotNoted, marker, from);
  rows.put(notedModel, notedSlotKey(marker.slot), withRecent(noted, position));
  for (const [other, seen] of others) {
    const row = rows.get('circumstance', positionKey(other));
    if (row !== undefined) rows.put(circumstanceModel, positionKey(other), { ...row, ...seen });
  }
  rows.put(circumstanceModel, positionKey(position), circumstanceRow(marker, from, outcome));
  const { deployment } = marker;
  if (deployment === null || rows.get('deployment', deployment) === undefined) return;
  const key = notedDeploymentKey(deployment);
  const known = rows.get('noted', key) ?? nothingNoted;
  const labels = marker.kind === 'label' ? withLabels(known.labels, marker, from) : known.labels;
  rows.put(notedModel, key, withRecent({ ...known, labels }, position));
};

const applyFreeze = (rows: Rows, marker: Freeze, from: From): void => {
  const freezes = withFreeze(freezesIn(rows), freezeSaid(marker, from));
  if (freezes !== undefined) rows.put(guardModel, freezesKey, freezes);
  rows.put(circumstanceModel, positionKey(from.position), circumstanceRow(marker, from, applied));
};

/** A freeze that was lifted: its row says by what. */
export const endFreeze = (
  rows: Rows,
  freeze: Position,
  by: { readonly position: Position; readonly at: number },
): void => {
  const row = rows.get('circumstance', positionKey(freeze));
  if (row !== undefined)
    rows.put(circumstanceModel, positionKey(freeze), {
      ...row,
      ended: { position: by.position, at: by.at },
    });
};

/** Rows that a circumstance looks at by what it says itself; what it ends is one more. */
export const rowsOfCircumstance = (
  marker: Circumstance,
): readonly { readonly model: keyof CircumstanceRows; readonly key: string }[] => {
  if (marker.kind === 'freeze') return [{ model: 'guard', key: freezesKey }];
  const { deployment, slot } = marker;
  const ofSlot = { model: 'noted', key: notedSlotKey(slot) } as const;
  return deployment === null
    ? [ofSlot]
    : [
        ofSlot,
        { model: 'deployment', key: deployment },
        { model: 'noted', key: notedDeploymentKey(deployment) },
      ];
};

/** Facts of the same name, which this one may let be seen otherwise. */
export const factsBefore = (
  noted: NotedRow | undefined,
  marker: Circumstance,
): readonly Position[] => {
  const stage = stageOf(marker);
  return stage === undefined || !('name' in marker) || noted === undefined
    ? []
    : positionsOf(noted, { what: stage.what, name: marker.name });
};

/** Whether it is an end of what does not go on. */
export const endsNothing = (
  noted: NotedRow | undefined,
  marker: Circumstance,
  voice: string | null,
): marker is PlaceChange => {
  const stage = stageOf(marker);
  if (stage?.is !== 'end' || !('name' in marker)) return false;
  return goesOn(noted ?? nothingNoted, stage, { name: marker.name, onBehalf: voice }) === undefined;
};

/** Whether it would say nothing new: labels that stand so, an incident or a migration that goes on. */
export const isSaidAlready = (
  rows: Pick<Rows, 'get'>,
  marker: Circumstance,
  voice: string | null,
): boolean => {
  if (marker.kind === 'label') {
    const labels = rows.get('noted', labelledKey(marker))?.labels ?? [];
    return marker.details.labels.every(({ name, value }) =>
      labels.some(
        (known) => known.name === name && known.value === value && known.onBehalf === voice,
      ),
    );
  }
  const stage = stageOf(marker);
  if (stage === undefined || !('name' in marker)) return false;
  const noted = rows.get('noted', notedSlotKey(marker.slot)) ?? nothingNoted;
  const said = { name: marker.name, onBehalf: voice };
  const begun = goesOn(noted, stage, said);
  return stage.is === 'begin'
    ? begun !== undefined
    : begun === undefined && isOver(noted, stage, said);
};

const nothingNoted: NotedRow = { labels: [], open: [], over: [], recent: [] };

const applied: Outcome = { note: 'applied', ended: null };
const noOthers: ReadonlyMap<Position, Outcome> = new Map();

/** What the slot's row is after it, what it came to, and what others have come to by it. */
const afterCircumstance = (
  noted: NotedRow,
  marker: Circumstance,
  { position, at, signer }: From,
): {
  readonly noted: NotedRow;
  readonly outcome: Outcome;
  readonly others: ReadonlyMap<Position, Outcome>;
} => {
  if (marker.kind === 'label' && marker.deployment === null)
    return {
      noted: { ...noted, labels: withLabels(noted.labels, marker, { position, at, signer }) },
      outcome: applied,
      others: noOthers,
    };
  const stage = stageOf(marker);
  if (stage === undefined || !('name' in marker))
    return { noted, outcome: applied, others: noOthers };
  const onBehalf = onBehalfOf(signer, marker);
  const { what } = stage;
  const { sayings, outcome, others } = afterSaying(noted, stage, {
    ...{ what, name: marker.name, position, at, onBehalf },
  });
  return { noted: { ...noted, ...sayings }, outcome, others };
};

const labelledKey = ({ deployment, slot }: Label): string =>
  deployment === null ? notedSlotKey(slot) : notedDeploymentKey(deployment);

/** The last word on a name counts: of each token among its own, of a key before all that tokens say of it. */
const withLabels = (
  labels: readonly LabelSaid[],
  marker: Label,
  { position, at, signer }: Pick<From, 'position' | 'at' | 'signer'>,
): readonly LabelSaid[] => {
  const onBehalf = onBehalfOf(signer, marker);
  const isKeys = (name: string): boolean =>
    labels.some((known) => known.name === name && known.onBehalf === null);
  // What waited is older than what the same voice has said of it since.
  const isOvertaken = (name: string): boolean =>
    labels.some((known) => known.name === name && known.onBehalf === onBehalf && known.at > at);
  const said = new Map(
    marker.details.labels.flatMap(({ name, value }): (readonly [string, string])[] =>
      isOvertaken(name) || (onBehalf !== null && isKeys(name)) ? [] : [[name, value]],
    ),
  );
  const stays = (known: LabelSaid): boolean =>
    !said.has(known.name) || (onBehalf !== null && known.onBehalf !== onBehalf);
  return [
    ...labels.filter(stays),
    ...[...said].map(([name, value]) => ({ name, value, position, at, onBehalf })),
  ];
};

const withRecent = (noted: NotedRow, position: Position): NotedRow => ({
  ...noted,
  recent: [...noted.recent, position].slice(-recentMax),
});

const freezesIn = (rows: Pick<Rows, 'get'>): FreezesRow | undefined =>
  rows.get('guard', freezesKey);

const fromNowhere = (signer: KeyState): Pick<From, 'position' | 'at' | 'signer'> => ({
  position: 0,
  at: 0,
  signer,
});

const freezeSaid = (
  { slot, reason }: Freeze,
  { position, at, signer }: Pick<From, 'position' | 'at' | 'signer'>,
): FreezesRow['freezes'][number] => ({
  slot: slotOf(slot),
  position,
  at,
  principal: signer.principal,
  key: signer.id,
  reason,
});

const slotOf = ({ namespace, environment, component, target }: Slot): Slot => ({
  namespace,
  environment,
  component,
  target,
});

const circumstanceRow = (
  marker: Circumstance,
  { position, at, waitedMs, signer }: From,
  { note, ended }: Outcome,
): CircumstanceRow => ({
  position,
  marker: marker.marker,
  kind: marker.kind,
  slot: slotOf(marker.slot),
  deployment: marker.deployment,
  name: 'name' in marker ? marker.name : null,
  fromVersion: 'name' in marker ? marker.fromVersion : null,
  toVersion: 'name' in marker ? marker.toVersion : null,
  outcome: 'name' in marker ? marker.outcome : null,
  url: 'name' in marker ? marker.url : null,
  reason: marker.reason,
  details: knownDetails(marker.details),
  at,
  occurredAt: marker.occurredAt,
  waitedMs,
  clockSkewed: isClockSkewed(marker.occurredAt, at),
  principal: signer.principal,
  key: signer.id,
  source: marker.source,
  onBehalf: onBehalfOf(signer, marker),
  note,
  ended,
});
