import type { DeadLetter } from './dead-letters.ts';
import type { CircumstanceRow, NotedRow, Rows as CircumstanceRows } from './circumstances.ts';
import { circumstanceModel, endFreeze, notedDeploymentKey, notedModel } from './circumstances.ts';
import { letterState, withDiscard } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import type { ApprovalRow, FreezesRow, RecentRow, Said, SlotGuardRow, StopsRow } from './guard.ts';
import {
  approvalKey,
  freezesKey,
  guardModel,
  recentKey,
  slotGuardKey,
  stopsKey,
  withRecent,
  withRollBack,
  withStop,
  withoutFreeze,
  withoutStop,
} from './guard.ts';
import type { Position } from './log/record.ts';
import type { Operation } from './markers/marker.ts';
import { slotKey } from './markers/slot.ts';
import type { Effect } from './operations.ts';
import type { DecisionRow } from './read-models.ts';
import { positionKey, rowsOfDeployment } from './read-models.ts';
import type { RetentionRow } from './retention.ts';
import { keptBecause, retentionKey, tiersOf, withTier } from './retention.ts';
import type { SlotState } from './slot-state.ts';
import type { KeyState, Trust } from './trust/trust.ts';
import { coversEnvironments, coversEverywhere, coversSlot } from './trust/trust.ts';

// What the fold does because of an operation. What must stay as it is stays, and is counted.

type OperationRows = {
  readonly 'dead-letter': DeadLetter;
  readonly deployment: Deployment;
  readonly slot: SlotState;
  readonly retention: RetentionRow;
  readonly decision: DecisionRow;
  readonly guard: StopsRow | FreezesRow | SlotGuardRow | RecentRow | ApprovalRow;
  readonly circumstance: CircumstanceRow;
  readonly noted: NotedRow;
};

/** The rows of the fold, as far as operations look at them. */
export type Rows = {
  readonly get: <Model extends keyof OperationRows>(
    model: Model,
    key: string,
  ) => OperationRows[Model] | undefined;
  readonly put: (model: string, key: string, row: unknown) => void;
  readonly remove: (model: string, key: string) => void;
};

type From = {
  readonly position: Position;
  readonly at: number;
  readonly logTimeMs: number;
  readonly signer: KeyState;
  readonly trust: Trust;
};

/** Why the whole operation is not accepted, or undefined. What is about no place needs a key for everywhere. */
export const operationRefusal = (operation: Operation, signer: KeyState): string | undefined => {
  switch (operation.kind) {
    case 'generation-begun':
    case 'generation-paused':
    case 'generation-built':
    case 'generation-switched':
    case 'generation-dropped':
    case 'letters-redriven':
    case 'letters-discarded':
    case 'log-archived':
    case 'log-sealed':
    case 'log-continued':
      return everywhere(signer);
    case 'retention-set':
      return coversEnvironments(signer, operation.environment ?? '')
        ? undefined
        : `the key ${signer.id} of ${signer.principal} may not act on all of ${operation.environment}`;
    case 'decisions-stopped':
    case 'decisions-resumed':
      return operation.environment === null
        ? everywhere(signer)
        : coversEnvironments(signer, operation.environment)
          ? undefined
          : `the key ${signer.id} of ${signer.principal} may not act on all of ${operation.environment}`;
    // Each deployment and each decision is asked by itself.
    case 'deployments-forgotten':
    case 'freeze-lifted':
    case 'decision-approved':
    case 'decision-declined':
      return undefined;
  }
};

const everywhere = (signer: KeyState): string | undefined =>
  coversEverywhere(signer)
    ? undefined
    : `the key ${signer.id} of ${signer.principal} may act in some places only, and this is about all`;

/** Writes what follows from the operation, and says what was done and what was not. Null: it changes no row. */
export const applyOperation = (rows: Rows, operation: Operation, from: From): Effect | null => {
  switch (operation.kind) {
    case 'letters-redriven':
      return effectOf(operation.positions.map((position) => notFirst(rows, position)));
    case 'letters-discarded':
      return effectOf(
        operation.positions.map((position) => discard(rows, operation, position, from)),
      );
    case 'retention-set':
      return effectOf([setTier(rows, operation, from)]);
    case 'deployments-forgotten':
      return effectOf(operation.deployments.map((id) => forget(rows, id, from)));
    case 'decisions-stopped':
      return effectOf([stopDecisions(rows, operation, from)]);
    case 'decisions-resumed':
      return effectOf([resumeDecisions(rows, operation)]);
    case 'freeze-lifted':
      return effectOf(operation.positions.map((at) => liftFreeze(rows, operation, at, from)));
    case 'decision-approved':
    case 'decision-declined':
      return effectOf(operation.positions.map((at) => answer(rows, operation, at, from)));
    case 'generation-begun':
    case 'generation-paused':
    case 'generation-built':
    case 'generation-switched':
    case 'generation-dropped':
    case 'log-archived':
    case 'log-sealed':
    case 'log-continued':
      return null;
  }
};

