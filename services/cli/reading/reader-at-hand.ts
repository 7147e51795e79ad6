import type { Deployment } from '../../core/deployment.ts';
import type { Position } from '../../core/log/record.ts';
import { markerKey } from '../../core/projection.ts';
import type { DeadLetter } from '../../core/dead-letters.ts';
import type { CircumstanceRow } from '../../core/circumstances.ts';
import { circumstanceModel } from '../../core/circumstances.ts';
import { circumstanceLine, readNoted } from '../../core/noted-view.ts';
import type { OperationRow } from '../../core/operations.ts';
import type { PolicyRow } from '../../core/policy-records.ts';
import { policyModel } from '../../core/policy-records.ts';
import { positionKey } from '../../core/read-models.ts';
import type { DecisionRow, NameRow } from '../../core/read-models.ts';
import type { RetentionRow } from '../../core/retention.ts';
import { retentionKey, tiersOf } from '../../core/retention.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { MarkerRow } from '../../core/row-forms/marker.ts';
import type { AttemptLine, SlotState } from '../../core/slot-state.ts';
import type { Line, Present } from '../../core/views.ts';
import {
  currentLines,
  deadLetterLine,
  decisionLine,
  deploymentView,
  keyLine,
  nameLine,
  operationLine,
  policyLine,
  policyView,
  retentionLine,
  presentOf,
  timelineLine,
} from '../../core/views.ts';
import type { AtHand } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, readFailed } from '../problem.ts';
import type { Choice, Filter, LetterView, ListName, Reader } from './reader.ts';
import { readRows, rowTexts, scanRows } from './reading.ts';

/** Answers from read models that were folded up to the end of the log just now. */
export const readAtHand = (atHand: AtHand, nowMs: number): Reader => {
  const present = presentOf(nowMs, [...atHand.state.trust.keys.values()]);
  return {
    list: (name, choice) => listOf(atHand, present, name, choice),
    show: async (id) => {
      const found = await findDeployment(atHand, id);
      if (!found.ok) return found;
      const noted = await readNoted((keys) => rowTexts(atHand, keys), found.value.id, present);
      return noted.ok ? ok({ ...deploymentView(found.value, present), ...noted.value }) : noted;
    },
    policy: (position) => findPolicy(atHand, present, position),
    deadLetter: (position) => findLetter(atHand, position),
  };
};

type Lines = Result<readonly Line[], CliProblem>;

const listOf = async (
  atHand: AtHand,
  present: Present,
  name: ListName,
  choice: Choice,
): Promise<Lines> => {
  const isWanted = (row: Placed): boolean => matches(row, choice.filter);
  switch (name) {
    case 'current': {
      const slots = await scanRows<SlotState>(atHand, 'slot', {
        isWanted: ({ slot }) => isWanted(slot),
      });
      return slots.ok ? ok(slots.value.flatMap((state) => currentLines(state, present))) : slots;
    }
    case 'timeline':
      return byPosition<AttemptLine>(atHand, 'timeline', choice, isWanted, (line) =>
        timelineLine(line, present),
      );
    case 'decisions':
      return byPosition<DecisionRow>(
        atHand,
        'decision',
        choice,
        ({ slot }) => isWanted(slot),
        (row) => decisionLine(row, present),
      );
    case 'dead-letters':
      return byPosition<DeadLetter>(atHand, 'dead-letter', choice, () => true, deadLetterLine);
    case 'changes':
      return byPosition<CircumstanceRow>(
        atHand,
        circumstanceModel,
        choice,
        ({ slot }) => isWanted(slot),
        (row) => circumstanceLine(row, present),
      );
    case 'operations':
      return byPosition<OperationRow>(
        atHand,
        'operation',
        choice,
        () => true,
        (row) => operationLine(row, present),
      );
    case 'policies':
      return byPosition<PolicyRow>(
        atHand,
        policyModel,
        choice,
        () => true,
        (row) => policyLine(row, present),
      );
    case 'environments':
      return namesOf(atHand, 'environment', 'components');
    case 'components':
      return namesOf(atHand, 'component', 'environments');
    case 'retention': {
      const rows = await readRows(atHand, [{ model: 'retention', key: retentionKey }]);
      if (!rows.ok) return rows;
      const row = rows.value.get('retention', retentionKey) as RetentionRow | undefined;
      return ok(tiersOf(row).map((tier) => retentionLine(tier, present)));
    }
    case 'keys':
      return ok(
        [...atHand.state.trust.keys.values()]
          .toSorted((a, b) => a.addedAt - b.addedAt)
          .map(keyLine),
      );
  }
};

