import type { CircumstanceRow } from '../../core/circumstances.ts';
import { circumstanceModel } from '../../core/circumstances.ts';
import type { FreezesRow } from '../../core/guard.ts';
import { freezesKey, guardModel, withoutFreeze } from '../../core/guard.ts';
import { slotKey } from '../../core/markers/slot.ts';
import type { OperationDraft } from '../../core/operations.ts';
import { positionKey } from '../../core/position-key.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import { draftOperation } from '../operate/append-operation.ts';
import { openFolded, operate } from '../operate/operate.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { readRows } from '../reading/reading.ts';
import type { Given } from '../terminal/arguments.ts';
import { plainText } from '../terminal/display.ts';
import { printLines, printText } from '../terminal/output.ts';

const isLiftedHint = 'plimsoll changes --open shows the freezes that stand';

/** Ends a freeze that a person said. It is named by its position: one that is said again later stands on. */
export const runLiftFreeze = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const [word = ''] = given.words;
  if (!/^(?:0|[1-9][0-9]{0,11})$/.test(word))
    return refuse(
      'word-invalid',
      `${JSON.stringify(word.slice(0, 64))} is no position`,
      isLiftedHint,
    );
  const opened = await openFolded(ports);
  if (!opened.ok) return opened;
  const position = Number(word);
  const rows = await readRows(opened.value, [
    { model: circumstanceModel, key: positionKey(position) },
    { model: guardModel, key: freezesKey },
  ]);
  if (!rows.ok) return rows;
  const freeze = rows.value.get(circumstanceModel, positionKey(position)) as
    | CircumstanceRow
    | undefined;
  const freezes = rows.value.get(guardModel, freezesKey) as FreezesRow | undefined;
  if (freeze?.kind !== 'freeze' || withoutFreeze(freezes, position) === undefined)
    return refuse('not-frozen', `no freeze stands at position ${position}`, isLiftedHint);
  const place = slotKey(freeze.slot);
  const draft: OperationDraft = {
    kind: 'freeze-lifted',
    reason: given.value('reason') ?? '',
    positions: [position],
    note: place,
  };
  const formed = draftOperation(ports, draft);
  if (!formed.ok) return formed;
  const operated = await operate(ports, opened.value, draft, given, () => isLiftedHint);
  if (!operated.ok) return operated;
  const line: Line = {
    operation: operated.value,
    kind: draft.kind,
    environment: null,
    decision: position,
  };
  if (isJson) printLines(ports.terminal, [line]);
  else
    printText(ports.terminal, [
      plainText(`the freeze of ${place} is lifted (position ${operated.value})`),
    ]);
  return ok(undefined);
};
