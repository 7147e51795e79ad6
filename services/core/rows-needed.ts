import type { Checked } from './check/check-batch.ts';
import type { NotedRow } from './circumstances.ts';
import { factsBefore, notedSlotKey, rowsOfCircumstance } from './circumstances.ts';
import { letterAt, redrivingAfter } from './dead-letters.ts';
import type { Redriving } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import { guardModel, recentKey, slotGuardKey } from './guard.ts';
import type { Cell, FoldRows, RowAddress } from './known-rows.ts';
import type { Position } from './log/record.ts';
import { isCircumstance, isOfOperator, isPlaceFact, isPolicySet } from './markers/kinds.ts';
import type {
  Circumstance,
  DeploymentMarker,
  Envelope,
  Operation,
  Slot,
} from './markers/marker.ts';
import { slotKey } from './markers/slot.ts';
import { rowsOfOperation } from './operation-effects.ts';
import { producerKey } from './producers.ts';
import { positionKey, rowsOfDeployment } from './read-models.ts';
import type { MarkerRow } from './row-forms/marker.ts';
import type { SlotState } from './slot-state.ts';
import { slotHistory } from './slot-state.ts';
import { onBehalfOf } from './trust/on-behalf.ts';
import type { KeyState } from './trust/trust.ts';

// Which rows a fold looks at: a marker leads to its deployment, that to its slots, those to who holds them.

export type AuthenticItem = Extract<Checked, { readonly outcome: 'authentic' }>;

/** Rows that a record names. */
export type RecordRows = {
  readonly marker: Cell<MarkerRow>;
  /** That of what moves none is none. */
  readonly deployment: Cell<Deployment> | undefined;
};

export type SlotRows = {
  readonly slot: Cell<SlotState>;
  readonly environment: Cell;
  readonly component: Cell;
};

/** The rows that records and plans name, each found once in a fold. */
export type NamedRows = {
  readonly byRecord: (item: AuthenticItem) => RecordRows;
  readonly bySlot: (slot: Slot) => SlotRows;
};

export const openNamedRows = (rows: FoldRows): NamedRows => {
  const records = new Map<Position, RecordRows>();
  const slots = new Map<Slot, SlotRows>();
  return {
    byRecord: ({ record, authentic: { marker, signer } }) => {
      const known = records.get(record.position);
      if (known !== undefined) return known;
      const named: RecordRows = {
        marker: rows.cell('marker', markerKey(marker.marker, signer.principal)),
        deployment:
          isOfOperator(marker) || isCircumstance(marker)
            ? undefined
            : rows.cell('deployment', (marker as DeploymentMarker).deployment),
      };
      records.set(record.position, named);
      return named;
    },
    bySlot: (slot) => {
      const known = slots.get(slot);
      if (known !== undefined) return known;
      const named: SlotRows = {
        slot: rows.cell('slot', slotKey(slot)),
        environment: rows.cell('environment', slot.environment),
        component: rows.cell('component', slot.component),
      };
      slots.set(slot, named);
      return named;
    },
  };
};

export const markerKey = (marker: string, principal: string): string => `${marker}:${principal}`;

/**
 * Answers at each call which rows the fold of these records will look at that nobody knows and that were not asked for:
 * to be called again with what they brought until there are none. `redriving` is that of the state before the first
 * record. `presumesNew`: a marker of which nothing is known is taken for new, and so is a deployment that it plans.
 */
