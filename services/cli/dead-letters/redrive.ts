import type { DeadLetter, Redriven } from '../../core/dead-letters.ts';
import type { Position } from '../../core/log/record.ts';
import type { Operation } from '../../core/markers/marker.ts';
import { positionKey } from '../../core/read-models.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type {
  LetterChoice,
  LetterOutlook,
  PlannedLetter,
  RedrivePlan,
} from '../../ports/dead-letters.ts';
import {
  appendOperation,
  draftOperation,
  mayOperate,
  readOperator,
} from '../operate/append-operation.ts';
import type { Given } from '../terminal/arguments.ts';
import { plainText, spanText } from '../terminal/display.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { foldFailed, problem, refuse } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';
import { readRows } from '../reading/reading.ts';

/** One letter of `redrive --json`. */
type RedriveLine = Line & {
  readonly letter: Position;
  readonly code: string;
  readonly outlook: LetterOutlook;
  readonly becomes: string;
  readonly message: string | null;
  readonly waitedMs: number;
  readonly operation: Position | null;
  readonly position: Position | null;
};

/**
 * `plimsoll dead-letters redrive`: letters are judged first, as if they were appended now; those that would be
 * accepted are appended, behind an operation that names them; then the fold says what became of each.
 */
export const redrive = async (
  ports: CliPorts,
  choice: LetterChoice,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const isDry = given.has('dry-run');
  const reason = given.value('reason');
  if (reason === null && !isDry)
    return refuse(
      'option-missing',
      'plimsoll dead-letters redrive needs --reason=TEXT',
      'or --dry-run',
    );
  const words = reason ?? 'a dry run';
  const drafted = draftOperation(ports, {
    kind: 'letters-redriven',
    reason: words,
    positions: [0],
  });
  if (!drafted.ok) return drafted;
  const atHand = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!atHand.ok) return atHand;
  const planned = await planOf(ports, atHand.value, drafted.value, choice, given);
  if (!planned.ok) return planned;
  const { letters, chunks, isCut } = planned.value;
  if (isCut)
    ports.note({
      code: 'more',
      message: `only the oldest ${letters.length} letters are taken at a time`,
      hint: 'call again for the next ones',
    });
  if (isDry) {
    print(
      ports,
      letters.map((letter) => lineOf(letter, undefined)),
      isJson,
      isDry,
    );
    return ok(undefined);
  }
  if (chunks.length === 0) {
    print(
      ports,
      letters.map((letter) => lineOf(letter, undefined)),
      isJson,
      true,
    );
    return refuse(
      'nothing-redriven',
      'no letter would be accepted; nothing was appended',
      'mend the cause (plimsoll dead-letters show POSITION), or append them all the same with --force',
    );
  }
  const sent = await send(ports, atHand.value, planned.value, words, given);
  const became = await becomeOf(ports, letters);
  if (!became.ok) return sent.ok ? became : sent;
  const operations = new Set(sent.ok ? sent.value : []);
  print(
    ports,
    letters.map((letter) => lineOf(letter, became.value.get(letter.position), operations)),
    isJson,
    false,
  );
  return sent.ok ? ok(undefined) : sent;
};

const planOf = async (
  ports: CliPorts,
  atHand: AtHand,
  operation: Operation,
  choice: LetterChoice,
  given: Given,
): Promise<Result<RedrivePlan, CliProblem>> => {
  const signer = await readOperator(ports, given.value('key'));
  if (!signer.ok) return signer;
  const allowed = mayOperate(atHand.state.trust, signer.value, operation);
  if (!allowed.ok) return allowed;
  const planned = await ports.planRedrive(atHand)(choice, {
    signer: signer.value,
    isForced: given.has('force'),
    onProgress: openProgress(ports, 'reading letters'),
  });
  if (planned.ok) return planned;
  const { code, message } = planned.problem;
  return fail(
    code === 'not-found'
      ? problem(code, message, 'plimsoll dead-letters list shows them')
      : foldFailed(planned.problem),
  );
};

/** The positions of the operations. If we stop between two chunks, the letters of the later ones are as they were. */
const send = async (
  ports: CliPorts,
  { log, state }: AtHand,
  { chunks }: RedrivePlan,
  reason: string,
  given: Given,
): Promise<Result<readonly Position[], CliProblem>> => {
  const operations: Position[] = [];
  for (const { positions, records } of chunks) {
    const appended = await appendOperation(
      ports,
      { log, trust: state.trust },
      { kind: 'letters-redriven', reason, positions },
      given.value('key'),
      records,
    );
    if (!appended.ok) return appended;
    operations.push(appended.value.position);
  }
  return ok(operations);
};

/** The last redrive of each letter, as the fold tells it. */
const becomeOf = async (
  ports: CliPorts,
  letters: readonly PlannedLetter[],
): Promise<Result<ReadonlyMap<Position, Redriven>, CliProblem>> => {
  const atHand = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!atHand.ok) return atHand;
  const rows = await readRows(
    atHand.value,
    letters.map(({ position }) => ({ model: 'dead-letter', key: positionKey(position) })),
  );
  if (!rows.ok) return rows;
  return ok(
    new Map(
      letters.flatMap(({ position }) => {
        const letter = rows.value.get('dead-letter', positionKey(position)) as
          | DeadLetter
          | undefined;
        const last = letter?.redriven.at(-1);
        return last === undefined ? [] : [[position, last] as const];
      }),
    ),
  );
};

/** What was planned, and where it was appended what became of it. */
const lineOf = (
  { position: letter, code, outlook, becomes, message, waitedMs }: PlannedLetter,
  redriven: Redriven | undefined,
  operations: ReadonlySet<Position> = new Set(),
): RedriveLine => {
  const known = { letter, code, message, waitedMs };
  if (redriven === undefined || !operations.has(redriven.operation))
    return { ...known, outlook, becomes, operation: null, position: null };
  const { operation, position } = redriven;
  const stands = { operation, position };
  if (redriven.code !== null)
    return { ...known, outlook: 'refused-again', becomes: redriven.code, ...stands };
  return outlook === 'accepted' || outlook === 'known'
    ? { ...known, outlook, becomes, ...stands }
    : { ...known, outlook: 'accepted', becomes: 'accepted', ...stands };
};

const print = (
  { terminal }: CliPorts,
  lines: readonly RedriveLine[],
  isJson: boolean,
  isTried: boolean,
): void => {
  if (isJson) printLines(terminal, lines);
  else
    printText(
      terminal,
      lines.map((line) => sentence(line, isTried)),
    );
};

const sentence = (line: RedriveLine, isTried: boolean): string => {
  const { letter, code, outlook, becomes, message, waitedMs, position } = line;
  const what = {
    accepted: `${isTried ? 'would be ' : ''}accepted: ${becomes}`,
    known: `${isTried ? 'would be ' : ''}known already: ${becomes}`,
    'refused-again': `${isTried ? 'would be refused again' : 'refused again'}: ${becomes}`,
    'held-back': `held back: ${message ?? becomes} [${becomes}]`,
  }[outlook];
  const where = position === null ? '' : ` (position ${position}, waited ${spanText(waitedMs)})`;
  return plainText(`${letter} ${code} -> ${what}${where}`);
};