/** One answer for each part: undefined where it was done, else why not. */
const effectOf = (parts: readonly (string | undefined)[]): Effect => {
  const refused = new Map<string, number>();
  for (const code of parts) if (code !== undefined) refused.set(code, (refused.get(code) ?? 0) + 1);
  return {
    done: parts.filter((code) => code === undefined).length,
    refused: [...refused]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, count]) => ({ code, count })),
  };
};

const notFirst = (rows: Rows, position: Position): string | undefined => {
  const letter = rows.get('dead-letter', positionKey(position));
  if (letter === undefined) return 'unknown';
  return letter.redriveOf === null ? undefined : 'letter-repeat';
};

const discard = (
  rows: Rows,
  { reason }: Operation,
  position: Position,
  from: From,
): string | undefined => {
  const key = positionKey(position);
  const letter = rows.get('dead-letter', key);
  if (letter === undefined) return 'unknown';
  const state = letterState(letter);
  if (state !== 'open') return `letter-${state}`;
  const { at, signer } = from;
  const by = { operation: from.position, at, principal: signer.principal, key: signer.id, reason };
  rows.put('dead-letter', key, withDiscard(letter, by));
  return undefined;
};

const setTier = (rows: Rows, operation: Operation, from: From): string | undefined => {
  const { environment, days, reason } = operation;
  if (environment === null || days === null)
    throw new TypeError('the door lets no retention-set through without environment and days');
  const { position, at, signer } = from;
  const set = { position, at, principal: signer.principal, key: signer.id, reason };
  const row = withTier(rows.get('retention', retentionKey), { environment, days, set });
  if (row === undefined) return 'tiers-full';
  rows.put('retention', retentionKey, row);
  return undefined;
};

const forget = (rows: Rows, id: string, from: From): string | undefined => {
  const deployment = rows.get('deployment', id);
  const kept = keptBecause(deployment, {
    tiers: tiersOf(rows.get('retention', retentionKey)),
    nowMs: from.logTimeMs,
    trust: from.trust,
    signer: from.signer,
    slot: (slot) => rows.get('slot', slotKey(slot)),
  });
  if (kept !== undefined || deployment === undefined) return kept ?? 'unknown';
  rows.remove('deployment', id);
  for (const { model, key } of rowsOfDeployment(deployment)) rows.remove(model, key);
  rows.remove(notedModel, notedDeploymentKey(id));
  rows.put('forgotten', id, { operation: from.position, attempts: deployment.attempts.length });
  return undefined;
};

const saidBy = ({ reason }: Operation, { position, at, signer }: From): Said => ({
  position,
  at,
  principal: signer.principal,
  key: signer.id,
  reason,
});

const stopDecisions = (rows: Rows, operation: Operation, from: From): string | undefined => {
  const before = rows.get('guard', stopsKey) as StopsRow | undefined;
  const { environment } = operation;
  const row = withStop(before, { environment, ...saidBy(operation, from) });
  if (row === undefined) return 'stops-full';
  rows.put(guardModel, stopsKey, row);
  return undefined;
};

const resumeDecisions = (rows: Rows, { environment }: Operation): string | undefined => {
  const row = withoutStop(rows.get('guard', stopsKey) as StopsRow | undefined, environment);
  if (row === undefined) return 'not-stopped';
  rows.put(guardModel, stopsKey, row);
  return undefined;
};

/** The decision at that position, if the signer may speak of it. */
const decisionFor = (rows: Rows, at: Position, { signer }: From): DecisionRow | string => {
  const decision = rows.get('decision', positionKey(at));
  if (decision === undefined) return 'unknown';
  return coversSlot(signer, decision.slot) ? decision : 'out-of-scope';
};