const byPosition = async <Row>(
  atHand: AtHand,
  model: string,
  { after, newestMax, isWanted: isLineWanted }: Choice,
  isWanted: (row: Row) => boolean,
  lineOf: (row: Row) => Line,
): Promise<Lines> => {
  const rows = await scanRows<Row>(atHand, model, {
    range: after === undefined ? { newestFirst: true } : { after: positionKey(after) },
    isWanted: (row) => isWanted(row) && (isLineWanted?.(lineOf(row)) ?? true),
    ...(newestMax === undefined ? {} : { wantedMax: newestMax }),
  });
  if (!rows.ok) return rows;
  const lines = rows.value.map(lineOf);
  return ok(after === undefined ? lines.toReversed() : lines);
};

const namesOf = async (
  atHand: AtHand,
  model: string,
  seenWith: 'components' | 'environments',
): Promise<Lines> => {
  const rows = await scanRows<NameRow>(atHand, model);
  return rows.ok ? ok(rows.value.map((row) => nameLine(row, seenWith))) : rows;
};

/** Markers are known by id and signer; whoever asks knows the id alone. */
export const findDeployment = async (
  atHand: AtHand,
  id: string,
): Promise<Result<Deployment, CliProblem>> => {
  const principals = new Set([...atHand.state.trust.keys.values()].map((key) => key.principal));
  const markerKeys = [...principals].map((principal) => markerKey(id, principal));
  const rows = await readRows(atHand, [
    { model: 'deployment', key: id },
    { model: 'forgotten', key: id },
    ...markerKeys.map((key) => ({ model: 'marker', key })),
  ]);
  if (!rows.ok) return rows;
  const direct = rows.value.get('deployment', id) as Deployment | undefined;
  if (direct !== undefined) return ok(direct);
  if (rows.value.get('forgotten', id) !== undefined) return forgotten(`the deployment ${id}`);
  const named = markerKeys
    .map((key) => rows.value.get('marker', key) as MarkerRow | undefined)
    .find((row) => row !== undefined);
  if (named === undefined || named.openedAt === null) return notFound(id);
  // The index says where the attempt was opened, and the line of that attempt is whose it is.
  const lineKey = positionKey(named.openedAt);
  const lines = await readRows(atHand, [{ model: 'timeline', key: lineKey }]);
  if (!lines.ok) return lines;
  const line = lines.value.get('timeline', lineKey) as AttemptLine | undefined;
  if (line === undefined) return forgotten(`the deployment of the marker ${id}`);
  const key = line.deployment;
  const row = await readRows(atHand, [{ model: 'deployment', key }]);
  if (!row.ok) return row;
  const found = row.value.get('deployment', key) as Deployment | undefined;
  return found === undefined ? notFound(id) : ok(found);
};

const forgotten = (what: string): Result<never, CliProblem> =>
  fail(
    problem(
      'not-found',
      `${what} was forgotten, as retention says`,
      'plimsoll operations tells who let it go and why; its records are on the log',
    ),
  );

const notFound = (id: string): Result<never, CliProblem> =>
  fail(
    problem(
      'not-found',
      `no deployment and no marker ${id} is known`,
      'plimsoll timeline lists deployments, plimsoll dead-letters list what was not accepted',
    ),
  );

const findPolicy = async (
  atHand: AtHand,
  present: Present,
  position: Position | null,
): Promise<Result<Line | null, CliProblem>> => {
  if (position === null) {
    const newest = { range: { newestFirst: true }, wantedMax: 1 } as const;
    const rows = await scanRows<PolicyRow>(atHand, policyModel, newest);
    if (!rows.ok) return rows;
    const [row] = rows.value;
    return ok(row === undefined ? null : policyView(row, present));
  }
  const key = positionKey(position);
  const rows = await readRows(atHand, [{ model: policyModel, key }]);
  if (!rows.ok) return rows;
  const row = rows.value.get(policyModel, key) as PolicyRow | undefined;
  return row === undefined ? noPolicyAt(position) : ok(policyView(row, present));
};

const noPolicyAt = (position: Position): Result<never, CliProblem> =>
  fail(
    problem(
      'not-found',
      `the record at position ${position} sets no policies`,
      'plimsoll policy list shows those that do',
    ),
  );

const findLetter = async (
  atHand: AtHand,
  position: Position,
): Promise<Result<LetterView, CliProblem>> => {
  const key = positionKey(position);
  const rows = await readRows(atHand, [{ model: 'dead-letter', key }]);
  if (!rows.ok) return rows;
  const letter = rows.value.get('dead-letter', key) as DeadLetter | undefined;
  if (letter === undefined)
    return fail(
      problem(
        'not-found',
        `the record at position ${position} is no dead letter`,
        'plimsoll dead-letters list shows them',
      ),
    );
  const read = await atHand.log.read(0, position, 1);
  if (!read.ok) return fail(readFailed(read.problem));
  return ok({ letter: deadLetterLine(letter), record: read.value[0] ?? null });
};

type Placed = { readonly [Part in keyof Filter]: string | null };

/** Whether a place is one that is asked for. */
export const matches = (place: Placed, filter: Filter | undefined): boolean =>
  filter === undefined ||
  (['environment', 'component', 'namespace', 'target'] as const).every(
    (part) => filter[part] === null || filter[part] === place[part],
  );
