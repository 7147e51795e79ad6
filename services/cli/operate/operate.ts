import type { Position } from '../../core/log/record.ts';
import type { OperationDraft, OperationRow } from '../../core/operations.ts';
import { positionKey } from '../../core/read-models.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { appendOperation } from './append-operation.ts';
import type { Given } from '../terminal/arguments.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problemTold } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';
import { readRows } from '../reading/reading.ts';

const exitRefused = 3;

export const openFolded = (ports: CliPorts): Promise<Result<AtHand, CliProblem>> =>
  ports.atHand(openProgress(ports, 'folding what is new'));

/**
 * Appends the operation and answers its position, once the fold has taken it. What the fold refuses stands on the log
 * without effect: then the answer is the fold's code, with a hint for it.
 */
export const operate = async (
  ports: CliPorts,
  { log, state }: AtHand,
  draft: OperationDraft,
  given: Given,
  hintOf: (code: string) => string,
): Promise<Result<Position, CliProblem>> => {
  const appended = await appendOperation(
    ports,
    { log, trust: state.trust },
    draft,
    given.value('key'),
  );
  if (!appended.ok) return appended;
  const { position } = appended.value;
  const became = await operationsAt(ports, [position]);
  if (!became.ok) return became;
  const [row] = became.value;
  const code = row === undefined ? 'out-of-scope' : row.effect?.refused[0]?.code;
  if (code === undefined) return ok(position);
  const message = `it stands at position ${position}, and has no effect`;
  return fail(problemTold({ code, message, hint: hintOf(code) }, exitRefused));
};

/** What the fold made of the operations. */
export const operationsAt = async (
  ports: CliPorts,
  positions: readonly Position[],
): Promise<Result<readonly OperationRow[], CliProblem>> => {
  const atHand = await openFolded(ports);
  if (!atHand.ok) return atHand;
  const rows = await readRows(
    atHand.value,
    positions.map((position) => ({ model: 'operation', key: positionKey(position) })),
  );
  if (!rows.ok) return rows;
  return ok(
    positions.flatMap((position) => {
      const row = rows.value.get('operation', positionKey(position)) as OperationRow | undefined;
      return row === undefined ? [] : [row];
    }),
  );
};