const liftFreeze = (
  rows: Rows,
  operation: Operation,
  at: Position,
  from: From,
): string | undefined => {
  const freeze = rows.get('circumstance', positionKey(at));
  if (freeze?.kind === 'freeze') return liftPlaceFreeze(rows, freeze, from);
  const decision = decisionFor(rows, at, from);
  if (typeof decision === 'string') return decision;
  const key = slotGuardKey(decision.slot);
  const row = rows.get('guard', key) as SlotGuardRow | undefined;
  if (row === undefined || !row.rollBacks.some(({ position }) => position === at))
    return 'not-frozen';
  if (row.lifted !== null && row.lifted.rollBack >= at) return 'not-frozen';
  rows.put(guardModel, key, { ...row, lifted: { rollBack: at, ...saidBy(operation, from) } });
  return undefined;
};

/** A person's freeze is lifted by whoever may act on all that it covers. */
const liftPlaceFreeze = (
  rows: Rows,
  { position, slot }: CircumstanceRow,
  from: From,
): string | undefined => {
  if (!coversSlot(from.signer, slot)) return 'out-of-scope';
  const row = withoutFreeze(rows.get('guard', freezesKey) as FreezesRow | undefined, position);
  if (row === undefined) return 'not-frozen';
  rows.put(guardModel, freezesKey, row);
  endFreeze(rows as CircumstanceRows, position, from);
  return undefined;
};

/** An approval or its contrary. What is approved may be obeyed from then on, so a roll-back counts from then. */
const answer = (rows: Rows, operation: Operation, at: Position, from: From): string | undefined => {
  const decision = decisionFor(rows, at, from);
  if (typeof decision === 'string') return decision;
  if (decision.note !== 'applied') return 'decision-not-standing';
  if (decision.mode !== 'ask') return 'not-asked';
  const isApproved = operation.kind === 'decision-approved';
  const key = approvalKey(at);
  const before = rows.get('guard', key) as ApprovalRow | undefined;
  const said = saidBy(operation, from);
  const other = isApproved ? approvedByAnother(before, said) : undefined;
  const row: ApprovalRow = {
    decision: at,
    answer: isApproved ? 'approved' : 'declined',
    ...said,
    ...(other === undefined ? {} : { before: other }),
  };
  rows.put(guardModel, key, row);
  if (decision.kind !== 'roll-back' || !isApproved || before?.answer === 'approved')
    return undefined;
  const { deployment, attempt, slot, fromDigest } = decision;
  const rollBack = { position: at, at: from.at, deployment, attempt, fromDigest };
  const slotAt = slotGuardKey(slot);
  const known = rows.get('guard', slotAt) as SlotGuardRow | undefined;
  if (known?.rollBacks.some(({ position }) => position === at) === true) return undefined;
  rows.put(guardModel, slotAt, withRollBack(known, rollBack));
  const recent = rows.get('guard', recentKey) as RecentRow | undefined;
  rows.put(guardModel, recentKey, withRecent(recent, rollBack, slot));
  return undefined;
};

const approvedByAnother = (
  row: ApprovalRow | undefined,
  { principal: own }: Said,
): Said | undefined => {
  if (row?.answer !== 'approved') return undefined;
  if (row.principal === own) return row.before;
  const { position, at, principal, key, reason } = row;
  return { position, at, principal, key, reason };
};

/** Rows that an operation looks at by what it says itself; deployments lead to more. */
export const rowsOfOperation = (
  operation: Operation,
): readonly { readonly model: string; readonly key: string }[] => {
  switch (operation.kind) {
    case 'letters-redriven':
    case 'letters-discarded':
      return operation.positions.map((at) => ({ model: 'dead-letter', key: positionKey(at) }));
    case 'retention-set':
      return [{ model: 'retention', key: retentionKey }];
    case 'deployments-forgotten':
      return [
        { model: 'retention', key: retentionKey },
        ...operation.deployments.flatMap((key) => [
          { model: 'deployment', key },
          { model: notedModel, key: notedDeploymentKey(key) },
          { model: 'forgotten', key },
        ]),
      ];
    case 'decisions-stopped':
    case 'decisions-resumed':
      return [{ model: guardModel, key: stopsKey }];
    case 'freeze-lifted':
      return operation.positions.flatMap((at) => [
        { model: 'decision', key: positionKey(at) },
        { model: circumstanceModel, key: positionKey(at) },
        { model: guardModel, key: freezesKey },
      ]);
    case 'decision-approved':
    case 'decision-declined':
      return operation.positions.flatMap((at) => [
        { model: 'decision', key: positionKey(at) },
        { model: guardModel, key: approvalKey(at) },
        { model: guardModel, key: recentKey },
      ]);
    case 'generation-begun':
    case 'generation-paused':
    case 'generation-built':
    case 'generation-switched':
    case 'generation-dropped':
    case 'log-archived':
    case 'log-sealed':
    case 'log-continued':
      return [];
  }
};
