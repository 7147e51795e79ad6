import type { Attempt, DecisionSummary, Deployment, Note } from './deployment.ts';
import type { Position } from './log/record.ts';
import type { RecentRow, SlotGuardRow } from './guard.ts';
import { guardModel, recentKey, slotGuardKey, withRecent, withRollBack } from './guard.ts';
import { circumstanceModel } from './circumstances.ts';
import { kinds } from './markers/kinds.ts';
import type { DeploymentMarker, Slot } from './markers/marker.ts';
import { schemasKnown } from './markers/upcast.ts';
import { positionKey } from './position-key.ts';
import { policyModel } from './policy-records.ts';
import type { ProducerRow } from './producers.ts';
import { evolveProducer, producerKey } from './producers.ts';
import type { RemarkRow } from './remarks.ts';
import { isRemarkable } from './remarks.ts';
import type { AttemptLine } from './slot-state.ts';
import { attemptLine } from './slot-state.ts';

export { positionKey } from './position-key.ts';

/** What one accepted marker did. */
export type Change = {
  readonly marker: DeploymentMarker;
  /** Who signed it. */
  readonly principal: string;
  readonly position: Position;
  readonly atMs: number;
  readonly note: Note;
  readonly deployment: Deployment;
  readonly deploymentBefore: Deployment | undefined;
  /** The attempt before and after. */
  readonly before: Attempt | undefined;
  readonly attempt: Attempt;
  /** The attempt after, as lists show it. */
  readonly line: AttemptLine;
};

/**
 * A list or table that follows from the changes alone. A new one is one value here; raise `version` when its rows
 * change, and the projector folds a new generation beside the old one.
 */
export type ReadModel<Row> = {
  readonly name: string;
  readonly version: number;
  /** Rows that this change touches; empty: not for me. */
  readonly keysOf: (change: Change) => readonly string[];
  /**
   * The row before the change, of a model whose rows follow from the deployment's row alone. Nobody need read such a row to
   * write it. Of a model without this the fold is given the rows, or they are not there yet (`rowsNeeded`).
   */
  readonly before?: (change: Change, key: string) => Row | undefined;
  /** The row after the change; undefined: the row goes. */
  readonly evolve: (row: Row | undefined, change: Change, key: string) => Row | undefined;
  /** Rows that are of this deployment alone: they go when it is forgotten. */
  readonly keysOfDeployment: (deployment: Deployment) => readonly string[];
};

/** One attempt a row, in the order in which the log opened them. */
export const timeline: ReadModel<AttemptLine> = {
  name: 'timeline',
  version: 3,
  keysOf: ({ attempt }) => [positionKey(attempt.openedAt)],
  before: ({ deploymentBefore, before }) =>
    deploymentBefore === undefined || before === undefined
      ? undefined
      : attemptLine(deploymentBefore, before),
  evolve: (_row, { line }) => line,
  keysOfDeployment: ({ attempts }) => attempts.map(({ openedAt }) => positionKey(openedAt)),
};

export type DecisionRow = DecisionSummary & {
  readonly deployment: string;
  readonly attempt: number;
  readonly slot: Slot;
};

/** One decision a row, in the order of the log. What renews another one changes the row of that, too. */
const decisions: ReadModel<DecisionRow> = {
  name: 'decision',
  version: 3,
  keysOf: ({ marker, position, attempt, note }) => {
    if (!('analysis' in marker)) return [];
    const renewed =
      note === 'repeat'
        ? attempt.decisions.find(({ renewal }) => renewal?.position === position)
        : undefined;
    return [position, ...(renewed === undefined ? [] : [renewed.position])].map(positionKey);
  },
  before: ({ deployment, before }, key) =>
    before === undefined ? undefined : decisionRow(deployment, before, key),
  evolve: (row, { deployment, attempt }, key) => decisionRow(deployment, attempt, key) ?? row,
  keysOfDeployment: ({ attempts }) =>
    attempts.flatMap(({ decisions: made }) => made.map(({ position }) => positionKey(position))),
};

const decisionRow = (
  deployment: Deployment,
  attempt: Attempt,
  key: string,
): DecisionRow | undefined => {
  const decision = attempt.decisions.find(({ position }) => positionKey(position) === key);
  return decision === undefined || attempt.plan === null
    ? undefined
    : {
        ...decision,
        deployment: deployment.id,
        attempt: attempt.number,
        slot: attempt.plan.slot,
      };
};

export type NameRow = {
  readonly name: string;
  readonly firstPosition: Position;
  readonly firstAt: number;
  readonly lastPosition: Position;
  readonly lastAt: number;
  readonly attempts: number;
  /** The other side: components of an environment, environments of a component; sorted, capped at `namesMax`. */
  readonly seenWith: readonly string[];
};

export const namesMax = 200;

const nameModel = (
  name: string,
  nameOf: (slot: Slot) => string,
  otherOf: (slot: Slot) => string,
): ReadModel<NameRow> => ({
  name,
  version: 1,
  keysOf: ({ attempt }) => (attempt.plan === null ? [] : [nameOf(attempt.plan.slot)]),
  evolve: (row, { attempt, before, position, atMs }) => {
    if (attempt.plan === null) return row;
    const first: Omit<NameRow, 'lastPosition' | 'lastAt'> = row ?? {
      name: nameOf(attempt.plan.slot),
      firstPosition: position,
      firstAt: atMs,
      attempts: 0,
      seenWith: [],
    };
    const other = otherOf(attempt.plan.slot);
    const seenWith =
      first.seenWith.includes(other) || first.seenWith.length >= namesMax
        ? first.seenWith
        : [...first.seenWith, other].toSorted();
    return {
      ...first,
      lastPosition: position,
      lastAt: atMs,
      attempts: first.attempts + (before === undefined || before.plan === null ? 1 : 0),
      seenWith,
    };
  },
  keysOfDeployment: () => [],
});

