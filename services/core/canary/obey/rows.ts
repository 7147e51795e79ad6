import type { DeadLetter } from '../../dead-letters.ts';
import type { Attempt, Deployment } from '../../deployment.ts';
import type { ApprovalRow, FreezesRow, RecentRow, SlotGuardRow, StopsRow } from '../../guard.ts';
import {
  approvalKey,
  freezesKey,
  guardModel,
  recentKey,
  slotGuardKey,
  stopsKey,
} from '../../guard.ts';
import type { LoadedRows, RowAddress } from '../../known-rows.ts';
import { address } from '../../known-rows.ts';
import type { Position } from '../../log/record.ts';
import type { Slot } from '../../markers/marker.ts';
import { slotKey } from '../../markers/slot.ts';
import { positionKey } from '../../position-key.ts';
import type { DecisionRow } from '../../read-models.ts';
import type { Result } from '../../result.ts';
import { ok } from '../../result.ts';
import { readRow } from '../../row-text.ts';
import type { SlotState } from '../../slot-state.ts';
import type { ObeyRows } from './question.ts';

// The rows that a decision is judged by, all of one state of the read models.

/** Reads rows at once, so that they are of one state. What does not exist is simply absent. */
export type ReadRowsAtOnce<Problem> = (
  keys: readonly RowAddress[],
) => Promise<Result<LoadedRows, Problem>>;

/** What is known about the decisions of one deployment. */
export type DeploymentRows = {
  readonly deployment: Deployment | undefined;
  readonly slot: (slot: Slot) => SlotState | undefined;
  /** The rows for one of its decisions. */
  readonly about: (decision: DecisionRow) => ObeyRows;
  /** What people and limits have said about a place. */
  readonly guards: (slot: Slot) => Pick<ObeyRows, 'stops' | 'freezes' | 'slotGuard'>;
  /** The log's own time as far as the rows reach. */
  readonly logTimeMs: number;
};

/** The rows about a record of the log that may be a decision. */
export const readDecisionRows = async <Problem>(
  read: ReadRowsAtOnce<Problem>,
  position: Position,
): Promise<Result<{ readonly rows: ObeyRows; readonly logTimeMs: number }, Problem>> => {
  const first = [
    { model: 'decision', key: positionKey(position) },
    { model: 'dead-letter', key: positionKey(position) },
  ];
  const found = await read(first);
  if (!found.ok) return found;
  const decision = rowIn<DecisionRow>(found.value, 'decision', positionKey(position));
  const all = await readAll(read, [
    ...first,
    ...(decision === undefined ? [] : [{ model: 'deployment', key: decision.deployment }]),
  ]);
  if (!all.ok) return all;
  const known = deploymentRows(all.value, decision?.deployment);
  const now = rowIn<DecisionRow>(all.value, 'decision', positionKey(position));
  const letter = rowIn<DeadLetter>(all.value, 'dead-letter', positionKey(position));
  const { logTimeMs } = known;
  return ok({
    logTimeMs,
    rows:
      now === undefined
        ? { ...nothing, letter, deployment: known.deployment }
        : { ...known.about(now), letter },
  });
};

export const readDeploymentRows = async <Problem>(
  read: ReadRowsAtOnce<Problem>,
  deployment: string,
): Promise<Result<DeploymentRows, Problem>> => {
  const all = await readAll(read, [{ model: 'deployment', key: deployment }]);
  return all.ok ? ok(deploymentRows(all.value, deployment)) : all;
};

/** Decisions of an attempt as lists have them. */
export const decisionsOf = (
  { id }: Deployment,
  { number, plan, decisions }: Attempt,
): readonly DecisionRow[] =>
  plan === null
    ? []
    : decisions.map((decision) => ({
        ...decision,
        deployment: id,
        attempt: number,
        slot: plan.slot,
      }));

const nothing: ObeyRows = {
  decision: undefined,
  letter: undefined,
  deployment: undefined,
  slot: undefined,
  stops: undefined,
  freezes: undefined,
  slotGuard: undefined,
  recent: undefined,
  approval: () => undefined,
};

const always: readonly RowAddress[] = [
  { model: guardModel, key: stopsKey },
  { model: guardModel, key: freezesKey },
  { model: guardModel, key: recentKey },
  { model: 'log', key: 'time' },
];

/** Reads until no row leads to another one, all of them again each time: a look at half an old state is none. */
const readAll = async <Problem>(
  read: ReadRowsAtOnce<Problem>,
  first: readonly RowAddress[],
): Promise<Result<LoadedRows, Problem>> => {
  let asked = [...always, ...first];
  for (;;) {
    const found = await read(asked);
    if (!found.ok) return found;
    const known = new Set(asked.map(({ model, key }) => address(model, key)));
    const further = first
      .flatMap(({ model, key }) =>
        model === 'deployment' ? keysOf(rowIn<Deployment>(found.value, model, key)) : [],
      )
      .filter(({ model, key }) => !known.has(address(model, key)));
    if (further.length === 0) return found;
    asked = [...asked, ...further];
  }
};

const keysOf = (deployment: Deployment | undefined): readonly RowAddress[] =>
  (deployment?.attempts ?? []).flatMap(({ plan, decisions }): readonly RowAddress[] =>
    plan === null
      ? []
      : [
          { model: 'slot', key: slotKey(plan.slot) },
          { model: guardModel, key: slotGuardKey(plan.slot) },
          ...decisions.flatMap(({ mode, note, position }) =>
            mode === 'ask' && note === 'applied'
              ? [{ model: guardModel, key: approvalKey(position) }]
              : [],
          ),
        ],
  );

const deploymentRows = (rows: LoadedRows, id: string | undefined): DeploymentRows => {
  const deployment = id === undefined ? undefined : rowIn<Deployment>(rows, 'deployment', id);
  const slot = (of: Slot): SlotState | undefined => rowIn<SlotState>(rows, 'slot', slotKey(of));
  const guards: DeploymentRows['guards'] = (of) => ({
    stops: rowIn<StopsRow>(rows, guardModel, stopsKey),
    freezes: rowIn<FreezesRow>(rows, guardModel, freezesKey),
    slotGuard: rowIn<SlotGuardRow>(rows, guardModel, slotGuardKey(of)),
  });
  return {
    deployment,
    slot,
    guards,
    about: (decision) => ({
      decision,
      letter: undefined,
      deployment,
      slot: slot(decision.slot),
      ...guards(decision.slot),
      recent: rowIn<RecentRow>(rows, guardModel, recentKey),
      approval: (position) => rowIn<ApprovalRow>(rows, guardModel, approvalKey(position)),
    }),
    logTimeMs: rowIn<{ readonly timeMs: number }>(rows, 'log', 'time')?.timeMs ?? 0,
  };
};

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- says it where it is asked for
const rowIn = <Row>(rows: LoadedRows, model: string, key: string): Row | undefined => {
  const text = rows.get(address(model, key));
  return text === undefined ? undefined : readRow<Row>(model, text);
};