export const openNeeds = (
  rows: FoldRows,
  named: NamedRows,
  checked: readonly Checked[],
  redriving: Redriving | null,
  presumesNew: boolean,
): (() => readonly RowAddress[]) => {
  let wanted: RowAddress[] = [];
  /** A row that leads to others is not known yet. */
  let isOpen = false;
  const want = (cell: Cell): void => {
    if (cell.isWanted || rows.isKnown(cell)) return;
    cell.isWanted = true;
    wanted.push(cell);
  };
  const wantAt = ({ model, key }: RowAddress): void => want(rows.cell(model, key));
  /** The row, if it is known by now. */
  const led = <Row>(cell: Cell<Row>): Row | undefined => {
    want(cell);
    if (rows.isKnown(cell)) return rows.now(cell);
    isOpen = true;
    return undefined;
  };
  const followSlot = (slot: Slot): Cell<SlotState> => {
    const { slot: cell, environment, component } = named.bySlot(slot);
    want(cell);
    want(environment);
    want(component);
    return cell;
  };
  const followDeployment = (cell: Cell<Deployment>): Deployment | undefined => {
    const deployment = led(cell);
    if (deployment === undefined || cell.isFollowed) return deployment;
    cell.isFollowed = true;
    for (const { plan, entries } of deployment.attempts)
      if (plan !== null) followSlot(plan.slot);
      // Its plan may expel them, and their ids with them.
      else
        for (const entry of entries)
          want(rows.cell('marker', markerKey(entry.marker, entry.principal)));
    return deployment;
  };
  const followFirst = ({ openedAt }: MarkerRow): void => {
    if (openedAt === null) return;
    const line = led(rows.cell('timeline', positionKey(openedAt)));
    if (line !== undefined) followDeployment(rows.cell('deployment', line.deployment));
  };
  const followOperation = (operation: Operation): void => {
    rowsOfOperation(operation).forEach(wantAt);
    if (isAboutDecision(operation))
      for (const at of operation.positions) {
        const decision = led(rows.cell('decision', positionKey(at)));
        if (decision !== undefined) want(rows.cell(guardModel, slotGuardKey(decision.slot)));
      }
    if (operation.kind !== 'deployments-forgotten') return;
    for (const id of operation.deployments) {
      const going = followDeployment(rows.cell('deployment', id));
      if (going !== undefined) rowsOfDeployment(going).forEach(wantAt);
    }
  };
  const wantProducer = ({ producer, sequence }: Envelope, { principal }: KeyState): void => {
    if (producer !== null && sequence !== null)
      want(rows.cell('producer', producerKey(principal, producer)));
  };
  const followCircumstance = (marker: Circumstance): void => {
    rowsOfCircumstance(marker).forEach(wantAt);
    if (marker.kind === 'freeze') return;
    const noted: NotedRow | undefined = led(rows.cell('noted', notedSlotKey(marker.slot)));
    for (const other of factsBefore(noted, marker))
      want(rows.cell('circumstance', positionKey(other)));
  };
  const follow = (item: AuthenticItem): void => {
    const { marker, signer } = item.authentic;
    const { marker: markerCell, deployment } = named.byRecord(item);
    if (presumesNew) {
      rows.presumeAbsent(markerCell);
      const isFirst = marker.kind === 'planned' || isPlaceFact(marker);
      if (deployment !== undefined && isFirst) rows.presumeAbsent(deployment);
    }
    const first = led(markerCell);
    if (first !== undefined) followFirst(first);
    if (isOfOperator(marker)) {
      if (!isPolicySet(marker)) followOperation(marker);
      return;
    }
    if (isCircumstance(marker)) {
      followCircumstance(marker);
      wantProducer(marker, signer);
      return;
    }
    const moving = marker as DeploymentMarker;
    const { kind, slot } = moving;
    wantProducer(moving, signer);
    if (deployment !== undefined) followDeployment(deployment);
    if (slot === null) return;
    const slotCell = followSlot(slot);
    if (kind === 'roll-back') {
      want(rows.cell(guardModel, slotGuardKey(slot)));
      want(rows.cell(guardModel, recentKey));
    }
    if (!isPlaceFact(moving)) return;
    // One that repeats what is there goes to the deployment that brought it.
    const { held, releases } = slotHistory(led(slotCell), onBehalfOf(signer, marker));
    for (const { deployment: id } of kind === 'released' ? releases : held === null ? [] : [held])
      followDeployment(rows.cell('deployment', id));
  };
  const wantLetters = (): void => {
    let announced = redriving;
    for (const item of checked) {
      const { position } = item.record;
      const letter = letterAt(announced, position);
      if (letter !== undefined) want(rows.cell('dead-letter', positionKey(letter)));
      announced = redrivingAfter(announced, position) ?? redrivingOf(item, position, false);
    }
  };
  let open: readonly AuthenticItem[] | undefined;
  return () => {
    wanted = [];
    if (open === undefined) wantLetters();
    open = (open ?? checked.filter(isAuthentic)).filter((item) => {
      isOpen = false;
      follow(item);
      return isOpen;
    });
    return wanted;
  };
};

const isAboutDecision = ({ kind }: Operation): boolean =>
  kind === 'freeze-lifted' || kind === 'decision-approved' || kind === 'decision-declined';

const isAuthentic = (item: Checked): item is AuthenticItem => item.outcome === 'authentic';

/** The letters whose bytes an operation says to stand right behind it. */
export const redrivingOf = (
  item: Checked,
  operation: Position,
  isRepeat: boolean,
): Redriving | null =>
  item.outcome === 'authentic' && item.authentic.marker.kind === 'letters-redriven'
    ? {
        operation,
        from: item.record.position + 1,
        letters: [...item.authentic.marker.positions],
        isRepeat,
      }
    : null;