const environments: ReadModel<NameRow> = nameModel(
  'environment',
  (slot) => slot.environment,
  (slot) => slot.component,
);
const components: ReadModel<NameRow> = nameModel(
  'component',
  (slot) => slot.component,
  (slot) => slot.environment,
);

/** What numbers a producer's markers have. A marker without a number tells nothing here. */
export const producers: ReadModel<ProducerRow> = {
  name: 'producer',
  version: 1,
  keysOf: ({ marker: { producer, sequence }, principal }) =>
    producer === null || sequence === null ? [] : [producerKey(principal, producer)],
  evolve: (row, { marker: { producer, sequence }, principal, position, atMs }) =>
    producer === null || sequence === null
      ? row
      : evolveProducer(row, { principal, producer, sequence, position, atMs }),
  keysOfDeployment: () => [],
};

/**
 * Markers that there is something to say about. Its plan gives those of an unplanned attempt another note, or expels
 * them, and their rows with them.
 */
const remarks: ReadModel<RemarkRow> = {
  name: 'remark',
  version: 2,
  keysOf: ({ attempt, before, position }) => {
    const isPlannedNow = before !== undefined && before.plan === null && attempt.plan !== null;
    const entry = attempt.entries.findLast((other) => other.position === position);
    const told = entry !== undefined && isRemarkable(entry) ? [positionKey(position)] : [];
    return isPlannedNow
      ? [...before.entries.map((other) => positionKey(other.position)), ...told]
      : told;
  },
  before: ({ deployment, before }, key) =>
    before === undefined ? undefined : remarkRow(deployment, before, key),
  evolve: (_row, { deployment, attempt }, key) => remarkRow(deployment, attempt, key),
  keysOfDeployment: ({ attempts }) =>
    attempts.flatMap(({ entries }) =>
      entries.filter(isRemarkable).map(({ position }) => positionKey(position)),
    ),
};

const remarkRow = (
  deployment: Deployment,
  attempt: Attempt,
  key: string,
): RemarkRow | undefined => {
  const entry = attempt.entries.find(({ position }) => positionKey(position) === key);
  if (entry === undefined || !isRemarkable(entry)) return undefined;
  return {
    position: entry.position,
    deployment: deployment.id,
    attempt: attempt.number,
    slot: attempt.plan?.slot ?? null,
    version: attempt.plan?.version ?? null,
    kind: entry.kind,
    note: entry.note,
    says: entry.says,
    at: entry.at,
    appendedAt: entry.appendedAt,
    occurredAt: entry.occurredAt,
    waitedMs: entry.waitedMs,
    clockSkewed: entry.clockSkewed,
    principal: entry.principal,
    key: entry.key,
    source: entry.source,
  };
};

/** Roll-backs that were decided. Stops, approvals and lifted freezes are written here by operations. */
const guard: ReadModel<SlotGuardRow | RecentRow> = {
  name: guardModel,
  version: 2,
  keysOf: ({ marker, note }) =>
    marker.kind === 'roll-back' && note === 'applied' && marker.mode === 'decide'
      ? [slotGuardKey(marker.slot), recentKey]
      : [],
  evolve: (row, { marker, position, atMs, deployment, attempt }, key) => {
    if (marker.kind !== 'roll-back') return row;
    const said = {
      ...{ position, at: atMs, deployment: deployment.id, attempt: attempt.number },
      fromDigest: marker.fromDigest,
    };
    return key === recentKey
      ? withRecent(row as RecentRow | undefined, said, marker.slot)
      : withRollBack(row as SlotGuardRow | undefined, said);
  },
  keysOfDeployment: () => [],
};

/** Everything that follows from changes. The types of the rows are forgotten here: the fold stores them as JSON. */
export const readModels: readonly ReadModel<unknown>[] = [
  timeline,
  decisions,
  environments,
  components,
  producers,
  remarks,
  guard,
] as unknown as readonly ReadModel<unknown>[];

/** Rows of read models that are of one deployment alone. */
export const rowsOfDeployment = (
  deployment: Deployment,
): readonly { readonly model: string; readonly key: string }[] =>
  readModels.flatMap(({ name, keysOfDeployment }) =>
    keysOfDeployment(deployment).map((key) => ({ model: name, key })),
  );

/** Models that are listed by key order; the others are read by key only. */
export const orderedModels: readonly string[] = [
  'slot',
  'dead-letter',
  'trust',
  'operation',
  circumstanceModel,
  policyModel,
  ...readModels.map(({ name }) => name),
];

/** Version of the lifecycle and of the models that the fold itself writes (deployment, slot, marker, trust, dead-letter, operation, policy, circumstance, noted). */
const lifecycleVersion = 14;

/** What a fold's rows depend on beside the records. None of it is ever taken away, so their sum only grows. */
export type FoldParts = {
  readonly lifecycle: number;
  readonly models: readonly { readonly version: number }[];
  readonly kindsKnown: number;
  readonly schemasKnown: number;
};

/**
 * A further kind or schema makes another fold, too: what an older release left as unread, the newer one folds anew
 * and takes in its place.
 */
export const foldVersionOf = (parts: FoldParts): number =>
  parts.lifecycle * 1000 +
  parts.models.reduce((sum, { version }) => sum + version, 0) +
  parts.kindsKnown +
  parts.schemasKnown;

/** Version of the whole fold: a store that holds another one is folded anew. */
export const foldVersion: number = foldVersionOf({
  lifecycle: lifecycleVersion,
  models: readModels,
  kindsKnown: Object.keys(kinds).length,
  schemasKnown,
});
